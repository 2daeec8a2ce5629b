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
pub(super) struct HeldOut<T: Float> {
    v: usize,
    /// `W₀ Xᵥᵀ`, and `V₀ Xᵥᵀ`, (h, v).
    starts: Vec<Buffer<f64>>,
    /// `X Xᵥᵀ`, (m, v).
    kernel: Buffer<f64>,
    wide: Buffer<f64>,
    z: Buffer<T>,
}

impl<T: Float> HeldOut<T> {
    /// Those of the rows `held_out`, in a run of the layer on `x`.
    fn new(
        ctx: &Context,
        layer: &GramLayer<T>,
        x: &Samples<'_>,
        held_out: &Samples<'_>,
        scale: f64,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self> {
        let v = held_out.dim().0;
        let n = x.dim().1;
        let starts: Vec<_> = layer.starts.iter().map(|start| matrix(start, layer.h, n)).collect();
        let (kernel, starts) = products::across(ctx, x, held_out, scale, &starts, stop)?;
        let (wide, z) = (Buffer::zeros(layer.h * v, WHAT)?, Buffer::zeros(layer.h * v, WHAT)?);
        Ok(Self { v, starts, kernel, wide, z })
    }
}

impl<T: Float> GramLayer<T> {
    /// `Z` of the held-out rows as the weights are now, without the bias, (v, h). The products are kept from the first
    /// call on, so later ones must bring the same rows.
    pub(crate) fn forward_held_out(
        &mut self,
        ctx: &Context,
        x: &Samples<'_>,
        held_out: &Samples<'_>,
        scale: f64,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<ArrayView2<'_, T>> {
        if self.held_out.is_none() {
            self.held_out = Some(HeldOut::new(ctx, self, x, held_out, scale, stop)?);
        }
        let products = self.held_out.as_mut().expect("made above");
        let HeldOut { v, starts, kernel, wide, z } = products;
        let weights = &self.coefficients[0];
        combine_starts(ctx.isa(), weights.starts, starts, wide);
        let (d, kernel) = (matrix(&weights.rows, self.h, self.m), matrix(kernel, self.m, *v));
        gemm(ctx, 1.0, d, kernel, 1.0, matrix_mut(wide, self.h, *v), Epilogue::None)?;
        z.iter_mut().zip(&**wide).for_each(|(z, &wide)| *z = T::from_f64(wide));
        Ok(matrix(z, self.h, *v).reversed_axes())
    }
}
