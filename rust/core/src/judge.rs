//! Judging a network by rows that it is not trained on, in the middle of a run.

use ndarray::Array2;

use crate::context::Context;
use crate::data::Data;
use crate::error::Result;
use crate::float::Float;
use crate::gram::fits_budget;
use crate::network::Model;
use crate::train::Trainer;

impl<T: Float> Trainer<T> {
    /// The loss of the rows held out, without its penalty, and the network's outputs for them, (v, n_L), with the
    /// parameters as they are now. `data` is what the run is trained on.
    ///
    /// Where the first layer is trained in the space of examples, its weights need not be
    /// [formed](Self::form): the products of the two sets of rows, v m numbers, are kept from the first call on, and
    /// later calls must bring the same rows. (If they would take more than 12 MiB, and more than
    /// the Gram matrix itself, the weights are formed.)
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory); [`Error::Interrupted`](crate::Error::Interrupted) where `stop`,
    /// asked now and then, says so: the run is then where it was.
    pub fn judge(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        held_out: &Data<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(f64, Array2<T>)> {
        let in_space = self.gram.is_some() && fits_budget(data.len(), held_out.len());
        if !in_space {
            self.form(ctx, data)?;
        }
        let z = match &mut self.gram {
            Some(gram) if in_space => {
                Some(gram.forward_held_out(ctx, &data.x, &held_out.x, self.uint8_scale, stop)?)
            }
            _ => None,
        };
        let model = Model {
            architecture: &self.architecture,
            parameters: &self.parameters,
            uint8_scale: self.uint8_scale,
        };
        model.judge(ctx, held_out, self.settings.loss, z, stop)
    }
}
