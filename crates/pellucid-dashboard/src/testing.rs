//! Records, payloads and logs for tests.

use std::collections::BTreeMap;

use pellucid_store::{
    Array, Check, Digest, Feedback, Log, Options, Payload, Record, RecordedModel, Values, create_key,
};
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::error::ViewError;
use crate::index::{Explained, Group};
use crate::views::view;

/// The features of all tables here: `age`, `sex` (F, M), `hours per week`.
pub(crate) fn table_group() -> Group {
    let (record, payload) = (table("p", 0.0), payload([0.0; 3], [0.0; 3]));
    let mut group = Group::new(&record, 0, 0);
    group.keep(&Explained::of(&payload));
    group
}

/// A record of a table by a model of one output, which is the margin `output`.
pub(crate) fn table(id: &str, output: f64) -> Record {
    let model = RecordedModel { name: "credit".into(), version: "1".into(), digest: Digest([7; 32]) };
    let mut record = Record::new(id, 1_000_000, model, "tree_shap");
    record.prediction = vec![output];
    record.comparability_key = "key-a".to_owned();
    record.parameters.insert("output_space".to_owned(), "margin".into());
    record.checks = BTreeMap::from([("finite".to_owned(), Check { passed: true, value: None })]);
    record
}

/// A table's payload, the output the sum of the attributions.
pub(crate) fn payload(input: [f64; 3], attribution: [f64; 3]) -> Payload {
    Payload {
        input_digest: Digest([1; 32]),
        input: vec![Array::new("input", &[3], Values::F64(input.to_vec())).expect("fits")],
        attribution: vec![Array::new("values", &[3], Values::F64(attribution.to_vec())).expect("fits")],
        details: json!({
            "target": { "index": 0, "name": "repaid" }, "output_space": "margin",
            "output": attribution.iter().sum::<f64>(), "base_value": 0.0, "convergence_delta": 0.0,
            "feature_names": ["age", "sex", "hours per week"], "feature_categories": [[], ["F", "M"], []],
            "channel_axis": Value::Null, "signed": true, "warnings": [],
            "predictions": [{ "index": 0, "name": "repaid", "value": attribution.iter().sum::<f64>() }],
        }),
    }
}

/// A log being written, and its dashboard.
pub(crate) struct Place {
    folders: [tempfile::TempDir; 2],
    pub(crate) log: Log,
    pub(crate) dashboard: Dashboard,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let (path, key) = (folders[0].path().join("log"), folders[1].path().join("key"));
        create_key(&key, "example.com/log").expect("a new file");
        let log = Log::open(&path, &key, &Options::default()).expect("a log");
        let dashboard = Dashboard::open(&path).expect("a log");
        Self { folders, log, dashboard }
    }

    /// Another dashboard of the same log, which has read nothing.
    pub(crate) fn later(&self) -> Dashboard {
        Dashboard::open(&self.folders[0].path().join("log")).expect("a log")
    }

    /// Appends a table; its output is the sum of its attributions.
    pub(crate) fn add(&self, id: &str, input: [f64; 3], attribution: [f64; 3]) -> u64 {
        self.add_with(id, input, attribution, |_| {})
    }

    pub(crate) fn add_with(
        &self,
        id: &str,
        input: [f64; 3],
        attribution: [f64; 3],
        change: impl FnOnce(&mut Record),
    ) -> u64 {
        let mut record = table(id, attribution.iter().sum());
        change(&mut record);
        self.log.append(&record, &payload(input, attribution)).expect("room").index
    }

    /// Many tables, that wait for the disk together.
    pub(crate) fn add_all(&self, rows: impl IntoIterator<Item = (Record, Payload)>) {
        let submit = |(record, payload): (Record, Payload)| self.log.submit(&record, &payload).expect("room");
        let waiting: Vec<_> = rows.into_iter().map(submit).collect();
        waiting.into_iter().for_each(|pending| {
            pending.wait().expect("room on the disk");
        });
    }

    pub(crate) fn label(&self, id: &str, label: Value) {
        let feedback = Feedback {
            prediction_id: id.to_owned(),
            timestamp_micros: 5_000_000,
            label: Some(label),
            decision: None,
        };
        self.log.append_feedback(&feedback).expect("room");
    }

    /// The view after a refresh.
    pub(crate) fn try_view(&self, name: &str, parameters: &[(&str, &str)]) -> Result<Value, ViewError> {
        self.dashboard.refresh().expect("readable");
        let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        view(&self.dashboard, name, &owned.collect())
    }

    pub(crate) fn view(&self, name: &str, parameters: &[(&str, &str)]) -> Value {
        self.try_view(name, parameters).unwrap_or_else(|fault| panic!("{fault}"))
    }
}

/// Whether a number of a view is this one, but for rounding in single precision.
#[track_caller]
pub(crate) fn close(actual: &Value, expected: f64) {
    let number = actual.as_f64().unwrap_or(f64::NAN);
    assert!((number - expected).abs() < 1e-6 * expected.abs().max(1.0), "{actual}, not {expected}");
}
