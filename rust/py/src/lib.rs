//! The extension module `purrceptron._core`.
use pyo3::prelude::*;

mod safetensors;

#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use super::safetensors::{read_safetensors, write_safetensors};

    #[pymodule_init]
    fn init(m: &Bound<'_, PyModule>) -> PyResult<()> {
        m.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
