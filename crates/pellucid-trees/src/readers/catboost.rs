//! CatBoost's JSON (`save_model("model.json", format="json")`) → `TreeEnsemble`.

mod features;
mod hash;
mod info;
mod nodes;

use serde::Deserialize;
use serde_json::Value;

use features::{Features, FeaturesInfo};
use info::Info;
use nodes::{Node, ObliviousTree};

use crate::ensemble::{Arithmetic, Precision, Tree, TreeEnsemble};
use crate::error::Error;

#[derive(Deserialize)]
struct Model {
    features_info: FeaturesInfo,
    #[serde(default)]
    model_info: Value,
    /// Symmetric trees: one split a level.
    oblivious_trees: Option<Vec<ObliviousTree>>,
    /// Trees of the growing policies Depthwise and Lossguide.
    trees: Option<Vec<Node>>,
    scale_and_bias: Option<(f64, Bias)>,
}

/// One number in older files.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bias {
    One(f64),
    Many(Vec<f64>),
}

fn broken(reason: String) -> Error {
    Error::Format { format: "CatBoost JSON", reason }
}

/// Reads a CatBoost model. Margins are CatBoost's `RawFormulaVal`, bit for bit those of the model that was saved: CatBoost itself loses
/// some last bits when it loads its JSON.
pub(super) fn read(bytes: &[u8]) -> Result<TreeEnsemble, Error> {
    let model: Model = serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
    let features = Features::of(model.features_info)?;
    let trees = match (model.oblivious_trees, model.trees) {
        (Some(trees), None) => each(trees, |tree| tree.read(&features))?,
        (None, Some(trees)) => each(trees, |tree: Node| tree.read(&features))?,
        _ => return Err(broken("neither `oblivious_trees` nor `trees`, or both".to_owned())),
    };
    let n_outputs = width_of(&trees)?;
    let (scale, bias) = model.scale_and_bias.unwrap_or((1.0, Bias::One(0.0)));
    let info = Info::of(&model.model_info, n_outputs)?;
    let ensemble = TreeEnsemble {
        has_covers: trees.iter().all(|tree| tree.nodes[0].cover() > 0.0),
        trees,
        n_features: features.n_features,
        base_scores: bias.of_outputs(n_outputs)?,
        scale,
        link: info.link,
        precision: Precision::F32,
        arithmetic: Arithmetic::F64,
        absent: 0.0,
        missing_value: None,
        feature_names: features.names,
        output_names: info.output_names,
        categories: None,
        provenance: info.provenance,
    };
    finite(&ensemble)?;
    ensemble.check()?;
    Ok(ensemble)
}

/// Reads each tree; errors say which it was.
fn each<T>(trees: Vec<T>, read: impl Fn(T) -> Result<Tree, Error>) -> Result<Vec<Tree>, Error> {
    let numbered = trees.into_iter().enumerate();
    numbered.map(|(index, tree)| read(tree).map_err(|error| error.in_tree(index))).collect()
}

fn width_of(trees: &[Tree]) -> Result<usize, Error> {
    let width = trees.first().ok_or_else(|| broken("no trees".to_owned()))?.width();
    match trees.iter().position(|tree| tree.width() != width) {
        None => Ok(width),
        Some(index) => {
            let other = trees[index].width();
            Err(broken(format!("leaves of tree {index} have {other} values, those of tree 0 have {width}")))
        }
    }
}

fn finite(ensemble: &TreeEnsemble) -> Result<(), Error> {
    let numbers = [ensemble.scale].into_iter().chain(ensemble.base_scores.iter().copied());
    match numbers.into_iter().all(f64::is_finite) {
        true => Ok(()),
        false => Err(broken("scale_and_bias is not finite".to_owned())),
    }
}

impl Bias {
    fn of_outputs(self, n_outputs: usize) -> Result<Vec<f64>, Error> {
        let bias = match self {
            Self::One(bias) => vec![bias],
            Self::Many(bias) => bias,
        };
        match bias.len() {
            n if n == n_outputs => Ok(bias),
            // No bias was once written as one 0, or as none.
            0 | 1 if bias.iter().all(|&b| b == 0.0) => Ok(vec![0.0; n_outputs]),
            n => Err(broken(format!("{n} biases in scale_and_bias, but {n_outputs} outputs"))),
        }
    }
}

#[cfg(test)]
mod tests;
