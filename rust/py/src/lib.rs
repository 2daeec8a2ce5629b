//! The extension module `purrceptron._core`: borrows arrays, releases the GIL, maps errors.
//! Whatever is computed is computed by the crate `purrceptron`.

use pyo3::prelude::*;

mod arrays;
mod calls;
mod error;
mod gram;
mod kernels;
mod lent;
mod names;
mod network;
mod objective;
mod parameters;
mod peak;
mod safetensors;
mod settings;
mod trainer;

#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use super::kernels::{
        binary_cross_entropy, binary_cross_entropy_backward, exp, linear_backward, linear_forward,
        log1p, logsumexp, matmul, relu, relu_backward, sigmoid, sigmoid_backward, softmax,
        softplus, tanh,
    };
    #[pymodule_export]
    use super::lent::forward;
    #[pymodule_export]
    use super::names::schedule_factor;
    #[pymodule_export]
    use super::network::{Network, Snapshot};
    #[pymodule_export]
    use super::objective::Objective;
    #[pymodule_export]
    use super::peak::{fma_peak, memory_bandwidth};
    #[pymodule_export]
    use super::safetensors::{read_safetensors, write_safetensors};
    #[pymodule_export]
    use super::settings::{available_isas, get_num_threads, isa, set_num_threads};
    #[pymodule_export]
    use super::trainer::Trainer;

    #[pymodule_init]
    fn init(m: &Bound<'_, PyModule>) -> PyResult<()> {
        m.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
