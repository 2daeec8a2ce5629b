//! Every loss against its textbook formula, every gradient against central differences.

use ndarray::{Array1, Array2, ArrayView2, array};

use super::{Loss, Output, Targets};
use crate::isa::Isa;

const LOSSES: [Loss; 6] = [
    Loss::BinaryCrossEntropy,
    Loss::CategoricalCrossEntropy,
    Loss::SquaredError,
    Loss::AbsoluteError,
    Loss::Huber(0.7),
    Loss::Poisson,
];

/// J of one example from its outputs `a`, as one would write it down.
fn formula(loss: Loss, a: &[f64], y: &[f64]) -> f64 {
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(y).map(|(&a, &y)| f(a, y)).sum();
    match loss {
        Loss::BinaryCrossEntropy => sum(&|a, y| -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())),
        Loss::CategoricalCrossEntropy => sum(&|a, y| -y * a.ln()),
        Loss::SquaredError => sum(&|a, y| 0.5 * (a - y) * (a - y)),
        Loss::AbsoluteError => sum(&|a, y| (a - y).abs()),
        Loss::Huber(delta) => sum(&|a, y| {
            let r = (a - y).abs();
            if r <= delta { 0.5 * r * r } else { delta * (r - 0.5 * delta) }
        }),
        Loss::Poisson => sum(&|a, y| a - y + if y > 0.0 { y * (y / a).ln() } else { 0.0 }),
    }
}

/// Logits and targets of some size, with zeros among the targets.
fn data(m: usize, k: usize) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    let z = Array2::from_shape_fn((m, k), |(i, j)| 3.0 * ((i * 7 + j * 3) as f64 + 0.37).sin());
    let y = Array2::from_shape_fn((m, k), |(i, j)| ((i * 5 + j * 11) % 4) as f64 / 4.0);
    let w = Array1::from_shape_fn(m, |i| 0.5 + (i % 3) as f64);
    (z, y, w)
}

fn outputs(loss: Loss, isa: Isa, z: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut a = z.to_owned();
    loss.output().forward(isa, a.view_mut());
    a
}

const SHAPES: [(usize, usize); 9] =
    [(1, 1), (3, 1), (300, 1), (5, 2), (33, 3), (20, 10), (9, 16), (7, 17), (2, 100)];

#[test]
fn value_is_the_formula() {
    for loss in LOSSES {
        for &isa in Isa::available() {
            for (m, k) in SHAPES {
                let (z, y, w) = data(m, k);
                let a = outputs(loss, isa, z.view());
                let each = (0..m).map(|i| {
                    formula(loss, a.row(i).as_slice().unwrap(), y.row(i).as_slice().unwrap())
                });
                let exact: f64 = each.clone().sum();
                let weighted: f64 = each.zip(&w).map(|(j, w)| j * w).sum();
                let y = Targets::Values(y.view());
                let came = loss.value(isa, z.view(), y, None);
                assert!((came - exact).abs() < 1e-12 * exact.max(1.0), "{loss:?} {isa} {m} {k}");
                let came = loss.value(isa, z.view(), y, w.as_slice());
                assert!((came - weighted).abs() < 1e-12 * weighted.max(1.0), "{loss:?} {isa}");
            }
        }
    }
}

#[test]
fn gradient_is_the_derivative() {
    const H: f64 = 1e-6;
    for loss in LOSSES {
        for &isa in Isa::available() {
            for (m, k) in [(5, 1), (19, 2), (4, 3), (3, 17)] {
                let (z, y, w) = data(m, k);
                let y = Targets::Values(y.view());
                let mut dz = z.clone();
                let value = loss.value_and_gradient(isa, dz.view_mut(), y, w.as_slice());
                assert_eq!(value, loss.value(isa, z.view(), y, w.as_slice()));
                for (i, j) in ndarray::indices((m, k)) {
                    let at = |h: f64| {
                        let mut z = z.clone();
                        z[(i, j)] += h;
                        loss.value(isa, z.view(), y, w.as_slice())
                    };
                    let slope = (at(H) - at(-H)) / (2.0 * H);
                    let error = (dz[(i, j)] - slope).abs();
                    assert!(error < 1e-7, "{loss:?} {isa} at ({i}, {j}): {error}");
                }
            }
        }
    }
}

#[test]
fn short_rows_cost_the_same_with_their_gradient() {
    for &isa in Isa::available() {
        for k in 1..=5 {
            let (z, y, w) = data(37, k);
            let mut exact = z.clone();
            let loss = Loss::CategoricalCrossEntropy;
            let targets = Targets::Values(y.view());
            loss.value_and_gradient(isa, exact.view_mut(), targets, w.as_slice());
            let (z, y, w) = (z.mapv(|z| z as f32), y.mapv(|y| y as f32), w.mapv(|w| w as f32));
            let y = Targets::Values(y.view());
            let value = loss.value(isa, z.view(), y, w.as_slice());
            let mut dz = z.clone();
            assert_eq!(loss.value_and_gradient(isa, dz.view_mut(), y, w.as_slice()), value);
            assert!(
                dz.iter().zip(&exact).all(|(&x, &y)| (f64::from(x) - y).abs() < 1e-6),
                "{isa} {k}"
            );
        }
    }
}

#[test]
fn gradient_is_output_minus_target() {
    for loss in [Loss::BinaryCrossEntropy, Loss::CategoricalCrossEntropy, Loss::SquaredError] {
        for &isa in Isa::available() {
            let (z, y, _) = data(6, 3);
            let y = &y / &y.sum_axis(ndarray::Axis(1)).insert_axis(ndarray::Axis(1));
            let expected = outputs(loss, isa, z.view()) - &y;
            let mut dz = z;
            loss.value_and_gradient(isa, dz.view_mut(), Targets::Values(y.view()), None);
            assert!(dz.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-15), "{loss:?} {isa}");
        }
    }
}

#[test]
fn a_speck_of_probability_has_no_gradient() {
    for &isa in Isa::available() {
        let mut dz = array![[0f32, 60.0], [0.0, 80.0], [0.0, 95.0], [f32::NAN, 0.0]];
        let loss = Loss::CategoricalCrossEntropy;
        loss.value_and_gradient(isa, dz.view_mut(), Targets::Classes(&[1, 1, 1, 1]), None);
        assert!((dz[(0, 0)] / (-60f32).exp() - 1.0).abs() < 1e-6, "{isa}: {}", dz[(0, 0)]);
        assert_eq!((dz[(1, 0)], dz[(2, 0)]), (0.0, 0.0), "{isa}");
        assert!(dz[(3, 0)].is_nan(), "{isa}");

        let (mut dz, y) = (array![[-60f32], [-80.0], [-95.0], [f32::NAN]], Array2::zeros((4, 1)));
        let loss = Loss::BinaryCrossEntropy;
        loss.value_and_gradient(isa, dz.view_mut(), Targets::Values(y.view()), None);
        assert!((dz[(0, 0)] / (-60f32).exp() - 1.0).abs() < 1e-6, "{isa}: {}", dz[(0, 0)]);
        assert_eq!((dz[(1, 0)], dz[(2, 0)]), (0.0, 0.0), "{isa}");
        assert!(dz[(3, 0)].is_nan(), "{isa}");
    }
}

#[test]
fn classes_are_values_with_a_one() {
    for &isa in Isa::available() {
        for (m, k) in [(1, 2), (40, 10), (5, 17)] {
            let (z, _, w) = data(m, k);
            let classes: Vec<u32> = (0..m).map(|i| (i * 7 % k) as u32).collect();
            let mut y = Array2::zeros((m, k));
            for (i, &class) in classes.iter().enumerate() {
                y[(i, class as usize)] = 1.0;
            }
            let (mut a, mut b) = (z.clone(), z);
            let loss = Loss::CategoricalCrossEntropy;
            let from_values =
                loss.value_and_gradient(isa, a.view_mut(), Targets::Values(y.view()), w.as_slice());
            let from_classes = loss.value_and_gradient(
                isa,
                b.view_mut(),
                Targets::Classes(&classes),
                w.as_slice(),
            );
            assert_eq!((a, from_values), (b, from_classes));
        }
        let (mut a, y) = (array![[0.3], [-2.0]], array![[1.0], [0.0]]);
        let mut b = a.clone();
        let loss = Loss::BinaryCrossEntropy;
        let one = loss.value_and_gradient(isa, a.view_mut(), Targets::Values(y.view()), None);
        let two = loss.value_and_gradient(isa, b.view_mut(), Targets::Classes(&[1, 0]), None);
        assert_eq!((a, one), (b, two));
    }
}

#[test]
fn strides_do_not_matter() {
    for loss in LOSSES {
        for &isa in Isa::available() {
            let (z, y, w) = data(6, 5);
            let (zt, yt) =
                (z.t().as_standard_layout().into_owned(), y.t().as_standard_layout().into_owned());
            let mut dz = z;
            let sum = loss.value_and_gradient(
                isa,
                dz.view_mut(),
                Targets::Values(y.view()),
                w.as_slice(),
            );
            let mut dzt = zt.clone();
            let y = Targets::Values(yt.t());
            let sum_t =
                loss.value_and_gradient(isa, dzt.view_mut().reversed_axes(), y, w.as_slice());
            assert_eq!(sum, sum_t);
            assert_eq!(sum, loss.value(isa, zt.t(), y, w.as_slice()));
            assert_eq!(dz, dzt.t());
        }
    }
}

#[test]
fn extreme_logits_stay_finite() {
    for loss in [Loss::BinaryCrossEntropy, Loss::CategoricalCrossEntropy] {
        for &isa in Isa::available() {
            let z: Array2<f32> = array![[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4]];
            let y = array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]];
            let mut dz = z.clone();
            let sum = loss.value_and_gradient(isa, dz.view_mut(), Targets::Values(y.view()), None);
            assert!(sum.is_finite() && sum > 1e4, "{loss:?} {isa}: {sum}");
            assert!(dz.iter().all(|d| d.is_finite() && d.abs() <= 1.0), "{loss:?} {isa}: {dz}");
            assert_eq!(dz.row(0), array![0.0, 0.0]);
        }
    }
}

#[test]
fn softmax_of_rows() {
    for &isa in Isa::available() {
        for (m, k) in SHAPES {
            let (z, _, _) = data(m, k);
            let mut a = z.clone();
            Output::Softmax.forward(isa, a.view_mut());
            for i in 0..m {
                let sum: f64 = z.row(i).iter().map(|z| z.exp()).sum();
                for j in 0..k {
                    assert!((a[(i, j)] - z[(i, j)].exp() / sum).abs() < 1e-15);
                }
            }
        }
    }
}

#[test]
fn nothing_in_nothing_out() {
    let isa = Isa::best();
    for loss in LOSSES {
        let mut z = Array2::<f64>::zeros((0, 3));
        let y = z.clone();
        assert_eq!(
            loss.value_and_gradient(isa, z.view_mut(), Targets::Values(y.view()), None),
            0.0
        );
    }
    for output in Output::ALL {
        output.forward(isa, Array2::<f32>::zeros((0, 3)).view_mut());
        output.forward(isa, Array2::<f32>::zeros((3, 0)).view_mut());
        assert_eq!(Output::named(output.name()), Some(output));
    }
}

#[test]
fn names_lead_back() {
    for loss in LOSSES {
        assert_eq!(Loss::named(loss.name()).map(Loss::name), Some(loss.name()));
    }
}
