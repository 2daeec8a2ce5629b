//! One dense layer: its linear half, forward and backward.
//!
//! `A` (m, n_in) holds an example a row, `W` is (n_out, n_in), `b` is (n_out).
//!
//! ```text
//! forward    Z  = A Wᵀ + b
//! backward   dW = dZᵀ A / m      db = Σ_rows dZ / m      dA = dZ W
//! ```

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::math::sum;

/// `Z = A Wᵀ + b`: a is (m, n_in), w is (n_out, n_in), b is (n_out), z is (m, n_out).
///
/// # Errors
/// [`Error::Shape`] if the shapes do not agree.
pub fn linear_forward<T: Float>(
    ctx: &Context,
    a: ArrayView2<'_, T>,
    w: ArrayView2<'_, T>,
    b: &[T],
    z: ArrayViewMut2<'_, T>,
) -> Result<()> {
    gemm(ctx, T::ONE, a, w.reversed_axes(), T::ZERO, z, Epilogue::Bias(b))
}

/// `dA = dZ W`: dz is (m, n_out), w is (n_out, n_in), da is (m, n_in).
///
/// # Errors
/// [`Error::Shape`] if the shapes do not agree.
pub fn linear_backward_input<T: Float>(
    ctx: &Context,
    dz: ArrayView2<'_, T>,
    w: ArrayView2<'_, T>,
    da: ArrayViewMut2<'_, T>,
) -> Result<()> {
    gemm(ctx, T::ONE, dz, w, T::ZERO, da, Epilogue::None)
}

/// `dW = scale · dZᵀ A + keep · dW`, then the epilogue of the product: dz is (m, n_out), a is (m, n_in), dw is
/// (n_out, n_in). The series' gradient is that for `scale = 1/m`, `keep = 0`; with `keep = 0`, `dw` is not read.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not agree.
pub fn linear_backward_weight<T: Float>(
    ctx: &Context,
    scale: T,
    dz: ArrayView2<'_, T>,
    a: ArrayView2<'_, T>,
    keep: T,
    dw: ArrayViewMut2<'_, T>,
    epilogue: Epilogue<'_, T>,
) -> Result<()> {
    gemm(ctx, scale, dz.reversed_axes(), a, keep, dw, epilogue)
}

/// `db = scale · Σ_rows dZ + keep · db`: dz is (m, n_out), db is (n_out). With `keep = 0`, `db` is not read.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not agree.
pub fn linear_backward_bias<T: Float>(
    ctx: &Context,
    scale: T,
    dz: ArrayView2<'_, T>,
    keep: T,
    db: &mut [T],
) -> Result<()> {
    if db.len() != dz.ncols() {
        let (came, expected) = (format!("({},)", db.len()), format!("({},)", dz.ncols()));
        return Err(Error::Shape { argument: "db", came, expected });
    }
    if dz.strides()[0] == 1 {
        // A unit's numbers lie one behind the other.
        for (db, dz) in db.iter_mut().zip(dz.columns()) {
            let total = sum(ctx.isa(), dz.to_slice().expect("the stride is 1"));
            let old = if keep == T::ZERO { T::ZERO } else { keep * *db };
            *db = scale * total + old;
        }
    } else {
        column_sums(ctx, scale, &dz, keep, db);
    }
    Ok(())
}

/// `sums = scale · Σ_rows values + keep · sums`; with `keep == 0`, `sums` is not read.
///
/// The rows are added in order, in runs of [`RUN`] whose sums are then added in order.
fn column_sums<T: Float>(
    ctx: &Context,
    scale: T,
    values: &ArrayView2<'_, T>,
    keep: T,
    sums: &mut [T],
) {
    /// Columns a task: a few vectors, and together a cache line or more of each row.
    const COLUMNS: usize = 64;
    /// Rows in a run: short sums of short sums lose less than one long one.
    const RUN: usize = 256;

    let columns = sums.len();
    // Below this, waking a thread takes longer than the sums.
    let ctx = if values.len() < 1 << 16 { ctx.serial() } else { *ctx };
    let out = Disjoint::new(sums);
    ctx.parallel(columns.div_ceil(COLUMNS), |task| {
        let (from, to) = (task * COLUMNS, columns.min((task + 1) * COLUMNS));
        // SAFETY: these columns are this task's alone.
        let out = unsafe { out.part(from..to) };
        let values = values.slice(ndarray::s![.., from..to]);
        let mut total = [T::ZERO; COLUMNS];
        for run in values.axis_chunks_iter(Axis(0), RUN) {
            let mut sum = [T::ZERO; COLUMNS];
            for row in run.rows() {
                match row.as_slice() {
                    Some(row) => sum.iter_mut().zip(row).for_each(|(s, &x)| *s += x),
                    None => sum.iter_mut().zip(row).for_each(|(s, &x)| *s += x),
                }
            }
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
        for (out, total) in out.iter_mut().zip(total) {
            let old = if keep == T::ZERO { T::ZERO } else { keep * *out };
            *out = scale * total + old;
        }
    });
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis};

    use super::*;
    use crate::isa::Isa;
    use crate::rng::{Purpose, Rng};

    fn random(shape: (usize, usize), counter: u64) -> Array2<f64> {
        let mut rng = Rng::new(1, Purpose::Weights, counter);
        Array2::from_shape_fn(shape, |_| rng.normal())
    }

    /// The series' formulas, by ndarray's own product.
    #[test]
    fn forward_and_backward_are_the_formulas() {
        for (m, n_in, n_out) in [(1, 1, 1), (7, 3, 5), (600, 4, 130)] {
            let (a, w, dz) =
                (random((m, n_in), 0), random((n_out, n_in), 1), random((m, n_out), 2));
            let b: Vec<f64> = random((1, n_out), 3).into_raw_vec_and_offset().0;
            let scale = 1.0 / m as f64;
            for threads in [1, 3] {
                let ctx = Context::new(Isa::best(), threads);
                let close = |ours: &Array2<f64>, theirs: &Array2<f64>| {
                    assert!((ours - theirs).iter().all(|d| d.abs() < 1e-12));
                };
                let mut z = Array2::from_elem((m, n_out), f64::NAN);
                linear_forward(&ctx, a.view(), w.view(), &b, z.view_mut()).unwrap();
                close(&z, &(a.dot(&w.t()) + ndarray::aview1(&b)));

                let mut da = Array2::from_elem((m, n_in), f64::NAN);
                linear_backward_input(&ctx, dz.view(), w.view(), da.view_mut()).unwrap();
                close(&da, &dz.dot(&w));

                let mut dw = Array2::from_elem((n_out, n_in), f64::NAN);
                let mut db = vec![f64::NAN; n_out];
                for (keep, times) in [(0.0, 1.0), (1.0, 2.0)] {
                    let (dz, a) = (dz.view(), a.view());
                    linear_backward_weight(&ctx, scale, dz, a, keep, dw.view_mut(), Epilogue::None)
                        .unwrap();
                    linear_backward_bias(&ctx, scale, dz, keep, &mut db).unwrap();
                    close(&dw, &(dz.t().dot(&a) * (scale * times)));
                    let sums = dz.sum_axis(Axis(0)) * (scale * times);
                    assert!(db.iter().zip(&sums).all(|(d, s)| (d - s).abs() < 1e-12));
                }
            }
        }
    }

    #[test]
    fn shapes_that_disagree_are_named() {
        let ctx = Context::new(Isa::best(), 1);
        let (a, w) = (random((2, 3), 0), random((4, 5), 1));
        let mut z = Array2::zeros((2, 4));
        let error = linear_forward(&ctx, a.view(), w.view(), &[0.0; 4], z.view_mut()).unwrap_err();
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
}
