//! The Gram matrix, in the types that a run wants it in.

use ndarray::ArrayView2;

use super::buffer;
use crate::backprop::matrix;
use crate::buffer::Buffer;
use crate::error::Result;
use crate::float::Float;
use crate::samples::Samples;

/// `G`, (m, m), in f64 and, where that is another type, in the network's.
pub(super) struct Gram<T: Float> {
    wide: Buffer<f64>,
    rounded: Option<Buffer<T>>,
    m: usize,
    stride: usize,
}

impl<T: Float> Gram<T> {
    /// From the matrix in f64, (m, m) in rows of `stride` elements.
    pub(super) fn new(wide: Buffer<f64>, m: usize, stride: usize) -> Result<Self> {
        let rounded = match T::NAME == f64::NAME {
            true => None,
            false => Some(buffer(m * stride, wide.iter().map(|&g| T::from_f64(g)))?),
        };
        Ok(Self { wide, rounded, m, stride })
    }

    /// (m, stride), in f64.
    pub(super) fn wide(&self) -> ArrayView2<'_, f64> {
        matrix(&self.wide, self.m, self.stride)
    }

    /// (m, stride), in the network's type.
    pub(super) fn rounded(&self) -> ArrayView2<'_, T> {
        match &self.rounded {
            Some(rounded) => matrix(rounded, self.m, self.stride),
            None => *Samples::F64(self.wide()).as_float().expect("it is the network's type"),
        }
    }
}
