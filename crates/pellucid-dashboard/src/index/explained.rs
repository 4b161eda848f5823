//! A payload → what the index keeps of it.

use pellucid_store::{Array, Payload, Values};
use serde::Serialize;
use serde_json::Value;

/// What a payload explains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A row of a table: one number a feature.
    Table,
    /// Channels of pixels.
    Image,
    /// Words.
    Text,
    /// Anything else, such as a series.
    #[default]
    Other,
}

/// What the index keeps of an explanation, and what it learns from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Explained {
    pub(crate) kind: Kind,
    pub(crate) target: Option<u64>,
    pub(crate) output: Option<f64>,
    pub(crate) output_space: Option<String>,
    pub(crate) signed: bool,
    /// Indices and names of outputs.
    pub(crate) classes: Vec<(usize, String)>,
    /// Of tables.
    pub(crate) names: Vec<String>,
    pub(crate) categories: Vec<Vec<String>>,
    pub(crate) attributions: Vec<f32>,
    pub(crate) inputs: Vec<f32>,
}

/// Outputs beyond are not given names: a number from a payload must not decide how much memory is taken.
const MAX_CLASSES: usize = 100_000;

impl Explained {
    pub(crate) fn of(payload: &Payload) -> Self {
        let details = &payload.details;
        let kind = kind(payload);
        let mut found = Self {
            kind,
            target: details["target"]["index"].as_u64(),
            output: details["output"].as_f64(),
            output_space: details["output_space"].as_str().map(str::to_owned),
            signed: details["signed"].as_bool().unwrap_or(true),
            classes: classes(details),
            ..Self::default()
        };
        if kind == Kind::Table {
            found.attributions = single_precision(array(&payload.attribution, "values"));
            found.inputs = single_precision(payload.input.first());
            found.names = names(details, found.attributions.len());
            found.categories = categories(details);
        }
        found
    }
}

impl Explained {
    /// Whether all numbers that are averaged are finite, as far as the payload has them.
    pub(crate) fn is_finite(&self) -> bool {
        self.attributions.iter().all(|x| x.is_finite()) && self.output.is_none_or(f64::is_finite)
    }
}

pub(crate) fn array<'a>(arrays: &'a [Array], name: &str) -> Option<&'a Array> {
    arrays.iter().find(|array| array.name() == name)
}

/// What the shapes and roles of a payload's arrays say.
pub(crate) fn kind(payload: &Payload) -> Kind {
    let Some(values) = array(&payload.attribution, "values") else { return Kind::Other };
    let is_text = |array: &Array| matches!(array.values(), Values::Text(_));
    if array(&payload.attribution, "words").is_some_and(is_text) {
        return Kind::Text;
    }
    let n_axes = values.shape().iter().skip_while(|length| **length == 1).count();
    let n_elements = |array: &Array| array.shape().iter().product::<u64>();
    let same_length = payload.input.first().is_some_and(|it| n_elements(it) == n_elements(values));
    match n_axes {
        _ if payload.details["channel_axis"].is_u64() => Kind::Image,
        0 | 1 if same_length => Kind::Table,
        3 => Kind::Image,
        _ => Kind::Other,
    }
}

/// All numbers of an array; none where it holds texts.
pub(crate) fn numbers(array: Option<&Array>) -> Vec<f64> {
    match array.map(Array::values) {
        Some(Values::F32(values)) => values.iter().map(|&x| f64::from(x)).collect(),
        Some(Values::F64(values)) => values.clone(),
        Some(Values::I64(values)) => values.iter().map(|&x| x as f64).collect(),
        _ => Vec::new(),
    }
}

fn single_precision(array: Option<&Array>) -> Vec<f32> {
    numbers(array).into_iter().map(|x| x as f32).collect()
}

/// The names of a table's features; `feature 0` where the model has none.
pub(crate) fn names(details: &Value, n: usize) -> Vec<String> {
    let given = texts(&details["feature_names"]);
    if given.len() == n { given } else { (0..n).map(|index| format!("feature {index}")).collect() }
}

/// What the numbers of each feature count from 0; empty for features without categories.
pub(crate) fn categories(details: &Value) -> Vec<Vec<String>> {
    let lists = details["feature_categories"].as_array();
    lists.map(|lists| lists.iter().map(texts).collect()).unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    list.as_array().map(|list| list.iter().map(text).collect()).unwrap_or_default()
}

fn classes(details: &Value) -> Vec<(usize, String)> {
    let listed = details["predictions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = listed.iter().chain([&details["target"]]).filter_map(|it| {
        let index = usize::try_from(it["index"].as_u64()?).ok().filter(|index| *index < MAX_CLASSES)?;
        Some((index, it["name"].as_str().filter(|name| !name.is_empty())?.to_owned()))
    });
    named.collect()
}
