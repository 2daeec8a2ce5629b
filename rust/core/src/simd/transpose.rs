//! Turning a square of elements over in registers.

use super::{MOST_LANES, Vector};

/// Writes the transpose of a block with `rows` rows and `cols` columns (both at most `LANES`):
/// `to[j * to_stride + i] = from[i * from_stride + j]`, and zeros for `i` from `rows` up to
/// `width <= LANES`.
///
/// # Safety
/// The block can be read, and `width` elements of each of `cols` rows written.
#[inline(always)]
pub(crate) unsafe fn transpose<V: Vector>(
    from: *const V::Elem,
    from_stride: isize,
    rows: usize,
    cols: usize,
    to: *mut V::Elem,
    to_stride: usize,
    width: usize,
) {
    let mut r = [V::splat(V::Elem::default()); MOST_LANES];
    for (i, r) in r.iter_mut().enumerate().take(V::LANES) {
        if i < rows {
            let from = from.wrapping_offset(i as isize * from_stride);
            // SAFETY: `cols` elements of the row can be read, as the caller promises.
            *r = unsafe { if cols == V::LANES { V::load(from) } else { V::load_head(from, cols) } };
        }
    }
    // One zip of the upper half of the rows with the lower doubles the width of what is already
    // turned; after log2(LANES) of them each register is a column.
    r = zip_halves(r);
    r = zip_halves(r);
    if V::LANES >= 8 {
        r = zip_halves(r);
    }
    if V::LANES >= 16 {
        r = zip_halves(r);
    }
    for (j, r) in r.iter().enumerate().take(V::LANES) {
        if j < cols {
            let to = to.wrapping_add(j * to_stride);
            // SAFETY: `width` elements of the row can be written, as the caller promises.
            unsafe { if width == V::LANES { r.store(to) } else { r.store_head(to, width) } };
        }
    }
}

#[inline(always)]
fn zip_halves<V: Vector>(r: [V; MOST_LANES]) -> [V; MOST_LANES] {
    let half = V::LANES / 2;
    let mut out = r;
    for i in 0..half {
        (out[2 * i], out[2 * i + 1]) = r[i].zip(r[i + half]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::Float;
    use crate::isa::Isa;
    use crate::simd::{Kernel, dispatch};

    struct Check;

    impl<T: Float> Kernel<T> for Check {
        type Output = ();
        #[inline(always)]
        fn run<V: Vector<Elem = T>>(self) {
            let stride = V::LANES + 3;
            let from: Vec<T> = (0..stride * V::LANES).map(|i| T::from_f64(i as f64)).collect();
            for rows in 0..=V::LANES {
                for cols in 0..=V::LANES {
                    for width in rows..=V::LANES {
                        let seven = T::from_f64(-7.0);
                        let mut to = vec![seven; stride * V::LANES];
                        let (p, s) = (from.as_ptr(), stride as isize);
                        // SAFETY: both arrays hold LANES rows of `stride` elements.
                        unsafe { transpose::<V>(p, s, rows, cols, to.as_mut_ptr(), stride, width) };
                        for (at, &x) in to.iter().enumerate() {
                            let (j, i) = (at / stride, at % stride);
                            let expected = match () {
                                () if j >= cols || i >= width => seven,
                                () if i >= rows => T::ZERO,
                                () => from[i * stride + j],
                            };
                            assert_eq!(x, expected, "rows {rows} cols {cols} width {width}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_size_on_every_instruction_set() {
        for &isa in Isa::available() {
            dispatch::<f32, _>(isa, Check);
            dispatch::<f64, _>(isa, Check);
        }
    }
}
