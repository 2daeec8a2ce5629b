//! The numbers of a network: the weights and biases of all its layers, in one piece of memory.
//!
//! One piece, because an optimiser, a checkpoint and a copy treat all parameters alike. Each
//! matrix begins on a cache line; the few numbers of padding between are zero and stay zero.
//! Gradients and optimiser state have the same form.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use crate::architecture::Architecture;
use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::init::Init;
use crate::memory::ALIGNMENT;
use crate::normalization::Normalization;

/// Weights (n_out, n_in) and biases (n_out) of each layer, or numbers of the same form.
#[derive(Debug)]
pub struct Parameters<T: Float> {
    layers: Vec<Places>,
    values: Buffer<T>,
}

/// Where the numbers of a layer are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Places {
    shape: (usize, usize),
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    normalization: Option<NormalizedPlaces>,
}

/// Where the numbers of a layer's normalisation are: γ, β, and the μ and σ² that are remembered.
#[derive(Clone, Debug, PartialEq)]
struct NormalizedPlaces {
    kind: Normalization,
    arrays: [Range<usize>; 4],
}

impl Places {
    /// The inputs of the layer: the columns of its weights.
    pub(crate) fn inputs(&self) -> usize {
        self.shape.1
    }

    /// Whether the bias says something: batch normalisation takes it away again.
    pub(crate) fn bias_counts(&self) -> bool {
        !matches!(&self.normalization, Some(places) if places.kind == Normalization::Batch)
    }

    /// Where everything is that is learned, and whether it is the weights.
    pub(crate) fn learned(&self) -> impl Iterator<Item = (Range<usize>, bool)> {
        let bias = self.bias_counts().then(|| self.bias.clone());
        let others = bias.into_iter().chain(self.gain_and_shift().into_iter().flatten().cloned());
        std::iter::once((self.weight.clone(), true)).chain(others.map(|place| (place, false)))
    }

    /// Where γ and β are, if the layer is normalised.
    pub(crate) fn gain_and_shift(&self) -> Option<&[Range<usize>]> {
        self.normalization.as_ref().map(|places| &places.arrays[..2])
    }
}

/// The numbers of a layer's normalisation, (n_out) each.
#[derive(Clone, Copy, Debug)]
pub struct Normalized<'a, T> {
    /// γ
    pub gain: &'a [T],
    /// β
    pub shift: &'a [T],
    /// The μ of each unit that is remembered of batches; layer normalisation does not use it.
    pub mean: &'a [T],
    /// The σ² of each unit that is remembered of batches; layer normalisation does not use it.
    pub variance: &'a [T],
}

/// The same, to be changed.
#[derive(Debug)]
#[allow(missing_docs, reason = "as in `Normalized`")]
pub struct NormalizedMut<'a, T> {
    pub gain: &'a mut [T],
    pub shift: &'a mut [T],
    pub mean: &'a mut [T],
    pub variance: &'a mut [T],
}

impl<T: Float> Parameters<T> {
    /// Zeros in the form of that architecture.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn zeros(architecture: &Architecture) -> Result<Self> {
        let line = ALIGNMENT / size_of::<T>();
        let mut end = 0;
        let mut take = |len: usize| {
            let start = end;
            end = (start + len).next_multiple_of(line);
            start..start + len
        };
        let layers = architecture
            .sizes()
            .windows(2)
            .enumerate()
            .map(|(l, n)| Places {
                shape: (n[1], n[0]),
                weight: take(n[1] * n[0]),
                bias: take(n[1]),
                normalization: architecture.normalization_of(l).map(|kind| NormalizedPlaces {
                    kind,
                    arrays: std::array::from_fn(|_| take(n[1])),
                }),
            })
            .collect();
        Ok(Self { layers, values: Buffer::zeros(end, "parameters")? })
    }

    /// Fresh parameters: weights drawn by `init` from `seed`, biases zero; normalisations that change nothing but
    /// normalise.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn init(architecture: &Architecture, init: Init, seed: u64) -> Result<Self> {
        let mut new = Self::zeros(architecture)?;
        for (l, layer) in new.layers.iter().enumerate() {
            let (n_out, n_in) = layer.shape;
            init.fill(seed, l as u64, n_in, n_out, &mut new.values[layer.weight.clone()])?;
        }
        for l in 0..new.layers() {
            if let Some(normalization) = new.normalization_mut(l) {
                normalization.gain.fill(T::ONE);
                normalization.variance.fill(T::ONE);
            }
        }
        Ok(new)
    }

    /// The number of layers.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// The weights of layer `l`, (n_out, n_in).
    pub fn weight(&self, l: usize) -> ArrayView2<'_, T> {
        ArrayView2::from_shape(self.layers[l].shape, self.weight_slice(l))
            .expect("the range has the shape's length")
    }

    /// The biases of layer `l`, (n_out).
    pub fn bias(&self, l: usize) -> ArrayView1<'_, T> {
        ArrayView1::from(self.bias_slice(l))
    }

    /// The weights of layer `l` as a slice.
    pub(crate) fn weight_slice(&self, l: usize) -> &[T] {
        &self.values[self.layers[l].weight.clone()]
    }

    /// The biases of layer `l` as a slice.
    pub(crate) fn bias_slice(&self, l: usize) -> &[T] {
        &self.values[self.layers[l].bias.clone()]
    }

    /// The weights and biases of layer `l`, to be changed.
    pub fn layer_mut(&mut self, l: usize) -> (ArrayViewMut2<'_, T>, ArrayViewMut1<'_, T>) {
        let shape = self.layers[l].shape;
        let (weight, bias) = self.slices_mut(l);
        let weight = ArrayViewMut2::from_shape(shape, weight).expect("as in `weight`");
        (weight, ArrayViewMut1::from(bias))
    }

    /// The weights and biases of layer `l` as slices.
    pub(crate) fn slices(&self, l: usize) -> (&[T], &[T]) {
        (self.weight_slice(l), self.bias_slice(l))
    }

    /// The weights and biases of layer `l` as slices to write.
    pub(crate) fn slices_mut(&mut self, l: usize) -> (&mut [T], &mut [T]) {
        let layer = &self.layers[l];
        let (head, tail) = self.values.split_at_mut(layer.bias.start);
        (&mut head[layer.weight.clone()], &mut tail[..layer.bias.len()])
    }

    /// The normalisation of layer `l`, if it has one.
    pub fn normalization(&self, l: usize) -> Option<Normalized<'_, T>> {
        let places = self.layers[l].normalization.as_ref()?;
        let [gain, shift, mean, variance] =
            places.arrays.each_ref().map(|place| &self.values[place.clone()]);
        Some(Normalized { gain, shift, mean, variance })
    }

    /// The normalisation of layer `l`, if it has one, to be changed.
    pub fn normalization_mut(&mut self, l: usize) -> Option<NormalizedMut<'_, T>> {
        let places = self.layers[l].normalization.as_ref()?;
        let arrays = self.values.get_disjoint_mut(places.arrays.clone());
        let [gain, shift, mean, variance] = arrays.expect("each has a place of its own");
        Some(NormalizedMut { gain, shift, mean, variance })
    }

    /// Where the numbers of layer `l` are among the [values](Self::values).
    pub(crate) fn places(&self, l: usize) -> &Places {
        &self.layers[l]
    }

    /// Where everything is that is learned, and whether it is weights, to which alone penalties apply.
    pub(crate) fn learned(&self) -> impl Iterator<Item = (Range<usize>, bool)> {
        self.layers.iter().flat_map(Places::learned)
    }

    /// Everything to be changed, and where in it each layer's numbers are.
    pub(crate) fn places_mut(&mut self) -> (&[Places], &mut [T]) {
        (&self.layers, &mut self.values)
    }

    /// Everything, padding included.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// Everything, padding included, which has to stay zero.
    pub(crate) fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// Everything but the first layer's weights.
    pub(crate) fn values_after_first(&self) -> &[T] {
        &self.values[self.layers[0].bias.start..]
    }

    /// Everything but the first layer's weights.
    pub(crate) fn values_after_first_mut(&mut self) -> &mut [T] {
        &mut self.values[self.layers[0].bias.start..]
    }

    /// A copy.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { layers: self.layers.clone(), values: self.values.try_clone("parameters")? })
    }

    /// Overwrites the parameters with those of another set, which must be of the same architecture.
    pub fn copy_from(&mut self, other: &Self) {
        assert_eq!(self.layers, other.layers, "parameters of one architecture");
        self.values.copy_from_slice(&other.values);
    }

    /// Sets the weights and biases of layer `l`.
    ///
    /// # Errors
    /// [`Error::Shape`]; nothing is set then.
    pub fn set_layer(
        &mut self,
        l: usize,
        weight: ArrayView2<'_, T>,
        bias: ArrayView1<'_, T>,
    ) -> Result<()> {
        let shape = self.layers[l].shape;
        let wrong = |argument, came: String, expected: String| {
            Err(Error::Shape { argument, came, expected })
        };
        if weight.dim() != shape {
            let expected = format!("{shape:?} in layer {l}");
            return wrong("W", format!("{:?}", weight.dim()), expected);
        }
        if bias.len() != shape.0 {
            let expected = format!("({},) in layer {l}", shape.0);
            return wrong("b", format!("({},)", bias.len()), expected);
        }
        let (mut own_weight, mut own_bias) = self.layer_mut(l);
        own_weight.assign(&weight);
        own_bias.assign(&bias);
        Ok(())
    }
}
