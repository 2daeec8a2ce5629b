//! What several benches need.

use ndarray::Array2;
use purrceptron::Float;

/// Zeros, in large pages where there are many, as NumPy asks for.
pub(crate) fn zeros<T: Float>(rows: usize, cols: usize) -> Array2<T> {
    let zeros = Array2::from_elem((rows, cols), T::ZERO);
    #[cfg(target_os = "linux")]
    if rows * cols * size_of::<T>() >= 4 << 20 {
        let start = (zeros.as_ptr() as usize).next_multiple_of(4096);
        let end = zeros.as_ptr() as usize + rows * cols * size_of::<T>();
        // SAFETY: advice about pages of the array; it changes none of them.
        unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_HUGEPAGE) };
    }
    zeros
}
