//! Small networks take a batch in lanes: the gradient must be that of the rows taken a few at a time.

use ndarray::{Array2, ArrayView2, s};
use purrceptron::{
    Activation, Architecture, Context, Data, Init, Isa, Loss, Network, Normalization, Output,
    Parameters, Samples, Targets,
};

const ROWS: usize = 1000;
/// So few rows of this network are one lane.
const FEW: usize = 40;

fn gradients(
    net: &Network<f64>,
    threads: usize,
    x: ArrayView2<'_, f64>,
    y: &[u32],
) -> (f64, Parameters<f64>) {
    let loss = Loss::CategoricalCrossEntropy;
    let ctx = Context::new(Isa::best(), threads);
    let data =
        Data::new(&net.architecture, loss, Samples::F64(x), Targets::Classes(y), None).unwrap();
    net.model().gradients(&ctx, &data, loss, 0.0).unwrap()
}

#[test]
fn lanes_add_up_to_the_rows() {
    let x =
        Array2::from_shape_fn((ROWS, 30), |(i, j)| ((i * 31 + j * 17) % 101) as f64 / 50.0 - 1.0);
    let y: Vec<u32> = (0..ROWS as u32).map(|i| i * 7 % 3 % 2).collect();
    for normalization in [None, Some(Normalization::Layer)] {
        let form = Architecture::new(&[30, 20, 2], Activation::Tanh, Output::Softmax).unwrap();
        let form = form.normalized(vec![normalization]).unwrap();
        let net = Network::<f64>::new(form, Init::GlorotUniform, 1).unwrap();
        let (cost, whole) = gradients(&net, 1, x.view(), &y);

        let mut mean_cost = 0.0;
        let mut mean = [Array2::zeros((20, 30)), Array2::zeros((2, 20))];
        let share = FEW as f64 / ROWS as f64;
        for from in (0..ROWS).step_by(FEW) {
            let part = from..from + FEW;
            let (cost, few) = gradients(&net, 1, x.slice(s![part.clone(), ..]), &y[part]);
            mean_cost += share * cost;
            for (l, mean) in mean.iter_mut().enumerate() {
                mean.scaled_add(share, &few.weight(l));
            }
        }
        assert!((cost - mean_cost).abs() < 1e-12);
        for (l, mean) in mean.iter().enumerate() {
            assert!(mean.iter().any(|dw| dw.abs() > 1e-4));
            assert!((&whole.weight(l) - mean).iter().all(|d| d.abs() < 1e-13));
        }
        for threads in [2, 5] {
            let (same_cost, same) = gradients(&net, threads, x.view(), &y);
            assert_eq!(cost.to_bits(), same_cost.to_bits());
            assert!((0..2).all(|l| same.weight(l) == whole.weight(l)));
            assert!((0..2).all(|l| same.bias(l) == whole.bias(l)));
        }
    }
}
