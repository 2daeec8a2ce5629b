//! Networks and training as a user of the crate sees them: derivatives against central differences,
//! updates against the series' formulas, and the same bits whatever the threads.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use purrceptron::rng::{Purpose, Rng};
use purrceptron::train::{Settings, Trainer};
use purrceptron::{
    Activation, Architecture, Context, Data, Error, Init, Isa, Loss, Network, Optimizer, Output,
    Parameters, Penalty, Samples, Schedule, Targets,
};

fn random(rows: usize, columns: usize, counter: u64) -> Array2<f64> {
    let mut rng = Rng::new(11, Purpose::Weights, counter);
    Array2::from_shape_fn((rows, columns), |_| rng.normal())
}

/// Random samples, and targets for the output: 0 or 1, class numbers, or values.
struct Task {
    x: Array2<f64>,
    values: Array2<f64>,
    classes: Vec<u32>,
    output: Output,
}

impl Task {
    fn new(m: usize, n: usize, k: usize, output: Output) -> Self {
        let values = random(m, k, 101).mapv(|y| match output {
            Output::Sigmoid => f64::from(u8::from(y > 0.0)),
            Output::Exp => (4.0 * y.abs()).floor(),
            _ => y,
        });
        let classes = (0..m as u32).map(|i| (i * 7 + i / 3) % k as u32).collect();
        Self { x: random(m, n, 100), values, classes, output }
    }

    fn data<'a>(&'a self, net: &Network<f64>, weights: Option<&'a [f64]>) -> Data<'a, f64> {
        let y = match self.output {
            Output::Softmax => Targets::Classes(&self.classes),
            _ => Targets::Values(self.values.view()),
        };
        let loss = net.architecture.default_loss();
        Data::new(&net.architecture, loss, Samples::F64(self.x.view()), y, weights).unwrap()
    }
}

fn network(sizes: &[usize], hidden: Activation, output: Output) -> Network<f64> {
    let mut net =
        Network::new(Architecture::new(sizes, hidden, output).unwrap(), Init::GlorotNormal, 5)
            .unwrap();
    for l in 0..net.architecture.layers() {
        // Biases away from zero, where ReLU has a corner.
        net.parameters.layer_mut(l).1.fill(0.05 * (l + 1) as f64);
    }
    net
}

#[test]
fn gradients_are_central_differences_for_every_activation_and_output() {
    let ctx = Context::new(Isa::best(), 2);
    for hidden in Activation::ALL {
        for output in Output::ALL {
            let task = Task::new(9, 4, 3, output);
            let net = network(&[4, 5, 4, 3], hidden, output);
            let weights: Vec<f64> = (0..9).map(|i| f64::from(i % 4)).collect();
            let data = task.data(&net, Some(&weights));
            let loss = net.architecture.default_loss();
            let (value, gradients) = net.model().gradients(&ctx, &data, loss, 0.7).unwrap();
            assert_eq!(value, net.model().loss(&ctx, &data, loss, 0.7).unwrap());

            let cost = |change: &dyn Fn(&mut Parameters<f64>)| {
                let mut other = network(&[4, 5, 4, 3], hidden, output);
                change(&mut other.parameters);
                other.model().loss(&ctx, &data, loss, 0.7).unwrap()
            };
            let h = 1e-5;
            for l in 0..3 {
                for (place, &g) in gradients.weight(l).indexed_iter() {
                    let difference = cost(&|p| p.layer_mut(l).0[place] += h)
                        - cost(&|p| p.layer_mut(l).0[place] -= h);
                    let close = (difference / (2.0 * h) - g).abs() < 1e-8;
                    assert!(close, "{hidden:?} {output:?} W{l}{place:?}: {g}");
                }
                for (place, &g) in gradients.bias(l).indexed_iter() {
                    let difference = cost(&|p| p.layer_mut(l).1[place] += h)
                        - cost(&|p| p.layer_mut(l).1[place] -= h);
                    let close = (difference / (2.0 * h) - g).abs() < 1e-8;
                    assert!(close, "{hidden:?} {output:?} b{l}[{place}]: {g}");
                }
            }
        }
    }
}

/// The series' iteration, written with ndarray alone.
fn series_step(
    net: &mut [(Array2<f64>, Array1<f64>)],
    x: &Array2<f64>,
    y: &Array2<f64>,
    rate: f64,
    l2: f64,
) -> f64 {
    let m = x.nrows() as f64;
    let mut a = vec![x.clone()];
    for (l, (w, b)) in net.iter().enumerate() {
        let z = a[l].dot(&w.t()) + b;
        a.push(if l + 1 == net.len() {
            z.mapv(|z| 1.0 / (1.0 + (-z).exp()))
        } else {
            z.mapv(|z| z.max(0.0))
        });
    }
    let last = &a[net.len()];
    let squares: f64 = net.iter().map(|(w, _)| w.iter().map(|w| w * w).sum::<f64>()).sum();
    let cost = -(y * &last.mapv(f64::ln) + (1.0 - y) * (1.0 - last).mapv(f64::ln)).sum() / m;
    let cost = cost + l2 / (2.0 * m) * squares;
    let mut dz = last - y;
    for l in (0..net.len()).rev() {
        let (dw, db) = (dz.t().dot(&a[l]) / m, dz.sum_axis(Axis(0)) / m);
        if l > 0 {
            dz = dz.dot(&net[l].0) * a[l].mapv(|a| f64::from(u8::from(a > 0.0)));
        }
        let (w, b) = &mut net[l];
        *w -= &(rate * (dw + l2 / m * &*w));
        *b -= &(rate * db);
    }
    cost
}

#[test]
fn gradient_descent_is_the_series_iteration() {
    let ctx = Context::new(Isa::best(), 2);
    let task = Task::new(40, 6, 1, Output::Sigmoid);
    let net = network(&[6, 5, 3, 1], Activation::Relu, Output::Sigmoid);
    let data = task.data(&net, None);
    let mut settings = Settings::gradient_descent(0.3, Loss::BinaryCrossEntropy);
    settings.l2 = 0.2;
    let mut trainer = Trainer::new(net.model(), 40, settings).unwrap();
    let costs = trainer.run(&ctx, &data, 60, &mut || false).unwrap();

    let mut theirs: Vec<_> = (0..3)
        .map(|l| (net.parameters.weight(l).to_owned(), net.parameters.bias(l).to_owned()))
        .collect();
    for cost in costs {
        let expected = series_step(&mut theirs, &task.x, &task.values, 0.3, 0.2);
        assert!((cost - expected).abs() < 1e-12, "{cost} {expected}");
    }
    for (l, (w, b)) in theirs.iter().enumerate() {
        assert!((&trainer.parameters().weight(l) - w).iter().all(|d| d.abs() < 1e-12));
        assert!((&trainer.parameters().bias(l) - b).iter().all(|d| d.abs() < 1e-12));
    }
}

/// Every optimiser, in full batches and in small ones that do not divide the rows.
fn all_settings(loss: Loss) -> Vec<Settings> {
    let optimizers = [
        Optimizer::Sgd { momentum: 0.0, nesterov: false },
        Optimizer::Sgd { momentum: 0.9, nesterov: true },
        Optimizer::RmsProp { rho: 0.9, epsilon: 1e-8, momentum: 0.5 },
        Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
        Optimizer::AdamW { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.1 },
    ];
    let mut all = Vec::new();
    for optimizer in optimizers {
        for batch_size in [None, Some(64), Some(3000)] {
            all.push(Settings {
                optimizer,
                l2: 0.5,
                batch_size,
                seed: 4,
                ..Settings::gradient_descent(0.01, loss)
            });
        }
    }
    all
}

fn bits(parameters: &Parameters<f64>) -> Vec<u64> {
    (0..parameters.layers())
        .flat_map(|l| {
            let (w, b) = (parameters.weight(l), parameters.bias(l));
            w.iter().chain(b).map(|x| x.to_bits()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_after_a_pause() {
    // 5000 rows are several blocks, so gradients are added up as well as used at once.
    let task = Task::new(5000, 30, 3, Output::Softmax);
    let net = network(&[30, 40, 3], Activation::Tanh, Output::Softmax);
    let data = task.data(&net, None);
    for settings in all_settings(Loss::CategoricalCrossEntropy) {
        let run = |threads| {
            let ctx = Context::new(Isa::best(), threads);
            let mut trainer = Trainer::new(net.model(), 5000, settings.clone()).unwrap();
            let costs = trainer.run(&ctx, &data, 4, &mut || false).unwrap();
            assert!(costs[3] < costs[0], "{settings:?}: {costs:?}");
            (costs.iter().map(|c| c.to_bits()).collect::<Vec<_>>(), bits(trainer.parameters()))
        };
        let one = run(1);
        assert_eq!(one, run(2), "{settings:?}");
        assert_eq!(one, run(5), "{settings:?}");

        // Two epochs, then two more in a trainer that continues from the first one's state.
        let ctx = Context::new(Isa::best(), 2);
        let mut first = Trainer::new(net.model(), 5000, settings.clone()).unwrap();
        first.run(&ctx, &data, 2, &mut || false).unwrap();
        let mut second = Trainer::new(net.model(), 5000, settings.clone()).unwrap();
        second.set_parameters(first.parameters());
        second.set_state(first.take_state().unwrap()).unwrap();
        second.run(&ctx, &data, 2, &mut || false).unwrap();
        assert_eq!(one.1, bits(second.parameters()), "{settings:?}");

        // Without its state the first one begins anew.
        first.set_parameters(&net.parameters);
        first.run(&ctx, &data, 4, &mut || false).unwrap();
        assert_eq!(one.1, bits(first.parameters()), "{settings:?}");
    }
}

/// Wherever a call is stopped, the run goes on from where the call began as if it had not been made.
#[test]
fn a_call_that_is_stopped_has_not_been() {
    let ctx = Context::new(Isa::best(), 2);
    let task = Task::new(300, 400, 1, Output::Sigmoid);
    let net = network(&[400, 4, 1], Activation::Tanh, Output::Sigmoid);
    let data = task.data(&net, None);
    let loss = Loss::BinaryCrossEntropy;
    let momentum = Optimizer::Sgd { momentum: 0.9, nesterov: false };
    let gram = Settings { optimizer: momentum, gram: true, ..all_settings(loss)[0].clone() };
    let in_batches = Settings { batch_size: Some(64), ..gram.clone() };
    // So many numbers that the first layer is taken in blocks.
    let wide_task = Task::new(300, 4000, 1, Output::Sigmoid);
    let wide_net = network(&[4000, 4, 1], Activation::Tanh, Output::Sigmoid);
    let wide_data = wide_task.data(&wide_net, None);
    let wide = Settings { optimizer: momentum, ..all_settings(loss)[0].clone() };
    let narrow = [all_settings(loss), vec![gram, in_batches]].concat();
    let narrow = narrow.into_iter().map(|settings| (settings, &net, &data));
    for (settings, net, data) in narrow.chain([(wide, &wide_net, &wide_data)]) {
        let new = || Trainer::new(net.model(), 300, settings.clone()).unwrap();
        let mut whole = new();
        whole.run(&ctx, data, 5, &mut || false).unwrap();
        whole.form(&ctx, data).unwrap();

        let mut stopped = new();
        for (epochs, after) in [(0, 1), (2, 1), (0, 4), (1, 6)] {
            stopped.run(&ctx, data, epochs, &mut || false).unwrap();
            let published = stopped.parameters().try_clone().unwrap();
            let mut asked = 0;
            let mut stop = || {
                asked += 1;
                asked > after
            };
            let result = stopped.run(&ctx, data, 50, &mut stop);
            assert_eq!(result, Err(Error::Interrupted), "{settings:?}");
            if !settings.gram {
                stopped.set_parameters(&published);
            }
        }
        assert_eq!((stopped.state().unwrap().epoch, stopped.state().unwrap().step), {
            let batches = settings.batch_size.map_or(1, |batch| 300usize.div_ceil(batch));
            (3, 3 * batches as u64)
        });
        stopped.run(&ctx, data, 2, &mut || false).unwrap();
        stopped.form(&ctx, data).unwrap();
        assert_eq!(bits(whole.parameters()), bits(stopped.parameters()), "{settings:?}");
    }
}

/// A step with penalties and a clipped gradient is made of parts that are tested by themselves.
#[test]
fn penalties_clipping_and_schedules_in_a_step() {
    let ctx = Context::new(Isa::best(), 2);
    let task = Task::new(40, 5, 2, Output::Identity);
    let net = network(&[5, 6, 2], Activation::Tanh, Output::Identity);
    let data = task.data(&net, None);
    let settings = Settings {
        schedule: Schedule::Exponential { factor: 0.5 },
        l2: 0.3,
        l1: 0.2,
        clip_norm: Some(0.25),
        ..Settings::gradient_descent(0.1, Loss::SquaredError)
    };
    let mut trainer = Trainer::new(net.model(), 40, settings).unwrap();
    let mut twin = network(&[5, 6, 2], Activation::Tanh, Output::Identity);
    for step in 0..5 {
        let cost = trainer.run(&ctx, &data, 1, &mut || false).unwrap()[0];
        let penalty = Penalty { l2: 0.3, l1: 0.2 };
        let (expected, mut gradients) =
            twin.model().gradients(&ctx, &data, Loss::SquaredError, penalty).unwrap();
        assert!((cost - expected).abs() < 1e-14);
        let norm = (0..2)
            .flat_map(|l| {
                gradients.weight(l).iter().chain(gradients.bias(l)).copied().collect::<Vec<_>>()
            })
            .map(|g| g * g)
            .sum::<f64>()
            .sqrt();
        assert!(norm > 0.25);
        let rate = 0.1 * 0.5f64.powi(step) * 0.25 / norm;
        for l in 0..2 {
            let (dw, db) = gradients.layer_mut(l);
            let (mut w, mut b) = twin.parameters.layer_mut(l);
            w.scaled_add(-rate, &dw);
            b.scaled_add(-rate, &db);
            assert!((&w - &trainer.parameters().weight(l)).iter().all(|d| d.abs() < 1e-14));
            assert!((&b - &trainer.parameters().bias(l)).iter().all(|d| d.abs() < 1e-14));
        }
    }
}

/// Five epochs of gradient descent.
fn run<'a>(
    ctx: &Context,
    net: &Network<f64>,
    x: Samples<'a>,
    y: ArrayView2<'a, f64>,
    batch_size: Option<usize>,
) -> Vec<u64> {
    let loss = Loss::BinaryCrossEntropy;
    let data = Data::new(&net.architecture, loss, x, Targets::Values(y), None).unwrap();
    let settings = Settings { batch_size, ..Settings::gradient_descent(0.1, loss) };
    let mut trainer = Trainer::new(net.model(), 50, settings).unwrap();
    trainer.run(ctx, &data, 5, &mut || false).unwrap();
    bits(trainer.parameters())
}

#[test]
fn pixels_train_as_their_scaled_values() {
    let ctx = Context::new(Isa::best(), 2);
    let pixels = random(50, 12, 7).mapv(|x| (x.abs() * 60.0) as u8);
    let scaled = pixels.mapv(|x| f64::from(x) * (1.0 / 255.0));
    let net = network(&[12, 4, 1], Activation::Relu, Output::Sigmoid);
    let y = random(50, 1, 8).mapv(|y| f64::from(u8::from(y > 0.0)));
    for batch_size in [None, Some(8)] {
        let widened = run(&ctx, &net, Samples::U8(pixels.view()), y.view(), batch_size);
        assert_eq!(widened, run(&ctx, &net, Samples::F64(scaled.view()), y.view(), batch_size));
    }
}

#[test]
fn what_stops_a_run() {
    let ctx = Context::new(Isa::best(), 1);
    let task = Task::new(20, 3, 1, Output::Identity);
    let net = network(&[3, 4, 1], Activation::Relu, Output::Identity);
    let data = task.data(&net, None);
    let settings = Settings::gradient_descent(1e30, Loss::SquaredError);
    let mut trainer = Trainer::new(net.model(), 20, settings.clone()).unwrap();
    let error = trainer.run(&ctx, &data, 100, &mut || false).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 2..20, .. }), "{error}");

    let mut trainer = Trainer::new(net.model(), 20, settings.clone()).unwrap();
    let mut asked = 0;
    let mut stop = || {
        asked += 1;
        asked > 1
    };
    assert_eq!(trainer.run(&ctx, &data, 9, &mut stop), Err(Error::Interrupted));

    for wrong in [
        Settings { learning_rate: 0.0, ..settings.clone() },
        Settings { learning_rate: f64::NAN, ..settings.clone() },
        Settings { l2: -1.0, ..settings.clone() },
        Settings { l1: f64::INFINITY, ..settings.clone() },
        Settings { clip_norm: Some(0.0), ..settings.clone() },
        Settings { clip_norm: Some(1.0), gram: true, ..settings.clone() },
        Settings { schedule: Schedule::Exponential { factor: -1.0 }, ..settings.clone() },
        Settings { batch_size: Some(0), ..settings },
    ] {
        assert!(matches!(Trainer::new(net.model(), 20, wrong), Err(Error::Value { .. })));
    }
}
