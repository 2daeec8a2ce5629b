//! In which order an epoch of mini-batches takes the rows.

use ndarray::ArrayView2;

use crate::buffer::try_collect;
use crate::error::{Error, Result};
use crate::rng::{Purpose, Rng};

/// The numbers of so many rows, one after the other: room for the order of each epoch.
pub(crate) fn of_rows(samples: usize) -> Result<Vec<u32>> {
    let too_many = |_| Error::Value {
        argument: "X",
        came: format!("{samples} rows"),
        expected: format!("at most {} rows with mini-batches", u32::MAX),
    };
    let samples = u32::try_from(samples).map_err(too_many)?;
    try_collect(samples as usize, "the order of the rows", 0..samples)
}

/// Fails unless there are mini-batches, and the orders are row numbers, a row of them behind the other.
pub(crate) fn check(
    orders: ArrayView2<'_, u32>,
    samples: usize,
    batch_size: Option<usize>,
) -> Result<()> {
    let fit = batch_size.is_some()
        && orders.ncols() == samples
        && orders.rows().into_iter().all(|order| order.as_slice().is_some())
        && orders.iter().all(|&row| (row as usize) < samples);
    if fit {
        return Ok(());
    }
    let came = format!("of shape {:?}", orders.dim());
    let expected = format!("(epochs, {samples}) row numbers, and a batch_size");
    Err(Error::Value { argument: "orders", came, expected })
}

/// The order of an epoch: the one that is given, or one drawn from the seed.
pub(crate) fn arrange(order: &mut [u32], given: Option<&[u32]>, seed: u64, epoch: u64) {
    match given {
        Some(given) => order.copy_from_slice(given),
        None => {
            order.iter_mut().zip(0..).for_each(|(place, row)| *place = row);
            Rng::new(seed, Purpose::Order, epoch).shuffle(order);
        }
    }
}

/// The mini-batches of an epoch, each with the one after it.
pub(crate) fn batches(order: &[u32], size: usize) -> impl Iterator<Item = (&[u32], &[u32])> {
    let next = order.chunks(size).skip(1).chain(std::iter::once(&[][..]));
    order.chunks(size).zip(next)
}
