//! Applying a function of one or two vectors along slices.
//!
//! The tail goes through the same vector code as the rest, so an element's value does not depend
//! on its place, nor on the slice's length or alignment.

use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, Vector, VectorMath, dispatch};

/// A function of one number, written for a register of them.
pub(crate) trait Unary: Copy {
    /// The function, lane by lane. Implementations are `#[inline(always)]`.
    fn apply<V: VectorMath>(self, x: V) -> V;
}

/// A function of two numbers, written for registers of them.
pub(crate) trait Binary: Copy {
    /// The function, lane by lane. Implementations are `#[inline(always)]`.
    fn apply<V: VectorMath>(self, x: V, y: V) -> V;
}

/// `x + y`
#[derive(Clone, Copy)]
pub(crate) struct Add;

impl Binary for Add {
    #[inline(always)]
    fn apply<V: VectorMath>(self, x: V, y: V) -> V {
        x.add(y)
    }
}

/// `out[i] = f(x[i])`
///
/// # Panics
/// If the lengths differ.
pub(crate) fn map<T: Float>(isa: Isa, f: impl Unary, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), out.len(), "x and out differ in length");
    dispatch(isa, Map { x: x.as_ptr(), out: out.as_mut_ptr(), len: x.len(), f });
}

/// `x[i] = f(x[i])`
pub(crate) fn map_in_place<T: Float>(isa: Isa, f: impl Unary, x: &mut [T]) {
    let (len, x) = (x.len(), x.as_mut_ptr());
    dispatch(isa, Map { x, out: x, len, f });
}

/// `y[i] = f(x[i], y[i])`
///
/// # Panics
/// If the lengths differ.
pub(crate) fn zip_in_place<T: Float>(isa: Isa, f: impl Binary, x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "the slices differ in length");
    dispatch(isa, Zip { x, y, f });
}

/// `len` elements can be read at `x` and written at `out`, which is `x` itself or apart from it.
struct Map<T, F> {
    x: *const T,
    out: *mut T,
    len: usize,
    f: F,
}

impl<T: Float, F: Unary> Kernel<T> for Map<T, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let Self { x, out, len, f } = self;
        let whole = len - len % V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            // SAFETY: i + LANES <= len.
            unsafe { f.apply(V::load(x.add(i))).store(out.add(i)) }
        }
        if whole < len {
            // SAFETY: len - whole elements are left.
            unsafe {
                f.apply(V::load_head(x.add(whole), len - whole))
                    .store_head(out.add(whole), len - whole);
            }
        }
    }
}

struct Zip<'a, T, F> {
    x: &'a [T],
    y: &'a mut [T],
    f: F,
}

impl<T: Float, F: Binary> Kernel<T> for Zip<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let (len, f) = (self.y.len(), self.f);
        let (x, y) = (self.x.as_ptr(), self.y.as_mut_ptr());
        let whole = len - len % V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            // SAFETY: i + LANES <= len, and both slices are that long.
            unsafe { f.apply(V::load(x.add(i)), V::load(y.add(i))).store(y.add(i)) }
        }
        if whole < len {
            let rest = len - whole;
            // SAFETY: `rest` elements are left.
            unsafe {
                let (x, y) = (x.add(whole), y.add(whole));
                f.apply(V::load_head(x, rest), V::load_head(y, rest)).store_head(y, rest);
            }
        }
    }
}

/// `c[0] + c[1] x + c[2] x² + ...`: the even and the odd powers each by Horner's rule in `x²`, so
/// that two short chains of multiplications run side by side instead of one long one.
#[inline(always)]
pub(crate) fn polynomial<V: Vector>(c: &[V::Elem], x: V) -> V {
    let square = x.mul(x);
    every_other(c, 1, square).mul_add(x, every_other(c, 0, square))
}

/// `c[first] + c[first + 2] x + c[first + 4] x² + ...`
#[inline(always)]
fn every_other<V: Vector>(c: &[V::Elem], first: usize, x: V) -> V {
    let mut i = c.len() - 1 - (c.len() - 1 - first) % 2;
    let mut sum = V::splat(c[i]);
    while i > first {
        i -= 2;
        sum = sum.mul_add(x, V::splat(c[i]));
    }
    sum
}
