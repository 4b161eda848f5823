//! One prediction: every record of it, side by side, with what its payload holds.

mod picture;

use pellucid_store::{Decision, Entry, Error, Payload, Reader, Record};
use serde::Serialize;
use serde_json::Value;

use crate::asked::Asked;
use crate::dashboard::Dashboard;
use crate::error::ViewError;
use crate::index::{Index, Kind, Outcome, Row};
use crate::index::{categories, kind, names, numbers, payload_array};
use crate::words;
use picture::Picture;

/// What the view takes.
pub(super) const PARAMETERS: &[&str] = &["id"];

/// So many features a record shows by name; the rest is one sum.
const MAX_FEATURES: usize = 100;
/// So many records of one prediction are shown.
const MAX_RECORDS: usize = 20;
const MAX_WORDS: usize = 2_000;

#[derive(Debug, Serialize)]
pub(super) struct OnePrediction {
    id: String,
    class: Option<String>,
    confidence: Option<f64>,
    label: Option<String>,
    label_micros: Option<i64>,
    outcome: Outcome,
    records: Vec<Shown>,
    /// Records that are not shown, because there are too many.
    n_more: usize,
    decisions: Vec<Decided>,
}

/// What a human decided, and where it stands.
#[derive(Debug, Serialize)]
struct Decided {
    entry: u64,
    #[serde(flatten)]
    decision: Decision,
}

/// A record with its payload.
#[derive(Debug, Serialize)]
struct Shown {
    entry: u64,
    current: bool,
    #[serde(flatten)]
    record: Record,
    payload_commitment: String,
    /// Its hash as a leaf of the tree, from which a proof starts.
    entry_hash: String,
    class: Option<String>,
    confidence: Option<f64>,
    /// Why there is nothing behind the header: erased, or damaged.
    gone: Option<String>,
    explained: Option<Explanation>,
}

/// What a payload holds, ready to draw.
#[derive(Debug, Serialize)]
struct Explanation {
    kind: Kind,
    signed: bool,
    output: Option<f64>,
    output_name: Option<String>,
    output_space: Option<String>,
    base_value: Option<f64>,
    convergence_delta: Option<f64>,
    predictions: Value,
    warnings: Value,
    input_digest: String,
    /// In plain words.
    told: String,
    /// Of tables, the largest first.
    features: Vec<Feature>,
    n_other_features: usize,
    other_features: f64,
    /// Of texts, in their order.
    words: Vec<Word>,
    n_other_words: usize,
    picture: Option<Picture>,
}

/// A feature's part.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Feature {
    pub(crate) name: String,
    /// Its value as people read it.
    pub(crate) shown: String,
    pub(crate) attribution: f64,
    pub(crate) standard_error: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Word {
    word: String,
    attribution: f64,
}

/// A record with the name of the class it predicts.
type Named = (Row, Option<String>);

pub(super) fn prediction(dashboard: &Dashboard, asked: Asked<'_>) -> Result<OnePrediction, ViewError> {
    let id = asked.required("id")?;
    let reader = dashboard.reader()?;
    let (mut shown, rows) = found(&dashboard.index(), id)?;
    for (row, class) in &rows {
        shown.records.push(record(&reader, row, class.clone())?);
    }
    shown.decisions = decisions(&reader, &shown)?;
    Ok(shown)
}

/// What the index knows of the prediction, and the records to read.
fn found(index: &Index, id: &str) -> Result<(OnePrediction, Vec<Named>), ViewError> {
    let not_found = || {
        let read = index.next_entry;
        ViewError::not_found(format!("no prediction `{id}` among the {read} entries read so far"))
    };
    let prediction = index.prediction(id).ok_or_else(not_found)?;
    let newest = index.records_of(prediction).next();
    let named = |row: &Row| (row.clone(), index.model_of(row).class_name(row.class));
    let rows: Vec<Named> = index.records_of(prediction).take(MAX_RECORDS).map(named).collect();
    let shown = OnePrediction {
        id: id.to_owned(),
        class: rows.first().and_then(|(_, class)| class.clone()),
        confidence: newest.and_then(Row::confidence),
        label: prediction.label.as_ref().map(|label| match newest {
            Some(row) => index.model_of(row).label_name(label, row.class),
            None => label.shown(),
        }),
        label_micros: prediction.label.as_ref().map(|_| prediction.label_micros),
        outcome: newest.map_or(Outcome::Unlabeled, |row| index.outcome(row)),
        records: Vec::new(),
        n_more: index.records_of(prediction).count() - rows.len(),
        decisions: Vec::new(),
    };
    Ok((shown, rows))
}

fn record(reader: &Reader, row: &Row, class: Option<String>) -> Result<Shown, ViewError> {
    let stored = reader.entry(row.entry)?;
    let Entry::Record { record, payload_commitment } = stored.entry else {
        return Err(ViewError::unavailable(format!("entry {} is no record; verify the log", row.entry)));
    };
    let (explained, gone) = match reader.payload(row.entry) {
        Ok(payload) => (Some(explanation(&payload, row, class.as_deref())), None),
        Err(fault @ (Error::Erased { .. } | Error::Damaged { .. } | Error::Refused { .. })) => {
            (None, Some(fault.to_string()))
        }
        Err(fault) => return Err(fault.into()),
    };
    Ok(Shown {
        entry: row.entry,
        current: !row.superseded,
        record: *record,
        payload_commitment: payload_commitment.to_string(),
        entry_hash: pellucid_store::entry_hash(&reader.entry_bytes(row.entry)?).to_string(),
        class,
        confidence: row.confidence(),
        gone,
        explained,
    })
}

fn decisions(reader: &Reader, shown: &OnePrediction) -> Result<Vec<Decided>, ViewError> {
    let of_record =
        |it: &Shown| it.record.decision.clone().map(|decision| Decided { entry: it.entry, decision });
    let mut all: Vec<Decided> = shown.records.iter().filter_map(of_record).collect();
    for stored in reader.feedback(&shown.id)? {
        if let Entry::Feedback(feedback) = stored.entry {
            all.extend(feedback.decision.map(|decision| Decided { entry: stored.index, decision }));
        }
    }
    all.sort_by_key(|decided| decided.decision.timestamp_micros);
    Ok(all)
}

fn explanation(payload: &Payload, row: &Row, class: Option<&str>) -> Explanation {
    let details = &payload.details;
    let kind = kind(payload);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let features = if kind == Kind::Table { features(payload) } else { Vec::new() };
    let words = if kind == Kind::Text { of_words(payload) } else { Vec::new() };
    let mut shown = Explanation {
        kind,
        signed: details["signed"].as_bool().unwrap_or(true),
        output: details["output"].as_f64(),
        output_name: text(&details["target"]["name"]),
        output_space: text(&details["output_space"]),
        base_value: details["base_value"].as_f64(),
        convergence_delta: details["convergence_delta"].as_f64(),
        predictions: details["predictions"].clone(),
        warnings: details["warnings"].clone(),
        input_digest: payload.input_digest.to_string(),
        told: String::new(),
        n_other_features: features.len().saturating_sub(MAX_FEATURES),
        other_features: features.iter().skip(MAX_FEATURES).map(|it| it.attribution).sum(),
        features,
        n_other_words: words.len().saturating_sub(MAX_WORDS),
        words,
        picture: Picture::of(payload, kind),
    };
    let parts = told_parts(&shown);
    shown.told = words::told(&words::Told {
        class,
        confidence: row.confidence(),
        output: shown.output,
        output_name: shown.output_name.as_deref(),
        output_space: shown.output_space.as_deref(),
        signed: shown.signed,
        parts: &parts,
        kind,
    });
    shown.features.truncate(MAX_FEATURES);
    shown.words.truncate(MAX_WORDS);
    shown
}

/// What the sentence speaks of: features with their values, or words.
fn told_parts(shown: &Explanation) -> Vec<(String, f64)> {
    let features = shown.features.iter();
    let features = features.map(|it| (format!("{} is {}", it.name, it.shown), it.attribution));
    let words = shown.words.iter().map(|it| (format!("“{}”", it.word), it.attribution));
    features.chain(words).collect()
}

/// A table's features, the largest attribution first.
fn features(payload: &Payload) -> Vec<Feature> {
    let attributions = numbers(payload_array(&payload.attribution, "values"));
    let errors = numbers(payload_array(&payload.attribution, "standard_error"));
    let inputs = numbers(payload.input.first());
    let names = names(&payload.details, attributions.len());
    let categories = categories(&payload.details);
    let feature = |(index, name): (usize, String)| Feature {
        name,
        shown: words::shown(inputs.get(index).copied(), categories.get(index).map(Vec::as_slice)),
        attribution: attributions[index],
        standard_error: errors.get(index).copied(),
    };
    let mut features: Vec<Feature> = names.into_iter().enumerate().map(feature).collect();
    features.sort_by(|a, b| b.attribution.abs().total_cmp(&a.attribution.abs()));
    features
}

fn of_words(payload: &Payload) -> Vec<Word> {
    let attributions = numbers(payload_array(&payload.attribution, "values"));
    let words = payload_array(&payload.attribution, "words").map(|array| array.values());
    let Some(pellucid_store::Values::Text(words)) = words else { return Vec::new() };
    let word = |(word, &attribution): (&String, &f64)| Word { word: word.clone(), attribution };
    words.iter().zip(&attributions).map(word).collect()
}
