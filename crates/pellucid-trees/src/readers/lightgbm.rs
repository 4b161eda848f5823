//! LightGBM's text (`save_model("model.txt")`, versions v2 to v4) → `TreeEnsemble`.

mod categories;
mod section;
mod tree;

use section::{Sections, broken};

use crate::ensemble::{Arithmetic, Link, Precision, Provenance, Tree, TreeEnsemble};
use crate::error::Error;

/// Reads a LightGBM text model. Margins are LightGBM's `raw_score`, predictions are its `predict`; with `boosting=rf` margins are the
/// averages from which it predicts, and `raw_score` is their sum over all rounds.
pub(super) fn read(bytes: &[u8]) -> Result<TreeEnsemble, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| broken(format!("not UTF-8: {error}")))?;
    let sections = Sections::of(text)?;
    let header = Header::of(&sections)?;
    let mut trees = Vec::with_capacity(sections.trees.len());
    let mut has_covers = true;
    for (index, section) in sections.trees.iter().enumerate() {
        let output = index % header.n_outputs;
        let (nodes, leaf_values) = tree::read(section)?;
        has_covers &= nodes.len() == 1 || nodes[0].cover() > 0.0;
        trees.push(Tree { nodes, leaf_values, outputs: output..output + 1 });
    }
    let ensemble = header.around(trees, has_covers);
    ensemble.check()?;
    Ok(ensemble)
}

struct Header<'a> {
    version: &'a str,
    objective: &'a str,
    link: Link,
    n_outputs: usize,
    n_rounds: usize,
    averaged: bool,
    feature_names: Vec<String>,
    pandas_categories: bool,
    categories: Option<Vec<Vec<String>>>,
}

impl<'a> Header<'a> {
    fn of(sections: &Sections<'a>) -> Result<Self, Error> {
        let header = &sections.header;
        let version = known_version(header.text("version").unwrap_or("none"))?;
        let n_classes: usize = header.number("num_class")?;
        let n_outputs = match header.has("num_tree_per_iteration") {
            true => header.number("num_tree_per_iteration")?,
            false => n_classes,
        };
        let objective = if header.has("objective") { header.text("objective")? } else { "none" };
        let link = link_of(objective)?;
        if link == Link::Softmax && n_outputs != n_classes {
            return Err(broken(format!("{n_outputs} trees an iteration for {n_classes} classes")));
        }
        let n_trees = sections.trees.len();
        if n_trees == 0 || n_outputs == 0 || !n_trees.is_multiple_of(n_outputs) {
            return Err(broken(format!("{n_trees} trees, with {n_outputs} in each iteration")));
        }
        let feature_names = feature_names(sections)?;
        Ok(Self {
            version,
            objective,
            link,
            n_outputs,
            n_rounds: n_trees / n_outputs,
            averaged: header.has("average_output"),
            categories: categories::read(sections, feature_names.len())?,
            feature_names,
            pandas_categories: sections.pandas_categorical.is_some(),
        })
    }

    fn around(self, trees: Vec<Tree>, has_covers: bool) -> TreeEnsemble {
        let warnings = self.warnings();
        let arithmetic = if self.averaged { Arithmetic::F64Mean } else { Arithmetic::F64 };
        TreeEnsemble {
            trees,
            n_features: self.feature_names.len(),
            // The average that boosting starts from is in the leaves of the first trees.
            base_scores: vec![0.0; self.n_outputs],
            scale: if self.averaged { 1.0 / self.n_rounds as f64 } else { 1.0 },
            link: self.link,
            precision: Precision::F64,
            arithmetic,
            absent: 0.0,
            missing_value: None,
            feature_names: Some(self.feature_names),
            output_names: None,
            categories: self.categories,
            has_covers,
            provenance: Provenance {
                library: "lightgbm".to_owned(),
                version: self.version.to_owned(),
                objective: self.objective.to_owned(),
                warnings,
            },
        }
    }

    fn warnings(&self) -> Vec<String> {
        let averaged = self.averaged.then(|| {
            let n = self.n_rounds;
            format!(
                "a random forest: margins are averages of {n} trees, where LightGBM's raw_score is the sum"
            )
        });
        let categories = self.pandas_categories.then(|| {
            "trained on pandas categories: numbers in their columns are codes, in the order of the file's pandas_categorical"
                .to_owned()
        });
        averaged.into_iter().chain(categories).collect()
    }
}

fn known_version(version: &str) -> Result<&str, Error> {
    match version {
        "v2" | "v3" | "v4" => Ok(version),
        _ => Err(Error::Unsupported {
            what: format!("version `{version}` of LightGBM's text model"),
            hint: "v2, v3 and v4 (LightGBM 2.1 to 4) are read: load the model with one of these and save it again"
                .to_owned(),
        }),
    }
}

fn feature_names(sections: &Sections<'_>) -> Result<Vec<String>, Error> {
    let header = &sections.header;
    let highest: usize = header.number("max_feature_idx")?;
    let names: Vec<String> = header.text("feature_names")?.split_whitespace().map(str::to_owned).collect();
    match names.len().checked_sub(1) {
        Some(last) if last == highest => Ok(names),
        _ => Err(broken(format!(
            "{} feature_names, but max_feature_idx is {highest}: not one less",
            names.len()
        ))),
    }
}

/// The objective is a name and its settings, `binary sigmoid:1`; it decides how LightGBM converts sums of leaves.
fn link_of(objective: &str) -> Result<Link, Error> {
    let mut words = objective.split_whitespace();
    let name = words.next().unwrap_or("none");
    let settings: Vec<&str> = words.collect();
    Ok(match name {
        // With `reg_sqrt` the square root of the target was learned.
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" => {
            if settings.contains(&"sqrt") { Link::SignedSquare } else { Link::Identity }
        }
        "poisson" | "gamma" | "tweedie" => Link::Exp,
        "binary" | "multiclassova" => Link::Sigmoid { slope: sigmoid_of(objective, &settings)? },
        "cross_entropy" | "xentropy" => Link::Sigmoid { slope: 1.0 },
        "cross_entropy_lambda" | "xentlambda" => Link::Softplus,
        "multiclass" => Link::Softmax,
        "lambdarank" | "rank_xendcg" | "none" | "custom" => Link::Identity,
        _ => {
            return Err(Error::Unsupported {
                what: format!("LightGBM's objective `{name}`"),
                hint: "how it turns margins into predictions is not known".to_owned(),
            });
        }
    })
}

fn sigmoid_of(objective: &str, settings: &[&str]) -> Result<f64, Error> {
    let slope = settings.iter().find_map(|setting| setting.strip_prefix("sigmoid:")?.parse().ok());
    slope.filter(|&slope: &f64| slope.is_finite() && slope > 0.0).ok_or_else(|| {
        broken(format!("the objective `{objective}` has no setting `sigmoid:` with a number above 0"))
    })
}

#[cfg(test)]
mod tests;
