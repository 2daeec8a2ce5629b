//! `f32` against `f64`: a sample of all floats, or on request every one.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use purrceptron::Isa;

use crate::functions::{FUNCTIONS, Function};

impl Function {
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
