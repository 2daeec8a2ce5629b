//! What becomes of the gradients that a backward pass finds: they are added up (`batch.rs`), or the parameters are updated
//! at once (`update.rs`).

use ndarray::ArrayView2;

use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::parameters::Parameters;

/// Where the backward pass leaves what it finds.
pub(crate) trait GradientSink<T: Float> {
    /// The parameters that the pass runs on.
    fn parameters(&self) -> &Parameters<T>;
    /// Takes the gradient of the normalisation of layer `l`: `Σ_rows dy ∘ x̂` and `Σ_rows dy`. It comes before that of
    /// the layer, and the sink may change γ and β.
    fn normalization(&mut self, ctx: &Context, l: usize, gain: &[T], shift: &[T]);
    /// Takes the gradient of layer `l`, which is `dZ_lᵀ A_{l-1}` and `Σ_rows dZ_l`. The pass has used this layer's
    /// parameters for the last time, so the sink may change them.
    fn layer(
        &mut self,
        ctx: &Context,
        l: usize,
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
    ) -> Result<()>;
}
