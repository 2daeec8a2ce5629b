//! The safetensors container, by its reference crate: where each tensor of a
//! file lies, and the bytes of a new file. What the tensors and the metadata
//! mean is the business of `_model_file.py`.

use std::collections::BTreeMap;

use ::safetensors::tensor::{Dtype, TensorView};
use ::safetensors::{SafeTensorError, SafeTensors};
use purrceptron::Error;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::error::CoreError;

/// The header's length, little-endian, stands in front of the header.
const LENGTH_BYTES: usize = size_of::<u64>();

/// `(dtype, shape, start, stop)`: what a tensor is, and its bytes in the file.
type Place = (String, Vec<usize>, usize, usize);

/// `(dtype, shape, little-endian bytes)`
type Tensor = (String, Vec<usize>, PyBackedBytes);

/// Checks the header of a whole file and returns `{name: place}, {key: text}`.
///
/// The places are within `data`, end to end, and each fits its dtype and shape.
#[pyfunction]
pub(crate) fn read_safetensors(
    data: &[u8],
) -> PyResult<(BTreeMap<String, Place>, BTreeMap<String, String>)> {
    let (header, metadata) = SafeTensors::read_metadata(data).map_err(refuse)?;
    let begin = LENGTH_BYTES + header;
    let places = metadata.tensors().into_iter().map(|(name, info)| {
        let (start, stop) = info.data_offsets;
        (name, (info.dtype.to_string(), info.shape.clone(), begin + start, begin + stop))
    });
    let texts = metadata.metadata().iter().flatten();
    Ok((places.collect(), texts.map(|(key, text)| (key.clone(), text.clone())).collect()))
}

/// The bytes of a file with these tensors and metadata; equal for equal arguments.
#[pyfunction]
pub(crate) fn write_safetensors<'py>(
    py: Python<'py>,
    tensors: BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
) -> PyResult<Bound<'py, PyBytes>> {
    // The crate takes its memory without asking. So it is asked for here first, and given back.
    let bytes: usize = tensors.values().map(|(_, _, data)| data.len()).sum();
    let refused = |_| CoreError::from(Error::OutOfMemory { bytes, what: "parameters to save" });
    Vec::<u8>::new().try_reserve_exact(2 * bytes).map_err(refused)?;
    let file = py.detach(|| -> Result<Vec<u8>, SafeTensorError> {
        let mut views = Vec::with_capacity(tensors.len());
        for (name, (dtype, shape, data)) in &tensors {
            views.push((name, TensorView::new(parse(dtype)?, shape.clone(), data)?));
        }
        let mut file = ::safetensors::serialize(views, Some(metadata.into_iter().collect()))?;
        sort_header(&mut file)?;
        Ok(file)
    });
    let file = file.map_err(refuse)?;
    PyBytes::new_with(py, file.len(), |to| {
        to.copy_from_slice(&file);
        Ok(())
    })
}

/// The crate holds metadata in a hash map, whose order is another one each time.
/// The same JSON with its keys in order has the same length, so it is put in place.
fn sort_header(file: &mut [u8]) -> Result<(), SafeTensorError> {
    let (length, _) = SafeTensors::read_metadata(file)?;
    let header = &mut file[LENGTH_BYTES..][..length];
    let entries: BTreeMap<String, BTreeMap<String, serde_json::Value>> =
        serde_json::from_slice(header)?;
    let sorted = serde_json::to_vec(&entries)?;
    header[..sorted.len()].copy_from_slice(&sorted);
    Ok(())
}

/// `"F32"` to `Dtype::F32`, and so on.
fn parse(dtype: &str) -> Result<Dtype, SafeTensorError> {
    Ok(serde_json::from_value(dtype.into())?)
}

/// One sentence for whoever tried to open the file; the path goes in front of it.
fn refuse(error: SafeTensorError) -> PyErr {
    use SafeTensorError as E;
    PyValueError::new_err(match error {
        E::HeaderTooSmall => "the file ends before its header".into(),
        E::HeaderTooLarge => {
            "not a safetensors file: it would have a header of more than 100 MB".into()
        }
        E::InvalidHeaderLength => "the file ends within its header".into(),
        E::InvalidHeader(e) => format!("the header is not UTF-8 ({e})"),
        E::InvalidHeaderDeserialization(e) => format!("the header is not valid ({e})"),
        E::InvalidOffset(name) => {
            format!("tensor {name:?} does not begin where the one before it ends")
        }
        E::TensorInvalidInfo | E::ValidationOverflow | E::MisalignedSlice => {
            "a tensor's shape does not fit the number of its bytes".into()
        }
        E::MetadataIncompleteBuffer => {
            "the file is not as long as its header says: cut short, or something follows it".into()
        }
        other => other.to_string(),
    })
}
