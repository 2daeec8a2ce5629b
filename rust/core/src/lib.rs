//! Dense neural networks, from scratch: the kernels, back-propagation and training of a multi-layer
//! perceptron on the CPU.
//!
//! The files name what a network is made of:
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`gemm`] | matrix multiplication, where nearly all the time goes |
//! | [`dense`] | a layer's linear half: `Z = A Wᵀ + b`, and its gradients |
//! | [`activation`] | a layer's other half: ReLU, sigmoid, ... each with its derivative |
//! | [`loss`] | how wrong the output is, and the gradient that starts the way back |
//! | [`init`], [`rng`] | the first weights, from random numbers that are the same everywhere |
//! | [`math`] | `exp`, `log1p`, `tanh`, ... on slices |
//! | [`optim`], [`schedule`] | the step: gradient descent, momentum, Adam, ..., and how its size changes |
//! | [`normalization`] | batch and layer normalisation, each with its backward pass |
//! | [`penalty`] | l2 and l1 on the weights |
//! | [`architecture`], [`parameters`], [`network`] | a network's form, its numbers, and both together |
//! | [`lent`] | predictions with weights that somebody else keeps |
//! | [`train`] | epochs of batches |
//! | [`objective`] | the cost as a function of all parameters at once, for optimisers from outside |
//! | [`gram`] | the first layer, trained in the space of examples where features are many |
//! | [`isa`], [`threads`], [`context`] | the machine: instruction sets and threads |
//! | [`peak`] | what the machine can do at most |
//!
//! An example is a row: `X` is (m, n_0), a layer's activations are (m, n_l), its weights (n_l, n_{l-1}).

pub mod activation;
mod ahead;
pub mod architecture;
mod backprop;
mod batch;
mod buffer;
mod caches;
mod clip;
pub mod context;
pub mod data;
pub mod dense;
mod disjoint;
mod dropout;
mod epoch;
pub mod error;
pub mod float;
pub mod gemm;
pub mod gram;
mod halves;
pub mod init;
pub mod isa;
mod judge;
mod lanes;
mod layout;
pub mod lent;
mod loader;
pub mod loss;
pub mod math;
mod memory;
pub mod network;
pub mod normalization;
pub mod objective;
pub mod optim;
mod order;
pub mod parameters;
pub mod peak;
pub mod penalty;
pub mod rng;
pub mod samples;
pub mod schedule;
mod settings;
mod simd;
mod sink;
pub mod sparse;
mod state;
mod step;
pub mod threads;
pub mod train;
mod update;
mod way;
mod wide;

pub use activation::Activation;
pub use architecture::Architecture;
pub use context::Context;
pub use data::Data;
pub use error::{Error, Result};
pub use float::Float;
pub use init::Init;
pub use isa::Isa;
pub use loss::{Loss, Output, Targets};
pub use network::{Model, Network};
pub use normalization::Normalization;
pub use optim::Optimizer;
pub use parameters::Parameters;
pub use penalty::Penalty;
pub use samples::Samples;
pub use schedule::Schedule;
pub use train::Trainer;
