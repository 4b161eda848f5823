//! What a deleted feature becomes, and what features are inserted into.

use ndarray::ArrayD;
use pellucid_core::Baseline;

use crate::error::Error;
use crate::input::Input;
use crate::model::LoadedModel;

/// An image is blurred by this share of its shorter side: objects are gone, colors and light stay.
const BLUR_SHARE: f64 = 0.05;

/// A deleted feature becomes what it is in the blurred image, and features are inserted into that; in a table, 0.
pub(crate) fn by_default(model: &LoadedModel, input: &Input) -> Result<ArrayD<f32>, Error> {
    of_rows(model, input, &plain(model), 0)
}

fn plain(model: &LoadedModel) -> Baseline {
    match model.shorter_side() {
        Some(side) => Baseline::Blurred { sigma: (BLUR_SHARE * side as f64).max(1.0) },
        None => Baseline::Zeros,
    }
}

/// The baseline of each row, `[rows, features…]`.
pub(crate) fn of_rows(
    model: &LoadedModel,
    input: &Input,
    baseline: &Baseline,
    seed: u64,
) -> Result<ArrayD<f32>, Error> {
    let image = model.preprocess().map(|preprocess| preprocess.image_values());
    Ok(baseline.of_rows(input.rows.view(), image.as_ref(), seed)?)
}
