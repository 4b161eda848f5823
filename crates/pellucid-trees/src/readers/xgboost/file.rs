//! The file as XGBoost writes it, version by version: what is missing in some stands as its default.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bare_words;

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) learner: Learner,
    /// Major, minor, patch.
    pub(super) version: Vec<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    pub(super) gradient_booster: Booster,
    pub(super) learner_model_param: ModelParameters,
    pub(super) objective: Objective,
}

/// `gbtree`, `gblinear` or `dart`, which holds a `gbtree`.
#[derive(Debug, Deserialize)]
pub(super) struct Booster {
    pub(super) name: String,
    #[serde(default)]
    pub(super) model: Trees,
    pub(super) gbtree: Option<Box<Booster>>,
    /// DART's weights of the trees.
    #[serde(default)]
    pub(super) weight_drop: Vec<F32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Trees {
    /// From 3.1 on.
    pub(super) cats: Categories,
    pub(super) gbtree_model_param: TreesParameters,
    /// The trees of iteration `i` are `iteration_indptr[i]..iteration_indptr[i + 1]` (from 2.0 on).
    pub(super) iteration_indptr: Vec<usize>,
    /// The output to which each tree adds.
    pub(super) tree_info: Vec<usize>,
    pub(super) trees: Vec<TreeArrays>,
}

/// The names of categories, for each feature.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Categories {
    pub(super) enc: Vec<CategoryNames>,
}

/// Texts as bytes with their offsets, or numbers.
#[derive(Debug, Deserialize)]
pub(super) struct CategoryNames {
    pub(super) offsets: Option<Vec<usize>>,
    pub(super) values: Vec<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TreesParameters {
    /// From 1.6 on.
    pub(super) num_parallel_tree: Option<Text>,
}

/// Numbers that XGBoost writes as texts; a list of them for base scores.
#[derive(Debug, Deserialize)]
pub(super) struct ModelParameters {
    pub(super) base_score: Text,
    #[serde(default)]
    pub(super) num_class: Text,
    pub(super) num_feature: Text,
    /// From 1.6 on.
    #[serde(default)]
    pub(super) num_target: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct Objective {
    pub(super) name: String,
}

/// One tree, an entry for each node.
#[derive(Debug, Deserialize)]
pub(super) struct TreeArrays {
    pub(super) tree_param: TreeParameters,
    pub(super) left_children: Vec<i64>,
    pub(super) right_children: Vec<i64>,
    pub(super) split_indices: Vec<i64>,
    /// Thresholds; the values of leaves.
    pub(super) split_conditions: Vec<F32>,
    pub(super) default_left: Vec<Flag>,
    #[serde(default)]
    pub(super) loss_changes: Vec<F32>,
    /// Absent for vector leaves up to 3.1.
    pub(super) sum_hessian: Option<Vec<F32>>,
    /// Vector leaves stand here up to 3.1, `[nodes, outputs]`.
    #[serde(default)]
    pub(super) base_weights: Vec<F32>,
    /// Vector leaves stand here from 3.2 on, `[leaves, outputs]`; the right child of a leaf is its row.
    pub(super) leaf_weights: Option<Vec<F32>>,
    /// 1 where a split is categorical.
    #[serde(default)]
    pub(super) split_type: Vec<u8>,
    /// The sets of all categorical splits, one after the other.
    #[serde(default)]
    pub(super) categories: Vec<u32>,
    /// The nodes of these sets.
    #[serde(default)]
    pub(super) categories_nodes: Vec<usize>,
    /// Where each set begins.
    #[serde(default)]
    pub(super) categories_segments: Vec<usize>,
    /// How long each set is.
    #[serde(default)]
    pub(super) categories_sizes: Vec<usize>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeParameters {
    pub(super) num_nodes: Text,
    /// 0 (to 1.7) or 1 for scalars.
    #[serde(default)]
    pub(super) size_leaf_vector: Text,
}

/// A text, or a number or a list of numbers written as one.
#[derive(Debug, Default)]
pub(super) struct Text(pub(super) String);

/// A number as f32, rounded once.
#[derive(Clone, Copy, Debug)]
pub(super) struct F32(pub(super) f32);

/// `true`, or 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag(pub(super) bool);

struct TextVisitor;
struct F32Visitor;
struct FlagVisitor;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for F32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f32(F32Visitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor).map(Self)
    }
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a number or a list of numbers")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f32<E: Error>(self, number: f32) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<String, A::Error> {
        let mut numbers = Vec::new();
        while let Some(F32(number)) = list.next_element()? {
            numbers.push(number.to_string());
        }
        Ok(format!("[{}]", numbers.join(",")))
    }
}

impl Visitor<'_> for F32Visitor {
    type Value = f32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f32, E> {
        Ok(bare_words::number(number, false))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f32, E> {
        Ok(bare_words::number(number.unsigned_abs(), number < 0))
    }

    fn visit_f32<E: Error>(self, number: f32) -> Result<f32, E> {
        Ok(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f32, E> {
        Ok(number as f32)
    }
}

impl Visitor<'_> for FlagVisitor {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("true, false, 1 or 0")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<bool, E> {
        Ok(flag)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        Ok(number != 0)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<bool, E> {
        Ok(number != 0)
    }
}
