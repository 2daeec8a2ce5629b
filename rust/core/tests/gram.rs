//! The first layer in the space of examples is held against the first layer trained directly.

use ndarray::Array2;
use purrceptron::rng::{Purpose, Rng};
use purrceptron::train::{Settings, State};
use purrceptron::{
    Activation, Architecture, Context, Data, Float, Init, Isa, Loss, Network, Optimizer, Output,
    Parameters, Samples, Targets, Trainer,
};

const M: usize = 40;
const N: usize = 700;

/// Wide data: more features than examples, and more than a block of them.
struct Wide {
    pixels: Array2<u8>,
    y: Array2<f64>,
}

impl Wide {
    fn new() -> Self {
        let mut rng = Rng::new(3, Purpose::Weights, 0);
        Self {
            pixels: Array2::from_shape_fn((M, N), |_| rng.below(256) as u8),
            y: Array2::from_shape_fn((M, 1), |(i, _)| f64::from(u8::from(i % 3 == 0))),
        }
    }
}

fn settings(optimizer: Optimizer, l2: f64, batch_size: Option<usize>, gram: bool) -> Settings {
    let loss = Loss::BinaryCrossEntropy;
    Settings { optimizer, l2, batch_size, seed: 9, gram, ..Settings::gradient_descent(0.02, loss) }
}

fn network<T: Float>() -> Network<T> {
    let architecture = Architecture::new(&[N, 6, 4, 1], Activation::Tanh, Output::Sigmoid).unwrap();
    Network::new(architecture, Init::GlorotNormal, 2).unwrap()
}

fn optimizers() -> [Optimizer; 3] {
    [(0.0, false), (0.8, false), (0.8, true)]
        .map(|(momentum, nesterov)| Optimizer::Sgd { momentum, nesterov })
}

fn bits(parameters: &Parameters<f64>) -> Vec<u64> {
    (0..parameters.layers())
        .flat_map(|l| parameters.weight(l).mapv(f64::to_bits).into_iter().collect::<Vec<_>>())
        .collect()
}

/// Costs and parameters after so many epochs, in so many calls.
fn train<'a>(
    ctx: &Context,
    x: Samples<'a>,
    y: &'a Array2<f64>,
    settings: Settings,
    epochs: usize,
    calls: usize,
) -> (Vec<f64>, Parameters<f64>) {
    let net = network::<f64>();
    let data =
        Data::new(&net.architecture, settings.loss, x, Targets::Values(y.view()), None).unwrap();
    let mut trainer = Trainer::new(net.model(), M, settings).unwrap();
    let mut costs = Vec::new();
    for _ in 0..calls {
        costs.extend(trainer.run(ctx, &data, epochs / calls, &mut || false).unwrap());
        trainer.form(ctx, &data).unwrap();
    }
    (costs, trainer.parameters().try_clone().unwrap())
}

#[test]
fn every_cost_and_the_weights_are_those_of_the_direct_path() {
    let wide = Wide::new();
    let ctx = Context::new(Isa::best(), 2);
    let scaled = wide.pixels.mapv(|x| f64::from(x) * (1.0 / 255.0));
    for optimizer in optimizers() {
        for l2 in [0.0, 0.5] {
            for batch_size in [None, Some(16)] {
                for bytes in [true, false] {
                    let run = |gram| {
                        let x = match bytes {
                            true => Samples::U8(wide.pixels.view()),
                            false => Samples::F64(scaled.view()),
                        };
                        train(&ctx, x, &wide.y, settings(optimizer, l2, batch_size, gram), 150, 1)
                    };
                    let (direct, gram) = (run(false), run(true));
                    assert!(direct.0[149] < 0.7 * direct.0[0], "it learns: {:?}", direct.0[149]);
                    for (direct, gram) in direct.0.iter().zip(&gram.0) {
                        assert!((direct - gram).abs() < 1e-11, "{optimizer:?} {l2} {batch_size:?}");
                    }
                    for l in 0..3 {
                        let (direct, gram) = (direct.1.weight(l), gram.1.weight(l));
                        let norm = direct.iter().map(|w| w * w).sum::<f64>().sqrt();
                        let off = (&direct - &gram).iter().map(|d| d * d).sum::<f64>().sqrt();
                        assert!(
                            off < 1e-10 * norm,
                            "{optimizer:?} {l2} {batch_size:?} W{l}: {off}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_only_layer_may_be_the_first() {
    let wide = Wide::new();
    let ctx = Context::new(Isa::best(), 2);
    let classes = Array2::from_shape_fn((M, 3), |(i, k)| f64::from(u8::from(i % 3 == k)));
    let values = wide.y.clone();
    for (outputs, output, loss, y) in [
        (1, Output::Sigmoid, Loss::BinaryCrossEntropy, &values),
        (3, Output::Softmax, Loss::CategoricalCrossEntropy, &classes),
        (3, Output::Identity, Loss::SquaredError, &classes),
    ] {
        let architecture = Architecture::new(&[N, outputs], Activation::Tanh, output).unwrap();
        let net = Network::<f64>::new(architecture, Init::GlorotNormal, 2).unwrap();
        for batch_size in [None, Some(16)] {
            let run = |gram| {
                let settings = settings(optimizers()[1], 0.1, batch_size, gram);
                let settings = Settings { loss, learning_rate: 0.004, ..settings };
                let (x, y) = (Samples::U8(wide.pixels.view()), Targets::Values(y.view()));
                let data = Data::new(&net.architecture, loss, x, y, None).unwrap();
                let mut trainer = Trainer::new(net.model(), M, settings).unwrap();
                let costs = trainer.run(&ctx, &data, 50, &mut || false).unwrap();
                trainer.form(&ctx, &data).unwrap();
                (costs, trainer.parameters().weight(0).to_owned())
            };
            let (direct, gram) = (run(false), run(true));
            assert!(direct.0[49] < 0.9 * direct.0[0], "{output:?} learns: {:?}", direct.0[49]);
            assert!(direct.0.iter().zip(&gram.0).all(|(a, b)| (a - b).abs() < 1e-11), "{output:?}");
            assert!((direct.1 - gram.1).iter().all(|d| d.abs() < 1e-11), "{output:?}");
        }
    }
}

#[test]
fn forming_the_weights_changes_nothing_and_neither_do_threads() {
    let wide = Wide::new();
    for optimizer in optimizers() {
        for batch_size in [None, Some(16)] {
            let run = |threads, calls| {
                let ctx = Context::new(Isa::best(), threads);
                let x = Samples::U8(wide.pixels.view());
                let (costs, parameters) =
                    train(&ctx, x, &wide.y, settings(optimizer, 0.1, batch_size, true), 100, calls);
                (costs, bits(&parameters))
            };
            let one = run(1, 1);
            for (threads, calls) in [(2, 1), (5, 1), (2, 10), (2, 100)] {
                assert_eq!(
                    one,
                    run(threads, calls),
                    "{optimizer:?} {batch_size:?} {threads} {calls}"
                );
            }
        }
    }
}

#[test]
fn a_run_is_continued_from_its_state_with_the_same_bits() {
    let wide = Wide::new();
    let ctx = Context::new(Isa::best(), 2);
    let net = network::<f64>();
    let (x, y) = (Samples::U8(wide.pixels.view()), Targets::Values(wide.y.view()));
    let data = Data::new(&net.architecture, Loss::BinaryCrossEntropy, x, y, None).unwrap();
    for optimizer in optimizers() {
        let settings = settings(optimizer, 0.1, None, true);
        let mut whole = Trainer::new(net.model(), M, settings.clone()).unwrap();
        let costs = whole.run(&ctx, &data, 110, &mut || false).unwrap();
        whole.form(&ctx, &data).unwrap();

        let mut first = Trainer::new(net.model(), M, settings.clone()).unwrap();
        first.run(&ctx, &data, 50, &mut || false).unwrap();
        first.form(&ctx, &data).unwrap();
        let parameters = first.parameters().try_clone().unwrap();
        let old = first.state().unwrap();
        let slots = old.slots.iter().map(|slot| slot.try_clone().unwrap()).collect();
        let state = State {
            epoch: old.epoch,
            step: old.step,
            slots,
            gram: old.gram.as_ref().map(|gram| gram.try_clone().unwrap()),
        };
        let mut second = Trainer::new(net.model(), M, settings.clone()).unwrap();
        second.set_parameters(&parameters);
        second.set_state(state).unwrap();
        assert_eq!(costs[50..], second.run(&ctx, &data, 60, &mut || false).unwrap());
        second.form(&ctx, &data).unwrap();
        assert_eq!(bits(whole.parameters()), bits(second.parameters()));

        // With parameters of its own and a velocity, a run starts from the basis {W₀, V₀, X}.
        let continued = |gram| {
            let mut trainer =
                Trainer::new(net.model(), M, Settings { gram, ..settings.clone() }).unwrap();
            trainer.set_parameters(&parameters);
            let slots = first_slots(&mut first_again(&net, &settings, &ctx, &data));
            trainer.set_state(State { epoch: 50, step: 50, slots, gram: None }).unwrap();
            trainer.run(&ctx, &data, 60, &mut || false).unwrap()
        };
        for (direct, gram) in continued(false).iter().zip(continued(true)) {
            assert!((direct - gram).abs() < 1e-11, "{optimizer:?}: {direct} {gram}");
        }
    }
}

fn first_again(
    net: &Network<f64>,
    settings: &Settings,
    ctx: &Context,
    data: &Data<'_, f64>,
) -> Trainer<f64> {
    let mut trainer = Trainer::new(net.model(), M, settings.clone()).unwrap();
    trainer.run(ctx, data, 50, &mut || false).unwrap();
    trainer.form(ctx, data).unwrap();
    trainer
}

fn first_slots(trainer: &mut Trainer<f64>) -> Vec<Parameters<f64>> {
    trainer.state().unwrap().slots.iter().map(|slot| slot.try_clone().unwrap()).collect()
}

#[test]
fn single_precision_follows_double_precision() {
    let wide = Wide::new();
    let ctx = Context::new(Isa::best(), 2);
    let y = wide.y.mapv(|y| y as f32);
    let net = network::<f32>();
    let (x, targets) = (Samples::U8(wide.pixels.view()), Targets::Values(y.view()));
    let data = Data::new(&net.architecture, Loss::BinaryCrossEntropy, x, targets, None).unwrap();
    for optimizer in optimizers() {
        let settings = settings(optimizer, 0.1, None, true);
        let mut trainer = Trainer::new(net.model(), M, settings.clone()).unwrap();
        let single = trainer.run(&ctx, &data, 100, &mut || false).unwrap();
        let x = Samples::U8(wide.pixels.view());
        let (double, _) = train(&ctx, x, &wide.y, settings, 100, 1);
        for (single, double) in single.iter().zip(double) {
            assert!((single - double).abs() < 2e-6, "{optimizer:?}: {single} {double}");
        }
    }
}

#[test]
fn rows_held_out_are_judged_as_the_formed_weights_would() {
    let wide = Wide::new();
    let ctx = Context::new(Isa::best(), 2);
    let net = network::<f64>();
    let data = |rows: std::ops::Range<usize>| {
        let x = Samples::U8(wide.pixels.slice(ndarray::s![rows.clone(), ..]));
        let y = Targets::Values(wide.y.slice(ndarray::s![rows, ..]));
        Data::new(&net.architecture, Loss::BinaryCrossEntropy, x, y, None).unwrap()
    };
    let (trained, held_out) = (data(0..29), data(29..M));
    for optimizer in optimizers() {
        let settings = settings(optimizer, 0.1, Some(8), true);
        let mut trainer = Trainer::new(net.model(), 29, settings).unwrap();
        for _ in 0..3 {
            trainer.run(&ctx, &trained, 10, &mut || false).unwrap();
            let (loss, outputs) = trainer.judge(&ctx, &trained, &held_out, &mut || false).unwrap();
            trainer.form(&ctx, &trained).unwrap();
            let model =
                purrceptron::network::Model { parameters: trainer.parameters(), ..net.model() };
            let expected = model.loss(&ctx, &held_out, Loss::BinaryCrossEntropy, 0.0).unwrap();
            assert!((loss - expected).abs() < 1e-12, "{optimizer:?}: {loss} {expected}");
            let expected = model
                .forward(&ctx, &Samples::U8(wide.pixels.slice(ndarray::s![29.., ..])))
                .unwrap();
            assert!((outputs - expected).iter().all(|d| d.abs() < 1e-12), "{optimizer:?}");
        }
    }
}
