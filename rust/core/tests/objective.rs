//! What optimisers and loops from outside rely on: the cost as a function of one vector, and epochs in an order that
//! they choose.

use ndarray::{Array2, Axis};
use purrceptron::objective::Objective;
use purrceptron::rng::{Purpose, Rng};
use purrceptron::sparse::{Sparse, SparseValues};
use purrceptron::train::{Settings, Trainer};
use purrceptron::{
    Activation, Architecture, Context, Data, Init, Isa, Loss, Network, Optimizer, Output,
    Parameters, Samples, Targets,
};

const M: usize = 30;

fn network() -> Network<f64> {
    let architecture = Architecture::new(&[6, 5, 3], Activation::Tanh, Output::Softmax).unwrap();
    Network::new(architecture, Init::GlorotNormal, 3).unwrap()
}

fn samples() -> (Array2<f64>, Vec<u32>) {
    let mut rng = Rng::new(8, Purpose::Weights, 77);
    let x = Array2::from_shape_fn((M, 6), |_| rng.normal());
    (x, (0..M as u32).map(|i| i * i % 3).collect())
}

fn data<'a>(x: &'a Array2<f64>, y: &'a [u32]) -> Data<'a, f64> {
    let (x, y) = (Samples::F64(x.view()), Targets::Classes(y));
    Data::new(&network().architecture, Loss::CategoricalCrossEntropy, x, y, None).unwrap()
}

fn numbers(parameters: &Parameters<f64>) -> Vec<f64> {
    let layers = 0..parameters.layers();
    layers
        .flat_map(|l| {
            [parameters.weight(l).iter().copied().collect::<Vec<_>>(), parameters.bias(l).to_vec()]
        })
        .flatten()
        .collect()
}

#[test]
fn the_objective_is_the_networks_cost_and_gradient() {
    let (ctx, net, (x, y)) = (Context::new(Isa::best(), 2), network(), samples());
    let (loss, l2) = (Loss::CategoricalCrossEntropy, 0.7);
    let mut objective = Objective::new(net.model(), M, loss, l2).unwrap();
    let mut theta = vec![0.0; objective.len()];
    objective.write(&mut theta);
    assert_eq!(theta, numbers(&net.parameters));
    let mut gradient = vec![f64::NAN; theta.len()];
    let mut evaluate = |theta: &[f64], gradient: &mut [f64]| {
        objective.evaluate(&ctx, &data(&x, &y), theta, gradient, &mut || false).unwrap()
    };
    let cost = evaluate(&theta, &mut gradient);
    let (expected, gradients) = net.model().gradients(&ctx, &data(&x, &y), loss, l2).unwrap();
    assert!((cost - expected).abs() < 1e-14, "{cost} {expected}");
    assert_eq!(gradient, numbers(&gradients));
    // Elsewhere, by central differences along a direction.
    let mut rng = Rng::new(1, Purpose::Weights, 5);
    let direction: Vec<f64> = theta.iter().map(|_| rng.normal()).collect();
    let at = |t: f64| -> Vec<f64> {
        theta.iter().zip(&direction).map(|(x, d)| x + d * (0.3 + t)).collect()
    };
    let mut unused = gradient.clone();
    let difference = evaluate(&at(1e-5), &mut unused) - evaluate(&at(-1e-5), &mut unused);
    evaluate(&at(0.0), &mut gradient);
    let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
    assert!((difference / 2e-5 - slope).abs() < 1e-7, "{difference} {slope}");
    // Too far: no number, and no NaN for a line search to stumble over.
    theta.fill(f64::MAX);
    assert_eq!(evaluate(&theta, &mut gradient), f64::INFINITY);
    assert!(gradient.iter().all(|&g| g == 0.0));
}

fn trainer(optimizer: Optimizer, batch_size: Option<usize>) -> Trainer<f64> {
    let settings = Settings {
        optimizer,
        l2: 0.1,
        batch_size,
        seed: 9,
        ..Settings::gradient_descent(0.05, Loss::CategoricalCrossEntropy)
    };
    Trainer::new(network().model(), M, settings).unwrap()
}

#[test]
fn an_order_that_is_given_is_the_one_that_is_gone_through() {
    let (ctx, (x, y)) = (Context::new(Isa::best(), 2), samples());
    let momentum = Optimizer::Sgd { momentum: 0.9, nesterov: true };
    let mut drawn = trainer(momentum, Some(7));
    let losses = drawn.run(&ctx, &data(&x, &y), 3, &mut || false).unwrap();
    let mut orders = Array2::from_shape_fn((3, M), |(_, i)| i as u32);
    for (epoch, mut order) in orders.axis_iter_mut(Axis(0)).enumerate() {
        Rng::new(9, Purpose::Order, epoch as u64).shuffle(order.as_slice_mut().unwrap());
    }
    let mut given = trainer(momentum, Some(7));
    let in_order = given.run_in_order(&ctx, &data(&x, &y), orders.view(), &mut || false).unwrap();
    assert_eq!(losses, in_order);
    assert_eq!(numbers(drawn.parameters()), numbers(given.parameters()));
    orders[[1, 4]] = M as u32;
    for (mut trainer, orders) in [
        (trainer(momentum, Some(7)), orders.view()),
        (trainer(momentum, None), orders.slice(ndarray::s![..1, ..])),
        (trainer(momentum, Some(7)), orders.slice(ndarray::s![..1, 1..])),
    ] {
        assert!(trainer.run_in_order(&ctx, &data(&x, &y), orders, &mut || false).is_err());
    }
}

#[test]
fn penalties_are_the_rest_of_the_costs() {
    let (ctx, (x, y)) = (Context::new(Isa::best(), 2), samples());
    let mut trainer = trainer(Optimizer::Sgd { momentum: 0.0, nesterov: false }, None);
    let before = network();
    let cost = trainer.run(&ctx, &data(&x, &y), 1, &mut || false).unwrap()[0];
    let bare =
        before.model().loss(&ctx, &data(&x, &y), Loss::CategoricalCrossEntropy, 0.0).unwrap();
    assert!((cost - trainer.penalties()[0] - bare).abs() < 1e-14);
}

/// The learning rate inside the velocity, as scikit-learn has it: `v ← μ v - η g`, `w ← w + v`.
#[test]
fn a_velocity_can_be_scaled_to_another_rate() {
    let (ctx, (x, y), mu) = (Context::new(Isa::best(), 2), samples(), 0.9);
    let mut trainer = trainer(Optimizer::Sgd { momentum: mu, nesterov: false }, None);
    let mut net = network();
    let mut velocity = vec![0.0; numbers(&net.parameters).len()];
    let mut rate = 0.05;
    for _ in 0..4 {
        let loss = Loss::CategoricalCrossEntropy;
        let gradients = net.model().gradients(&ctx, &data(&x, &y), loss, 0.1).unwrap().1;
        velocity.iter_mut().zip(numbers(&gradients)).for_each(|(v, g)| *v = mu * *v - rate * g);
        let mut v = velocity.iter();
        for l in 0..net.parameters.layers() {
            let (mut weight, mut bias) = net.parameters.layer_mut(l);
            weight.iter_mut().chain(&mut bias).zip(&mut v).for_each(|(w, v)| *w += v);
        }
        trainer.run(&ctx, &data(&x, &y), 1, &mut || false).unwrap();
        let pairs = numbers(trainer.parameters()).into_iter().zip(numbers(&net.parameters));
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-14));
        trainer.set_learning_rate(rate / 3.0).unwrap();
        trainer.scale_velocity(3.0);
        rate /= 3.0;
    }
}

#[test]
fn sparse_samples_train_as_dense_ones() {
    let ctx = Context::new(Isa::best(), 2);
    let (mut x, y) = samples();
    x.mapv_inplace(|x| if x > 0.8 { x } else { 0.0 });
    let (mut indptr, mut indices, mut values) = (vec![0], vec![], vec![]);
    for row in x.rows() {
        for (j, &value) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            indices.push(j as i32);
            values.push(value);
        }
        indptr.push(indices.len() as i64);
    }
    let sparse = Sparse::new(&indptr, &indices, SparseValues::F64(&values), 6).unwrap();
    let (net, loss) = (network(), Loss::CategoricalCrossEntropy);
    let samples = Samples::Sparse(sparse);
    assert_eq!(net.forward(&ctx, &samples), net.forward(&ctx, &Samples::F64(x.view())));
    let sparse = Data::new(&net.architecture, loss, samples, Targets::Classes(&y), None).unwrap();
    for gram in [false, true] {
        let settings = Settings { gram, ..Settings::gradient_descent(0.1, loss) };
        let mut both = [data(&x, &y), sparse.clone()].map(|data| {
            let mut trainer = Trainer::new(net.model(), M, settings.clone()).unwrap();
            let losses = trainer.run(&ctx, &data, 5, &mut || false).unwrap();
            trainer.form(&ctx, &data).unwrap();
            (losses, numbers(trainer.parameters()))
        });
        let [dense, sparse] = &mut both;
        assert_eq!(dense, sparse);
    }
}
