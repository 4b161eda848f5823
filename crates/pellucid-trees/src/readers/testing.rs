//! Recorded models with the numbers that their own libraries gave for some rows.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use pellucid_core::{Attribution, Work};
use serde_json::Value;

use super::read;
use crate::ensemble::{Arithmetic, Split, TreeEnsemble};
use crate::error::Error;
use crate::interventional::{interventional, interventional_interactions};
use crate::path_dependent::path_dependent;
use crate::rows::Rows;

/// The versions of XGBoost that wrote the fixtures.
pub(crate) const XGBOOST_VERSIONS: [&str; 7] =
    ["1.0.2", "1.3.3", "1.5.2", "1.7.6", "2.1.4", "3.0.5", "3.2.0"];

/// A model, and what its own library says of some rows.
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) ensemble: TreeEnsemble,
    /// `[rows, features]`.
    pub(crate) rows: Array2<f64>,
    /// Tables by their names: `raw`, `prediction`.
    expected: Value,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/trees").join(name)
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn lightgbm(name: &str) -> Recorded {
    recorded(&format!("lightgbm/{name}.txt"), json(&format!("lightgbm/{name}.expected.json")))
}

pub(crate) fn catboost(name: &str) -> Recorded {
    recorded(&format!("catboost/{name}.json"), json(&format!("catboost/{name}.expected.json")))
}

/// One of the models of `xgboost/VERSION/cases.json`.
pub(crate) fn xgboost(version: &str, name: &str) -> Recorded {
    let case = json(&format!("xgboost/{version}/cases.json"))[name].take();
    xgboost_case(version, name, case)
}

fn xgboost_case(version: &str, name: &str, mut case: Value) -> Recorded {
    case["raw"] = case["margin"].take();
    recorded(&format!("xgboost/{version}/{name}.json"), case)
}

/// All models of a version but the linear one.
pub(crate) fn xgboost_models(version: &str) -> Vec<Recorded> {
    let cases = json(&format!("xgboost/{version}/cases.json"));
    let trees = cases.as_object().expect("models by name").iter().filter(|(name, _)| *name != "linear");
    trees.map(|(name, case)| xgboost_case(version, name, case.clone())).collect()
}

/// One of the models of `onnx/cases.json` and `onnx/hist_cases.json`.
pub(crate) fn onnx(name: &str) -> Recorded {
    let case = onnx_cases().remove(name).unwrap_or_else(|| panic!("{name} is not recorded"));
    recorded(&format!("onnx/{name}.onnx"), case)
}

pub(crate) fn onnx_models() -> impl Iterator<Item = Recorded> {
    onnx_cases().into_iter().map(|(name, case)| recorded(&format!("onnx/{name}.onnx"), case))
}

fn onnx_cases() -> serde_json::Map<String, Value> {
    let cases = |file: &str| json(&format!("onnx/{file}")).as_object().expect("models by name").clone();
    cases("cases.json").into_iter().chain(cases("hist_cases.json")).collect()
}

fn recorded(name: &str, expected: Value) -> Recorded {
    let ensemble = read(&bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let rows = table(&expected["rows"]);
    Recorded { name: name.to_owned(), ensemble, rows, expected }
}

impl Recorded {
    /// The name without its folders and its ending.
    pub(crate) fn stem(&self) -> &str {
        Path::new(&self.name).file_stem().and_then(|stem| stem.to_str()).expect("a name")
    }

    /// A recorded table: `raw` (the margins), `prediction`.
    pub(crate) fn expected(&self, what: &str) -> Array2<f64> {
        table(&self.expected[what])
    }

    pub(crate) fn has(&self, what: &str) -> bool {
        !self.expected[what].is_null()
    }

    pub(crate) fn margins(&self) -> Array2<f64> {
        self.ensemble.margins(Rows::F64(self.rows.view())).expect("rows fit")
    }

    pub(crate) fn predictions(&self) -> Array2<f64> {
        self.ensemble.predict(Rows::F64(self.rows.view())).expect("rows fit")
    }

    /// Margins are the library's own, bit for bit.
    #[track_caller]
    pub(crate) fn with_own_margins(self) -> Self {
        assert_same_bits(&self.name, &self.margins(), &self.expected("raw"));
        self
    }

    /// Predictions, too, but for the last bits of `exp`, which differ between math libraries.
    #[track_caller]
    pub(crate) fn with_own_predictions(self) -> Self {
        assert_close(&self.name, &self.predictions(), &self.expected("prediction"), 1e-15);
        self.with_own_margins()
    }

    pub(crate) fn splits(&self) -> impl Iterator<Item = &Split> {
        self.ensemble.trees.iter().flat_map(|tree| tree.splits())
    }

    /// The margins of the first 8 rows with one cell changed.
    pub(crate) fn with_cell(&self, feature: usize, value: f64) -> Array2<f64> {
        let mut rows = self.rows.select(Axis(0), &[0, 1, 2, 3, 4, 5, 6, 7]);
        rows.column_mut(feature).fill(value);
        self.ensemble.margins(Rows::F64(rows.view())).expect("rows fit")
    }
}

fn table(value: &Value) -> Array2<f64> {
    let rows = value.as_array().expect("a list of rows");
    let width = rows[0].as_array().expect("a row").len();
    let cells = rows.iter().flat_map(|row| row.as_array().expect("a row")).map(cell).collect();
    Array2::from_shape_vec((rows.len(), width), cells).expect("rows of one length")
}

/// NaN is recorded as null, infinities as text.
fn cell(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NAN,
        Value::String(text) => text.parse().expect("inf or -inf"),
        number => number.as_f64().expect("a number"),
    }
}

/// Both the same f64, or both NaN.
#[track_caller]
pub(crate) fn assert_same_bits(what: &str, actual: &Array2<f64>, expected: &Array2<f64>) {
    assert_eq!(actual.dim(), expected.dim(), "{what}");
    for ((place, a), e) in actual.indexed_iter().zip(expected) {
        assert!(a.to_bits() == e.to_bits(), "{what} at {place:?}: {a:?}, not {e:?}");
    }
}

/// At most `tolerance` apart, relative to the expected number.
#[track_caller]
pub(crate) fn assert_close(what: &str, actual: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(actual.dim(), expected.dim(), "{what}");
    for ((place, a), e) in actual.indexed_iter().zip(expected) {
        let bound = tolerance * e.abs();
        assert!((a - e).abs() <= bound, "{what} at {place:?}: {a:?}, not {e:?}");
    }
}

/// Values and base value add up to `raw`, the library's own margins: path-dependent ones where there are covers, and
/// interventional ones with 8 of the rows as background, whose base value is the mean of the library's margins.
#[track_caller]
pub(crate) fn assert_values_add_up(model: &Recorded, raw: &Array2<f64>) {
    let (what, ensemble, rows) = (&model.name, &model.ensemble, Rows::F64(model.rows.view()));
    let background = model.rows.select(Axis(0), &[0, 1, 2, 3, 4, 5, 6, 7]);
    let expected = raw.select(Axis(0), &[0, 1, 2, 3, 4, 5, 6, 7]).mean_axis(Axis(0)).expect("8 rows");
    let work = Work::default();
    if ensemble.has_covers {
        assert_sums(what, &path_dependent(ensemble, rows, &work).expect("covers"), raw);
    }
    let by_background =
        interventional(ensemble, rows, Rows::F64(background.view()), &work).expect("rows fit");
    assert_sums(what, &by_background, raw);
    // What the library adds up in f32 is a little off itself.
    let tolerance = match ensemble.arithmetic {
        Arithmetic::F64 | Arithmetic::F64Mean => 1e-12,
        _ => 1e-6,
    };
    let base_values = by_background.base_values.as_ref().expect("base values").index_axis(Axis(0), 0);
    for (base, mean) in base_values.iter().zip(&expected) {
        let gap = (base - mean).abs();
        assert!(gap <= tolerance * mean.abs().max(1.0), "{what}: base value {base}, not {mean}");
    }
}

/// Interactions of all pairs, too: `[rows, outputs, features, features]`.
#[track_caller]
pub(crate) fn assert_interactions_add_up(model: &Recorded, raw: &Array2<f64>) {
    let what = &model.name;
    let background = model.rows.select(Axis(0), &[0, 1, 2, 3, 4, 5, 6, 7]);
    let (rows, background) = (Rows::F64(model.rows.view()), Rows::F64(background.view()));
    let mut pairs =
        interventional_interactions(&model.ensemble, rows, background, &Work::default()).expect("rows fit");
    assert!(pairs.values.iter().any(|&value| value != 0.0), "{what}: no interactions at all");
    pairs.values = pairs.values.sum_axis(Axis(3));
    assert_sums(what, &pairs, raw);
}

/// Within 1e-6 of the largest sum of magnitudes.
#[track_caller]
fn assert_sums(what: &str, attribution: &Attribution, raw: &Array2<f64>) {
    let base = attribution.base_values.as_ref().expect("base values");
    let sums = attribution.values.sum_axis(Axis(2)) + base;
    let magnitudes = attribution.values.mapv(f64::abs).sum_axis(Axis(2)) + base.mapv(f64::abs);
    let scale = magnitudes.iter().copied().fold(0.0, f64::max);
    for ((place, sum), raw) in sums.indexed_iter().zip(raw) {
        assert!(
            (sum - raw).abs() <= 1e-6 * scale,
            "{what} at {place:?}: the sum {sum}, not {raw}, at scale {scale}"
        );
    }
}

/// Errors are short and on one line.
#[track_caller]
pub(crate) fn one_line(error: &Error) -> String {
    let text = error.to_string();
    assert!(text.len() < 300 && !text.contains('\n'), "{text}");
    text
}
