//! Random numbers that are the same on every machine: ChaCha with 8 rounds, and mappings of our
//! own from its bits to floats and permutations, so that no library's change of mind changes a run.
//!
//! Nothing is drawn from one long sequence. Each use has a stream of its own, named by what it is
//! for and by a counter (the layer, the epoch), so that a run can be continued anywhere from its
//! seed alone.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// What random numbers are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The first weights of a layer; the counter is the layer's number.
    Weights = 0,
    /// The order of the rows; the counter is the epoch.
    Order = 1,
    /// What dropout leaves out; the counter is the step's number times the layers, and the layer's.
    Dropout = 2,
}

/// A stream of random numbers.
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream of `seed` for that purpose and counter (which must stay below 2⁵⁶).
    pub fn new(seed: u64, purpose: Purpose, counter: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream((purpose as u64) << 56 | counter);
        Self(generator)
    }

    /// Goes to a place in the stream, counted in words of 32 bits.
    pub fn skip_to(&mut self, word: u64) {
        self.0.set_word_pos(u128::from(word));
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform on the open interval (0, 1): 53 random bits, taken in the middle of their step.
    pub fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        ((self.0.next_u64() >> 11) as f64 + 0.5) * STEP
    }

    /// Standard normal, by inverting the distribution function.
    pub fn normal(&mut self) -> f64 {
        inverse_normal(self.uniform())
    }

    /// Uniform on 0, ..., `n - 1`, without bias (Lemire 2019, "Fast random integer generation in
    /// an interval", algorithm 5). `n` must not be zero.
    pub fn below(&mut self, n: u64) -> u64 {
        let mut wide = u128::from(self.0.next_u64()) * u128::from(n);
        if (wide as u64) < n {
            let threshold = n.wrapping_neg() % n;
            while (wide as u64) < threshold {
                wide = u128::from(self.0.next_u64()) * u128::from(n);
            }
        }
        (wide >> 64) as u64
    }

    /// Puts the items in random order (Fisher and Yates).
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

/// The inverse of the standard normal distribution function, to about 1e-16: Wichura 1988,
/// "Algorithm AS 241: The percentage points of the normal distribution", routine PPND16.
/// `p` lies strictly between 0 and 1.
fn inverse_normal(p: f64) -> f64 {
    #![allow(clippy::excessive_precision, reason = "the coefficients stand as published")]
    const A: [f64; 8] = [
        3.387_132_872_796_366_608_0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103_777_20,
        5.463_784_911_164_114_369_90,
        1.784_826_539_917_291_335_80,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ];
    // Horner's rule written with `*` and `+` alone: the same bits with and without FMA.
    let ratio = |x: f64, numerator: &[f64; 8], denominator: &[f64; 8]| {
        let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
        polynomial(numerator) / polynomial(denominator)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180_625 - q * q, &A, &B);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    // `libm` is the same Rust code everywhere; the system's logarithm is not.
    let r = (-libm::log(tail)).sqrt();
    let x = if r <= 5.0 { ratio(r - 1.6, &C, &D) } else { ratio(r - 5.0, &E, &F) };
    x.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rng(seed: u64) -> Rng {
        Rng::new(seed, Purpose::Weights, 0)
    }

    #[test]
    fn the_published_chacha8_key_stream() {
        // draft-strombergson-chacha-test-vectors, TC1: ChaCha8, a key and a stream of zeros.
        let mut rng = rng(0);
        let words: Vec<u64> = (0..2).map(|_| rng.0.next_u64()).collect();
        let bytes = [
            0x3eu8, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09,
            0xa5, 0xa1,
        ];
        assert_eq!(words[0].to_le_bytes(), bytes[..8]);
        assert_eq!(words[1].to_le_bytes(), bytes[8..]);
    }

    #[test]
    fn quantiles_of_the_normal_distribution() {
        // From Wichura's paper, and from tables.
        for (p, x) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_814),
            (1e-20, -9.262_340_089_798_408),
            (0.975, 1.959_963_984_540_054),
            (0.5, 0.0),
        ] {
            assert!((inverse_normal(p) - x).abs() <= 1e-15 * x.abs().max(1.0), "{p}");
        }
    }

    #[test]
    fn moments() {
        let n = 200_000;
        let mut rng = rng(3);
        let (mut mean, mut square) = (0.0, 0.0);
        for _ in 0..n {
            let x = rng.normal();
            mean += x / f64::from(n);
            square += x * x / f64::from(n);
        }
        assert!(mean.abs() < 0.01 && (square - 1.0).abs() < 0.015, "{mean} {square}");
    }

    #[test]
    fn shuffles_are_permutations_and_uniform() {
        let mut counts = [[0; 3]; 3];
        for counter in 0..6000 {
            let mut items = [0, 1, 2];
            Rng::new(1, Purpose::Order, counter).shuffle(&mut items);
            for (place, &item) in items.iter().enumerate() {
                counts[place][item] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|&c: &i32| (c - 2000).abs() < 200), "{counts:?}");
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, purpose, counter| Rng::new(seed, purpose, counter).uniform();
        let first = draw(1, Purpose::Order, 0);
        assert_eq!(first, draw(1, Purpose::Order, 0));
        assert_ne!(first, draw(2, Purpose::Order, 0));
        assert_ne!(first, draw(1, Purpose::Weights, 0));
        assert_ne!(first, draw(1, Purpose::Order, 1));
    }
}
