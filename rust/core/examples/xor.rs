//! Learns the exclusive or: the smallest task that wants a hidden layer.
//!
//! ```text
//! cargo run --release --example xor
//! ```

use ndarray::array;
use purrceptron::train::Settings;
use purrceptron::{
    Activation, Architecture, Context, Data, Init, Loss, Network, Optimizer, Output, Result,
    Samples, Targets, Trainer,
};

fn main() -> Result<()> {
    let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = array![[0.0], [1.0], [1.0], [0.0]];

    let ctx = Context::current()?;
    let architecture = Architecture::new(&[2, 8, 1], Activation::Tanh, Output::Sigmoid)?;
    let mut net = Network::<f64>::new(architecture, Init::GlorotUniform, 1)?;

    let loss = Loss::BinaryCrossEntropy;
    let samples = Samples::F64(x.view());
    let data = Data::new(&net.architecture, loss, samples, Targets::Values(y.view()), None)?;
    let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let settings = Settings { optimizer, ..Settings::gradient_descent(0.05, loss) };
    let mut trainer = Trainer::new(net.model(), 4, settings)?;
    for round in 0..5 {
        let costs = trainer.run(&ctx, &data, 50, &mut || false)?;
        println!("cost after epoch {:3}: {:.6}", 50 * round + 1, costs[0]);
    }
    net.parameters.copy_from(trainer.parameters());

    let a = net.forward(&ctx, &Samples::F64(x.view()))?;
    for (x, a) in x.rows().into_iter().zip(&a) {
        println!("{} xor {} = {a:.3}", x[0], x[1]);
    }
    assert!(a.iter().zip(&y).all(|(a, y)| (a - y).abs() < 0.1), "it learned the exclusive or");
    Ok(())
}
