//! A matrix that is packed once and multiplied many times, from both sides.
//!
//! It lies as a panel of B does: a vector's width of columns, row by row, then the next. So the products `A X` walk
//! straight through it, and so do, in few steps each, the sums along k of `X Wᵀ`: memory that is read straight on comes
//! before it is wanted. What does a product runs on the calling thread.

#![allow(unreachable_pub, reason = "a hidden method of `Float` names `Task`")]

use std::mem::MaybeUninit;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::along;
use super::blocking::{Pieces, TILE_ROOM, dot_tile, is_tall, mr};
use super::edge;
use super::matrix::{Matrix, MatrixMut};
use super::micro::{self, Next, Panels, Store, Whole};
use super::pack::pack_b;
use super::{Epilogue, Product};
use crate::buffer::Buffer;
use crate::error::Result;
use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, MOST_LANES, Vector, dispatch};

/// A matrix, (rows, columns), in panels.
pub struct Packed<T: Float> {
    /// Whose vectors the panels are as wide as.
    isa: Isa,
    rows: usize,
    columns: usize,
    panels: Buffer<T>,
}

impl<T: Float> Packed<T> {
    /// Of zeros.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub(crate) fn zeros(rows: usize, columns: usize) -> Result<Self> {
        let panels = Buffer::zeros(rows * columns.next_multiple_of(MOST_LANES), "packed samples")?;
        Ok(Self { isa: Isa::Portable, rows, columns, panels })
    }

    /// Packs `x`, of the same shape, for the kernels of that instruction set.
    pub(crate) fn fill(&mut self, isa: Isa, x: ArrayView2<'_, T>) {
        assert_eq!(x.dim(), (self.rows, self.columns));
        self.isa = isa;
        T::packed(isa, Task::Fill(Fill { x: Matrix::new(&x), to: &mut self.panels }));
    }

    /// `C ← α A X + β C`, and the epilogue, which is none or uses the product up: a is (m, rows), c is (m, columns),
    /// its rows contiguous.
    pub(crate) fn product(
        &self,
        alpha: T,
        a: ArrayView2<'_, T>,
        beta: T,
        mut c: ArrayViewMut2<'_, T>,
        epilogue: Epilogue<'_, T>,
    ) {
        assert_eq!((a.ncols(), c.dim()), (self.rows, (a.nrows(), self.columns)));
        assert!(c.ncols() <= 1 || c.strides()[1] == 1, "rows are contiguous");
        assert!(
            matches!(epilogue, Epilogue::None | Epilogue::Consume(_)),
            "the others are not done"
        );
        // The panels are not a matrix: of B, the product knows the shape.
        let b =
            Matrix { ptr: self.panels.as_ptr(), rows: self.rows, cols: self.columns, rs: 0, cs: 0 };
        let (a, c) = (Matrix::new(&a), MatrixMut::new(&mut c));
        let p = Product { alpha, a, b, beta, c, epilogue, transposed: false };
        T::packed(self.isa, Task::Across(Across { p }));
    }

    /// `X Wᵀ`, or that added to what is there: w is (n, columns), n at most [`MOST_ROWS`], its rows contiguous; `to` is
    /// (rows, n).
    pub(crate) fn times_transposed(&self, w: ArrayView2<'_, T>, add: bool, to: &mut [T]) {
        assert_eq!((w.ncols(), to.len()), (self.columns, self.rows * w.nrows()));
        assert!(w.nrows() <= MOST_ROWS && w.strides()[1] == 1, "a few rows, each contiguous");
        T::packed(self.isa, Task::Along(Along { x: self, w: Matrix::new(&w), add, to }));
    }
}

/// The most rows of the other factor: one tile of AVX-512, which reads the matrix once.
pub(crate) const MOST_ROWS: usize = 24;

/// What is done with a packed matrix.
pub enum Task<'a, T: Float> {
    Fill(Fill<'a, T>),
    Across(Across<'a, T>),
    Along(Along<'a, T>),
}

/// Does it. Called through [`Float::packed`] alone, for the reason that [`product::run`](super::product::run) is.
pub(crate) fn run<T: Float>(isa: Isa, task: Task<'_, T>) {
    match task {
        Task::Fill(fill) => dispatch(isa, fill),
        Task::Across(across) => dispatch(isa, across),
        Task::Along(along) => dispatch(isa, along),
    }
}

/// Packs.
pub struct Fill<'a, T> {
    x: Matrix<T>,
    to: &'a mut [T],
}

impl<T: Float> Kernel<T> for Fill<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        // SAFETY: there is room for whole vectors of columns, however wide they are.
        unsafe { pack_b::<V>(self.x, V::LANES, self.to.as_mut_ptr()) };
    }
}

/// `A X`: a tile as high as `A` for each panel, or for as many rows as a tile has.
pub struct Across<'a, T> {
    p: Product<'a, T>,
}

impl<T: Float> Kernel<T> for Across<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let Product { alpha, a, b, beta, c, epilogue, .. } = self.p;
        let apart = matches!(epilogue, Epilogue::Consume(_)) && beta == T::ZERO;
        let height = if is_tall::<V>(c.rows) && a.rs == 1 { c.rows } else { mr::<V>() };
        let tiles = Pieces::at_most(c.rows, height);
        let mut room = [const { MaybeUninit::<T>::uninit() }; TILE_ROOM];
        let room: *mut T = room.as_mut_ptr().cast();
        let store = Store { alpha, beta, ..Store::PLAIN };
        for j in (0..c.cols).step_by(V::LANES) {
            let width = V::LANES.min(c.cols - j);
            let panel = b.ptr.wrapping_add(j * b.rows);
            // Two panels further on: there the core's own prefetching has just begun.
            let ahead = panel.wrapping_add(2 * b.rows * V::LANES);
            let next = Next::rows(ahead, 0, V::LANES as isize);
            for t in 0..tiles.count {
                let rows = tiles.get(t);
                let a = a.sub(rows.clone(), 0..a.cols);
                let panels = Panels {
                    kc: b.rows,
                    a: a.ptr,
                    a_row: a.rs,
                    a_k: a.cs,
                    b: panel,
                    b_k: V::LANES as isize,
                    next,
                };
                self.p.announce(rows.clone(), j..j + width);
                let place = c.sub(rows.clone(), j..j + width);
                let at_edge = width < V::LANES;
                let (to, rs, as_store) = match (apart, at_edge) {
                    (true, _) => (room, V::LANES as isize, store),
                    (false, true) => (room, V::LANES as isize, Store::PLAIN),
                    (false, false) => (place.ptr, place.rs, store),
                };
                let whole =
                    Whole { rows: rows.len(), vectors: 1, panels, c: to, rs, store: as_store };
                // SAFETY: the tile is within C, and a panel has whole vectors.
                unsafe {
                    micro::tile::<V>(whole);
                    if apart {
                        let piece =
                            MatrixMut { ptr: room, rows: rows.len(), cols: width, rs, cs: 1 };
                        self.p.hand_over(rows.start, j, piece);
                    } else if at_edge {
                        edge::finish::<V>(room, V::LANES, place, store);
                    }
                }
            }
        }
    }
}

/// `X Wᵀ`, by sums along k, as in `dot.rs`.
pub struct Along<'a, T: Float> {
    x: &'a Packed<T>,
    w: Matrix<T>,
    add: bool,
    to: &'a mut [T],
}

/// Room for a tile of sums.
const SUMS: usize = 5 * MOST_ROWS;

impl<T: Float> Kernel<T> for Along<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let Self { x: &Packed { rows, columns, ref panels, .. }, w, add, to } = self;
        let mut vectors = [const { MaybeUninit::<V>::uninit() }; SUMS];
        let vectors: *mut T = vectors.as_mut_ptr().cast();
        let (most_rows, most_columns) = dot_tile::<V>();
        let (tiles, units) =
            (Pieces::at_most(rows, most_rows), Pieces::at_most(w.rows, most_columns));
        for i in 0..tiles.count {
            let some = tiles.get(i);
            let ptr = panels.as_ptr().wrapping_add(some.start * V::LANES);
            let x = Matrix { ptr, rows: some.len(), cols: columns, rs: V::LANES as isize, cs: 1 };
            for j in 0..units.count {
                let y = w.sub(units.get(j), 0..columns);
                let at = vectors.wrapping_add(units.start(j) * V::LANES);
                // SAFETY: a row of a panel is a whole vector; there is room for a vector for each sum.
                unsafe { along::tile::<V>(x, rows * V::LANES, y, at, w.rows, true) };
            }
            let sums = &mut to[some.start * w.rows..some.end * w.rows];
            for (lot, sums) in sums.chunks_mut(V::LANES).enumerate() {
                let first = vectors.wrapping_add(lot * V::LANES * V::LANES);
                // SAFETY: written above.
                let mut sum = unsafe { along::lot::<V>(first, sums.len()) };
                // SAFETY: so many sums there are.
                unsafe {
                    if add {
                        sum = V::load_head(sums.as_ptr(), sums.len()).add(sum);
                    }
                    sum.store_head(sums.as_mut_ptr(), sums.len());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;
    use crate::gemm::{Consumer, Tile, gemm_naive};

    fn numbers<T: Float>(rows: usize, columns: usize, seed: usize) -> Array2<T> {
        let value = |(i, j): (usize, usize)| ((i * 37 + j * 17 + seed) % 23) as f64 / 11.0 - 1.0;
        Array2::from_shape_fn((rows, columns), |at| T::from_f64(value(at)))
    }

    /// Negates what it takes.
    struct Negated<'a, T>(crate::disjoint::Disjoint<'a, T>, usize);

    impl<T: Float> Consumer<T> for Negated<'_, T> {
        fn take(&self, tile: Tile<'_, T>) {
            for ((i, j), &x) in tile.values.indexed_iter() {
                let at = (tile.row + i) * self.1 + tile.column + j;
                // SAFETY: each element belongs to one tile.
                unsafe { self.0.part(at..at + 1)[0] = -x };
            }
        }
    }

    fn check<T: Float>(isa: Isa) {
        let close = |a: &Array2<T>, b: &Array2<T>| {
            let tolerance = if T::NAME == "float32" { 1e-3 } else { 1e-11 };
            a.iter().zip(b).all(|(&a, &b)| (a - b).abs().to_f64() < tolerance)
        };
        for (rows, columns, n) in [(1, 1, 1), (7, 33, 5), (209, 96, 20), (40, 517, 24), (64, 16, 3)]
        {
            let x = numbers::<T>(rows, columns, 1);
            let mut packed = Packed::zeros(rows, columns).unwrap();
            packed.fill(isa, x.view());

            let w = numbers::<T>(n, columns, 2);
            let mut expected = Array2::from_elem((rows, n), T::ZERO);
            gemm_naive(T::ONE, x.view(), w.t(), T::ZERO, expected.view_mut(), Epilogue::None);
            let mut to = Array2::from_elem((rows, n), T::from_f64(f64::NAN));
            packed.times_transposed(w.view(), false, to.as_slice_mut().unwrap());
            assert!(close(&to, &expected), "X Wᵀ, {rows} {columns} {n}");
            packed.times_transposed(w.view(), true, to.as_slice_mut().unwrap());
            assert!(close(&to, &(&expected + &expected)), "twice X Wᵀ, {rows} {columns} {n}");

            let a = numbers::<T>(rows, n, 3);
            let (alpha, beta) = (T::from_f64(0.5), T::from_f64(-2.0));
            let c = numbers::<T>(n, columns + 3, 4);
            let mut expected = c.slice(s![.., ..columns]).to_owned();
            gemm_naive(alpha, a.t(), x.view(), beta, expected.view_mut(), Epilogue::None);
            let mut came = c.clone();
            packed.product(alpha, a.t(), beta, came.slice_mut(s![.., ..columns]), Epilogue::None);
            assert!(close(&came.slice(s![.., ..columns]).to_owned(), &expected));
            assert_eq!(came.slice(s![.., columns..]), c.slice(s![.., columns..]));

            // With rows of A that are apart the tiles are others, and the sums the same.
            let mut again = c.clone();
            let rows_apart = a.t().as_standard_layout().into_owned();
            let to = again.slice_mut(s![.., ..columns]);
            packed.product(alpha, rows_apart.view(), beta, to, Epilogue::None);
            assert_eq!(again, came);

            gemm_naive(alpha, a.t(), x.view(), T::ZERO, expected.view_mut(), Epilogue::None);
            let mut taken = vec![T::ZERO; n * columns];
            let consumer = Negated(crate::disjoint::Disjoint::new(&mut taken), columns);
            let room = came.slice_mut(s![.., ..columns]);
            packed.product(alpha, a.t(), T::ZERO, room, Epilogue::Consume(&consumer));
            let taken = Array2::from_shape_vec((n, columns), taken).unwrap();
            assert!(close(&taken, &expected.mapv(|x| -x)));
        }
    }

    #[test]
    fn products_from_both_sides_are_those_of_the_definition() {
        for &isa in Isa::available() {
            check::<f32>(isa);
            check::<f64>(isa);
        }
    }
}
