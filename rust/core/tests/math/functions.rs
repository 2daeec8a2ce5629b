//! The functions, what they should be, and how far they may be off.

use purrceptron::activation::Activation;
use purrceptron::{Float, Isa, math};

use crate::twofold::Twofold;

/// A function, what it should be, and how many units in the last place it may be off.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) single: fn(Isa, &[f32], &mut [f32]),
    pub(crate) double: fn(Isa, &[f64], &mut [f64]),
    /// In double precision, by the crate `libm`.
    pub(crate) exact: fn(f64) -> f64,
    /// In 32 digits.
    pub(crate) twofold: Option<fn(Twofold) -> Twofold>,
    /// For `f32` and for `f64`.
    pub(crate) bounds: [f64; 2],
}

macro_rules! function {
    ($name:literal, $f:path, $exact:expr, $twofold:expr, $bounds:expr) => {
        Function {
            name: $name,
            single: $f,
            double: $f,
            exact: $exact,
            twofold: $twofold,
            bounds: $bounds,
        }
    };
}

pub(crate) const FUNCTIONS: [Function; 9] = [
    function!("exp", math::exp, libm::exp, Some(Twofold::exp), [1.0, 1.1]),
    function!("expm1", math::expm1, libm::expm1, Some(Twofold::expm1), [1.6, 2.0]),
    function!("log", math::log, libm::log, Some(Twofold::log), [0.8, 0.8]),
    function!("log1p", math::log1p, libm::log1p, Some(Twofold::log1p), [1.4, 1.4]),
    function!("tanh", math::tanh, libm::tanh, Some(twofold_tanh), [2.0, 1.9]),
    function!("sigmoid", math::sigmoid, sigmoid, Some(twofold_sigmoid), [2.3, 2.5]),
    function!("softplus", math::softplus, softplus, Some(|x| x.exp().log1p()), [1.7, 1.7]),
    function!("gelu", gelu, |x| 0.5 * x * libm::erfc(-x / 2f64.sqrt()), None, [5.6, 5.5]),
    function!("silu", silu, |x| x * sigmoid(x), Some(|x| x.mul(twofold_sigmoid(x))), [2.9, 3.9]),
];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn twofold_sigmoid(x: Twofold) -> Twofold {
    let one = Twofold::from(1.0);
    one.div(one.add(x.neg().exp()))
}

fn twofold_tanh(x: Twofold) -> Twofold {
    let magnitude = if x.high < 0.0 { x.neg() } else { x };
    let e = magnitude.add(magnitude).neg().expm1();
    let y = e.neg().div(e.add(Twofold::from(2.0)));
    if x.high < 0.0 { y.neg() } else { y }
}

fn softplus(x: f64) -> f64 {
    if x < 0.0 { libm::log1p(libm::exp(x)) } else { x + libm::log1p(libm::exp(-x)) }
}

fn gelu<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    out.copy_from_slice(x);
    Activation::Gelu.forward(isa, out);
}

fn silu<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    out.copy_from_slice(x);
    Activation::Silu.forward(isa, out);
}

impl Function {
    /// The bound at `x`. GELU wants a fused multiplication, most of all its tail, and not every set has one; what AVX-512
    /// can look up makes tanh better in `f32`, and others worse in `f64`.
    pub(crate) fn bound<T: Float>(&self, isa: Isa, x: f64) -> f64 {
        let single = T::NAME == "float32";
        let bound = self.bounds[usize::from(!single)];
        let unfused = isa == Isa::Portable && cfg!(target_arch = "x86_64");
        let looks_up = || isa.to_string() == "avx512";
        match self.name {
            "gelu" if unfused && x.is_finite() => bound + 0.5 + x * x,
            "expm1" if unfused => bound + if single { 0.1 } else { 0.2 },
            "tanh" if single && looks_up() => 1.3,
            "sigmoid" if !single && looks_up() => 3.5,
            "softplus" if !single && looks_up() => 2.2,
            _ => bound,
        }
    }
}
