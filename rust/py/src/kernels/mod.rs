//! The series' functions on NumPy arrays: each checks shapes, releases the GIL, and makes one call.

mod arguments;
mod elementwise;
mod linear;
mod loss;
mod rows;

pub(crate) use elementwise::{
    exp, log1p, relu, relu_backward, sigmoid, sigmoid_backward, softplus, tanh,
};
pub(crate) use linear::{linear_backward, linear_forward, matmul};
pub(crate) use loss::{binary_cross_entropy, binary_cross_entropy_backward};
pub(crate) use rows::{logsumexp, softmax};
