//! Numbers as unrounded sums of two `f64`, about 32 digits: what functions are held against on more
//! points than a table of 60 digits can hold. The table, in turn, is what these are held against.

use std::f64::consts::LN_2;

/// `high + low`, where `low` is at most half a unit in the last place of `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twofold {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

/// ln 2 beyond its nearest `f64`.
const LN_2_BEYOND: f64 = 2.319_046_813_846_299_6e-17;

impl Twofold {
    pub(crate) const ZERO: Self = Self { high: 0.0, low: 0.0 };
    const LN_2: Self = Self { high: LN_2, low: LN_2_BEYOND };

    pub(crate) fn from(x: f64) -> Self {
        Self { high: x, low: 0.0 }
    }

    /// `a + b`, exactly.
    pub(crate) fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let a_in_it = high - b;
        Self { high, low: (a - a_in_it) + (b - (high - a_in_it)) }
    }

    /// `a b`, exactly.
    fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        Self { high, low: a.mul_add(b, -high) }
    }

    pub(crate) fn add(self, b: Self) -> Self {
        let (high, low) = (Self::sum(self.high, b.high), Self::sum(self.low, b.low));
        let all = Self::sum(high.high, high.low + low.high);
        Self::sum(all.high, all.low + low.low)
    }

    pub(crate) fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }

    pub(crate) fn mul(self, b: Self) -> Self {
        let all = Self::product(self.high, b.high);
        Self::sum(all.high, all.low + self.high.mul_add(b.low, self.low * b.high))
    }

    pub(crate) fn div(self, b: Self) -> Self {
        let first = self.high / b.high;
        let rest = self.add(b.mul(Self::from(-first)));
        let second = rest.high / b.high;
        let rest = rest.add(b.mul(Self::from(-second)));
        Self::sum(first, second).add(Self::from(rest.high / b.high))
    }

    fn scale(self, exponent: i32) -> Self {
        let scale = |x| libm::ldexp(x, exponent);
        Self { high: scale(self.high), low: scale(self.low) }
    }

    /// `(n, exp(x) / 2^n - 1)`, the second between -0.3 and 0.42: a Taylor series at 2^-6 of the remainder,
    /// squared six times.
    fn exp_parts(self) -> (i32, Self) {
        let n = (self.high / LN_2).round();
        let r = self.add(Self::LN_2.mul(Self::from(-n))).scale(-6);
        let mut q = Self::ZERO;
        for i in (1..=16).rev() {
            // q ← r (1 + q) / i
            q = r.mul(q.add(Self::from(1.0))).div(Self::from(f64::from(i)));
        }
        for _ in 0..6 {
            q = q.scale(1).add(q.mul(q));
        }
        (n as i32, q)
    }

    pub(crate) fn exp(self) -> Self {
        let (n, q) = self.exp_parts();
        q.add(Self::from(1.0)).scale(n)
    }

    pub(crate) fn expm1(self) -> Self {
        let (n, q) = self.exp_parts();
        if n == 0 { q } else { q.add(Self::from(1.0)).scale(n).add(Self::from(-1.0)) }
    }

    /// A step of Newton's method from the crate `libm`'s answer.
    pub(crate) fn log1p(self) -> Self {
        if !self.high.is_finite() {
            return self;
        }
        if self.high > 1.5 {
            return self.add(Self::from(1.0)).log();
        }
        let y = Self::from(libm::log1p(self.high));
        let e = y.neg().expm1();
        // (1 + x) exp(-y) - 1
        let d = self.add(e).add(self.mul(e));
        y.add(d).add(d.mul(d).scale(-1).neg())
    }

    pub(crate) fn log(self) -> Self {
        if (0.5..=2.0).contains(&self.high) {
            return self.add(Self::from(-1.0)).log1p();
        }
        // x = 2^n m
        let n = libm::ilogb(self.high);
        let m = self.scale(-n).add(Self::from(-1.0));
        Self::LN_2.mul(Self::from(f64::from(n))).add(m.log1p())
    }
}
