//! What the element-wise functions ask of a vector beyond arithmetic: comparisons, signs,
//! rounding, powers of two, and lanes widened to `f64` for sums.

use super::Vector;
use crate::float::Float;
use crate::math::{Constants, tanh};

/// A vector with which `exp` and its kin can be written.
///
/// As with [`Vector`], the methods are safe to call wherever the instruction set is present,
/// which [`dispatch`](super::dispatch) guarantees.
pub trait VectorMath: Vector {
    /// One truth value for each lane.
    type Mask: Copy;
    /// The same instruction set's vector of `f64`.
    type Double: VectorMath<Elem = f64>;
    /// How many [`Double`](Self::Double)s the lanes fill when widened: 2 for `f32`, 1 for `f64`.
    const PARTS: usize;
    /// The polynomial of `exp` that goes with [`exp_split`](Self::exp_split).
    const EXP: &'static [Self::Elem] = Self::Elem::EXP;
    /// That of `r coth(r / 2)`.
    const COTH: &'static [Self::Elem] = Self::Elem::COTH;

    /// [`load_head`](Vector::load_head), without its mask, which may be slow, where `n` is all.
    /// # Safety
    /// `n` elements can be read at `p`.
    #[inline(always)]
    unsafe fn load_part(p: *const Self::Elem, n: usize) -> Self {
        // SAFETY: as the caller promises.
        unsafe { if n == Self::LANES { Self::load(p) } else { Self::load_head(p, n) } }
    }
    /// [`store_head`](Vector::store_head), without its mask where `n` is all.
    /// # Safety
    /// `n` elements can be written at `p`.
    #[inline(always)]
    unsafe fn store_part(self, p: *mut Self::Elem, n: usize) {
        // SAFETY: as the caller promises.
        unsafe { if n == Self::LANES { self.store(p) } else { self.store_head(p, n) } }
    }

    /// `self < b`; false where either is NaN.
    fn lt(self, b: Self) -> Self::Mask;
    /// `self <= b`; false where either is NaN.
    fn le(self, b: Self) -> Self::Mask;
    /// True in the first `n <= LANES` lanes.
    fn head(n: usize) -> Self::Mask;
    /// `yes` where the mask is true, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// `|self|`, NaN included.
    fn abs(self) -> Self;
    /// `-self`, zeros included.
    fn neg(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// `self * b` to the nearest whole number, for products below 2^22 (`f32`) or 2^51 (`f64`).
    #[inline(always)]
    fn round_product(self, b: Self) -> Self {
        // One instruction less than with those that round: each of them is two to Intel's cores.
        let shift = Self::splat(Self::Elem::WHOLE);
        self.mul_add(b, shift).sub(shift)
    }
    /// `2^self` for a whole number that is the exponent of a normal number.
    fn pow2(self) -> Self;
    /// `self * 2^n`, rounded once even where it is subnormal; `n` is whole, and half of it is the
    /// exponent of a normal number.
    fn scale2(self, n: Self) -> Self;
    /// `(k, 2^(k - floor(k)))`, where `k` is `x / ln 2` to the nearest whole number, or 16th;
    /// [`scale2`](Self::scale2) takes that `k`, for `floor(k)`.
    #[inline(always)]
    fn exp_split(x: Self) -> (Self, Self) {
        let k = x.round_product(Self::splat(Self::Elem::LOG2_E));
        (k, Self::splat(Self::Elem::ONE))
    }
    /// `tanh(self)`, for `self >= 0`; NaN stays NaN.
    #[inline(always)]
    fn tanh_from_zero(self) -> Self {
        tanh::quotient(self)
    }
    /// The whole number `e` with `2^e <= self < 2^(e+1)`, for positive normal numbers.
    fn exponent(self) -> Self;

    /// The largest lane.
    fn largest(self) -> Self::Elem;
    /// The lanes `part * Double::LANES ..` in double precision, for `part < PARTS`.
    fn widen(self, part: usize) -> Self::Double;
}
