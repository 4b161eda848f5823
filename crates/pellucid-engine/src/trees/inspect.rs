//! What is in a tree model's file.

use pellucid_trees::{Link, Test, Tree, TreeNode};

use super::model::TreeModel;

/// What is in a tree model's file.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeInspection {
    /// The file's name without folder and ending.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// The file's format: `lightgbm`, `xgboost-json`.
    pub format: String,
    /// Library and version.
    pub producer: String,
    /// The objective in the library's words.
    pub objective: String,
    /// From margins to predictions, in words.
    pub link: String,
    /// Trees.
    pub n_trees: usize,
    /// Leaves of all trees.
    pub n_leaves: usize,
    /// Splits on the longest path.
    pub depth: usize,
    /// Features with their names, if the file has them.
    pub features: Vec<FeatureInfo>,
    /// The names of the outputs.
    pub outputs: Vec<String>,
    /// The margin of a row that no tree adds to, one an output.
    pub base_scores: Vec<f64>,
    /// Whether nodes tell how many training rows reached them.
    pub has_covers: bool,
    /// The margin expected where no feature is known, one an output, where covers tell.
    pub expected_values: Option<Vec<f64>>,
    /// A value that means "missing" beside NaN.
    pub missing_value: Option<f64>,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// A feature of a tree model.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureInfo {
    /// Its name.
    pub name: String,
    /// Splits that test it.
    pub n_splits: usize,
    /// Splits that test whether it is in a set of categories.
    pub n_category_splits: usize,
    /// Splits that send missing values with the smaller values, or with the set.
    pub n_missing_left: usize,
    /// The names of its categories, if the file has them.
    pub categories: Vec<String>,
}

/// Looks into a tree model.
pub fn inspect_trees(model: &TreeModel) -> TreeInspection {
    let ensemble = model.ensemble();
    let name = |index: usize| {
        let names = ensemble.feature_names.as_ref().and_then(|names| names.get(index).cloned());
        names.unwrap_or_else(|| format!("feature {index}"))
    };
    let categories = |index: usize| {
        ensemble.categories.as_ref().and_then(|lists| lists.get(index).cloned()).unwrap_or_default()
    };
    let feature = |index: usize| FeatureInfo {
        name: name(index),
        n_splits: 0,
        n_category_splits: 0,
        n_missing_left: 0,
        categories: categories(index),
    };
    let mut features: Vec<FeatureInfo> = (0..ensemble.n_features).map(feature).collect();
    for split in ensemble.trees.iter().flat_map(Tree::splits) {
        let feature = &mut features[split.feature as usize];
        feature.n_splits += 1;
        feature.n_category_splits += usize::from(matches!(split.test, Test::In(_)));
        feature.n_missing_left += usize::from(split.missing.nan_left);
    }
    TreeInspection {
        name: model.name().to_owned(),
        digest: model.digest().to_owned(),
        format: model.format().to_owned(),
        producer: model.producer(),
        objective: ensemble.provenance.objective.clone(),
        link: link(ensemble.link).to_owned(),
        n_trees: ensemble.trees.len(),
        n_leaves: ensemble.trees.iter().map(n_leaves).sum(),
        depth: ensemble.trees.iter().map(depth).max().unwrap_or(0),
        features,
        outputs: (0..ensemble.n_outputs()).map(|index| model.output_label(index)).collect(),
        base_scores: ensemble.base_scores.clone(),
        has_covers: ensemble.has_covers,
        expected_values: ensemble.expected_value().ok(),
        missing_value: ensemble.missing_value,
        warnings: ensemble.provenance.warnings.clone(),
    }
}

fn link(link: Link) -> &'static str {
    match link {
        Link::Identity => "none: the margin is the prediction",
        Link::Sigmoid { .. } => "sigmoid, each output alone",
        Link::Softmax => "softmax",
        Link::Exp => "exp",
        Link::Softplus => "log(1 + exp(margin))",
        Link::SignedSquare => "sign(margin) · margin²",
        Link::Step => "1 above 0, else 0",
        Link::Probability => "none: the margin is a probability",
    }
}

fn n_leaves(tree: &Tree) -> usize {
    tree.nodes.iter().filter(|node| matches!(node, TreeNode::Leaf { .. })).count()
}

/// Children stand behind their parent, so one pass is enough.
fn depth(tree: &Tree) -> usize {
    let mut depths = vec![0; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate() {
        if let TreeNode::Split(split) = node {
            depths[split.left as usize] = depths[index] + 1;
            depths[split.right as usize] = depths[index] + 1;
        }
    }
    depths.into_iter().max().unwrap_or(0)
}
