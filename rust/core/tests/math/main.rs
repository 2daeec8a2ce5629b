//! How far the mathematical functions are off, in units in the last place: `f32` against `f64`
//! (a sample of all floats, or on request every one), `f64` against values computed in 60 digits,
//! and on a dense sample against 32 digits.

mod rows;
mod twofold;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use purrceptron::activation::Activation;
use purrceptron::{Float, Isa, math};
use twofold::Twofold;

/// A function, what it should be, and how many units in the last place it may be off.
struct Function {
    name: &'static str,
    single: fn(Isa, &[f32], &mut [f32]),
    double: fn(Isa, &[f64], &mut [f64]),
    /// In double precision, by the crate `libm`.
    exact: fn(f64) -> f64,
    /// In 32 digits.
    twofold: Option<fn(Twofold) -> Twofold>,
    /// For `f32` and for `f64`.
    bounds: [f64; 2],
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

const FUNCTIONS: [Function; 9] = [
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
    fn bound<T: Float>(&self, isa: Isa, x: f64) -> f64 {
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

    /// How far `came` is from f(x), in units that an `f32` has there in its last place; 0 where
    /// it is right as far as it can be.
    fn error(&self, x: f32, came: f32, exact: f64) -> f64 {
        if came.to_bits() == (exact as f32).to_bits() || came.is_nan() && exact.is_nan() {
            return 0.0;
        }
        // z times a subnormal number is off by as many of the smallest numbers.
        let off = (f64::from(came) - exact).abs();
        let product = matches!(self.name, "gelu" | "silu");
        if product && x != 0.0 && off <= 128.0 * f64::from(f32::from_bits(1)) {
            return 0.0;
        }
        if !came.is_finite() || exact.is_nan() || exact == 0.0 {
            return f64::INFINITY;
        }
        off / libm::ldexp(1.0, libm::ilogb(exact).max(-126) - 23)
    }

    /// Goes over the floats with these bits, and calls `off` for each instruction set with the result that was furthest
    /// off, of those beyond their bounds or else of all: with what it was beyond, with how much it was off, and where.
    fn worst_singles(&self, bits: impl Iterator<Item = u32>, mut off: impl FnMut(Isa, Worst)) {
        let infinite_product = |x: &f32| x.is_infinite() && matches!(self.name, "gelu" | "silu");
        let x: Vec<f32> = bits.map(f32::from_bits).filter(|x| !infinite_product(x)).collect();
        let exact: Vec<f64> = x.iter().map(|&x| (self.exact)(f64::from(x))).collect();
        let mut out = vec![0.0; x.len()];
        for &isa in Isa::available() {
            (self.single)(isa, &x, &mut out);
            let mut worst = Worst::default();
            for i in 0..x.len() {
                let units = self.error(x[i], out[i], exact[i]);
                let beyond = (units - self.bound::<f32>(isa, f64::from(x[i]))).max(0.0);
                worst = worst.or(Worst { beyond, units, x: x[i] });
            }
            off(isa, worst);
        }
    }
}

/// A result that is off.
#[derive(Clone, Copy, Default)]
struct Worst {
    beyond: f64,
    units: f64,
    x: f32,
}

impl Worst {
    /// The worse of the two.
    fn or(self, other: Self) -> Self {
        if (self.beyond, self.units) < (other.beyond, other.units) { other } else { self }
    }
}

/// What was worst of each function on each instruction set.
#[derive(Default)]
struct Table(BTreeMap<(&'static str, String), Worst>);

impl Table {
    fn add(&mut self, bits: impl Iterator<Item = u32> + Clone) {
        for function in &FUNCTIONS {
            function.worst_singles(bits.clone(), |isa, worst| {
                self.note((function.name, isa.to_string()), worst);
            });
        }
    }

    fn note(&mut self, key: (&'static str, String), worst: Worst) {
        let place = self.0.entry(key).or_default();
        *place = place.or(worst);
    }

    /// Prints it, and fails if anything is beyond its bound.
    fn finish(self) {
        let mut beyond = Vec::new();
        for ((name, isa), worst) in &self.0 {
            let line = format!("{name} on {isa}: {:.4} units at {:e}", worst.units, worst.x);
            println!("{line}");
            beyond.extend((worst.beyond > 0.0).then_some(line));
        }
        assert!(beyond.is_empty(), "{beyond:#?}");
    }
}

#[test]
fn a_million_singles() {
    let mut table = Table::default();
    table.add((0..=u32::MAX).step_by(4099));
    table.finish();
}

#[test]
#[ignore = "half an hour of one core: make test-every-float"]
fn every_single() {
    const BLOCK: u32 = 1 << 16;
    let next = AtomicU32::new(0);
    let table = Mutex::new(Table::default());
    let work = || {
        let mut own = Table::default();
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block > u32::MAX / BLOCK {
                break;
            }
            own.add((0..BLOCK).map(|i| block * BLOCK + i));
        }
        let mut table = table.lock().unwrap();
        own.0.into_iter().for_each(|(key, worst)| table.note(key, worst));
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    table.into_inner().unwrap().finish();
}

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
