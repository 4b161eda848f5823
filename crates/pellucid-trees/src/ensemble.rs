//! What every tree model becomes: trees whose leaves add up to margins.

use std::ops::Range;

use crate::error::Error;

/// Trees whose leaves add up: `margin[k] = base_scores[k] + scale · Σ leaf values of output k`.
///
/// Readers make it so that it predicts what the library that trained the model predicts; every method explains it.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeEnsemble {
    /// In the order in which the source adds them up.
    pub trees: Vec<Tree>,
    /// The number of features of a row.
    pub n_features: usize,
    /// The margin of a row that no tree adds to, one an output.
    pub base_scores: Vec<f64>,
    /// What the sum of the leaves is multiplied with: 1, or 1 / rounds for averages, or the scale that the file names.
    pub scale: f64,
    /// From margins to predictions.
    pub link: Link,
    /// What the source rounds feature values to before it compares them.
    pub precision: Precision,
    /// How the source adds leaves up: what float for float equality needs.
    pub arithmetic: Arithmetic,
    /// What the source takes a cell for that a sparse row leaves out: NaN (XGBoost) or 0.
    pub absent: f64,
    /// A value that means "missing" beside NaN, where the source has one.
    pub missing_value: Option<f64>,
    /// The names of the features.
    pub feature_names: Option<Vec<String>>,
    /// The names of the outputs: class labels.
    pub output_names: Option<Vec<String>>,
    /// What the file calls the categories that a feature's numbers count from 0, one list a feature, empty for features
    /// without such names.
    pub categories: Option<Vec<Vec<String>>>,
    /// Whether nodes tell how many training rows reached them; path-dependent methods need it.
    pub has_covers: bool,
    /// What wrote the file.
    pub provenance: Provenance,
}

/// Where a model came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// `xgboost`, `lightgbm`, `catboost`, `onnx`, `scikit-learn`.
    pub library: String,
    /// Its version, as far as the file tells.
    pub version: String,
    /// The objective in the library's own words.
    pub objective: String,
    /// What a reader of explanations must know of this model.
    pub warnings: Vec<String>,
}

/// One tree. The root is node 0; children stand behind their parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// All nodes.
    pub nodes: Vec<TreeNode>,
    /// `[leaves, outputs.len()]`, row by row.
    pub leaf_values: Vec<f64>,
    /// The outputs that leaves add to: one, or several for vector leaves.
    pub outputs: Range<usize>,
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum TreeNode {
    /// Sends a row on.
    Split(Split),
    /// Ends a path.
    Leaf {
        /// Which row of [`Tree::leaf_values`].
        leaf: u32,
        /// The weight of the training rows that ended here; 0 where unknown.
        cover: f64,
    },
}

/// A test of one feature, with two children.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Which feature.
    pub feature: u32,
    /// What sends a row left.
    pub test: Test,
    /// What happens to a row without the value.
    pub missing: Missing,
    /// The node of rows that pass.
    pub left: u32,
    /// The node of those that do not.
    pub right: u32,
    /// The weight of the training rows that came here; 0 where unknown.
    pub cover: f64,
    /// How much the split lowered the training loss, where the file tells.
    pub gain: f64,
}

/// What sends a row left. Strict comparisons `x < t` are read as `x <= next_down(t)` in the source's precision.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `x <= threshold`.
    AtMost(f64),
    /// The category is in the set; what is not a category (negative, too large) goes as [`CategorySet::other_left`] says.
    In(CategorySet),
}

/// Some of the categories of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategorySet {
    /// Bit `c % 64` of word `c / 64` is set where category `c` goes left.
    pub words: Vec<u64>,
    /// Whether a category beyond the words, a negative or an infinite value goes left.
    pub other_left: bool,
    /// Which category a value between two is.
    pub fraction: Fraction,
}

/// Which category a value is that is no whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fraction {
    /// Its integer part: −0.5 is 0 (LightGBM).
    Cut,
    /// The one below: −0.5 is negative (XGBoost).
    Floor,
    /// None (ONNX, which compares for equality).
    None,
}

/// Where a row goes whose value is missing, and what counts as missing beside [`TreeEnsemble::missing_value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whether NaN goes left.
    pub nan_left: bool,
    /// Whether values of at most [`LIGHTGBM_ZERO`] in magnitude go where NaN goes (LightGBM's `zero_as_missing`).
    pub zero: bool,
}

/// No more features are taken: methods keep numbers of each, and a few bytes of a file can name any number.
const MAX_FEATURES: usize = 1 << 24;

/// The largest magnitude that LightGBM takes for 0: 1e-35 as f32, which is a little more than 1e-35.
pub const LIGHTGBM_ZERO: f64 = 1e-35_f32 as f64;

/// From margins to predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// The margin is the prediction.
    Identity,
    /// `1 / (1 + exp(−slope · margin))`, each output alone.
    Sigmoid {
        /// LightGBM's `sigmoid`; else 1.
        slope: f64,
    },
    /// `exp(m_k) / Σ exp(m_j)`.
    Softmax,
    /// `exp(margin)`.
    Exp,
    /// `log(1 + exp(margin))`.
    Softplus,
    /// `sign(margin) · margin²`.
    SignedSquare,
    /// 1 where the margin is above 0, else 0.
    Step,
    /// The mean of the trees is a probability already (forests of classification trees).
    Probability,
}

/// What feature values are rounded to before they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To f32.
    F32,
    /// Not at all.
    F64,
}

/// How the source adds up a row's leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// In f32, tree by tree, from the base score.
    F32BaseFirst,
    /// In f32, tree by tree, from 0; the base score is added last.
    F32BaseLast,
    /// In f32, tree by tree, from 0, divided by 1 / scale, which is a whole number; the base score is added last.
    F32Mean,
    /// In f64.
    F64,
    /// In f64; the sum is divided by the whole number that [`TreeEnsemble::scale`] is one over.
    F64Mean,
}

impl Tree {
    /// The number of values a leaf has.
    pub fn width(&self) -> usize {
        self.outputs.len()
    }

    /// The values of a leaf, one for each of [`Tree::outputs`].
    pub fn leaf(&self, leaf: u32) -> &[f64] {
        let start = leaf as usize * self.width();
        &self.leaf_values[start..start + self.width()]
    }

    /// The splits, from the root down.
    pub fn splits(&self) -> impl Iterator<Item = &Split> {
        self.nodes.iter().filter_map(|node| match node {
            TreeNode::Split(split) => Some(split),
            TreeNode::Leaf { .. } => None,
        })
    }
}

impl TreeNode {
    /// The weight of the training rows that came here.
    pub fn cover(&self) -> f64 {
        match self {
            Self::Split(split) => split.cover,
            Self::Leaf { cover, .. } => *cover,
        }
    }
}

impl Split {
    /// Whether a row with this value goes left. The value is rounded to the source's precision, missing is NaN.
    pub fn goes_left(&self, value: f64) -> bool {
        if value.is_nan() || (self.missing.zero && value.abs() <= LIGHTGBM_ZERO) {
            return self.missing.nan_left;
        }
        match &self.test {
            Test::AtMost(threshold) => value <= *threshold,
            Test::In(set) => set.contains(value),
        }
    }
}

impl CategorySet {
    /// The set of these categories; the fractions of values are cut off.
    pub fn new(categories: &[u32], other_left: bool) -> Self {
        let length = categories.iter().max().map_or(0, |&most| most as usize / 64 + 1);
        let mut words = vec![0; length];
        for &category in categories {
            words[category as usize / 64] |= 1 << (category % 64);
        }
        Self { words, other_left, fraction: Fraction::Cut }
    }

    /// Whether a value goes left.
    pub fn contains(&self, value: f64) -> bool {
        let no_category = match self.fraction {
            Fraction::Cut => false,
            Fraction::Floor => value < 0.0,
            Fraction::None => value.fract() != 0.0,
        };
        if no_category || !(value > -1.0 && value < self.words.len() as f64 * 64.0) {
            return self.other_left;
        }
        let category = value as usize;
        self.words[category / 64] >> (category % 64) & 1 == 1
    }
}

impl TreeEnsemble {
    /// Trees that add up to the prediction: base scores 0, scale 1, f64 throughout, no names, no covers.
    pub fn new(trees: Vec<Tree>, n_features: usize, n_outputs: usize) -> Self {
        Self {
            trees,
            n_features,
            base_scores: vec![0.0; n_outputs],
            scale: 1.0,
            link: Link::Identity,
            precision: Precision::F64,
            arithmetic: Arithmetic::F64,
            absent: f64::NAN,
            missing_value: None,
            feature_names: None,
            output_names: None,
            categories: None,
            has_covers: false,
            provenance: Provenance::default(),
        }
    }

    /// The number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.base_scores.len()
    }

    /// Checks what every method relies on: children behind parents, each node but the root the child of exactly one,
    /// features, leaves and outputs in range, finite leaf values and covers. Readers call it last.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the tree and the node; [`Error::Unsupported`] for more than 2²⁴ features.
    pub fn check(&self) -> Result<(), Error> {
        if self.n_features > MAX_FEATURES {
            let what = format!("a model of {} features", self.n_features);
            return Err(Error::Unsupported { what, hint: format!("{MAX_FEATURES} are the most") });
        }
        for (index, tree) in self.trees.iter().enumerate() {
            self.check_tree(tree).map_err(|(node, reason)| Error::Malformed { tree: index, node, reason })?;
        }
        Ok(())
    }

    fn check_tree(&self, tree: &Tree) -> Result<(), (usize, String)> {
        let mut parents = vec![0_u32; tree.nodes.len()];
        if tree.nodes.is_empty() || tree.outputs.is_empty() || tree.outputs.end > self.n_outputs() {
            return Err((0, format!("no nodes, or outputs {:?} of {}", tree.outputs, self.n_outputs())));
        }
        for (index, node) in tree.nodes.iter().enumerate() {
            check_node(self, tree, index, node).map_err(|reason| (index, reason))?;
            if let TreeNode::Split(split) = node {
                parents[split.left as usize] += 1;
                parents[split.right as usize] += 1;
            }
        }
        match parents.iter().skip(1).position(|&n| n != 1) {
            Some(orphan) => Err((orphan + 1, "not the child of exactly one node".to_owned())),
            None => Ok(()),
        }
    }
}

fn check_node(ensemble: &TreeEnsemble, tree: &Tree, index: usize, node: &TreeNode) -> Result<(), String> {
    if !(node.cover().is_finite() && node.cover() >= 0.0) {
        return Err(format!("cover {} is not a weight", node.cover()));
    }
    match node {
        TreeNode::Leaf { leaf, .. } => {
            let end = (*leaf as usize + 1) * tree.width();
            let values = tree.leaf_values.get(end - tree.width()..end).ok_or("a leaf without values")?;
            values
                .iter()
                .all(|v| v.is_finite())
                .then_some(())
                .ok_or_else(|| format!("leaf values {values:?}"))
        }
        TreeNode::Split(split) => {
            let children = index < split.left.min(split.right) as usize
                && (split.left.max(split.right) as usize) < tree.nodes.len();
            match (children, (split.feature as usize) < ensemble.n_features) {
                (true, true) => Ok(()),
                (false, _) => {
                    Err(format!("children {} and {} of {}", split.left, split.right, tree.nodes.len()))
                }
                (_, false) => Err(format!("feature {} of {}", split.feature, ensemble.n_features)),
            }
        }
    }
}
