//! `cargo bench --bench steps`: how long a step of training takes, and what fraction that is of the
//! fused multiply-add peak measured in the same run.
//!
//! Arguments after `--`: a number of threads (default 2), and words that a line must contain
//! (`float32`, `12288-20`, `784-128`, ...). `PURRCEPTRON_ISA` picks the instruction set.

mod common;

use std::time::{Duration, Instant};

use common::zeros;
use ndarray::{Array2, ArrayView2};
use purrceptron::peak::multiply_adds;
use purrceptron::train::Settings;
use purrceptron::{
    Activation, Architecture, Context, Data, Float, Init, Isa, Loss, Network, Optimizer, Output,
    Samples, Targets, Trainer,
};

const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const SGD: Optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };

/// Layers, rows, rows a step (`None`: all of them), the rule.
const NETWORKS: [(&[usize], usize, Option<usize>, Optimizer); 9] = [
    (&[30, 64, 64, 2], 3200, Some(32), ADAM),
    (&[64, 100, 10], 1797, Some(200), ADAM),
    (&[100, 100, 1], 10_000, Some(200), ADAM),
    (&[784, 128, 10], 3200, Some(32), ADAM),
    (&[784, 128, 10], 6400, Some(128), ADAM),
    (&[784, 512, 256, 10], 6400, Some(128), ADAM),
    (&[784, 2048, 2048, 10], 2560, Some(256), ADAM),
    (&[12288, 20, 7, 5, 1], 209, None, SGD),
    (&[12288, 1], 209, None, SGD),
];

fn table<T: Float>(
    ctx: &Context,
    words: &[String],
    samples: impl for<'a> Fn(ArrayView2<'a, T>) -> Samples<'a>,
) -> purrceptron::Result<()> {
    let peak = multiply_adds::<T>(ctx);
    println!("{} {} threads, peak {:.1} GFLOP/s", T::NAME, ctx.threads(), peak / 1e9);
    for (layers, rows, batch_size, optimizer) in NETWORKS {
        let name: Vec<String> = layers.iter().map(usize::to_string).collect();
        let step = batch_size.unwrap_or(rows);
        let line = format!("{:22} batch {step:4} {}", name.join("-"), T::NAME);
        if !words.iter().all(|word| line.contains(word.as_str())) {
            continue;
        }
        let outputs = *layers.last().expect("there are layers");
        let output = if outputs == 1 { Output::Sigmoid } else { Output::Softmax };
        let architecture = Architecture::new(layers, Activation::Relu, output)?;
        let net = Network::<T>::new(architecture, Init::GlorotUniform, 1)?;
        let value = |(i, j): (usize, usize)| T::from_f64(((i * 7 + j * 13) % 31) as f64 / 31.0);
        let mut x = zeros(rows, layers[0]);
        x.indexed_iter_mut().for_each(|(at, x)| *x = value(at));
        let ones = Array2::from_shape_fn((rows, 1), |(i, _)| T::from_f64((i % 2) as f64));
        let classes: Vec<u32> = (0..rows).map(|i| (i % outputs) as u32).collect();
        let (loss, y) = match output {
            Output::Sigmoid => (Loss::BinaryCrossEntropy, Targets::Values(ones.view())),
            _ => (Loss::CategoricalCrossEntropy, Targets::Classes(&classes)),
        };
        let data = Data::new(&net.architecture, loss, samples(x.view()), y, None)?;
        let settings = Settings { optimizer, batch_size, ..Settings::gradient_descent(1e-4, loss) };
        let mut trainer = Trainer::new(net.model(), rows, settings)?;
        // A run takes over what it needs and gives it back: that is not a step.
        let epochs = if step == rows { 16 } else { 1 };
        let steps = epochs * rows.div_ceil(step);
        let mut times = Vec::new();
        let start = Instant::now();
        while times.len() < 5 || start.elapsed() < Duration::from_millis(700) {
            let begin = Instant::now();
            trainer.run(ctx, &data, epochs, &mut || false)?;
            times.push(begin.elapsed().as_secs_f64() / steps as f64);
        }
        times.sort_by(f64::total_cmp);
        let (best, median) = (times[0], times[times.len() / 2]);
        // A product of each layer forward, two backward, but the gradient of the input.
        let weights: usize = layers.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let flop = (2 * step * (3 * weights - layers[0] * layers[1])) as f64;
        println!(
            "{line} {:10.2} us = {:4.1} % of the peak, median {:10.2} us",
            best * 1e6,
            100.0 * flop / best / peak,
            median * 1e6
        );
    }
    Ok(())
}

#[allow(clippy::redundant_closure, reason = "a constructor alone is not for every lifetime")]
fn main() -> purrceptron::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let threads = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(2);
    let words: Vec<String> =
        arguments.into_iter().filter(|a| a.parse::<usize>().is_err()).collect();
    let isa = Isa::current()?;
    let ctx = Context::new(isa, threads);
    println!("{isa}");
    table::<f32>(&ctx, &words, |x| Samples::F32(x))?;
    table::<f64>(&ctx, &words, |x| Samples::F64(x))
}
