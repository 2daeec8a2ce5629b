//! Applying a function of one or two vectors along slices that may hold anything, into memory that
//! need not be initialised, and telling in the same pass whether all was finite.

use std::mem::MaybeUninit;

use super::map::{Binary, Unary};
use super::reduce::{SIDE, Seen};
use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, VectorMath, dispatch};

/// `out[i] = f(x[i])`; whether every `x[i]` is finite, which is seen in the same pass.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn map_checked<T: Float>(
    isa: Isa,
    f: impl Unary,
    x: &[T],
    out: &mut [MaybeUninit<T>],
) -> bool {
    assert_eq!(x.len(), out.len(), "x and out differ in length");
    dispatch(isa, MapChecked { x, out, f })
}

/// `out[i] = f(x[i], y[i])`; whether every `x[i]` and `y[i]` is finite.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn zip_checked<T: Float>(
    isa: Isa,
    f: impl Binary,
    x: &[T],
    y: &[T],
    out: &mut [MaybeUninit<T>],
) -> bool {
    assert_eq!(x.len(), out.len(), "x and out differ in length");
    assert_eq!(y.len(), out.len(), "y and out differ in length");
    dispatch(isa, ZipChecked { x, y, out, f })
}

struct MapChecked<'a, T, F> {
    x: &'a [T],
    out: &'a mut [MaybeUninit<T>],
    f: F,
}

impl<T: Float, F: Unary> Kernel<T> for MapChecked<'_, T, F> {
    type Output = bool;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> bool {
        let (len, f) = (self.out.len(), self.f);
        let (from, to) = (self.x.as_ptr(), self.out.as_mut_ptr().cast::<T>());
        let mut seen = Seen::<V>::nothing();
        let whole = len - len % (SIDE * V::LANES);
        for i in (0..whole).step_by(SIDE * V::LANES) {
            for side in 0..SIDE {
                let i = i + side * V::LANES;
                // SAFETY: i + LANES <= len, and both slices are that long.
                unsafe {
                    let x = V::load(from.add(i));
                    seen.see(side, x);
                    f.apply(x).store(to.add(i));
                }
            }
        }
        for i in (whole..len).step_by(V::LANES) {
            let n = V::LANES.min(len - i);
            // SAFETY: i + n <= len.
            unsafe {
                let x = V::load_part(from.add(i), n);
                seen.see(0, x);
                f.apply(x).store_part(to.add(i), n);
            }
        }
        seen.finite()
    }
}

struct ZipChecked<'a, T, F> {
    x: &'a [T],
    y: &'a [T],
    out: &'a mut [MaybeUninit<T>],
    f: F,
}

impl<T: Float, F: Binary> Kernel<T> for ZipChecked<'_, T, F> {
    type Output = bool;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> bool {
        let (len, f) = (self.out.len(), self.f);
        let (x, y) = (self.x.as_ptr(), self.y.as_ptr());
        let to = self.out.as_mut_ptr().cast::<T>();
        let mut seen = Seen::<V>::nothing();
        for i in (0..len).step_by(V::LANES) {
            let n = V::LANES.min(len - i);
            // SAFETY: i + n <= len, and all slices are that long.
            unsafe {
                let (x, y) = (V::load_part(x.add(i), n), V::load_part(y.add(i), n));
                seen.see(0, x);
                seen.see(1, y);
                f.apply(x, y).store_part(to.add(i), n);
            }
        }
        seen.finite()
    }
}
