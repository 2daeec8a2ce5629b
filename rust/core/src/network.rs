//! A network: an architecture and its parameters; what it says of samples, and how wrong that is.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use crate::architecture::Architecture;
use crate::backprop::{
    Saved, first_activations, layer_forward, matrix, matrix_mut, rows_per_block,
};
use crate::batch::Passes;
use crate::buffer::{Buffer, try_collect};
use crate::context::Context;
use crate::data::{Data, check_samples};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::init::Init;
use crate::lanes::Problem;
use crate::loader::{SampleLoader, TargetLoader};
use crate::loss::Loss;
use crate::parameters::Parameters;
use crate::penalty::Penalty;
use crate::samples::{Rows, Samples};

/// A multi-layer perceptron.
///
/// ```
/// use ndarray::array;
/// use purrceptron::{Activation, Architecture, Context, Init, Network, Output, Samples};
///
/// let ctx = Context::current()?;
/// let architecture = Architecture::new(&[2, 3, 1], Activation::Relu, Output::Sigmoid)?;
/// let net = Network::<f64>::new(architecture, Init::HeNormal, 1)?;
/// let x = array![[0.0, 0.0], [0.5, -1.0]];
/// let a = net.forward(&ctx, &Samples::F64(x.view()))?;
/// assert_eq!(a.dim(), (2, 1));
/// assert_eq!(a[[0, 0]], 0.5); // zero inputs and biases: no opinion
/// # Ok::<(), purrceptron::Error>(())
/// ```
#[derive(Debug)]
pub struct Network<T: Float> {
    /// The shape.
    pub architecture: Architecture,
    /// The weights and biases.
    pub parameters: Parameters<T>,
    /// What `u8` samples are multiplied by.
    pub uint8_scale: f64,
}

impl<T: Float> Network<T> {
    /// A new network with weights drawn by `init` from `seed`; pixels will be divided by 255.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn new(architecture: Architecture, init: Init, seed: u64) -> Result<Self> {
        let parameters = Parameters::init(&architecture, init, seed)?;
        Ok(Self { architecture, parameters, uint8_scale: 1.0 / 255.0 })
    }

    /// What reads and judges with these parameters.
    pub fn model(&self) -> Model<'_, T> {
        Model {
            architecture: &self.architecture,
            parameters: &self.parameters,
            uint8_scale: self.uint8_scale,
        }
    }

    /// The output activations; see [`Model::forward`].
    ///
    /// # Errors
    /// As there.
    pub fn forward(&self, ctx: &Context, x: &Samples<'_>) -> Result<Array2<T>> {
        self.model().forward(ctx, x)
    }
}

/// A network's parts, borrowed: they may be shared by threads while another one trains.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a, T: Float> {
    /// The shape.
    pub architecture: &'a Architecture,
    /// The weights and biases.
    pub parameters: &'a Parameters<T>,
    /// What `u8` samples are multiplied by.
    pub uint8_scale: f64,
}

impl<T: Float> Model<'_, T> {
    /// The output activations `A_L`, (m, n_L), for samples (m, n_0): probabilities after a sigmoid or
    /// softmax, values after the identity.
    ///
    /// # Errors
    /// If the samples have no rows, the wrong number of columns, or a number that is not finite;
    /// [`Error::OutOfMemory`].
    pub fn forward(&self, ctx: &Context, x: &Samples<'_>) -> Result<Array2<T>> {
        self.forward_until(ctx, x, &mut || false)
    }

    /// The same, asking before each layer of a block of rows whether to stop.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`Error::Interrupted`].
    pub fn forward_until(
        &self,
        ctx: &Context,
        x: &Samples<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Array2<T>> {
        check_samples(self.architecture, x)?;
        let mut out = zeros(x.dim().0, self.architecture.outputs())?;
        self.for_each_block(ctx, x, None, stop, |rows, logits| {
            self.outputs(ctx, logits, out.slice_mut(s![rows, ..]));
        })?;
        Ok(out)
    }

    /// The activations `A_l`, (m, n_l), of every hidden layer, the first one first.
    ///
    /// # Errors
    /// As [`forward_until`](Self::forward_until).
    pub fn activations(
        &self,
        ctx: &Context,
        x: &Samples<'_>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Array2<T>>> {
        check_samples(self.architecture, x)?;
        let (m, hidden) = (x.dim().0, self.architecture.hidden().len());
        let sizes = &self.architecture.sizes()[1..=hidden];
        let mut all = sizes.iter().map(|&n| zeros(m, n)).collect::<Result<Vec<_>>>()?;
        self.for_each_layer(ctx, x, None, stop, |l, rows, a| {
            if let Some(out) = all.get_mut(l) {
                out.slice_mut(s![rows, ..]).assign(&a);
            }
        })?;
        Ok(all)
    }

    /// `J = (1/m) Σ_i w_i J_i` with its [penalties](crate::penalty), where `m` is Σ w_i: the number of samples,
    /// unless they have weights. A number as penalty is the l2 alone.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn loss(
        &self,
        ctx: &Context,
        data: &Data<'_, T>,
        loss: Loss,
        penalty: impl Into<Penalty>,
    ) -> Result<f64> {
        self.loss_until(ctx, data, loss, penalty, &mut || false)
    }

    /// The same, asking before each layer of a block of rows whether to stop.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; [`Error::Interrupted`].
    pub fn loss_until(
        &self,
        ctx: &Context,
        data: &Data<'_, T>,
        loss: Loss,
        penalty: impl Into<Penalty>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let mut targets = TargetLoader::default();
        let mut sum = 0.0;
        self.for_each_block(ctx, &data.x, None, stop, |rows, logits| {
            let (y, weights) = targets.load(data, &Rows::Run(rows));
            sum += loss.value(ctx.isa(), logits, y, weights);
        })?;
        let m = data.total_weight(&Rows::Run(0..data.len()));
        Ok(sum / m + penalty.into().value(ctx, self.parameters, m))
    }

    /// [`loss`](Self::loss) without a penalty, and [`forward`](Self::forward), in one pass. Where the first layer's
    /// `Z_1` without its bias, (m, n_1), is known, the samples are not read.
    pub(crate) fn judge(
        &self,
        ctx: &Context,
        data: &Data<'_, T>,
        loss: Loss,
        first: Option<ArrayView2<'_, T>>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(f64, Array2<T>)> {
        let mut targets = TargetLoader::default();
        let mut sum = 0.0;
        let mut out = zeros(data.len(), self.architecture.outputs())?;
        self.for_each_block(ctx, &data.x, first, stop, |rows, logits| {
            let (y, weights) = targets.load(data, &Rows::Run(rows.clone()));
            sum += loss.value(ctx.isa(), logits, y, weights);
            self.outputs(ctx, logits, out.slice_mut(s![rows, ..]));
        })?;
        Ok((sum / data.total_weight(&Rows::Run(0..data.len())), out))
    }

    /// `J` and its derivatives by every weight and bias, in the form of the parameters. Batches are normalised as in
    /// training: by the samples' own mean and variance.
    ///
    /// # Errors
    /// [`Error::Overflow`] if `J` is not finite; [`Error::OutOfMemory`].
    pub fn gradients(
        &self,
        ctx: &Context,
        data: &Data<'_, T>,
        loss: Loss,
        penalty: impl Into<Penalty>,
    ) -> Result<(f64, Parameters<T>)> {
        self.gradients_until(ctx, data, loss, penalty, &mut || false)
    }

    /// The same, asking before each layer of a block of rows whether to stop.
    ///
    /// # Errors
    /// As [`gradients`](Self::gradients), and [`Error::Interrupted`].
    pub fn gradients_until(
        &self,
        ctx: &Context,
        data: &Data<'_, T>,
        loss: Loss,
        penalty: impl Into<Penalty>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(f64, Parameters<T>)> {
        let rows = Rows::Run(0..data.len());
        let m = data.total_weight(&rows);
        let mut gradients = Parameters::zeros(self.architecture)?;
        let mut passes = Passes::in_blocks(self.architecture, self.uint8_scale, data.len())?;
        let problem = Problem { architecture: self.architecture, loss, data, next: &[] };
        let into = &mut gradients;
        let sum = passes.gradients(ctx, &problem, &rows, self.parameters, into, 1.0 / m, stop)?;
        if !sum.is_finite() {
            return Err(Error::Overflow { what: "the loss" });
        }
        let penalty = penalty.into();
        penalty.add_gradient(ctx, self.parameters, m, &mut gradients);
        Ok((sum / m + penalty.value(ctx, self.parameters, m), gradients))
    }

    /// `A_L` from the logits, both (rows, n_L).
    fn outputs(&self, ctx: &Context, logits: ArrayView2<'_, T>, mut a: ArrayViewMut2<'_, T>) {
        a.assign(&logits);
        self.architecture.output().forward(ctx.isa(), a);
    }

    /// Calls `f(rows, logits)` for one block of rows after another. `first`, if it is known, is `Z_1` without its
    /// bias, (m, n_1).
    fn for_each_block(
        &self,
        ctx: &Context,
        x: &Samples<'_>,
        first: Option<ArrayView2<'_, T>>,
        stop: &mut dyn FnMut() -> bool,
        mut f: impl FnMut(Range<usize>, ArrayView2<'_, T>),
    ) -> Result<()> {
        let last = self.architecture.layers() - 1;
        self.for_each_layer(ctx, x, first, stop, |l, rows, a| {
            if l == last {
                f(rows, a);
            }
        })
    }

    /// Calls `f(l, rows, a)` for each layer of one block of rows after another, with the logits in the last layer.
    /// Only two layers are kept at a time: two buffers take turns.
    fn for_each_layer(
        &self,
        ctx: &Context,
        x: &Samples<'_>,
        first: Option<ArrayView2<'_, T>>,
        stop: &mut dyn FnMut() -> bool,
        mut f: impl FnMut(usize, Range<usize>, ArrayView2<'_, T>),
    ) -> Result<()> {
        let m = x.dim().0;
        let sizes = self.architecture.sizes();
        let block = rows_per_block::<T>(self.architecture).min(m);
        let widest = sizes[1..].iter().max().expect("there is a layer");
        let room = || Buffer::zeros(block * widest, "activations");
        let (mut this, mut other) = (room()?, room()?);
        let mut samples = SampleLoader::new(self.uint8_scale);
        for from in (0..m).step_by(block) {
            let range = from..m.min(from + block);
            let rows = range.len();
            let x = match first {
                Some(_) => matrix(&[], rows, 0),
                None => samples.load(ctx, x, &Rows::Run(range.clone()))?,
            };
            if let Some(z) = first {
                let (z, bias) = (z.slice(s![range.clone(), ..]), self.parameters.bias_slice(0));
                let a = matrix_mut(&mut this, rows, sizes[1]);
                first_activations(ctx, self.architecture, z, bias, a, None);
                f(0, range.clone(), matrix(&this, rows, sizes[1]));
            }
            for l in usize::from(first.is_some())..self.architecture.layers() {
                if stop() {
                    return Err(Error::Interrupted);
                }
                let a = if l == 0 { x } else { matrix(&this, rows, sizes[l]) };
                let z = matrix_mut(&mut other, rows, sizes[l + 1]);
                layer_forward(ctx, self.architecture, self.parameters, l, a, z, Saved::default())?;
                std::mem::swap(&mut this, &mut other);
                f(l, range.clone(), matrix(&this, rows, sizes[l + 1]));
            }
        }
        Ok(())
    }
}

/// Predictions to be written: an array of zeros, (rows, columns).
pub(crate) fn zeros<T: Float>(rows: usize, columns: usize) -> Result<Array2<T>> {
    let len = rows.saturating_mul(columns);
    let out = try_collect(len, "predictions", std::iter::repeat_n(T::ZERO, len))?;
    Ok(Array2::from_shape_vec((rows, columns), out).expect("the length is right"))
}
