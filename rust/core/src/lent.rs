//! Predictions with weights that somebody else keeps, in whatever layout: they are read where they lie.

use ndarray::{Array2, ArrayView2, s};

use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::backprop::{matrix, matrix_mut, rows_per_block};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::data::check_samples;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::loader::SampleLoader;
use crate::network::zeros;
use crate::samples::{Rows, Samples};

/// A layer's weights, (n_out, n_in), and biases, (n_out).
pub type LentLayer<'a, T> = (ArrayView2<'a, T>, &'a [T]);

/// The output activations `A_L`, (m, n_L), of a network with those weights; `u8` samples are taken as they are.
///
/// ```
/// use ndarray::array;
/// use purrceptron::{Activation, Architecture, Context, Output, Samples, lent};
///
/// let (w, b) = (array![[1.0], [2.0]], [0.5]); // (n_in, n_out): lent transposed
/// let form = Architecture::new(&[2, 1], Activation::Relu, Output::Identity)?;
/// let x = array![[3.0, 4.0]];
/// let a = lent::forward(&Context::current()?, &form, &[(w.t(), &b)], &Samples::F64(x.view()))?;
/// assert_eq!(a, array![[11.5]]);
/// # Ok::<(), purrceptron::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] or [`Error::NotFinite`] if samples or weights do not fit; [`Error::OutOfMemory`].
pub fn forward<T: Float>(
    ctx: &Context,
    architecture: &Architecture,
    layers: &[LentLayer<'_, T>],
    x: &Samples<'_>,
) -> Result<Array2<T>> {
    check_samples(architecture, x)?;
    check_layers(architecture, layers)?;
    let (m, sizes) = (x.dim().0, architecture.sizes());
    let block = rows_per_block::<T>(architecture).min(m);
    let widest = sizes[1..].iter().max().expect("there is a layer");
    let room = || Buffer::zeros(block * widest, "activations");
    let (mut this, mut other) = (room()?, room()?);
    let mut samples = SampleLoader::new(1.0);
    let mut out = zeros(m, architecture.outputs())?;
    for from in (0..m).step_by(block) {
        let range = from..m.min(from + block);
        let rows = range.len();
        let x = samples.load(ctx, x, &Rows::Run(range.clone()))?;
        for (l, (weight, bias)) in layers.iter().enumerate() {
            let a = if l == 0 { x } else { matrix(&this, rows, sizes[l]) };
            let z = matrix_mut(&mut other, rows, sizes[l + 1]);
            let g = architecture.activation(l).unwrap_or(Activation::Identity);
            let relu = g == Activation::Relu;
            let epilogue = if relu { Epilogue::BiasRelu(bias) } else { Epilogue::Bias(bias) };
            gemm(ctx, T::ONE, a, weight.reversed_axes(), T::ZERO, z, epilogue)?;
            if !relu && g != Activation::Identity {
                let z = &mut other[..rows * sizes[l + 1]];
                ctx.in_pieces(z, |_, piece| g.forward(ctx.isa(), piece));
            }
            std::mem::swap(&mut this, &mut other);
        }
        let mut a = out.slice_mut(s![range, ..]);
        a.assign(&matrix(&this, rows, architecture.outputs()));
        architecture.output().forward(ctx.isa(), a);
    }
    Ok(out)
}

fn check_layers<T>(architecture: &Architecture, layers: &[LentLayer<'_, T>]) -> Result<()> {
    let expected = architecture.sizes().windows(2).map(|n| ((n[1], n[0]), n[1]));
    let came = layers.iter().map(|(w, b)| (w.dim(), b.len()));
    if came.clone().eq(expected.clone()) {
        return Ok(());
    }
    let spoken = |shapes: Vec<((usize, usize), usize)>| format!("{shapes:?}");
    Err(Error::Shape {
        argument: "layers",
        came: spoken(came.collect()),
        expected: spoken(expected.collect()),
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::init::Init;
    use crate::isa::Isa;
    use crate::loss::Output;
    use crate::network::Network;
    use crate::rng::{Purpose, Rng};

    #[test]
    fn lent_weights_are_a_networks_own() {
        let ctx = Context::new(Isa::best(), 2);
        let mut rng = Rng::new(1, Purpose::Weights, 0);
        let x = Array2::from_shape_fn((3000, 7), |_| rng.normal());
        for (hidden, output) in [
            (Activation::Relu, Output::Softmax),
            (Activation::Gelu, Output::Sigmoid),
            (Activation::Identity, Output::Exp),
        ] {
            let form = Architecture::new(&[7, 20, 3, 2], hidden, output).unwrap();
            let net = Network::<f64>::new(form, Init::GlorotNormal, 3).unwrap();
            let p = &net.parameters;
            let columns: Vec<_> =
                (0..3).map(|l| p.weight(l).t().as_standard_layout().into_owned()).collect();
            let biases: Vec<_> = (0..3).map(|l| p.bias(l).to_vec()).collect();
            let rows: Vec<_> = (0..3).map(|l| (p.weight(l), &biases[l][..])).collect();
            let turned: Vec<_> = (0..3).map(|l| (columns[l].t(), &biases[l][..])).collect();
            let samples = Samples::F64(x.view());
            let expected = net.forward(&ctx, &samples).unwrap();
            for layers in [&rows, &turned] {
                assert_eq!(forward(&ctx, &net.architecture, layers, &samples).unwrap(), expected);
            }
            assert!(forward(&ctx, &net.architecture, &rows[..2], &samples).is_err());
        }
    }
}
