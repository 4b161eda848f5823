//! Records that are comparable with each other, and their numbers as matrices.

use std::collections::BTreeMap;

use pellucid_store::Record;
use serde_json::{Map, Value};

use super::explained::{Explained, Kind};
use super::row::NONE;

/// Tables with more features are shown record by record, and not averaged.
const MAX_FEATURES: usize = 1_000;
/// So many numbers a group keeps of attributions, and again of inputs: 256 MB each.
const MAX_NUMBERS: usize = 64 << 20;

/// The records of one comparability key.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) key: String,
    pub(crate) model: u32,
    pub(crate) method: u32,
    /// Of its first record; the key says that the others have the same.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) kind: Kind,
    pub(crate) output_space: Option<String>,
    pub(crate) signed: bool,
    pub(crate) names: Vec<String>,
    pub(crate) categories: Vec<Vec<String>>,
    /// Records that hold and explain each output.
    pub(crate) targets: BTreeMap<u32, Counts>,
    /// Tables that have other features than the first, or for which there was no room: not averaged.
    pub(crate) n_left_out: u64,
    attributions: Vec<f32>,
    inputs: Vec<f32>,
    seen: bool,
}

/// Records of one explained output that hold and have their payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) n_records: u64,
    /// Those of them without finite numbers.
    pub(crate) n_not_finite: u64,
}

impl Group {
    pub(crate) fn new(record: &Record, model: u32, method: u32) -> Self {
        Self {
            key: record.comparability_key.clone(),
            model,
            method,
            parameters: record.parameters.clone(),
            kind: Kind::Other,
            output_space: record.parameters.get("output_space").and_then(Value::as_str).map(str::to_owned),
            signed: true,
            names: Vec::new(),
            categories: Vec::new(),
            targets: BTreeMap::new(),
            n_left_out: 0,
            attributions: Vec::new(),
            inputs: Vec::new(),
            seen: false,
        }
    }

    /// A record holds from now on.
    pub(crate) fn count(&mut self, target: u32, finite: bool) {
        let counts = self.targets.entry(target).or_default();
        counts.n_records += 1;
        counts.n_not_finite += u64::from(!finite);
    }

    /// A record that was counted holds no longer, or lost its payload.
    pub(crate) fn uncount(&mut self, target: u32, finite: bool) {
        if let Some(counts) = self.targets.get_mut(&target) {
            counts.n_records = counts.n_records.saturating_sub(1);
            counts.n_not_finite = counts.n_not_finite.saturating_sub(u64::from(!finite));
        }
    }

    /// Keeps the numbers of a table; gives their row of the matrices, or [`NONE`].
    pub(crate) fn keep(&mut self, explained: &Explained) -> u32 {
        if !self.seen {
            self.learn(explained);
        }
        if explained.kind != Kind::Table || self.kind != Kind::Table {
            return NONE;
        }
        let n = explained.attributions.len();
        let fits = explained.names == self.names && explained.inputs.len() == n;
        if !fits || n == 0 || n > MAX_FEATURES || self.attributions.len() + n > MAX_NUMBERS {
            self.n_left_out += 1;
            return NONE;
        }
        let row = self.n_kept();
        self.attributions.extend_from_slice(&explained.attributions);
        self.inputs.extend_from_slice(&explained.inputs);
        row
    }

    fn learn(&mut self, explained: &Explained) {
        self.seen = true;
        self.kind = explained.kind;
        self.signed = explained.signed;
        self.names.clone_from(&explained.names);
        self.categories.clone_from(&explained.categories);
        if self.output_space.is_none() {
            self.output_space.clone_from(&explained.output_space);
        }
    }

    /// Overwrites the numbers of an erased record.
    pub(crate) fn forget(&mut self, row: u32) {
        let n = self.names.len();
        for matrix in [&mut self.attributions, &mut self.inputs] {
            let from = row as usize * n;
            if let Some(numbers) = matrix.get_mut(from..from + n) {
                numbers.fill(f32::NAN);
            }
        }
    }

    pub(crate) fn n_features(&self) -> usize {
        self.names.len()
    }

    /// One number a feature; empty where the record's are not kept.
    pub(crate) fn attributions(&self, row: u32) -> &[f32] {
        self.slice(&self.attributions, row)
    }

    /// The explained row; empty where it is not kept.
    pub(crate) fn inputs(&self, row: u32) -> &[f32] {
        self.slice(&self.inputs, row)
    }

    fn slice<'a>(&self, matrix: &'a [f32], row: u32) -> &'a [f32] {
        let from = row as usize * self.names.len();
        matrix.get(from..from + self.names.len()).unwrap_or_default()
    }

    fn n_kept(&self) -> u32 {
        self.attributions.len().checked_div(self.names.len()).unwrap_or(0) as u32
    }
}
