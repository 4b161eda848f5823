//! The file's parts → `TreeEnsemble`.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

use super::broken;
use super::categories::names;
use super::file::{Booster, File, Text, Trees};
use super::objective::links;
use super::tree::{CategoryBudget, tree};
use crate::ensemble::{Arithmetic, Precision, Provenance, Tree, TreeEnsemble};
use crate::error::Error;

/// The newest major version whose files are known.
const NEWEST_MAJOR: u32 = 3;

/// No more outputs are read: a few bytes could ask for any number.
const MAX_OUTPUTS: usize = 1 << 20;

impl Text {
    /// The number that a parameter holds.
    pub(super) fn parse<T: FromStr>(&self, name: &str) -> Result<T, Error> {
        self.0.trim().parse().map_err(|_| broken(format!("`{name}` is `{}`, not a number", self.0)))
    }

    /// The same where a version does not write it.
    fn parse_or<T: FromStr>(&self, name: &str, absent: T) -> Result<T, Error> {
        if self.0.is_empty() { Ok(absent) } else { self.parse(name) }
    }
}

/// The ensemble of a file of `n_bytes`.
pub(super) fn ensemble(file: File, n_bytes: usize) -> Result<TreeEnsemble, Error> {
    let version = version(&file.version)?;
    let learner = file.learner;
    let (mut trees, weights) = booster(learner.gradient_booster)?;
    let parameters = &learner.learner_model_param;
    let n_features: usize = parameters.num_feature.parse("num_feature")?;
    let n_outputs = n_outputs(
        parameters.num_class.parse_or("num_class", 0)?,
        parameters.num_target.parse_or("num_target", 1)?,
    )?;
    let (link, base_link) = links(&learner.objective.name, &file.version)?;
    let base_scores = base_scores(&parameters.base_score.0, n_outputs)?
        .iter()
        .map(|&score| {
            let margin = base_link.margin(score).map(f64::from);
            margin.ok_or_else(|| broken(format!("base_score is {score}, but must be {}", base_link.domain())))
        })
        .collect::<Result<_, _>>()?;
    let mut warnings = Vec::new();
    let n_used = n_used_trees(&trees, &learner.attributes, n_outputs, &mut warnings)?;
    let categories = names(std::mem::take(&mut trees.cats), n_features, &mut warnings)?;
    let (missing_value, output_names) = wrapper(&learner.attributes, n_outputs);
    let ensemble = TreeEnsemble {
        trees: read_trees(&trees, &weights, n_outputs, n_used, n_bytes)?,
        n_features,
        base_scores,
        scale: 1.0,
        link,
        precision: Precision::F32,
        arithmetic: arithmetic(&file.version, !weights.is_empty()),
        absent: f64::NAN,
        missing_value,
        feature_names: feature_names(learner.feature_names, n_features)?,
        output_names,
        categories,
        has_covers: trees.trees.iter().all(|tree| tree.sum_hessian.is_some()),
        provenance: Provenance {
            library: "xgboost".to_owned(),
            version,
            objective: learner.objective.name,
            warnings,
        },
    };
    ensemble.check()?;
    Ok(ensemble)
}

fn version(version: &[u32]) -> Result<String, Error> {
    let &[major, ..] = version else { return Err(broken("`version` is an empty list")) };
    let text = version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    if (1..=NEWEST_MAJOR).contains(&major) {
        return Ok(text);
    }
    Err(Error::Unsupported {
        what: format!("a file of XGBoost {text}"),
        hint: format!("versions 1 to {NEWEST_MAJOR} are read"),
    })
}

/// Old versions summed the leaves first: DART up to 1.3, the others up to 1.2.
fn arithmetic(version: &[u32], is_dart: bool) -> Arithmetic {
    match *version < *[1, if is_dart { 4 } else { 3 }].as_slice() {
        true => Arithmetic::F32BaseLast,
        false => Arithmetic::F32BaseFirst,
    }
}

/// The trees, and their weights where the booster is DART.
fn booster(mut booster: Booster) -> Result<(Trees, Vec<f32>), Error> {
    match booster.name.as_str() {
        "gbtree" => Ok((booster.model, Vec::new())),
        "dart" => {
            let inner = booster.gbtree.take().ok_or_else(|| broken("booster `dart` without its `gbtree`"))?;
            let weights: Vec<f32> = booster.weight_drop.iter().map(|weight| weight.0).collect();
            match weights.len() == inner.model.trees.len() {
                true => Ok((inner.model, weights)),
                false => Err(broken(format!(
                    "`weight_drop` has {} weights for {} trees",
                    weights.len(),
                    inner.model.trees.len()
                ))),
            }
        }
        name => Err(Error::Unsupported {
            what: format!("XGBoost's booster `{name}`"),
            hint: "tree methods explain gbtree and dart; a linear model's coefficients explain it".to_owned(),
        }),
    }
}

fn n_outputs(n_classes: usize, n_targets: usize) -> Result<usize, Error> {
    match n_classes.max(n_targets).max(1) {
        n if n <= MAX_OUTPUTS => Ok(n),
        n => Err(broken(format!("{n} outputs, where {MAX_OUTPUTS} is the most"))),
    }
}

/// One for each output: files hold one number, or from 3.1 on a list such as `[5E-1]`.
fn base_scores(text: &str, n_outputs: usize) -> Result<Vec<f32>, Error> {
    let inner = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let scores = inner
        .split(',')
        .map(|score| score.trim().parse())
        .collect::<Result<Vec<f32>, _>>()
        .map_err(|_| broken(format!("`base_score` is `{text}`, not numbers")))?;
    match scores.len() {
        1 => Ok(vec![scores[0]; n_outputs]),
        n if n == n_outputs => Ok(scores),
        n => Err(broken(format!("`base_score` has {n} numbers for {n_outputs} outputs"))),
    }
}

fn feature_names(names: Vec<String>, n_features: usize) -> Result<Option<Vec<String>>, Error> {
    match names.len() {
        0 => Ok(None),
        n if n == n_features => Ok(Some(names)),
        n => Err(broken(format!("{n} `feature_names` for {n_features} features"))),
    }
}

fn read_trees(
    trees: &Trees,
    weights: &[f32],
    n_outputs: usize,
    n_used: usize,
    n_bytes: usize,
) -> Result<Vec<Tree>, Error> {
    if trees.tree_info.len() != trees.trees.len() {
        return Err(broken(format!(
            "{} trees, but `tree_info` has {}",
            trees.trees.len(),
            trees.tree_info.len()
        )));
    }
    let mut budget = CategoryBudget::new(n_bytes);
    let mut read = Vec::with_capacity(n_used);
    for (index, (arrays, &output)) in trees.trees.iter().zip(&trees.tree_info).take(n_used).enumerate() {
        let width: usize = arrays.tree_param.size_leaf_vector.parse_or("size_leaf_vector", 1)?;
        let outputs = if width > 1 { 0..width } else { output..output.saturating_add(1) };
        if outputs.end > n_outputs || (width > 1 && width != n_outputs) {
            return Err(broken(format!("tree {index}: outputs {outputs:?} of {n_outputs}")));
        }
        let weight = weights.get(index).copied().unwrap_or(1.0);
        read.push(tree(arrays, outputs, weight, &mut budget).map_err(|error| error.in_tree(index))?);
    }
    Ok(read)
}

/// How many trees predictions use: those up to `best_iteration`, which early stopping left, as XGBoost's scikit-learn
/// classes do; else all.
fn n_used_trees(
    trees: &Trees,
    attributes: &BTreeMap<String, String>,
    n_outputs: usize,
    warnings: &mut Vec<String>,
) -> Result<usize, Error> {
    let n_trees = trees.trees.len();
    let Some(best) = number(attributes, "best_iteration")? else { return Ok(n_trees) };
    let end = best.saturating_add(1);
    let n_used = match trees.iteration_indptr.as_slice() {
        [] => {
            end.saturating_mul(n_outputs).saturating_mul(n_parallel(trees, attributes, n_outputs, warnings)?)
        }
        starts => starts.get(end).copied().unwrap_or(n_trees),
    };
    if n_used < n_trees {
        warnings.push(format!(
            "training stopped early: the first {n_used} of {n_trees} trees are used, up to best_iteration {best}, as \
             XGBoost's scikit-learn classes do; Booster.predict uses all unless iteration_range is given"
        ));
    }
    Ok(n_used.min(n_trees))
}

fn number(attributes: &BTreeMap<String, String>, name: &str) -> Result<Option<usize>, Error> {
    attributes.get(name).map(|text| Text(text.clone()).parse(name)).transpose()
}

/// How many trees grew in each round for each output.
fn n_parallel(
    trees: &Trees,
    attributes: &BTreeMap<String, String>,
    n_outputs: usize,
    warnings: &mut Vec<String>,
) -> Result<usize, Error> {
    if let Some(text) = &trees.gbtree_model_param.num_parallel_tree {
        return Ok(text.parse::<usize>("num_parallel_tree")?.max(1));
    }
    // Up to 1.5 the file does not say. Where several outputs take turns, the first turn's length tells; the wrapper
    // of 1.4 and 1.5 counts the trees of the best rounds.
    if n_outputs > 1 {
        return Ok(trees.tree_info.iter().take_while(|&&output| output == 0).count().max(1));
    }
    let best = number(attributes, "best_iteration")?.unwrap_or(0).saturating_add(1);
    match number(attributes, "best_ntree_limit")? {
        Some(limit) if limit >= best && limit % best == 0 => Ok(limit / best),
        _ => {
            warnings.push("the file does not say how many trees grew in a round: one is assumed".to_owned());
            Ok(1)
        }
    }
}

/// What the scikit-learn classes of versions up to 1.5 wrote of themselves: the value that stands for missing, and
/// the classes.
fn wrapper(attributes: &BTreeMap<String, String>, n_outputs: usize) -> (Option<f64>, Option<Vec<String>>) {
    // Python writes NaN, which is no JSON; it is the default.
    let text = attributes.get("scikit_learn").map(|text| text.replace(": NaN", ": null"));
    let about: Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
    let missing = about["missing"].as_f64().map(|value| f64::from(value as f32));
    let classes = about["classes_"].as_array().filter(|classes| classes.len() == n_outputs && n_outputs > 1);
    let name = |class: &Value| class.as_str().map_or_else(|| class.to_string(), str::to_owned);
    (missing, classes.map(|classes| classes.iter().map(name).collect()))
}
