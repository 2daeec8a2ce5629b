//! Rows that are not trained on, seen from the space of those that are: `Zᵥᵀ = s W₀ Xᵥᵀ + q V₀ Xᵥᵀ + D (X Xᵥᵀ)`.

use ndarray::ArrayView2;

use super::{GramLayer, WHAT, combine_starts, products};
use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::samples::Samples;

/// The products of `v` held-out rows with the `m` of the run and with what it started from.
pub(crate) struct HeldOut<T: Float> {
    v: usize,
    /// `W₀ Xᵥᵀ`, and `V₀ Xᵥᵀ`, (h, v).
    starts: Vec<Buffer<f64>>,
    /// `X Xᵥᵀ`, (m, v).
    kernel: Buffer<f64>,
    wide: Buffer<f64>,
    z: Buffer<T>,
}

impl<T: Float> GramLayer<T> {
    /// The products with those rows.
    pub(crate) fn hold_out(
        &self,
        ctx: &Context,
        x: &Samples<'_>,
        held_out: &Samples<'_>,
        scale: f64,
    ) -> Result<HeldOut<T>> {
        let v = held_out.dim().0;
        let starts: Vec<_> = self.starts.iter().map(|start| self.start(start)).collect();
        let (kernel, starts) = products::across(ctx, x, held_out, scale, &starts)?;
        let (wide, z) = (Buffer::zeros(self.h * v, WHAT)?, Buffer::zeros(self.h * v, WHAT)?);
        Ok(HeldOut { v, starts, kernel, wide, z })
    }

    /// `Z` of the held-out rows as the weights are now, without the bias, (v, h).
    pub(crate) fn forward_held_out<'a>(
        &self,
        ctx: &Context,
        held_out: &'a mut HeldOut<T>,
    ) -> Result<ArrayView2<'a, T>> {
        let HeldOut { v, starts, kernel, wide, z } = held_out;
        let weights = &self.coefficients[0];
        combine_starts(ctx.isa(), weights.starts, starts, wide);
        let (d, kernel) = (matrix(&weights.rows, self.h, self.m), matrix(kernel, self.m, *v));
        gemm(ctx, 1.0, d, kernel, 1.0, matrix_mut(wide, self.h, *v), Epilogue::None)?;
        z.iter_mut().zip(&**wide).for_each(|(z, &wide)| *z = T::from_f64(wide));
        Ok(matrix(z, self.h, *v).reversed_axes())
    }
}
