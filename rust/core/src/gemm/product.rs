//! A product to be done, and who does it.
#![allow(unreachable_pub, reason = "a hidden method of `Float` names `Product`")]

use std::ops::Range;
use std::ptr;

use super::matrix::{Matrix, MatrixMut};
use super::{Epilogue, Tile, blocked, dot};
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;

/// `C ← α A B + β C`, then the epilogue; the shapes agree.
#[derive(Clone, Copy)]
pub struct Product<'a, T> {
    pub(super) alpha: T,
    pub(super) a: Matrix<T>,
    pub(super) b: Matrix<T>,
    pub(super) beta: T,
    pub(super) c: MatrixMut<T>,
    pub(super) epilogue: Epilogue<'a, T>,
    /// C is the transpose of what the caller calls C.
    pub(super) transposed: bool,
}

/// Does the product. Called through [`Float::product`] alone, so that it is compiled once for each
/// element type, here, and not again in every crate that multiplies matrices.
pub(crate) fn run<T: Float>(ctx: &Context, p: Product<'_, T>) -> Result<()> {
    if p.c.rows == 0 || p.c.cols == 0 {
        return Ok(());
    }
    if dot::pays(p.c.rows, p.a.cols, p.c.cols) {
        dot::dot(ctx, &p)
    } else {
        blocked::blocked(ctx, &p)
    }
}

impl<T: Float> Product<'_, T> {
    /// Operations: a multiplication and an addition for each product of two numbers.
    pub(super) fn work(&self) -> usize {
        self.c.rows.saturating_mul(self.c.cols).saturating_mul(2 * self.a.cols.max(1))
    }

    /// Whether B is Aᵀ and nothing else comes in: then C is its own transpose.
    pub(super) fn is_gram(&self) -> bool {
        let Self { a, b, .. } = self;
        (a.ptr, a.rows, a.cols, a.rs, a.cs) == (b.ptr, b.cols, b.rows, b.cs, b.rs)
            && self.beta == T::ZERO
            && matches!(self.epilogue, Epilogue::None)
    }

    /// The same product, turned over: Cᵀ = Bᵀ Aᵀ. A bias of columns is one of rows then.
    pub(super) fn t(self) -> Self {
        let (a, b, c) = (self.b.t(), self.a.t(), self.c.t());
        Self { a, b, c, transposed: !self.transposed, ..self }
    }

    /// The bias of the columns, null if there is none, and whether ReLU follows.
    #[inline(always)]
    pub(super) fn bias(&self) -> (*const T, bool) {
        match self.epilogue {
            Epilogue::Bias(bias) if !self.transposed => (bias.as_ptr(), false),
            Epilogue::BiasRelu(bias) if !self.transposed => (bias.as_ptr(), true),
            Epilogue::BiasRelu(_) => (ptr::null(), true),
            _ => (ptr::null(), false),
        }
    }

    /// The bias of the rows, null if there is none.
    #[inline(always)]
    pub(super) fn row_bias(&self) -> *const T {
        match self.epilogue {
            Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) if self.transposed => bias.as_ptr(),
            _ => ptr::null(),
        }
    }

    /// Hands that piece over to whoever is waiting for it, from C or from where else it is.
    ///
    /// # Safety
    /// The piece is finished, and touched by nobody else meanwhile.
    #[inline(always)]
    pub(super) unsafe fn hand_over(&self, row: usize, column: usize, piece: MatrixMut<T>) {
        let (row, column, piece) =
            if self.transposed { (column, row, piece.t()) } else { (row, column, piece) };
        // SAFETY: as the caller promises.
        let tile = || Tile { row, column, values: unsafe { piece.view() } };
        match self.epilogue {
            Epilogue::Then(f) => f(tile()),
            Epilogue::Consume(consumer) => consumer.take(tile()),
            _ => {}
        }
    }

    /// Tells a consumer, if there is one, which piece comes next.
    #[inline(always)]
    pub(super) fn announce(&self, rows: Range<usize>, columns: Range<usize>) {
        if let Epilogue::Consume(consumer) = self.epilogue {
            let (rows, columns) = if self.transposed { (columns, rows) } else { (rows, columns) };
            consumer.expect(rows, columns);
        }
    }
}
