//! Recorded models with the numbers that their own libraries gave for some rows, and damaged copies of them.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use pellucid_core::{Attribution, Work};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;

use super::read;
use crate::ensemble::TreeEnsemble;
use crate::error::Error;
use crate::interventional::{interventional, interventional_interactions};
use crate::path_dependent::path_dependent;
use crate::rows::Rows;

/// A model, and what its own library says of some rows.
pub(super) struct Recorded {
    pub(super) ensemble: TreeEnsemble,
    /// `[rows, features]`.
    pub(super) rows: Array2<f64>,
    expected: Value,
}

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/trees").join(name)
}

pub(super) fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `NAME.ENDING` with the numbers in `NAME.expected.json`.
pub(super) fn recorded(name: &str, ending: &str) -> Recorded {
    let ensemble = read(&bytes(&format!("{name}{ending}"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected: Value =
        serde_json::from_slice(&bytes(&format!("{name}.expected.json"))).expect("a JSON file");
    let rows = table(&expected["rows"]);
    Recorded { ensemble, rows, expected }
}

impl Recorded {
    /// A recorded table: `raw`, `prediction`.
    pub(super) fn expected(&self, what: &str) -> Array2<f64> {
        table(&self.expected[what])
    }

    pub(super) fn margins(&self) -> Array2<f64> {
        self.ensemble.margins(Rows::F64(self.rows.view())).expect("rows fit")
    }

    pub(super) fn predictions(&self) -> Array2<f64> {
        self.ensemble.predict(Rows::F64(self.rows.view())).expect("rows fit")
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
pub(super) fn assert_same_bits(what: &str, actual: &Array2<f64>, expected: &Array2<f64>) {
    assert_eq!(actual.dim(), expected.dim(), "{what}");
    for ((place, a), e) in actual.indexed_iter().zip(expected) {
        assert!(a.to_bits() == e.to_bits(), "{what} at {place:?}: {a:?}, not {e:?}");
    }
}

/// At most `tolerance` apart, relative to the expected number.
#[track_caller]
pub(super) fn assert_close(what: &str, actual: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(actual.dim(), expected.dim(), "{what}");
    for ((place, a), e) in actual.indexed_iter().zip(expected) {
        let bound = tolerance * e.abs();
        assert!((a - e).abs() <= bound, "{what} at {place:?}: {a:?}, not {e:?}");
    }
}

/// Values and base value add up to `raw`, the library's own margins: path-dependent ones, and interventional ones with 8 of the rows as
/// background, whose base value is the mean of the library's margins.
#[track_caller]
pub(super) fn assert_values_add_up(what: &str, model: &Recorded, raw: &Array2<f64>) {
    let rows = Rows::F64(model.rows.view());
    let background = model.rows.select(Axis(0), &[0, 1, 2, 3, 4, 5, 6, 7]);
    let expected = raw.select(Axis(0), &[0, 1, 2, 3, 4, 5, 6, 7]).mean_axis(Axis(0)).expect("8 rows");
    let work = Work::default();
    let by_path = path_dependent(&model.ensemble, rows, &work).expect("the file has covers");
    let by_background =
        interventional(&model.ensemble, rows, Rows::F64(background.view()), &work).expect("rows fit");
    assert_sums(what, &by_path, raw);
    let base_values = by_background.base_values.as_ref().expect("base values").index_axis(Axis(0), 0);
    for (base, mean) in base_values.iter().zip(&expected) {
        assert!((base - mean).abs() <= 1e-12 * mean.abs().max(1.0), "{what}: base value {base}, not {mean}");
    }
    assert_sums(what, &by_background, raw);
}

/// Interactions of all pairs, too: `[rows, outputs, features, features]`.
#[track_caller]
pub(super) fn assert_interactions_add_up(what: &str, model: &Recorded, raw: &Array2<f64>) {
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

/// Truncated and bit-flipped copies are refused, or are ensembles that hold together and predict.
pub(super) fn survives_damage(model: &[u8], seed: u64, rounds: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |n: usize| random.next_u64() as usize % n;
    let mut refused = 0;
    for round in 0..rounds {
        let mut damaged = model.to_vec();
        match round % 3 {
            0 => damaged.truncate(below(model.len())),
            1 => damaged[below(model.len())] ^= 1 << below(8),
            _ => {
                // A digit becomes another: what only wrong numbers can do.
                let digits: Vec<usize> = (0..4096).map(|_| below(model.len())).collect();
                if let Some(&place) = digits.iter().find(|&&place| model[place].is_ascii_digit()) {
                    damaged[place] = b'0' + below(10) as u8;
                }
            }
        }
        match read(&damaged) {
            Ok(ensemble) => predicts(&ensemble, &damaged),
            Err(error) => {
                refused += 1;
                one_line(&error);
            }
        }
    }
    assert!(refused > rounds / 3, "only {refused} of {rounds} damaged models were refused");
}

fn predicts(ensemble: &TreeEnsemble, bytes: &[u8]) {
    ensemble.check().expect("an ensemble that was read holds together");
    let n_nodes: usize = ensemble.trees.iter().map(|tree| tree.nodes.len()).sum();
    assert!(
        n_nodes + ensemble.n_features + ensemble.n_outputs() <= bytes.len(),
        "more than the file can say"
    );
    let rows = Array2::from_elem((1, ensemble.n_features), 0.5);
    ensemble.predict(Rows::F64(rows.view())).expect("rows fit");
}

/// Errors are short and on one line.
#[track_caller]
pub(super) fn one_line(error: &Error) -> String {
    let text = error.to_string();
    assert!(text.len() < 300 && !text.contains('\n'), "{text}");
    text
}
