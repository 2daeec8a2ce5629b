//! Reads images in the series' CSV form and trains its classifier on them.
//!
//! A line is an image: 12288 integers from 0 to 255 in the order (height, width, channel), then the label,
//! 1 for a cat. The first line is a header.
//!
//! ```text
//! cargo run --release --example series_csv -- training_set.csv [test_set.csv]
//! ```

use std::error::Error;
use std::fs;

use ndarray::Array2;
use purrceptron::train::Settings;
use purrceptron::{
    Activation, Architecture, Context, Data, Init, Loss, Network, Output, Samples, Targets, Trainer,
};

/// Pixels (m, n), labels (m, 1).
fn read(path: &str) -> Result<(Array2<u8>, Array2<f32>), Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().skip(1) {
        let wrong = || format!("{path}, line {}: expected pixels, then a label", number + 1);
        let (image, label) = line.rsplit_once(',').ok_or_else(wrong)?;
        for pixel in image.split(',') {
            pixels.push(pixel.trim().parse::<u8>().map_err(|_| wrong())?);
        }
        labels.push(f32::from(label.trim().parse::<u8>().map_err(|_| wrong())?));
    }
    let m = labels.len();
    if m == 0 || pixels.len() % m != 0 {
        return Err(format!("{path}: its lines are not equally long, or there are none").into());
    }
    let n = pixels.len() / m;
    Ok((Array2::from_shape_vec((m, n), pixels)?, Array2::from_shape_vec((m, 1), labels)?))
}

/// The share of labels that are right.
fn accuracy(
    net: &Network<f32>,
    ctx: &Context,
    x: &Array2<u8>,
    y: &Array2<f32>,
) -> purrceptron::Result<f64> {
    let a = net.forward(ctx, &Samples::U8(x.view()))?;
    let right = a.iter().zip(y).filter(|&(&a, &y)| (a > 0.5) == (y == 1.0)).count();
    Ok(right as f64 / y.len() as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = paths.first() else {
        return Err("usage: series_csv TRAINING.csv [TEST.csv]".into());
    };
    let (x, y) = read(path)?;
    let ctx = Context::current()?;
    let architecture =
        Architecture::new(&[x.ncols(), 20, 7, 5, 1], Activation::Relu, Output::Sigmoid)?;
    let mut net = Network::<f32>::new(architecture, Init::HeNormal, 1)?;

    let loss = Loss::BinaryCrossEntropy;
    let samples = Samples::U8(x.view());
    let data = Data::new(&net.architecture, loss, samples, Targets::Values(y.view()), None)?;
    let mut trainer =
        Trainer::new(net.model(), x.nrows(), Settings::gradient_descent(0.0075, loss))?;
    for hundred in 0..10 {
        let costs = trainer.run(&ctx, &data, 100, &mut || false)?;
        println!("cost after iteration {:4}: {:.6}", 100 * hundred, costs[0]);
    }
    net.parameters.copy_from(trainer.parameters());
    for path in &paths {
        let (x, y) = read(path)?;
        println!("{path}: {:.1} % right", 100.0 * accuracy(&net, &ctx, &x, &y)?);
    }
    Ok(())
}
