//! The steps of an epoch, one after the other: on which rows each is made, and what they cost.

use crate::data::Data;
use crate::float::Float;
use crate::order;
use crate::samples::Rows;

/// An epoch before its first step.
#[derive(Clone, Copy)]
pub(crate) struct Epoch<'a, 'd, T> {
    pub(crate) data: &'a Data<'d, T>,
    /// In which order the rows are taken, and how many a step; all of them at once, as they lie, if there is none.
    pub(crate) batches: Option<(&'a [u32], usize)>,
    /// Epochs before it.
    pub(crate) epochs: u64,
    /// Steps before it.
    pub(crate) steps: u64,
}

/// What a step is made on.
pub(crate) struct Batch<'a> {
    pub(crate) rows: Rows<'a>,
    /// The rows of the step after it, if it is of the same epoch.
    pub(crate) next: &'a [u32],
    /// The total weight of the rows.
    pub(crate) m: f64,
    /// Epochs since the beginning.
    pub(crate) t: f64,
    /// The number of the step, counted from 1.
    pub(crate) step: u64,
}

impl<'a, T: Float> Epoch<'a, '_, T> {
    /// What its steps are made on. Rows that all count for nothing say nothing, and are passed over.
    pub(crate) fn batches(self) -> impl Iterator<Item = Batch<'a>> {
        let Self { data, batches, epochs, steps } = self;
        let whole = batches.is_none().then(|| (Rows::Run(0..data.len()), &[][..]));
        let (order, size) = batches.unwrap_or((&[], 1));
        let count = order.len().div_ceil(size).max(1) as f64;
        let picked = order::batches(order, size).map(|(rows, next)| (Rows::Picked(rows), next));
        let rows = whole.into_iter().chain(picked).enumerate().map(move |(i, (rows, next))| {
            let (m, t) = (data.total_weight(&rows), epochs as f64 + i as f64 / count);
            (rows, next, m, t)
        });
        let counting = rows.filter(|&(_, _, m, _)| m > 0.0).zip(steps + 1..);
        counting.map(|((rows, next, m, t), step)| Batch { rows, next, m, t, step })
    }
}

/// What a batch costs, and how much of that is the penalty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) whole: f64,
    pub(crate) penalty: f64,
}

impl Cost {
    pub(crate) fn is_finite(&self) -> bool {
        self.whole.is_finite()
    }
}

/// The mean cost of an epoch's steps, each weighted by its rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MeanCost {
    pub(crate) mean: Cost,
    /// How many they are, ...
    pub(crate) steps: u64,
    /// ... and the total weight of their rows.
    total: f64,
}

impl MeanCost {
    /// Takes a step's into account. That of the first alone is the mean, to the bit.
    pub(crate) fn add(&mut self, m: f64, cost: Cost) {
        self.steps += 1;
        self.total += m;
        let share = m / self.total;
        self.mean.whole += share * (cost.whole - self.mean.whole);
        self.mean.penalty += share * (cost.penalty - self.mean.penalty);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::loss::Targets;
    use crate::samples::Samples;

    #[test]
    fn rows_that_count_for_nothing_are_passed_over() {
        let (x, weights) = (Array2::zeros((5, 1)), [1.0, 0.0, 0.0, 2.0, 0.5]);
        let y = Targets::Classes(&[0; 5]);
        let data = Data::checked_before(Samples::F64(x.view()), y, Some(&weights[..]));
        let order = [0, 3, 2, 1, 4];
        let epoch = Epoch { data: &data, batches: Some((&order, 2)), epochs: 7, steps: 20 };
        let batches: Vec<_> = epoch.batches().collect();
        assert_eq!(batches.iter().map(|b| b.step).collect::<Vec<_>>(), [21, 22]);
        assert_eq!(batches.iter().map(|b| b.m).collect::<Vec<_>>(), [3.0, 0.5]);
        assert_eq!(batches.iter().map(|b| b.t).collect::<Vec<_>>(), [7.0, 7.0 + 2.0 / 3.0]);
        assert_eq!(batches[0].next, [2, 1]);
        let whole: Vec<_> = Epoch { batches: None, ..epoch }.batches().collect();
        assert_eq!((whole.len(), whole[0].rows.len(), whole[0].m), (1, 5, 3.5));
    }

    #[test]
    fn the_mean_is_weighted() {
        let mut mean = MeanCost::default();
        let cost = |whole| Cost { whole, penalty: whole / 2.0 };
        mean.add(3.0, cost(0.1));
        assert_eq!(mean.mean, cost(0.1));
        mean.add(1.0, cost(0.5));
        assert!((mean.mean.whole - 0.2).abs() < 1e-15 && (mean.mean.penalty - 0.1).abs() < 1e-15);
        assert_eq!(mean.steps, 2);
    }
}
