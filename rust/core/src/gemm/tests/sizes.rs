//! Sizes: all small ones, and those around the edges of tiles, panels, slices and blocks.

use ndarray::{Array2, s};
use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::gemm::gemm_into;
use crate::simd::{Kernel, Vector, dispatch};

#[test]
fn all_small_sizes() {
    let mut i = 0;
    for m in 0..=20 {
        for k in 0..=20 {
            for n in 0..=20 {
                let case = Case::plain(m, k, n).varied(i);
                if i % 2 == 0 {
                    case.check::<f32>()
                } else {
                    case.check::<f64>()
                }
                i += 1;
            }
        }
    }
}

/// Primes and powers around tile heights, panel widths, and slices of k.
const EDGES: [usize; 14] = [1, 2, 5, 13, 14, 15, 17, 29, 31, 32, 33, 61, 67, 130];

#[test]
fn edges_of_tiles_and_panels() {
    let mut i = 0;
    for m in EDGES {
        for n in EDGES {
            for k in [3, 32] {
                let case = Case::plain(m, k, n).varied(i);
                if i % 2 == 0 {
                    case.check::<f64>()
                } else {
                    case.check::<f32>()
                }
                i += 1;
            }
        }
    }
}

/// Tiles of one vector and of two, with rows of A that are packed, close as they are, or apart.
#[test]
fn every_height_of_a_tile() {
    for m in 1..=29 {
        for n in [7, 33, 300] {
            for a in [Layout::Rows, Layout::Columns] {
                let case = Case::plain(m, 37, n);
                let case = Case { layouts: (a, case.layouts.1, case.layouts.2), ..case };
                case.check::<f32>();
                case.check::<f64>();
            }
        }
    }
}

#[test]
fn edges_of_slices_and_blocks() {
    for (i, (m, k, n)) in [
        (15, 255, 33),
        (3, 256, 40),
        (7, 257, 9),
        (15, 511, 33),
        (16, 512, 34),
        (17, 513, 35),
        (5, 1025, 50),
        (61, 37, 523),
        (2, 19, 1031),
        (1031, 19, 3),
        (271, 23, 269),
        (20, 2051, 24),
        (211, 1537, 21),
        (21, 211, 1537),
        (28, 60, 700),
        (209, 209, 20),
    ]
    .into_iter()
    .enumerate()
    {
        for j in 0..5 {
            let case = Case { threads: 1 + i % 3, ..Case::plain(m, k, n).varied(37 * i + 11 * j) };
            case.check::<f32>();
            case.check::<f64>();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_size_and_variation(m in 0usize..90, k in 0usize..90, n in 0usize..90, i in 0usize..10_000) {
        Case::plain(m, k, n).varied(i).check::<f32>();
        Case::plain(m, k, n).varied(i).check::<f64>();
    }
}

#[test]
fn random_numbers_within_the_error_of_a_sum() {
    fn check<T: Float>(epsilon: f64) {
        for &isa in Isa::available() {
            for (m, k, n) in
                [(40, 700, 40), (9, 3000, 11), (1, 999, 40), (40, 999, 1), (64, 64, 64)]
            {
                let case = Case { threads: 2, ..Case::plain(m, k, n) };
                let round = |i| T::from_f64(fraction(i)).to_f64();
                let (came, expected) = case.run::<T>(&Context::new(isa, 2), round);
                // Each product is at most 1, so each of k roundings is at most k ε / 2; blocks
                // make it far less than the sum of all these.
                let bound = k as f64 * epsilon * 2.0;
                let off = distance(came.view(), expected.view());
                assert!(off <= bound, "{case:?} {isa} {}: {off:e}", T::NAME);
            }
        }
    }
    check::<f32>(f64::from(f32::EPSILON));
    check::<f64>(f64::EPSILON * 4.0);
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_any_layout() {
    fn check<T: Float>() {
        for &isa in Isa::available() {
            for size in [
                (150, 600, 170),
                (20, 700, 300),
                (300, 900, 20),
                (1, 3000, 300),
                (300, 3000, 1),
                (3, 9000, 2),
                (64, 300, 64),
            ] {
                let of = |threads, i| {
                    let layouts = (
                        Layout::INPUTS[i % 7],
                        Layout::INPUTS[(i + i / 7) % 7],
                        Layout::OUTPUTS[i % 7],
                    );
                    let case = Case { size, threads, layouts, ..Case::plain(0, 0, 0) };
                    case.run::<T>(&Context::new(isa, threads), fraction).0
                };
                let one = of(1, 0);
                for (i, threads) in
                    [1, 2, 5, 1, 2, 5, 2, 1, 2, 5, 2, 2, 2, 2].into_iter().enumerate()
                {
                    assert_eq!(
                        one,
                        of(threads, i),
                        "{size:?} {isa} {threads} threads, layouts {i}"
                    );
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn memory_that_was_never_written() {
    let ctx = Context::new(Isa::best(), 2);
    let a = Array2::from_shape_fn((33, 50), |(i, j)| whole(i + 3 * j));
    let b = Array2::from_shape_fn((50, 47), |(i, j)| whole(5 * i + j));
    let mut c = Array2::uninit((33, 47));
    gemm_into(&ctx, 1.0, a.view(), b.view(), c.view_mut(), Epilogue::None).unwrap();
    // SAFETY: `gemm_into` has written all of it.
    let c = unsafe { c.assume_init() };
    let mut expected = Array2::zeros((33, 47));
    gemm_naive(1.0, a.view(), b.view(), 0.0, expected.view_mut(), Epilogue::None);
    assert_eq!(c, expected);
}

#[test]
fn not_a_number_goes_through() {
    for &isa in Isa::available() {
        let ctx = Context::new(isa, 1);
        for n in [1, 3, 16, 40] {
            let a = Array2::from_elem((3, 4), f32::NAN);
            let b = Array2::from_elem((4, n), 1.0);
            let mut c = Array2::zeros((3, n));
            let bias = vec![0.0; n];
            gemm(&ctx, 1.0, a.view(), b.view(), 0.0, c.view_mut(), Epilogue::BiasRelu(&bias))
                .unwrap();
            assert!(c.iter().all(|x| x.is_nan()), "{isa} {n}");
        }
    }
}

#[test]
fn a_product_within_an_epilogue() {
    let ctx = Context::new(Isa::best(), 2);
    let a = Array2::from_shape_fn((100, 300), |(i, j)| whole(i + 3 * j));
    let b = Array2::from_shape_fn((300, 90), |(i, j)| whole(i + 5 * j));
    let then = |mut tile: crate::gemm::Tile<'_, f64>| {
        let copy = tile.values.to_owned();
        let two = Array2::from_diag_elem(tile.values.ncols(), 2.0);
        gemm(&ctx, 1.0, copy.view(), two.view(), 0.0, tile.values.view_mut(), Epilogue::None)
            .unwrap();
    };
    let mut c = Array2::zeros((100, 90));
    gemm(&ctx, 1.0, a.view(), b.view(), 0.0, c.view_mut(), Epilogue::Then(&then)).unwrap();
    let mut expected = Array2::zeros((100, 90));
    gemm_naive(2.0, a.view(), b.view(), 0.0, expected.view_mut(), Epilogue::None);
    assert_eq!(c, expected);
}

#[test]
fn shapes_that_do_not_agree() {
    let ctx = Context::new(Isa::best(), 1);
    let (a, b) = (Array2::<f32>::zeros((2, 3)), Array2::zeros((3, 4)));
    let mut c = Array2::from_elem((2, 4), 5.0);
    let message = |result: Result<(), Error>| result.unwrap_err().to_string();
    let bad_b = gemm(&ctx, 1.0, a.view(), b.slice(s![..2, ..]), 0.0, c.view_mut(), Epilogue::None);
    assert_eq!(message(bad_b), "b has shape (2, 4), expected (3, 4): a is (2, 3)");
    let bad_c = gemm(&ctx, 1.0, a.view(), b.view(), 0.0, c.slice_mut(s![..1, ..]), Epilogue::None);
    assert_eq!(message(bad_c), "c has shape (1, 4), expected (2, 4)");
    let short = Epilogue::Bias(&[0.0; 3]);
    let bad_bias = gemm(&ctx, 1.0, a.view(), b.view(), 0.0, c.view_mut(), short);
    assert_eq!(message(bad_bias), "bias has shape (3,), expected (4,)");
    assert_eq!(c, Array2::from_elem((2, 4), 5.0));
}

#[test]
fn the_instruction_set_asked_for_is_the_one_that_runs() {
    struct Bytes;
    impl<T: Float> Kernel<T> for Bytes {
        type Output = usize;
        #[inline(always)]
        fn run<V: Vector<Elem = T>>(self) -> usize {
            assert_eq!(size_of::<V>(), V::LANES * size_of::<T>());
            size_of::<V>()
        }
    }
    for &isa in Isa::available() {
        let bytes = if isa.to_string() == "avx512" { 64 } else { 32 };
        assert_eq!(dispatch::<f32, _>(isa, Bytes), bytes);
        assert_eq!(dispatch::<f64, _>(isa, Bytes), bytes);
    }
}

#[test]
fn a_matrix_times_its_own_transpose() {
    fn check<T: Float>(number: fn(usize) -> f64) {
        for &isa in Isa::available() {
            for (m, k) in [(1, 5), (7, 3), (30, 40), (61, 700), (130, 17), (209, 33)] {
                for (i, layout) in
                    [Layout::Rows, Layout::Columns, Layout::Reversed].into_iter().enumerate()
                {
                    let ctx = Context::new(isa, [1, 2, 5][(m + i) % 3]);
                    let a = Laid::<T>::new(layout, m, k, |(i, j)| number(31 * i + j));
                    let copy = a.view().to_owned();
                    let mut c = Laid::new(Layout::OUTPUTS[(m + i) % 7], m, m, |_| f64::NAN);
                    gemm(
                        &ctx,
                        T::ONE,
                        a.view(),
                        a.view().reversed_axes(),
                        T::ZERO,
                        c.view_mut(),
                        Epilogue::None,
                    )
                    .unwrap();
                    let mut expected = Array2::from_elem((m, m), T::ZERO);
                    gemm(
                        &ctx,
                        T::ONE,
                        a.view(),
                        copy.t(),
                        T::ZERO,
                        expected.view_mut(),
                        Epilogue::None,
                    )
                    .unwrap();
                    assert_eq!(c.view(), expected, "({m}, {k}) {isa} {} {layout:?}", T::NAME);
                    c.check_surroundings();
                }
            }
        }
    }
    // The same bits as a product that does not know that C is symmetric.
    check::<f32>(fraction);
    check::<f64>(fraction);
}
