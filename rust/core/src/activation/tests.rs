//! Every derivative against central differences, every instruction set against the formulas.

use super::Activation;
use crate::isa::Isa;

/// The formulas, as one would write them down.
fn formula(activation: Activation, z: f64) -> f64 {
    let sigmoid = |z: f64| 1.0 / (1.0 + libm::exp(-z));
    match activation {
        Activation::Identity => z,
        Activation::Relu => z.max(0.0),
        Activation::Sigmoid => sigmoid(z),
        Activation::Tanh => libm::tanh(z),
        Activation::LeakyRelu => z.max(0.01 * z),
        Activation::Elu => z.max(libm::expm1(z.min(0.0))),
        Activation::Selu => {
            let (alpha, lambda) = (1.6732632423543772, 1.0507009873554805);
            lambda * (z.max(0.0) + alpha * libm::expm1(z.min(0.0)))
        }
        Activation::Gelu => z * libm::erfc(-z / 2f64.sqrt()) / 2.0,
        Activation::Silu => z * sigmoid(z),
        Activation::Softplus => libm::log(1.0 + libm::exp(z)),
    }
}

/// Points away from the kink at 0, on both sides, in no whole number of registers.
fn points() -> Vec<f64> {
    (-133..=133).map(|i| f64::from(i) * 0.0613 + 0.0017).collect()
}

fn forward(activation: Activation, isa: Isa, z: &[f64]) -> Vec<f64> {
    let mut a = z.to_vec();
    activation.forward(isa, &mut a);
    a
}

#[test]
fn forward_is_the_formula() {
    for activation in Activation::ALL {
        for &isa in Isa::available() {
            let z = points();
            let narrow: Vec<f32> = z.iter().map(|&z| z as f32).collect();
            let mut a32 = narrow.clone();
            activation.forward(isa, &mut a32);
            for (i, a) in forward(activation, isa, &z).into_iter().enumerate() {
                let name = activation.name();
                let exact = formula(activation, z[i]);
                assert!((a - exact).abs() <= 1e-15 * exact.abs().max(1.0), "{name} {isa} {}", z[i]);
                let exact = formula(activation, f64::from(narrow[i]));
                let error = (f64::from(a32[i]) - exact).abs();
                // GELU's far tail is only as good as the square is, where nothing is fused.
                let bound = if activation == Activation::Gelu { 1e-5 } else { 3e-7 };
                assert!(error <= bound * exact.abs(), "{name} {isa} {}", narrow[i]);
            }
        }
    }
}

#[test]
fn backward_is_the_derivative() {
    const H: f64 = 1e-5;
    for activation in Activation::ALL {
        for &isa in Isa::available() {
            let z = points();
            let up = forward(activation, isa, &z.iter().map(|z| z + H).collect::<Vec<_>>());
            let down = forward(activation, isa, &z.iter().map(|z| z - H).collect::<Vec<_>>());
            let a = forward(activation, isa, &z);
            let saved = if activation.saves_input() { &z } else { &a };
            let da: Vec<f64> = (0..z.len()).map(|i| 1.0 + i as f64 / 100.0).collect();
            let mut dz = da.clone();
            activation.backward(isa, saved, &mut dz);
            for i in 0..z.len() {
                let slope = (up[i] - down[i]) / (2.0 * H);
                let error = (dz[i] - da[i] * slope).abs();
                assert!(error < 1e-9 * da[i], "{} {isa} at {}: {error}", activation.name(), z[i]);
            }
        }
    }
}

#[test]
fn backward_at_zero() {
    let expected =
        [1.0, 0.0, 0.25, 1.0, 0.01, 1.0, 1.0507009873554805 * 1.6732632423543772, 0.5, 0.5, 0.5];
    for (activation, expected) in Activation::ALL.into_iter().zip(expected) {
        for &isa in Isa::available() {
            let a = forward(activation, isa, &[0.0]);
            let saved = if activation.saves_input() { vec![0.0] } else { a };
            let mut da = [1.0];
            activation.backward(isa, &saved, &mut da);
            assert!((da[0] - expected).abs() < 1e-15, "{} {isa}", activation.name());
        }
    }
}

#[test]
fn extremes_stay_finite_and_nan_passes() {
    for activation in Activation::ALL {
        for &isa in Isa::available() {
            let z = [1e4f32, -1e4, f32::MAX / 2.0, f32::MIN / 2.0, f32::NAN];
            let mut a = z;
            activation.forward(isa, &mut a);
            assert!(a[..4].iter().all(|a| a.is_finite()), "{} {isa}: {a:?}", activation.name());
            assert!(a[4].is_nan(), "{} {isa}", activation.name());
            let mut dz = [1.0; 5];
            activation.backward(isa, if activation.saves_input() { &z } else { &a }, &mut dz);
            assert!(dz[..4].iter().all(|d| d.is_finite()), "{} {isa}: {dz:?}", activation.name());
        }
    }
}

#[test]
fn an_element_does_not_depend_on_its_place() {
    let z: Vec<f32> = points().into_iter().map(|z| z as f32).collect();
    for activation in Activation::ALL {
        for &isa in Isa::available() {
            let mut whole = z.clone();
            activation.forward(isa, &mut whole);
            for start in 0..40 {
                for len in 0..40 {
                    let mut part = z[start..start + len].to_vec();
                    activation.forward(isa, &mut part);
                    assert_eq!(part, whole[start..start + len], "{} {isa}", activation.name());
                }
            }
        }
    }
}

#[test]
fn names_lead_back() {
    for activation in Activation::ALL {
        assert_eq!(Activation::named(activation.name()), Some(activation));
    }
}
