//! Data that does not fit is refused with a sentence.

use ndarray::Array2;
use purrceptron::{Activation, Architecture, Data, Init, Loss, Network, Output, Samples, Targets};

/// A network that data may fit.
fn network(sizes: &[usize], output: Output) -> Network<f64> {
    let architecture = Architecture::new(sizes, Activation::Relu, output).unwrap();
    Network::new(architecture, Init::HeNormal, 1).unwrap()
}

/// What is said of data that does not fit.
fn message<'a>(
    net: &Network<f64>,
    x: Samples<'a>,
    y: Targets<'a, f64>,
    weights: Option<&'a [f64]>,
) -> String {
    let loss = net.architecture.default_loss();
    Data::new(&net.architecture, loss, x, y, weights).unwrap_err().to_string()
}

#[test]
fn data_that_does_not_fit_is_refused_with_a_sentence() {
    let net = network(&[3, 2, 1], Output::Sigmoid);
    let soft = network(&[3, 2, 4], Output::Softmax);
    let x = Array2::ones((5, 3));
    let samples = || Samples::F64(x.view());
    let y = Array2::<f64>::zeros((5, 1));
    let wide = Array2::ones((5, 4));
    let empty = Array2::<f64>::zeros((0, 3));
    let mut holed = x.clone();
    holed[[4, 2]] = f64::NAN;
    let half = Array2::from_elem((5, 1), 1.5);
    let labels = || Targets::Values(y.view());
    for (came, expected) in [
        (message(&net, Samples::F64(wide.view()), labels(), None), "X has shape (5, 4)"),
        (message(&net, Samples::F64(empty.view()), labels(), None), "X has shape (0, 3)"),
        (
            message(&net, Samples::F64(holed.view()), labels(), None),
            "X holds NaN at row 4, column 2",
        ),
        (message(&net, samples(), Targets::Values(x.view()), None), "y has shape (5, 3)"),
        (message(&net, samples(), Targets::Values(half.view()), None), "y is 1.5 at row 0"),
        (message(&soft, samples(), Targets::Classes(&[0, 1, 2, 3, 4]), None), "y is 4 at row 4"),
        (message(&soft, samples(), Targets::Classes(&[0, 1]), None), "y has shape (2,)"),
        (message(&net, samples(), labels(), Some(&[1.0; 4])), "sample_weight has shape (4,)"),
        (message(&net, samples(), labels(), Some(&[0.0; 5])), "sample_weight is zero everywhere"),
        (
            message(&net, samples(), labels(), Some(&[1.0, 1.0, -1.0, 1.0, 1.0])),
            "sample_weight is -1 at row 2",
        ),
    ] {
        assert!(came.starts_with(expected), "{came}");
    }
    let counts = network(&[3, 2, 1], Output::Exp);
    let negative = y.mapv(|y| y - 2.0);
    let came = message(&counts, samples(), Targets::Values(negative.view()), None);
    assert!(came.starts_with("y is -2 at row 0"), "{came}");
    let wrong = Data::new(&net.architecture, Loss::SquaredError, samples(), labels(), None);
    assert!(wrong.unwrap_err().to_string().starts_with("loss is squared_error"));
}
