//! Every optimiser against its formula written for one number, and a few steps by hand.

use super::Optimizer;
use crate::error::Error;
use crate::isa::Isa;
use crate::math::Constants;

const FAMILY: [Optimizer; 9] = [
    Optimizer::Sgd { momentum: 0.0, nesterov: false },
    Optimizer::Sgd { momentum: 0.9, nesterov: false },
    Optimizer::Sgd { momentum: 0.9, nesterov: true },
    Optimizer::RmsProp { rho: 0.99, epsilon: 1e-8, momentum: 0.0 },
    Optimizer::RmsProp { rho: 0.9, epsilon: 1e-5, momentum: 0.5 },
    Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    Optimizer::Adam { beta1: 0.0, beta2: 0.0, epsilon: 1e-3 },
    Optimizer::AdamHat { beta1: 0.9, beta2: 0.999, epsilon: 1e-2 },
    Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 },
];

/// One step on one parameter, as PyTorch's documentation writes it.
fn scalar(optimizer: &Optimizer, t: i32, lr: f64, w: f64, g: f64, s: &mut [f64]) -> f64 {
    match *optimizer {
        Optimizer::Sgd { momentum: 0.0, .. } => w - lr * g,
        Optimizer::Sgd { momentum, nesterov } => {
            s[0] = momentum * s[0] + g;
            w - lr * if nesterov { g + momentum * s[0] } else { s[0] }
        }
        Optimizer::RmsProp { rho, epsilon, momentum } => {
            s[0] = rho * s[0] + (1.0 - rho) * g * g;
            let scaled = g / (s[0].sqrt() + epsilon);
            if momentum == 0.0 {
                return w - lr * scaled;
            }
            s[1] = momentum * s[1] + scaled;
            w - lr * s[1]
        }
        Optimizer::AdamW { beta1, beta2, epsilon, weight_decay } => {
            let adam = Optimizer::Adam { beta1, beta2, epsilon };
            scalar(&adam, t, lr, w - lr * weight_decay * w, g, s)
        }
        // scikit-learn's `AdamOptimizer`
        Optimizer::AdamHat { beta1, beta2, epsilon } => {
            s[0] = beta1 * s[0] + (1.0 - beta1) * g;
            s[1] = beta2 * s[1] + (1.0 - beta2) * g * g;
            let rate = lr * (1.0 - beta2.powi(t)).sqrt() / (1.0 - beta1.powi(t));
            w - rate * s[0] / (s[1].sqrt() + epsilon)
        }
        Optimizer::Adam { beta1, beta2, epsilon } => {
            s[0] = beta1 * s[0] + (1.0 - beta1) * g;
            s[1] = beta2 * s[1] + (1.0 - beta2) * g * g;
            let m = s[0] / (1.0 - beta1.powi(t));
            let v = s[1] / (1.0 - beta2.powi(t));
            w - lr * m / (v.sqrt() + epsilon)
        }
    }
}

#[test]
fn steps_are_the_formula() {
    const N: usize = 37; // two registers and a tail, at least
    let (lr, l2) = (0.05, 0.3);
    for optimizer in FAMILY {
        for &isa in Isa::available() {
            let start: Vec<f64> = (0..N).map(|i| (i as f64 - 18.0) / 7.0).collect();
            let gradient = |t: i32, i: usize| ((i * 13) as f64 + 0.7 * f64::from(t)).sin();
            let mut w = start.clone();
            let mut state = vec![vec![0.0; N]; optimizer.slots()];
            let mut w32: Vec<f32> = start.iter().map(|&x| x as f32).collect();
            let mut state32 = vec![vec![0f32; N]; optimizer.slots()];
            let mut exact = start;
            let mut exact_state = vec![[0.0; 2]; N];
            for t in 1..=20 {
                let g: Vec<f64> = (0..N).map(|i| gradient(t, i)).collect();
                let g32: Vec<f32> = g.iter().map(|&x| x as f32).collect();
                let mut slots: Vec<&mut [f64]> = state.iter_mut().map(|s| &mut s[..]).collect();
                optimizer.step(isa, t as u64, lr, l2, &mut w, &g, &mut slots);
                let mut slots: Vec<&mut [f32]> = state32.iter_mut().map(|s| &mut s[..]).collect();
                optimizer.step(isa, t as u64, lr, l2, &mut w32, &g32, &mut slots);
                for i in 0..N {
                    let g = g[i] + l2 * exact[i];
                    exact[i] = scalar(&optimizer, t, lr, exact[i], g, &mut exact_state[i]);
                    assert!((w[i] - exact[i]).abs() < 1e-13, "{optimizer:?} {isa} {t} {i}");
                    assert!((f64::from(w32[i]) - exact[i]).abs() < 1e-4, "{optimizer:?} {isa} {t}");
                    for (slot, state) in state.iter().enumerate() {
                        assert!((state[i] - exact_state[i][slot]).abs() < 1e-13);
                    }
                }
            }
        }
    }
}

/// w = 1, g = 2, η = 0.1, worked out with a pencil.
#[test]
fn first_steps_by_hand() {
    let near = |came: f64, expected: f64| assert!((came - expected).abs() < 1e-7, "{came}");
    let two_steps = |optimizer: Optimizer| {
        let (mut w, mut a, mut b) = ([1.0], [0.0], [0.0]);
        let mut first = 0.0;
        for t in 1..=2 {
            let mut slots = [&mut a[..], &mut b[..]];
            optimizer.step(
                Isa::best(),
                t,
                0.1,
                0.0,
                &mut w,
                &[2.0],
                &mut slots[..optimizer.slots()],
            );
            if t == 1 {
                first = w[0];
            }
        }
        (first, w[0])
    };
    let (first, second) = two_steps(Optimizer::Sgd { momentum: 0.5, nesterov: false });
    near(first, 0.8); // v = 2
    near(second, 0.5); // v = 3
    let (first, second) = two_steps(Optimizer::Sgd { momentum: 0.5, nesterov: true });
    near(first, 0.7); // v = 2, 2 + 0.5 · 2
    near(second, 0.35); // v = 3, 2 + 0.5 · 3
    let (first, second) =
        two_steps(Optimizer::RmsProp { rho: 0.75, epsilon: 1e-12, momentum: 0.0 });
    near(first, 0.8); // s = 1, 2 / 1
    near(second, 0.8 - 0.2 / 1.75f64.sqrt()); // s = 0.75 + 1
    // A constant gradient: both corrected means are exact, so each step is η.
    let (first, second) = two_steps(Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-12 });
    near(first, 0.9);
    near(second, 0.8);
    let (first, _) =
        two_steps(Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-12, weight_decay: 0.5 });
    near(first, 0.85); // 1 · (1 - 0.1 · 0.5) - 0.1
}

#[test]
fn a_step_in_pieces_is_the_step() {
    for optimizer in FAMILY {
        for &isa in Isa::available() {
            let g: Vec<f32> = (0..53).map(|i| (i as f32).cos()).collect();
            let (mut whole, mut pieces) = (vec![0.5f32; 53], vec![0.5f32; 53]);
            let mut state = [vec![0.1f32; 53], vec![0.2f32; 53]];
            let mut state_of_pieces = state.clone();
            let update = optimizer.update(3, 0.01);
            let mut slots: Vec<&mut [f32]> =
                state.iter_mut().take(optimizer.slots()).map(|s| &mut s[..]).collect();
            update.apply(isa, 0.1, &mut whole, &g, &mut slots);
            for range in [0..1, 1..20, 20..20, 20..53] {
                let mut slots: Vec<&mut [f32]> = state_of_pieces
                    .iter_mut()
                    .take(optimizer.slots())
                    .map(|s| &mut s[range.clone()])
                    .collect();
                update.apply(isa, 0.1, &mut pieces[range.clone()], &g[range.clone()], &mut slots);
            }
            assert_eq!((whole, state), (pieces, state_of_pieces), "{optimizer:?} {isa}");
        }
    }
}

#[test]
fn settings_out_of_range() {
    for optimizer in FAMILY {
        assert_eq!(optimizer.validate(), Ok(()));
    }
    let adam = |beta1, beta2, epsilon| Optimizer::Adam { beta1, beta2, epsilon };
    for (optimizer, wrong) in [
        (Optimizer::Sgd { momentum: 1.0, nesterov: false }, "momentum"),
        (Optimizer::Sgd { momentum: f64::NAN, nesterov: false }, "momentum"),
        (Optimizer::Sgd { momentum: 0.0, nesterov: true }, "momentum"),
        (Optimizer::RmsProp { rho: -0.1, epsilon: 1e-8, momentum: 0.0 }, "rho"),
        (adam(1.0, 0.9, 1e-8), "beta1"),
        (adam(0.9, 1.5, 1e-8), "beta2"),
        (adam(0.9, 0.9, 0.0), "epsilon"),
        (
            Optimizer::AdamW { beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weight_decay: -1.0 },
            "weight_decay",
        ),
    ] {
        match optimizer.validate() {
            Err(Error::Value { argument, .. }) => assert_eq!(argument, wrong),
            other => panic!("{optimizer:?}: {other:?}"),
        }
    }
}

#[test]
fn averages_end_when_the_gradients_do() {
    // A gradient of one, and then none: averages are halved in each step. 2^-103 is `f32::SPECK`.
    for (optimizer, slot) in [
        (Optimizer::Sgd { momentum: 0.5, nesterov: false }, 0),
        (Optimizer::Sgd { momentum: 0.5, nesterov: true }, 0),
        (Optimizer::RmsProp { rho: 0.5, epsilon: 1e-8, momentum: 0.5 }, 1),
        (Optimizer::Adam { beta1: 0.5, beta2: 0.999, epsilon: 1e-8 }, 0),
    ] {
        for &isa in Isa::available() {
            const N: usize = 19; // a register and a tail, at least
            let mut w = [0f32; N];
            let mut state = vec![vec![0f32; N]; optimizer.slots()];
            for t in 1..=160 {
                let g = [if t == 1 { 1.0 } else { 0.0 }; N];
                let mut slots: Vec<&mut [f32]> = state.iter_mut().map(|s| &mut s[..]).collect();
                optimizer.step(isa, t, 1e-3, 0.0, &mut w, &g, &mut slots);
                for m in &state[slot] {
                    let what = format!("{optimizer:?} {isa}: {m:e} after {t} steps");
                    assert!(*m == 0.0 || *m >= f32::SPECK, "{what}");
                    assert!((*m > 0.0 || t > 100) && (*m == 0.0 || t < 110), "{what}");
                }
            }
        }
    }
}
