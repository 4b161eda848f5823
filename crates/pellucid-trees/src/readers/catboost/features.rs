//! `features_info`: which column a split tests, and how.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::broken;
use super::hash::whole_numbers;
use crate::ensemble::{CategorySet, Missing, Test};
use crate::error::Error;

/// More than any table has; a wrong index must not ask for more memory than there is.
const MAX_FEATURES: usize = 1 << 20;
/// One-hot categories are sets of bits in every node: a higher category would make each of them large.
const MAX_CATEGORY: u32 = 4095;

#[derive(Deserialize)]
pub(super) struct FeaturesInfo {
    #[serde(default)]
    float_features: Vec<Feature>,
    #[serde(default)]
    categorical_features: Vec<Feature>,
    #[serde(default)]
    text_features: Vec<IgnoredAny>,
    #[serde(default)]
    embedding_features: Vec<IgnoredAny>,
    /// Which category has which hash, where the file was saved with `pool=`.
    #[serde(default)]
    cat_features_hash: Vec<Category>,
}

#[derive(Deserialize)]
struct Feature {
    feature_index: usize,
    flat_feature_index: usize,
    #[serde(default)]
    feature_id: String,
    #[serde(default)]
    feature_name: String,
    #[serde(default)]
    nan_value_treatment: String,
}

#[derive(Deserialize)]
struct Category {
    hash: u32,
    value: String,
}

/// A test of a node in CatBoost's words.
#[derive(Deserialize)]
pub(super) struct SplitInfo {
    split_type: String,
    float_feature_index: Option<usize>,
    border: Option<f64>,
    cat_feature_index: Option<usize>,
    value: Option<i64>,
}

pub(super) struct Features {
    pub(super) n_features: usize,
    pub(super) names: Option<Vec<String>>,
    floats: BTreeMap<usize, Feature>,
    categoricals: BTreeMap<usize, Feature>,
    /// The categories that the file names, by their hashes.
    categories: BTreeMap<u32, String>,
    /// Whole numbers by their hashes, for files that name none.
    numbers: BTreeMap<u32, u32>,
}

/// What a node tests.
#[derive(Clone)]
pub(super) struct Decision {
    pub(super) feature: u32,
    pub(super) test: Test,
    pub(super) missing: Missing,
    /// Whether a row that passes the test goes to CatBoost's right child, the one of higher leaf numbers.
    pub(super) passing_is_right: bool,
}

impl Features {
    pub(super) fn of(info: FeaturesInfo) -> Result<Self, Error> {
        for (kind, features) in [("text", &info.text_features), ("embedding", &info.embedding_features)] {
            if !features.is_empty() {
                return Err(unsupported(
                    format!("a CatBoost model of {kind} features"),
                    "what it computes from them is not in the file: turn them into numbers before training",
                ));
            }
        }
        let all = || info.float_features.iter().chain(&info.categorical_features);
        let n_features = all().map(|feature| feature.flat_feature_index.saturating_add(1)).max().unwrap_or(0);
        if n_features == 0 || n_features > MAX_FEATURES {
            return Err(broken(format!("{n_features} features, not 1 to {MAX_FEATURES}")));
        }
        Ok(Self {
            n_features,
            names: names(all(), n_features),
            numbers: if info.categorical_features.is_empty() { BTreeMap::new() } else { whole_numbers() },
            floats: by_index(info.float_features),
            categoricals: by_index(info.categorical_features),
            categories: info
                .cat_features_hash
                .into_iter()
                .map(|category| (category.hash, category.value))
                .collect(),
        })
    }

    pub(super) fn decision(&self, split: &SplitInfo) -> Result<Decision, Error> {
        match split.split_type.as_str() {
            "FloatFeature" => self.float_decision(split),
            "OneHotFeature" => self.one_hot_decision(split),
            "OnlineCtr" => Err(self.target_statistic()),
            other => {
                Err(unsupported(format!("CatBoost's split type `{other}`"), "train without such features"))
            }
        }
    }

    /// Right where the value, as f32, is above the border.
    fn float_decision(&self, split: &SplitInfo) -> Result<Decision, Error> {
        let (index, border) = both(split.float_feature_index, split.border)?;
        let feature = known(&self.floats, index, "float")?;
        let nan_left = match feature.nan_value_treatment.as_str() {
            "AsTrue" => false,
            "AsFalse" | "AsIs" => true,
            other => return Err(broken(format!("nan_value_treatment `{other}` of float feature {index}"))),
        };
        Ok(Decision {
            feature: feature.flat_feature_index as u32,
            test: Test::AtMost(f64::from(border as f32)),
            missing: Missing { nan_left, zero: false },
            passing_is_right: false,
        })
    }

    /// Right where the category is the one whose hash the split names.
    fn one_hot_decision(&self, split: &SplitInfo) -> Result<Decision, Error> {
        let (index, value) = both(split.cat_feature_index, split.value)?;
        let feature = known(&self.categoricals, index, "categorical")?;
        // CatBoost writes hashes of 32 bits with a sign here, without one in `cat_features_hash`.
        let hash = value as u32;
        let category = self.categories.get(&hash).map(String::as_str);
        let number = match category {
            Some(category) => whole_number(category),
            None => self.numbers.get(&hash).copied(),
        };
        let number = number.ok_or_else(|| no_number(feature, category, value))?;
        Ok(Decision {
            feature: feature.flat_feature_index as u32,
            test: Test::In(CategorySet::new(&[number], false)),
            missing: Missing { nan_left: false, zero: false },
            passing_is_right: true,
        })
    }

    fn target_statistic(&self) -> Error {
        let names: Vec<&str> =
            self.categoricals.values().map(Feature::name).filter(|name| !name.is_empty()).collect();
        let of =
            if names.is_empty() { String::new() } else { format!(" of {}", shortened(&names.join(", "))) };
        unsupported(
            format!("CatBoost's CTR, a statistic of the target by category{of},"),
            "it has no thresholds in the features themselves: train with one_hot_max_size above the number of categories, \
            or encode them before",
        )
    }
}

impl Feature {
    fn name(&self) -> &str {
        if self.feature_name.is_empty() { &self.feature_id } else { &self.feature_name }
    }
}

fn by_index(features: Vec<Feature>) -> BTreeMap<usize, Feature> {
    features.into_iter().map(|feature| (feature.feature_index, feature)).collect()
}

/// The names of all columns; CatBoost calls columns without a name by their number.
fn names<'a>(features: impl Iterator<Item = &'a Feature> + Clone, n_features: usize) -> Option<Vec<String>> {
    features.clone().any(|feature| !feature.name().is_empty()).then(|| {
        let mut names: Vec<String> = (0..n_features).map(|index| index.to_string()).collect();
        for feature in features.filter(|feature| !feature.name().is_empty()) {
            names[feature.flat_feature_index] = feature.name().to_owned();
        }
        names
    })
}

fn both<A, B>(a: Option<A>, b: Option<B>) -> Result<(A, B), Error> {
    a.zip(b).ok_or_else(|| broken("a split without its feature or its border".to_owned()))
}

fn known<'f>(features: &'f BTreeMap<usize, Feature>, index: usize, kind: &str) -> Result<&'f Feature, Error> {
    features
        .get(&index)
        .ok_or_else(|| broken(format!("a split on {kind} feature {index}, which features_info has not")))
}

/// Rows hold numbers, and CatBoost hashes the decimal digits of a whole number.
fn whole_number(category: &str) -> Option<u32> {
    let number: u32 = category.parse().ok()?;
    (number <= MAX_CATEGORY && number.to_string() == category).then_some(number)
}

fn no_number(feature: &Feature, category: Option<&str>, hash: i64) -> Error {
    let name = shortened(feature.name());
    match category {
        Some(category) => unsupported(
            format!("the category `{}` of CatBoost's one-hot feature `{name}`", shortened(category)),
            "rows are numbers: encode categories as whole numbers from 0 to 4095 before training",
        ),
        None => unsupported(
            format!("the unknown category with hash {hash} of CatBoost's one-hot feature `{name}`"),
            "save the model with its training data, save_model(path, format=\"json\", pool=pool), so that the file names it",
        ),
    }
}

fn unsupported(what: String, hint: &str) -> Error {
    Error::Unsupported { what, hint: hint.to_owned() }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
