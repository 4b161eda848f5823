//! How far an explanation that was made again lies from the one that was recorded.

use pellucid_engine::AgnosticMethod;
use pellucid_store::{Payload, Record};
use serde_json::Value;

use crate::log::show::numbers;

/// A record with its payload.
pub(super) type Recorded<'a> = (&'a Record, &'a Payload);

/// The numbers of one part of an explanation, with its name: as recorded, and made again.
type Numbers = (&'static str, Vec<f64>, Vec<f64>);

/// All parts of two explanations, side by side.
pub(super) struct Difference {
    /// Whether all numbers are equal bit by bit, and all words the same.
    pub(super) same_bytes: bool,
    /// What lies apart, farthest first.
    parts: Vec<Part>,
}

/// Some numbers of an explanation that differ.
struct Part {
    name: &'static str,
    /// The length of the difference as a share of that of the numbers; of a single number, of the largest of output, base value
    /// and the length of the values.
    share: f64,
    largest: f64,
    place: usize,
}

/// What is left of numbers that cancel out: rounding, of which only equal bits say something.
const COMPLETENESS_GAP: &str = "completeness gap";

/// What is said of all outputs of a row.
const OF_ALL_OUTPUTS: [&str; 2] = ["outputs", "told outputs"];

/// The share by which the size of a batch may change a network's outputs.
const ROUNDING: f64 = 1e-5;

/// Whether the outputs were those of all rows in one batch, though every row was explained on its own: to have their bits, as many
/// rows would have to be explained by methods that ask thousands of times about each.
fn asks_about_all_rows((record, payload): Recorded<'_>) -> bool {
    AgnosticMethod::is_one(&record.method) && payload.details["model_format"] == "onnx"
}

impl Difference {
    pub(super) fn of(old: Recorded<'_>, new: Recorded<'_>) -> Self {
        let scale = scale(old.1);
        let mut parts = Vec::new();
        for (name, a, b) in numbers_of(old.1, new.1).into_iter().chain([outputs(old, new)]) {
            let of_one = matches!(name, "output" | "base value" | COMPLETENESS_GAP).then_some(scale);
            parts.extend(Part::of(name, &a, &b, of_one));
        }
        if asks_about_all_rows(old) {
            parts.retain(|part| !OF_ALL_OUTPUTS.contains(&part.name) || part.share > ROUNDING);
        }
        parts.sort_by(|a, b| b.share.total_cmp(&a.share));
        let words = |payload: &Payload| payload.attribution.iter().find(|it| it.name() == "words").cloned();
        Self { same_bytes: parts.is_empty() && words(old.1) == words(new.1), parts }
    }

    /// Whether all lies within a tolerance.
    pub(super) fn is_within(&self, tolerance: f64) -> bool {
        self.parts.iter().all(|part| part.name == COMPLETENESS_GAP || part.share <= tolerance)
    }

    pub(super) fn text(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(Part::text).collect();
        parts.join("; ")
    }
}

impl Part {
    fn of(name: &'static str, a: &[f64], b: &[f64], scale: Option<f64>) -> Option<Self> {
        if a.len() != b.len() {
            let (largest, place) = (f64::INFINITY, 0);
            return Some(Self { name, share: f64::INFINITY, largest, place });
        }
        if a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()) {
            return None;
        }
        // What is not a number twice, or infinite twice, is the same.
        let gap = |(a, b): (&f64, &f64)| match a == b || a.is_nan() && b.is_nan() {
            true => 0.0,
            false => Some((a - b).abs()).filter(|gap| !gap.is_nan()).unwrap_or(f64::INFINITY),
        };
        let gaps: Vec<f64> = a.iter().zip(b).map(gap).collect();
        let place = (0..gaps.len()).max_by(|&i, &j| gaps[i].total_cmp(&gaps[j])).unwrap_or(0);
        let apart = gaps.iter().map(|gap| gap * gap).sum::<f64>().sqrt();
        let share = if apart == 0.0 { 0.0 } else { apart / scale.unwrap_or_else(|| length(a)) };
        Some(Self { name, share, largest: gaps[place], place })
    }

    fn text(&self) -> String {
        let Self { name, share, largest, place, .. } = self;
        match share.is_infinite() && largest.is_infinite() {
            true => format!("{name}: other ones"),
            false => {
                format!("{name}: {share:.1e} of their size apart, the farthest {largest:.1e} at {place}")
            }
        }
    }
}

/// All numbers that a payload holds of an explanation.
fn numbers_of(old: &Payload, new: &Payload) -> Vec<Numbers> {
    let array = |name: &'static str, told: &'static str| {
        let of = |payload: &Payload| numbers(&payload.attribution, name).unwrap_or_default();
        (told, of(old), of(new))
    };
    let detail = |name: &'static str, told: &'static str| {
        let of = |payload: &Payload| payload.details[name].as_f64().into_iter().collect();
        (told, of(old), of(new))
    };
    vec![
        array("values", "values"),
        array("standard_error", "standard errors"),
        detail("output", "output"),
        detail("base_value", "base value"),
        detail("convergence_delta", COMPLETENESS_GAP),
        ("told outputs", told_outputs(old), told_outputs(new)),
    ]
}

/// The highest outputs, as the explanation itself tells them.
fn told_outputs(payload: &Payload) -> Vec<f64> {
    let predictions = payload.details["predictions"].as_array();
    predictions.into_iter().flatten().map(|told| told["value"].as_f64().unwrap_or(f64::NAN)).collect()
}

/// The size of what adds up.
fn scale(payload: &Payload) -> f64 {
    let values = numbers(&payload.attribution, "values").unwrap_or_default();
    let ends = ["output", "base_value"].into_iter().filter_map(|name| payload.details[name].as_f64());
    ends.fold(length(&values), |most, end| most.max(end.abs()))
}

/// Of those that are finite.
fn length(numbers: &[f64]) -> f64 {
    numbers.iter().filter(|x| x.is_finite()).map(|x| x * x).sum::<f64>().sqrt()
}

/// The model's outputs, all of them. A server records what it answered: another session computed it, and it may be the probabilities of
/// explained margins, or the margins of explained probabilities. Such are the same where they are so up to rounding.
fn outputs(old: Recorded<'_>, new: Recorded<'_>) -> Numbers {
    let (recorded, again) = (&old.0.prediction, &new.0.prediction);
    let as_told = told(recorded, old.1, "value")
        .is_none_or(|told| told.iter().all(|(a, b)| a.to_bits() == b.to_bits()));
    match !as_told && is_served_as_told(recorded, new.1) {
        true => ("outputs", Vec::new(), Vec::new()),
        false => ("outputs", recorded.clone(), again.clone()),
    }
}

/// Two sessions round differently; more than this is another output.
const SAME: f64 = 1e-4;

fn is_served_as_told(served: &[f64], payload: &Payload) -> bool {
    let sigmoid = |x: &f64| 1.0 / (1.0 + (-x).exp());
    let most = served.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = served.iter().map(|x| (x - most).exp()).sum();
    let softmax = served.iter().map(|x| (x - most).exp() / sum).collect();
    let sigmoids = served.iter().map(sigmoid).collect();
    // Of one output there is no softmax.
    let forms: Vec<Vec<f64>> = [Some(served.to_vec()), Some(sigmoids), (served.len() > 1).then_some(softmax)]
        .into_iter()
        .flatten()
        .collect();
    let is_close = |pairs: Vec<(f64, f64)>| {
        !pairs.is_empty() && pairs.iter().all(|(a, b)| (a - b).abs() <= SAME * (1.0 + a.abs()))
    };
    forms.iter().any(|form| {
        ["value", "probability"].into_iter().any(|field| told(form, payload, field).is_some_and(is_close))
    })
}

/// What is said of all outputs beside what an explanation tells of the highest; `None` where one is not there.
fn told(outputs: &[f64], payload: &Payload, field: &str) -> Option<Vec<(f64, f64)>> {
    let predictions = payload.details["predictions"].as_array()?;
    let pair = |prediction: &Value| {
        let index = usize::try_from(prediction["index"].as_u64()?).ok()?;
        Some((*outputs.get(index)?, prediction[field].as_f64()?))
    };
    predictions.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use pellucid_store::{Array, Digest, RecordedModel, Values};
    use serde_json::json;

    use super::*;

    fn recorded(values: &[f64], errors: &[f64]) -> (Record, Payload) {
        let model = RecordedModel { name: "m".into(), version: "1".into(), digest: Digest([0; 32]) };
        let array = |name: &str, numbers: &[f64]| {
            Array::new(name, &[numbers.len() as u64], Values::F64(numbers.to_vec())).expect("fits")
        };
        let payload = Payload {
            input_digest: Digest([0; 32]),
            input: Vec::new(),
            attribution: vec![array("values", values), array("standard_error", errors)],
            details: json!({
                "output": 2.0, "base_value": 1e-9, "convergence_delta": 1e-12,
                "predictions": [{"index": 1, "value": 2.0, "probability": 0.880_797_077_977_882_3}],
            }),
        };
        let record = Record { prediction: vec![0.0, 2.0], ..Record::new("p", 0, model, "lime") };
        (record, payload)
    }

    fn difference(old: &(Record, Payload), new: &(Record, Payload)) -> Difference {
        Difference::of((&old.0, &old.1), (&new.0, &new.1))
    }

    /// A share by hand: `|(3, 4) − (3, 4.5)| / |(3, 4)| = 0.1`.
    #[test]
    fn every_part_is_compared() {
        let old = recorded(&[3.0, 4.0], &[0.1, 0.2]);
        let same = difference(&old, &old);
        assert!(same.same_bytes && same.parts.is_empty());
        let check = |new: (Record, Payload), name: &str, share: f64| {
            let found = difference(&old, &new);
            assert_eq!((found.same_bytes, found.parts.len(), found.parts[0].name), (false, 1, name));
            assert!((found.parts[0].share - share).abs() < 1e-12, "{}", found.text());
            assert!(found.is_within(share * 1.001), "{name}");
            assert_eq!(found.is_within(share * 0.999), name == "completeness gap", "{name}");
        };
        check(recorded(&[3.0, 4.5], &[0.1, 0.2]), "values", 0.1);
        check(recorded(&[3.0, 4.0], &[0.1, 0.4]), "standard errors", 0.2 / 0.05_f64.sqrt());
        let with = |field: &str, x: f64| {
            let mut new = old.clone();
            new.1.details[field] = json!(x);
            new
        };
        check(with("output", 2.5), "output", 0.1);
        // A base value near 0 is no smaller than what it is the start of.
        check(with("base_value", 0.5 + 1e-9), "base value", 0.1);
        check(with("convergence_delta", 2e-12), "completeness gap", 2e-13);
        let mut new = old.clone();
        new.0.prediction = vec![0.0, 2.2];
        check(new, "outputs", 0.1);
        let mut new = old.clone();
        new.1.details["predictions"][0]["value"] = json!(2.2);
        check(new, "told outputs", 0.1);
        let fewer = difference(&old, &recorded(&[3.0], &[0.1, 0.2]));
        assert!(
            !fewer.is_within(f64::MAX) && fewer.text().contains("values: other ones"),
            "{}",
            fewer.text()
        );
    }

    #[test]
    fn what_is_no_number_twice_is_the_same() {
        let none = f64::NAN;
        let old = recorded(&[none, f64::INFINITY, 3.0, 4.0], &[0.1, none]);
        assert!(difference(&old, &old).same_bytes);
        let near = difference(&old, &recorded(&[none, f64::INFINITY, 3.0, 4.0 + 1e-9], &[0.1, none]));
        assert!(!near.same_bytes && near.is_within(1e-3), "{}", near.text());
        for new in
            [[3.0, f64::INFINITY, 3.0, 4.0], [none, 1.0, 3.0, 4.0], [none, f64::NEG_INFINITY, 3.0, 4.0]]
        {
            assert!(!difference(&old, &recorded(&new, &[0.1, none])).is_within(f64::MAX), "{new:?}");
        }
    }

    #[test]
    fn outputs_of_all_rows_at_once_are_the_same_up_to_rounding() {
        let of = |format: &str, output: f64| {
            let mut new = recorded(&[3.0, 4.0], &[0.1, 0.2]);
            new.1.details["model_format"] = json!(format);
            let mut old = new.clone();
            old.0.prediction[1] = output;
            old.1.details["predictions"][0]["value"] = json!(output);
            difference(&old, &new).same_bytes
        };
        assert!(of("onnx", 2.000_001) && !of("onnx", 2.001) && !of("lightgbm", 2.000_001));
    }

    #[test]
    fn what_a_server_answered_is_the_same_up_to_rounding() {
        let new = recorded(&[3.0, 4.0], &[0.1, 0.2]);
        let served = |prediction: [f64; 2]| {
            let mut old = new.clone();
            old.0.prediction = prediction.to_vec();
            difference(&old, &new)
        };
        // Softmax of (0, 2), by another session.
        assert!(served([0.119_203, 0.880_797]).same_bytes);
        assert!(served([1e-7, 2.000_001]).same_bytes);
        assert!(!served([0.5, 0.5]).is_within(1e-3));
        assert!(!served([0.0, 2.1]).is_within(1e-3));
    }
}
