//! Small networks take their steps in two halves, wide first layers block by block: they must be the steps that the whole
//! gradient makes.

use ndarray::{Array2, ArrayView2};
use purrceptron::train::{Settings, Trainer};
use purrceptron::{
    Activation, Architecture, Context, Data, Float, Init, Isa, Loss, Network, Optimizer, Output,
    Parameters, Samples, Targets,
};

const ROWS: usize = 333;

const OPTIMIZERS: [Optimizer; 4] = [
    Optimizer::Sgd { momentum: 0.0, nesterov: false },
    Optimizer::Sgd { momentum: 0.9, nesterov: true },
    Optimizer::RmsProp { rho: 0.9, epsilon: 1e-3, momentum: 0.0 },
    Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-3 },
];

struct Case {
    sizes: &'static [usize],
    hidden: Activation,
    batch_size: Option<usize>,
    weighted: bool,
    rate: f64,
}

/// One hidden layer and several, odd numbers of units, activations that are differentiated from either side, a last
/// batch of fewer rows, and all rows at once; the last two have a wide first layer, whose last block is narrower.
const CASES: [Case; 6] = [
    Case {
        sizes: &[64, 100, 10],
        hidden: Activation::Relu,
        batch_size: Some(200),
        weighted: false,
        rate: 0.01,
    },
    Case {
        sizes: &[30, 64, 63, 3],
        hidden: Activation::Gelu,
        batch_size: Some(64),
        weighted: true,
        rate: 0.01,
    },
    Case {
        sizes: &[41, 97, 40, 9, 2],
        hidden: Activation::Tanh,
        batch_size: None,
        weighted: true,
        rate: 0.01,
    },
    Case {
        sizes: &[300, 150, 2],
        hidden: Activation::Silu,
        batch_size: Some(50),
        weighted: false,
        rate: 0.01,
    },
    Case {
        sizes: &[4001, 24, 3],
        hidden: Activation::Relu,
        batch_size: None,
        weighted: false,
        rate: 1e-4,
    },
    Case {
        sizes: &[6000, 5, 7, 2],
        hidden: Activation::Gelu,
        batch_size: None,
        weighted: true,
        rate: 1e-4,
    },
];

fn samples<T: Float>(columns: usize) -> Array2<T> {
    let value = |(i, j): (usize, usize)| ((i * 31 + j * 17) % 101) as f64 / 50.0 - 1.0;
    Array2::from_shape_fn((ROWS, columns), |at| T::from_f64(value(at)))
}

/// Four epochs, so many at a time; the costs, and the parameters.
fn fit<T: Float>(
    case: &Case,
    settings: &Settings,
    threads: usize,
    at_a_time: usize,
    view: impl for<'a> Fn(ArrayView2<'a, T>) -> Samples<'a>,
) -> (Vec<f64>, Parameters<T>) {
    let outputs = *case.sizes.last().unwrap();
    let form = Architecture::new(case.sizes, case.hidden, Output::Softmax).unwrap();
    let net = Network::<T>::new(form, Init::GlorotUniform, 1).unwrap();
    let x = samples::<T>(case.sizes[0]);
    let y: Vec<u32> = (0..ROWS).map(|i| (i * 7 % outputs) as u32).collect();
    let weights: Vec<T> = (0..ROWS).map(|i| T::from_f64(0.5 + (i % 5) as f64)).collect();
    let weights = case.weighted.then_some(&weights[..]);
    let targets = Targets::Classes(&y);
    let data = Data::new(&net.architecture, settings.loss, view(x.view()), targets, weights);
    let data = data.unwrap();
    let ctx = Context::new(Isa::best(), threads);
    let mut trainer = Trainer::new(net.model(), ROWS, settings.clone()).unwrap();
    let mut costs = Vec::new();
    for _ in (0..4).step_by(at_a_time) {
        costs.extend(trainer.run(&ctx, &data, at_a_time, &mut || false).unwrap());
    }
    (costs, trainer.parameters().try_clone().unwrap())
}

fn settings(case: &Case, optimizer: Optimizer, l2: f64) -> Settings {
    let batch_size = case.batch_size;
    let start = Settings::gradient_descent(case.rate, Loss::CategoricalCrossEntropy);
    Settings { optimizer, batch_size, l2, seed: 3, ..start }
}

#[test]
fn every_way_makes_the_steps_of_the_whole_gradient() {
    for case in &CASES {
        for optimizer in OPTIMIZERS {
            for l2 in [0.0, 0.3] {
                let cut = settings(case, optimizer, l2);
                // A norm that nothing is clipped to: so the gradient is wanted as a whole.
                let whole = Settings { clip_norm: Some(1e30), ..cut.clone() };
                let (costs, parameters) = fit(case, &cut, 2, 4, |x| Samples::F64(x));
                let (whole_costs, whole) = fit(case, &whole, 2, 4, |x| Samples::F64(x));
                assert!(costs[3] < costs[0], "it learns");
                for (cost, whole) in costs.iter().zip(&whole_costs) {
                    assert!((cost - whole).abs() < 1e-11, "{:?} {optimizer:?}", case.sizes);
                }
                for l in 0..parameters.layers() {
                    let apart = (&parameters.weight(l) - &whole.weight(l)).mapv(f64::abs);
                    assert!(apart.iter().all(|&d| d < 1e-11), "{:?} {optimizer:?}", case.sizes);
                    let apart = (&parameters.bias(l) - &whole.bias(l)).mapv(f64::abs);
                    assert!(apart.iter().all(|&d| d < 1e-11), "{:?} {optimizer:?}", case.sizes);
                }
            }
        }
    }
}

fn same_bits<T: Float>(view: impl for<'a> Fn(ArrayView2<'a, T>) -> Samples<'a> + Copy) {
    for case in &CASES {
        let settings = settings(case, OPTIMIZERS[3], 0.3);
        let (costs, parameters) = fit(case, &settings, 1, 4, view);
        for (threads, at_a_time) in [(2, 4), (5, 4), (2, 1)] {
            let (others, same) = fit(case, &settings, threads, at_a_time, view);
            assert!(costs.iter().zip(&others).all(|(a, b)| a.to_bits() == b.to_bits()));
            for l in 0..parameters.layers() {
                assert_eq!(parameters.weight(l), same.weight(l));
                assert_eq!(parameters.bias(l), same.bias(l));
            }
        }
    }
}

#[test]
#[allow(clippy::redundant_closure, reason = "a constructor alone is not for every lifetime")]
fn the_bits_follow_neither_from_the_threads_nor_from_where_a_run_pauses() {
    same_bits::<f32>(|x| Samples::F32(x));
    same_bits::<f64>(|x| Samples::F64(x));
}
