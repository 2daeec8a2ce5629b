//! [`VectorMath`] in plain Rust, written without branches so that LLVM can vectorise it.

use super::{Lanes, P32x8, P64x4};
use crate::math::Constants;
use crate::simd::{Vector, VectorMath, each};

impl VectorMath for P32x8 {
    type Mask = [u32; 8];
    type Double = P64x4;
    const PARTS: usize = 2;

    #[inline(always)]
    fn lt(self, b: Self) -> [u32; 8] {
        each(|i| if self.0[i] < b.0[i] { u32::MAX } else { 0 })
    }
    #[inline(always)]
    fn le(self, b: Self) -> [u32; 8] {
        each(|i| if self.0[i] <= b.0[i] { u32::MAX } else { 0 })
    }
    #[inline(always)]
    fn head(n: usize) -> [u32; 8] {
        each(|i| if i < n { u32::MAX } else { 0 })
    }
    #[inline(always)]
    fn select(mask: [u32; 8], yes: Self, no: Self) -> Self {
        Self(each(|i| {
            f32::from_bits((yes.0[i].to_bits() & mask[i]) | (no.0[i].to_bits() & !mask[i]))
        }))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f32::abs)
    }
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        self.zip(sign, f32::copysign)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        // The sum holds the biased exponent in its lowest bits.
        self.map(|x| f32::from_bits((x + (f32::WHOLE + 127.0)).to_bits() << 23))
    }
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        let half = n.round_product(Self::splat(0.5));
        self.mul(half.pow2()).mul(n.sub(half).pow2())
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        // The biased exponent becomes the lowest bits of 2^23 + e.
        const SHIFT: f32 = (1u64 << 23) as f32;
        self.map(|x| f32::from_bits((x.to_bits() >> 23) | SHIFT.to_bits()) - (SHIFT + 127.0))
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        self.0.into_iter().fold(f32::NEG_INFINITY, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn widen(self, part: usize) -> P64x4 {
        Lanes(each(|i| f64::from(self.0[part * 4 + i])))
    }
}

impl VectorMath for P64x4 {
    type Mask = [u64; 4];
    type Double = P64x4;
    const PARTS: usize = 1;

    #[inline(always)]
    fn lt(self, b: Self) -> [u64; 4] {
        each(|i| if self.0[i] < b.0[i] { u64::MAX } else { 0 })
    }
    #[inline(always)]
    fn le(self, b: Self) -> [u64; 4] {
        each(|i| if self.0[i] <= b.0[i] { u64::MAX } else { 0 })
    }
    #[inline(always)]
    fn head(n: usize) -> [u64; 4] {
        each(|i| if i < n { u64::MAX } else { 0 })
    }
    #[inline(always)]
    fn select(mask: [u64; 4], yes: Self, no: Self) -> Self {
        Self(each(|i| {
            f64::from_bits((yes.0[i].to_bits() & mask[i]) | (no.0[i].to_bits() & !mask[i]))
        }))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f64::abs)
    }
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        self.zip(sign, f64::copysign)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f64::sqrt)
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        // The sum holds the biased exponent in its lowest bits.
        self.map(|x| f64::from_bits((x + (f64::WHOLE + 1023.0)).to_bits() << 52))
    }
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        let half = n.round_product(Self::splat(0.5));
        self.mul(half.pow2()).mul(n.sub(half).pow2())
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        // The biased exponent becomes the lowest bits of 2^52 + e.
        const SHIFT: f64 = (1u64 << 52) as f64;
        self.map(|x| f64::from_bits((x.to_bits() >> 52) | SHIFT.to_bits()) - (SHIFT + 1023.0))
    }
    #[inline(always)]
    fn largest(self) -> f64 {
        self.0.into_iter().fold(f64::NEG_INFINITY, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn widen(self, _part: usize) -> P64x4 {
        self
    }
}
