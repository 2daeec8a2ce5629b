"""Dense neural networks trained from scratch: kernels in Rust, called from Python."""
