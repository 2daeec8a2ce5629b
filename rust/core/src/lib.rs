//! Dense neural networks, from scratch.
