//! What can go wrong, with the shapes and values that say why.

/// Every error of this crate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument has a shape that does not fit.
    #[error("{argument} has shape {came}, expected {expected}")]
    Shape {
        /// The argument's name.
        argument: &'static str,
        /// Its shape.
        came: String,
        /// The shape it should have had.
        expected: String,
    },
    /// An argument has a value outside its range.
    #[error("{argument} is {came}, expected {expected}")]
    Value {
        /// The argument's name.
        argument: &'static str,
        /// Its value.
        came: String,
        /// What it should have been.
        expected: String,
    },
    /// An array holds NaN or an infinity.
    #[error(
        "{argument} holds {value} at row {row}, column {column}; only finite numbers can be used"
    )]
    NotFinite {
        /// The argument's name.
        argument: &'static str,
        /// `NaN`, `inf` or `-inf`.
        value: String,
        /// The first such row.
        row: usize,
        /// The first such column of that row.
        column: usize,
    },
    /// Training left the finite numbers.
    #[error(
        "training diverged in epoch {epoch}: {what} is no longer finite (try a smaller learning_rate, or scale the inputs)"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// What became NaN or infinite.
        what: &'static str,
    },
    /// A result left the finite numbers.
    #[error("{what} is not finite: X, or the weights, are too large")]
    Overflow {
        /// What became NaN or infinite.
        what: &'static str,
    },
    /// The work was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// Memory ran out.
    #[error("not enough memory for {bytes} bytes of {what}")]
    OutOfMemory {
        /// How many bytes were wanted.
        bytes: usize,
        /// What for.
        what: &'static str,
    },
    /// An instruction set that does not exist or that the machine lacks.
    #[error("PURRCEPTRON_ISA is {asked:?}, but this machine has: {available}")]
    Isa {
        /// The name asked for.
        asked: String,
        /// The names that would do.
        available: String,
    },
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
