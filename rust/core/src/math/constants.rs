//! The numbers in the formulas of this module, for `f32` and `f64`.
//!
//! The polynomials (lowest power first) are minimax fits, made by `tools/coefficients.py`, which
//! also prints how far off they are.

/// What [`Float`](crate::Float) must bring for the mathematical functions.
pub trait Constants: Sized + 'static {
    /// 1.5 · 2^23, or 2^52: a sum with it has no room for a fraction, and in its lowest bits the whole number.
    const WHOLE: Self;
    /// 1 / ln 2.
    const LOG2_E: Self;
    /// ln 2 to so few bits that its product with any exponent is exact.
    const LN_2_HIGH: Self;
    /// ln 2 - `LN_2_HIGH`.
    const LN_2_LOW: Self;
    /// From here down `exp` is 0.
    const EXP_LOWEST: Self;
    /// From here up `exp` is infinite.
    const EXP_HIGHEST: Self;
    /// From here down `exp(x) - 1` is -1.
    const EXPM1_LOWEST: Self;
    /// `(exp(r) - 1 - r - r²/2) / r³` for `|r| <= ln 2 / 2`.
    const EXP: &'static [Self];
    /// With `z = r²`: `(r coth(r / 2) - 2) / z` in the same range.
    const COTH: &'static [Self];

    /// √2.
    const SQRT_2: Self;
    /// With `s = f / (2 + f)` and `z = s²`: `(log1p(f) / s - 2) / z` for `1 + f` in [√½, √2].
    const LOG: &'static [Self];
    /// Numbers closer to zero have neighbours whose difference is no normal number: the smallest normal one, divided by
    /// the distance from one to its neighbour. About 1e-31 (`f32`) and 1e-292 (`f64`).
    const SPECK: Self;
    /// Numbers below this may be subnormal, or become it when halved.
    const LOG_TINY: Self;
    /// A power of two that lifts them out of there,
    const LOG_LIFT: Self;
    /// and its exponent.
    const LOG_LIFT_EXPONENT: Self;

    /// From here on the normal distribution's upper tail is 0.
    const TAIL_HIGHEST: Self;
    /// `c` in the next line.
    const TAIL_CENTRE: Self;
    /// With `q = (x - c) / (x + c)`: `(x + c) Φ(-x) exp(x²/2)` for `0 <= x <= TAIL_HIGHEST`.
    const TAIL: &'static [Self];

    /// ∞.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
}

/// `(exp(r) - 1 - r - r²/2) / r³` for `|r| <= ln 2 / 32`: where the powers of two to the 16ths
/// are looked up.
#[cfg(target_arch = "x86_64")]
pub(crate) const EXP_SHORT: [f64; 4] = [
    0.166_666_666_644_032_65,
    0.041_666_666_662_404_345,
    0.008_333_472_384_915_138,
    0.001_388_909_608_540_853_8,
];

/// With `z = r²`: `(r coth(r / 2) - 2) / z` in the same range.
#[cfg(target_arch = "x86_64")]
pub(crate) const COTH_SHORT: [f64; 2] = [0.166_666_666_660_346_4, -0.002_777_734_407_104_443];

/// `2^(j/16)` for `j` from 0 to 15.
#[cfg(target_arch = "x86_64")]
pub(crate) const POWERS: [f64; 16] = [
    1.0,
    1.044_273_782_427_413_8,
    1.090_507_732_665_257_7,
    1.138_788_634_756_691_6,
    1.189_207_115_002_721,
    1.241_857_812_073_484,
    1.296_839_554_651_009_6,
    1.354_255_546_936_892_7,
    std::f64::consts::SQRT_2,
    1.476_826_145_939_499_3,
    1.542_210_825_407_940_7,
    1.610_490_331_949_254_3,
    1.681_792_830_507_429,
    1.756_252_160_373_299_5,
    1.834_008_086_409_342_4,
    1.915_206_561_397_147_4,
];

impl Constants for f32 {
    const WHOLE: f32 = 1.5 * (1u64 << 23) as f32;
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN_2_HIGH: f32 = 0.693_145_75; // 16 bits
    const LN_2_LOW: f32 = (std::f64::consts::LN_2 - Self::LN_2_HIGH as f64) as f32;
    const EXP_LOWEST: f32 = -105.0;
    const EXP_HIGHEST: f32 = 89.0;
    const EXPM1_LOWEST: f32 = -20.0;
    const EXP: &'static [f32] = &[0.166_665_48, 0.041_666_854, 0.008_366_113_5, 0.001_389_823_6];
    const COTH: &'static [f32] = &[0.166_666_25, -0.002_766_720_3];

    const SQRT_2: f32 = std::f32::consts::SQRT_2;
    const LOG: &'static [f32] = &[0.666_666_6, 0.400_003_34, 0.285_372_8, 0.235_827_61];
    const LOG_TINY: f32 = 2.0 * f32::MIN_POSITIVE;
    const SPECK: f32 = f32::MIN_POSITIVE / f32::EPSILON;
    const LOG_LIFT: f32 = (1u64 << 32) as f32;
    const LOG_LIFT_EXPONENT: f32 = 32.0;

    const TAIL_HIGHEST: f32 = 15.0;
    const TAIL_CENTRE: f32 = 3.0;
    const TAIL: &'static [f32] = &[
        0.729_083_7,
        -0.509_332,
        0.230_017_7,
        -0.047_262_687,
        -0.010_462_513,
        0.006_969_311_3,
        0.001_024_754_1,
        -0.001_032_573_6,
        -0.000_244_730_24,
        0.000_131_330_23,
        5.448_916e-5,
    ];

    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
}

impl Constants for f64 {
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8; // 33 bits
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const EXP_LOWEST: f64 = -746.0;
    const EXP_HIGHEST: f64 = 710.0;
    const EXPM1_LOWEST: f64 = -40.0;
    const EXP: &'static [f64] = &[
        0.166_666_666_666_666_02,
        0.041_666_666_666_619_58,
        0.008_333_333_333_388_933,
        0.001_388_888_892_071_387,
        0.000_198_412_697_083_217_37,
        2.480_151_604_124_295_6e-5,
        2.755_742_568_317_403e-6,
        2.762_236_745_074_656e-7,
        2.504_584_119_533_605_5e-8,
    ];
    const COTH: &'static [f64] = &[
        0.166_666_666_666_666_02,
        -0.002_777_777_777_700_599,
        6.613_756_318_746_474e-5,
        -1.653_389_923_666_367_3e-6,
        4.138_024_682_609_464e-8,
    ];

    const SQRT_2: f64 = std::f64::consts::SQRT_2;
    const LOG: &'static [f64] = &[
        0.666_666_666_666_673_5,
        0.399_999_999_994_131_44,
        0.285_714_287_427_626_17,
        0.222_221_985_315_119_44,
        0.181_835_666_479_006_73,
        0.153_139_873_593_677_95,
        0.147_966_182_577_507_1,
    ];
    const LOG_TINY: f64 = 2.0 * f64::MIN_POSITIVE;
    const SPECK: f64 = f64::MIN_POSITIVE / f64::EPSILON;
    const LOG_LIFT: f64 = (1u64 << 60) as f64;
    const LOG_LIFT_EXPONENT: f64 = 60.0;

    const TAIL_HIGHEST: f64 = 39.0;
    const TAIL_CENTRE: f64 = 4.0;
    const TAIL: &'static [f64] = &[
        0.755_285_130_415_751_5,
        -0.607_896_641_971_892_1,
        0.387_137_400_742_219_5,
        -0.186_521_857_959_665_42,
        0.060_396_574_890_666_264,
        -0.007_540_188_966_434_943,
        -0.003_479_692_361_606_857,
        0.001_630_818_453_276_766_6,
        0.000_133_344_248_524_120_58,
        -0.000_231_094_903_692_498_9,
        -1.907_843_974_314_103_8e-6,
        3.514_456_956_208_397e-5,
        7.149_755_150_384_024e-7,
        -5.920_010_947_701_346e-6,
        -6.252_283_757_095_993e-7,
        1.021_856_615_999_904_2e-6,
        2.641_543_738_518_524_3e-7,
        -1.565_914_262_222_661_2e-7,
        -7.721_013_486_550_42e-8,
        1.606_880_969_194_218_3e-8,
        1.461_879_124_047_332_3e-8,
        -3.389_196_189_848_151_6e-10,
        -1.196_463_683_089_663_6e-9,
    ];

    const INFINITY: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
}
