//! The definition, as three loops: the oracle that every other path is tested against.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Epilogue, Tile};
use crate::float::Float;

/// As [`gemm`](super::gemm), with each sum taken from the first product to the last.
/// The shapes must agree; it panics if they do not.
pub fn gemm_naive<T: Float>(
    alpha: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    mut c: ArrayViewMut2<'_, T>,
    epilogue: Epilogue<'_, T>,
) {
    for ((i, j), c) in c.indexed_iter_mut() {
        let sum: T = a.row(i).iter().zip(b.column(j)).map(|(&a, &b)| a * b).sum();
        let old = if beta == T::ZERO { T::ZERO } else { beta * *c };
        *c = alpha * sum + old;
        match epilogue {
            Epilogue::Bias(bias) => *c += bias[j],
            Epilogue::BiasRelu(bias) => {
                *c += bias[j];
                if *c < T::ZERO {
                    *c = T::ZERO;
                }
            }
            Epilogue::None | Epilogue::Then(_) | Epilogue::Consume(_) => {}
        }
    }
    let tile = Tile { row: 0, column: 0, values: c };
    match epilogue {
        Epilogue::Then(f) => f(tile),
        Epilogue::Consume(consumer) => consumer.take(tile),
        _ => {}
    }
}
