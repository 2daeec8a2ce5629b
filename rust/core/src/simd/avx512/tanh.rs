//! `tanh(x)` of `f32`, for `x >= 0`, by pieces.
//!
//! One instruction permutes a register of 16 numbers, so 16 numbers can be looked up at once, each lane its own, by the
//! lowest four bits of an index. So the axis has 16 pieces, and each a polynomial `Σ a_k (x - c)^k` of degree 5 in
//! columns of such a table. That takes half of the instructions of the quotient in `math/tanh.rs`, and no division.
//!
//! The index is two bits of the exponent of `x + START` and two below them: four pieces an octave, the narrowest near 0.
//! `c` is chosen near the middle of its piece such that `a_0`, about `tanh(c)`, loses next to nothing when it is rounded.

use std::arch::x86_64::*;

use super::F32x16;
use crate::simd::Vector;

/// The first piece begins at 0, and the last ends below `16 START`.
const START: f32 = 0.625;

/// From here up `tanh` is 1.
const HIGHEST: f32 = 9.25;

/// The index is what is left of an `f32` without so many bits.
const BELOW_INDEX: u32 = f32::MANTISSA_DIGITS - 1 - 2;

/// Of each piece, from 0 up, `c` and the polynomial, lowest power first: minimax fits, made by `tools/coefficients.py`.
#[rustfmt::skip]
const PIECES: [[f32; 7]; 16] = [
    [0.0, 0.0, 1.0, 3.118_945e-7, -0.333_355_64, 4.725_059_8e-4, 0.129_987_5],
    [0.186_370_85, 0.184_242_6, 0.966_054_7, -0.177_987_92, -0.289_226_08, 0.112_268_664, 0.097_112_99],
    [0.303_466_8, 0.294_482, 0.913_280_37, -0.268_944_14, -0.225_214_93, 0.155_619_07, 0.045_934_655],
    [0.492_553_7, 0.456_240_92, 0.791_844_2, -0.361_264_8, -0.099_107_21, 0.164_456_37, -0.025_654_156],
    [0.767_395, 0.645_412_15, 0.583_443_16, -0.376_561_5, 0.048_550_6, 0.094_214_29, -0.063_377_16],
    [0.992_065_4, 0.758_241_65, 0.425_069_63, -0.322_307_9, 0.102_682_62, 0.029_990_025, -0.046_310_227],
    [1.243_774_4, 0.846_528_65, 0.283_389_27, -0.239_899_16, 0.108_609_96, -0.011_628_868, -0.019_378_629],
    [1.645_019_5, 0.928_171_04, 0.138_498_07, -0.128_557_74, 0.073_194_77, -0.024_718_506, 0.001_088_784_1],
    [2.114_013_7, 0.971_256_85, 0.056_660_082, -0.055_030_428, 0.034_566_65, -0.015_273_942, 0.004_450_781_3],
    [2.608_520_5, 0.989_211_8, 0.021_459_97, -0.021_227_17, 0.013_849_554, -0.006_678_774_5, 0.002_360_146],
    [3.152_099_6, 0.996_349_45, 0.007_287_799, -0.007_260_641_5, 0.004_802_156_7, -0.002_391_294_8, 9.763_072_6e-4],
    [3.856_201_2, 0.999_105_9, 0.001_787_344_5, -0.001_783_073_1, 0.001_188_986_7, -6.211_228_3e-4, 2.371_056_2e-4],
    [4.829_345_7, 0.999_872_27, 2.554_145e-4, -2.550_534_3e-4, 1.707_365_9e-4, -8.903_179e-5, 3.253_146_5e-5],
    [5.915_771_5, 0.999_985_46, 2.909_076_8e-5, -2.904_353_6e-5, 1.927_684_6e-5, -1.015_529_1e-5, 4.410_795e-6],
    [6.858_886_7, 0.999_997_8, 4.410_622_3e-6, -4.403_728e-6, 2.941_040_5e-6, -1.544_353_3e-6, 5.970_854e-7],
    [8.318_909, 0.999_999_9, 2.383_728e-7, -2.328_130_1e-7, 1.551_123_3e-7, -9.429_018e-8, 3.789_803e-8],
];

/// Their columns, each in the order of the index.
const COLUMNS: [[f32; 16]; 7] = {
    let mut columns = [[0.0; 16]; 7];
    let mut piece = 0;
    while piece < 16 {
        let index = ((START.to_bits() >> BELOW_INDEX) as usize + piece) % 16;
        let mut column = 0;
        while column < 7 {
            columns[column][index] = PIECES[piece][column];
            column += 1;
        }
        piece += 1;
    }
    columns
};

/// `tanh(x)`; NaN stays NaN.
#[inline(always)]
pub(super) fn by_pieces(x: F32x16) -> F32x16 {
    let x = F32x16::splat(HIGHEST).min(x); // In this order, NaN passes.
    let shifted = x.add(F32x16::splat(START));
    // SAFETY: a vector of AVX-512 exists where the machine has it.
    let index = unsafe { _mm512_srli_epi32::<BELOW_INDEX>(_mm512_castps_si512(shifted.0)) };
    let t = x.sub(look_up(&COLUMNS[0], index));
    let mut sum = look_up(&COLUMNS[6], index);
    for k in (1..6).rev() {
        sum = sum.mul_add(t, look_up(&COLUMNS[k], index));
    }
    sum
}

/// Each lane's number by the lowest four bits of its index.
#[inline(always)]
fn look_up(column: &[f32; 16], index: __m512i) -> F32x16 {
    // SAFETY: as above; a column is 16 numbers.
    F32x16(unsafe { _mm512_permutexvar_ps(index, _mm512_loadu_ps(column.as_ptr())) })
}
