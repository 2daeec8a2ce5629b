//! Dense neural networks, from scratch.

mod buffer;
pub mod context;
pub mod error;
pub mod float;
pub mod gemm;
pub mod init;
pub mod isa;
pub mod rng;
mod simd;
pub mod threads;

pub use context::Context;
pub use error::{Error, Result};
pub use float::Float;
pub use isa::Isa;
