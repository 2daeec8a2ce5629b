//! Brings the rows of a block together: samples converted and gathered, targets and weights gathered,
//! each only where it has to be.

use ndarray::{ArrayView2, s};

use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::data::Data;
use crate::error::Result;
use crate::float::Float;
use crate::loss::Targets;
use crate::samples::{Rows, Samples};

/// The rows of a block, ready for the network: x is (rows, n_0), or (rows, 0) where nobody wants the samples.
pub(crate) struct Block<'a, T> {
    pub(crate) x: ArrayView2<'a, T>,
    pub(crate) y: Targets<'a, T>,
    pub(crate) weights: Option<&'a [T]>,
}

/// Buffers for blocks, allocated when first wanted.
pub(crate) struct Loader<T: Float> {
    x: SampleLoader<T>,
    targets: TargetLoader<T>,
}

impl<T: Float> Loader<T> {
    pub(crate) fn new(uint8_scale: f64) -> Self {
        Self { x: SampleLoader::new(uint8_scale), targets: TargetLoader::default() }
    }

    /// Forgets what it has read: the caller may have changed it since.
    pub(crate) fn reset(&mut self) {
        self.x.reset();
    }

    /// The rows, borrowed from the data where that can be; without their samples, unless they are wanted.
    pub(crate) fn load<'b>(
        &'b mut self,
        ctx: &Context,
        data: &'b Data<'_, T>,
        rows: &Rows<'_>,
        samples: bool,
    ) -> Result<Block<'b, T>> {
        let x = match samples {
            true => self.x.load(ctx, &data.x, rows)?,
            false => matrix(&[], rows.len(), 0),
        };
        let (y, weights) = self.targets.load(data, rows);
        Ok(Block { x, y, weights })
    }
}

/// The targets and weights of a block.
#[derive(Default)]
pub(crate) struct TargetLoader<T> {
    values: Vec<T>,
    classes: Vec<u32>,
    weights: Vec<T>,
}

impl<T: Float> TargetLoader<T> {
    pub(crate) fn load<'b>(
        &'b mut self,
        data: &'b Data<'_, T>,
        rows: &Rows<'_>,
    ) -> (Targets<'b, T>, Option<&'b [T]>) {
        match rows {
            Rows::Run(run) => (data.y.rows(run.clone()), data.weights.map(|w| &w[run.clone()])),
            Rows::Picked(picked) => {
                let picked = || picked.iter().map(|&row| row as usize);
                let y = match &data.y {
                    Targets::Values(y) => {
                        self.values.clear();
                        for row in picked() {
                            self.values.extend(y.row(row));
                        }
                        Targets::Values(matrix(&self.values, rows.len(), y.ncols()))
                    }
                    Targets::Classes(y) => {
                        self.classes.clear();
                        self.classes.extend(picked().map(|row| y[row]));
                        Targets::Classes(&self.classes)
                    }
                };
                let weights = data.weights.map(|w| {
                    self.weights.clear();
                    self.weights.extend(picked().map(|row| w[row]));
                    &self.weights[..]
                });
                (y, weights)
            }
        }
    }
}

/// The samples of a block as the network's own floats.
pub(crate) struct SampleLoader<T: Float> {
    scale: T,
    room: Option<Buffer<T>>,
    /// The run of rows that `room` holds: a full-batch fit reads the same ones in every epoch.
    loaded: Option<std::ops::Range<usize>>,
}

impl<T: Float> SampleLoader<T> {
    pub(crate) fn new(uint8_scale: f64) -> Self {
        Self { scale: T::from_f64(uint8_scale), room: None, loaded: None }
    }

    /// Forgets what it has read: the caller may have changed it since.
    pub(crate) fn reset(&mut self) {
        self.loaded = None;
    }

    /// The rows, borrowed from the data where that can be.
    pub(crate) fn load<'b>(
        &'b mut self,
        ctx: &Context,
        x: &'b Samples<'_>,
        rows: &Rows<'_>,
    ) -> Result<ArrayView2<'b, T>> {
        self.prepare(ctx, x, rows)?;
        Ok(self.view(x, rows))
    }

    /// Brings those rows together, if they have to be.
    pub(crate) fn prepare(
        &mut self,
        ctx: &Context,
        x: &Samples<'_>,
        rows: &Rows<'_>,
    ) -> Result<()> {
        if Self::borrowed(x, rows).is_some() {
            return Ok(());
        }
        let columns = x.dim().1;
        let len = rows.len() * columns;
        if self.room.as_ref().is_none_or(|room| room.len() < len) {
            self.room = Some(Buffer::zeros(len, "a block of samples")?);
            self.loaded = None;
        }
        let room = self.room.as_mut().expect("made above");
        match rows {
            Rows::Run(run) if self.loaded.as_ref() == Some(run) => {}
            _ => {
                x.load(ctx, rows, self.scale, matrix_mut(room, rows.len(), columns));
                self.loaded = match rows {
                    Rows::Run(run) => Some(run.clone()),
                    Rows::Picked(_) => None,
                };
            }
        }
        Ok(())
    }

    /// The rows that were [prepared](Self::prepare) last.
    pub(crate) fn view<'b>(&'b self, x: &'b Samples<'_>, rows: &Rows<'_>) -> ArrayView2<'b, T> {
        Self::borrowed(x, rows).unwrap_or_else(|| {
            let room = self.room.as_ref().expect("it was prepared");
            matrix(room, rows.len(), x.dim().1)
        })
    }

    /// The rows as the data has them, where that will do.
    fn borrowed<'b>(x: &'b Samples<'_>, rows: &Rows<'_>) -> Option<ArrayView2<'b, T>> {
        match (x.as_float::<T>(), rows) {
            (Some(x), Rows::Run(run)) => Some(x.slice(s![run.clone(), ..])),
            _ => None,
        }
    }
}
