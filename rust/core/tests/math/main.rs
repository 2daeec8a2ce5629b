//! How far the mathematical functions are off, in units in the last place: `f32` against `f64`
//! (a sample of all floats, or on request every one), `f64` against values computed in 60 digits,
//! and on a dense sample against 32 digits.

mod functions;
mod rows;
mod singles;
mod twofold;

use functions::FUNCTIONS;
use purrceptron::{Isa, math};
use twofold::Twofold;

#[test]
fn doubles_against_sixty_digits() {
    let table = include_str!("../data/math_f64.txt");
    for function in &FUNCTIONS {
        let mut lines = 0;
        for line in table.lines().filter(|line| line.split(' ').next() == Some(function.name)) {
            lines += 1;
            let mut fields = line.split(' ').skip(1);
            let mut bits = || u64::from_str_radix(fields.next().unwrap(), 16).unwrap();
            let (x, nearest) = (f64::from_bits(bits()), f64::from_bits(bits()));
            let beyond: f64 = fields.next().unwrap().parse().unwrap();
            let unit = libm::ldexp(1.0, libm::ilogb(nearest) - 52);
            for &isa in Isa::available() {
                let mut out = [0.0];
                (function.double)(isa, &[x], &mut out);
                let error = ((out[0] - nearest) / unit - beyond).abs();
                let (name, bound) = (function.name, function.bound::<f64>(isa, x));
                assert!(error <= bound, "{name} on {isa}: {error} units at {x:e}");
            }
        }
        assert!(lines > 50, "{}", function.name);
    }
}

/// How far `came` is from `exact`, in units in the last place.
fn units(came: f64, exact: Twofold) -> f64 {
    ((came - exact.high) - exact.low).abs() / libm::ldexp(1.0, libm::ilogb(exact.high) - 52)
}

#[test]
fn thirty_two_digits_against_sixty() {
    let table = include_str!("../data/math_f64.txt");
    for function in &FUNCTIONS {
        let Some(twofold) = function.twofold else { continue };
        for line in table.lines().filter(|line| line.split(' ').next() == Some(function.name)) {
            let mut fields = line.split(' ').skip(1);
            let mut bits = || u64::from_str_radix(fields.next().unwrap(), 16).unwrap();
            let (x, nearest) = (f64::from_bits(bits()), f64::from_bits(bits()));
            let beyond: f64 = fields.next().unwrap().parse().unwrap();
            let exact = twofold(Twofold::from(x));
            let unit = libm::ldexp(1.0, libm::ilogb(nearest) - 52);
            let came = ((exact.high - nearest) + exact.low) / unit;
            assert!((came - beyond).abs() < 1e-4, "{} at {x:e}: {came} {beyond}", function.name);
        }
    }
}

/// Numbers of every magnitude that matters, most where the functions bend.
fn dense() -> Vec<f64> {
    let steps = |count: i32, width: f64| (0..count).map(move |i| (f64::from(i) + 0.37) * width);
    let mut x: Vec<f64> = steps(20_000, 1.5e-4).collect(); // to 3
    x.extend(steps(20_000, 2e-3)); // to 40
    x.extend(steps(10_000, 0.0708)); // to 708
    x.extend((0..10_000).map(|i| libm::exp2(f64::from(i) * 0.007 - 60.0))); // 2^-60 to 2^10
    x.extend(x.clone().iter().map(|x| -x));
    x
}

#[test]
fn doubles_on_a_dense_sample() {
    let x = dense();
    let mut out = vec![0.0; x.len()];
    let mut beyond = Vec::new();
    for function in &FUNCTIONS {
        let Some(twofold) = function.twofold else { continue };
        let exact: Vec<Twofold> = x.iter().map(|&x| twofold(Twofold::from(x))).collect();
        // What is left out: NaN and infinity, and results with fewer digits than a double has.
        let proper = |y: f64| y.is_finite() && (y == 0.0 || y.abs() > 2f64.powi(-960));
        for &isa in Isa::available() {
            (function.double)(isa, &x, &mut out);
            let (mut worst, mut seen) = ((0.0, 0.0), 0);
            for ((&x, &came), &exact) in x.iter().zip(&out).zip(&exact) {
                if proper(exact.high) && exact.high != 0.0 {
                    let error = units(came, exact);
                    seen += 1;
                    if error > worst.0 || error.is_nan() {
                        worst = (error, x);
                    }
                }
            }
            let (name, bound) = (function.name, function.bound::<f64>(isa, worst.1));
            assert!(seen > 50_000, "{name} on {isa}: {seen} points");
            if worst.0.is_nan() || worst.0 > bound {
                beyond.push(format!("{name} on {isa}: {} units at {:e}", worst.0, worst.1));
            }
        }
    }
    assert!(beyond.is_empty(), "{beyond:#?}");
}

#[test]
fn special_doubles() {
    const INF: f64 = f64::INFINITY;
    let expected: [(&str, [f64; 5]); 9] = [
        // at  -∞, -0, 0, ∞, and the largest number below ∞
        ("exp", [0.0, 1.0, 1.0, INF, INF]),
        ("expm1", [-1.0, -0.0, 0.0, INF, INF]),
        ("log", [f64::NAN, -INF, -INF, INF, 709.782712893384]),
        ("log1p", [f64::NAN, -0.0, 0.0, INF, 709.782712893384]),
        ("tanh", [-1.0, -0.0, 0.0, 1.0, 1.0]),
        ("sigmoid", [0.0, 0.5, 0.5, 1.0, 1.0]),
        ("softplus", [0.0, 2f64.ln(), 2f64.ln(), INF, f64::MAX]),
        ("gelu", [0.0, -0.0, 0.0, INF, f64::MAX]),
        ("silu", [-0.0, -0.0, 0.0, INF, f64::MAX]),
    ];
    for (function, (name, expected)) in FUNCTIONS.iter().zip(expected) {
        assert_eq!(function.name, name);
        for &isa in Isa::available() {
            let x = [-INF, -0.0, 0.0, INF, f64::MAX, f64::NAN];
            let mut out = [0.0; 6];
            (function.double)(isa, &x, &mut out);
            for (came, expected) in out.into_iter().zip(expected) {
                let same = came.to_bits() == expected.to_bits();
                assert!(same || came.is_nan() && expected.is_nan(), "{name} on {isa}: {out:?}");
            }
            assert!(out[5].is_nan(), "{name} on {isa}");
        }
    }
}

#[test]
fn subnormal_doubles() {
    let tiny = [f64::from_bits(1), -f64::from_bits(12345), f64::MIN_POSITIVE / 2.0];
    for name in ["expm1", "log1p", "tanh"] {
        let function = FUNCTIONS.iter().find(|f| f.name == name).unwrap();
        for &isa in Isa::available() {
            let mut out = [0.0; 3];
            (function.double)(isa, &tiny, &mut out);
            assert_eq!(out, tiny, "{name} on {isa}");
        }
    }
    for &isa in Isa::available() {
        let mut out = [0.0; 3];
        math::exp(isa, &[-744.0, -745.1, -745.2], &mut out);
        assert_eq!(out.map(f64::to_bits), [2, 1, 0], "exp on {isa}");
        math::log(isa, &[f64::from_bits(1), f64::MIN_POSITIVE, 1.0], &mut out);
        assert_eq!(out, [-744.4400719213812, -708.3964185322641, 0.0], "log on {isa}");
    }
}

#[test]
fn place_length_and_alignment_do_not_matter() {
    let x: Vec<f32> = (0..100).map(|i| f32::sin(i as f32) * 20.0).collect();
    for function in &FUNCTIONS {
        for &isa in Isa::available() {
            let mut whole = vec![0.0; x.len()];
            (function.single)(isa, &x, &mut whole);
            for start in 0..34 {
                for len in 0..40 {
                    let mut part = vec![0.0; len];
                    (function.single)(isa, &x[start..start + len], &mut part);
                    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits();
                    assert!(part.iter().zip(&whole[start..]).all(same), "{}", function.name);
                }
            }
        }
    }
}

#[test]
fn first_non_finite_is_the_first() {
    for &isa in Isa::available() {
        for len in [0, 1, 17, 63, 64, 100, 2047, 2048, 5000] {
            let mut x = vec![f32::MAX; len];
            assert_eq!(math::first_non_finite(isa, &x), None);
            for at in [len / 3, len / 2, len.saturating_sub(1)] {
                if at < len {
                    x[at] = if at % 2 == 0 { f32::NAN } else { f32::NEG_INFINITY };
                    let expected = x.iter().position(|x| !x.is_finite());
                    assert_eq!(math::first_non_finite(isa, &x), expected, "{isa} {len}");
                }
            }
        }
    }
}

#[test]
fn sum_of_squares_in_double_precision() {
    for &isa in Isa::available() {
        for len in 0..300 {
            let x: Vec<f32> = (0..len).map(|i| 1.0 + 1e-7 * i as f32).collect();
            let exact: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            let came = math::sum_of_squares(isa, &x);
            assert!((came - exact).abs() <= 1e-13 * exact, "{isa} {len}");
        }
    }
}
