//! Entries of the log → compact columns in memory, in the order of the log.

mod explained;
mod group;
mod judgment;
mod row;

use std::collections::{BTreeSet, HashMap};

use pellucid_store::{Entry, Erasure, Feedback, Payload, Record, Stored};

pub(crate) use explained::{Explained, Kind, array as payload_array, categories, kind, names, numbers};
pub(crate) use group::{Counts, Group};
pub(crate) use judgment::{Label, Outcome, is_class};
use judgment::{Readings, Space};
pub(crate) use row::{NONE, Prediction, Row};

/// All that views need of a log, but for single records' payloads.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Entries up to here were read.
    pub(crate) next_entry: u64,
    pub(crate) models: Vec<Model>,
    pub(crate) methods: Vec<String>,
    pub(crate) checks: Vec<String>,
    /// Records that are comparable with each other.
    pub(crate) groups: Vec<Group>,
    pub(crate) rows: Vec<Row>,
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) n_feedback: u64,
    pub(crate) n_erasures: u64,
    /// Entries that cannot be read.
    pub(crate) n_damaged: u64,
    group_by_key: HashMap<(Box<str>, u32, u32), u32>,
    prediction_by_id: HashMap<Box<str>, u32>,
}

/// A model file under a name.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) digest: String,
    /// The names of its outputs, as far as records told them.
    pub(crate) classes: Vec<Option<String>>,
    /// Whether it has one output, which decides between two classes.
    pub(crate) single_output: bool,
    /// What its classes are called; labels are held against that.
    names: BTreeSet<String>,
    /// Whether a class is called by a number that is not its index: then numbers are names.
    numbers_are_names: bool,
    reading: Reading,
}

/// In which space a model's outputs are read where the record does not tell.
#[derive(Debug)]
struct Reading {
    /// What another record told.
    told: Option<Space>,
    /// Whether all outputs of those that do not tell could be probabilities.
    within: bool,
    /// Those records, for as long as none has told.
    untold: Vec<(u32, Readings)>,
}

impl Reading {
    fn space(&self) -> Space {
        self.told.unwrap_or(if self.within { Space::Probability } else { Space::Margin })
    }
}

/// An entry with what the index keeps of its payload; made outside of the index's lock.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) stored: Stored,
    pub(crate) explained: Option<Explained>,
}

impl Fresh {
    pub(crate) fn new(stored: Stored, payload: Option<&Payload>) -> Self {
        Self { stored, explained: payload.map(Explained::of) }
    }
}

impl Index {
    /// Takes an entry in; entries come in order.
    pub(crate) fn add(&mut self, fresh: Fresh) {
        let Fresh { stored, explained } = fresh;
        self.next_entry = stored.index + 1;
        match &stored.entry {
            Entry::Record { record, .. } => self.add_record(stored.index, record, explained),
            Entry::Feedback(feedback) => self.add_feedback(feedback),
            Entry::Erasure(erasure) => self.erase(erasure),
            // A kind of entry that a later version writes says nothing that is shown here.
            _ => {}
        }
    }

    /// Passes over an entry that cannot be read.
    pub(crate) fn skip(&mut self, entry: u64) {
        self.next_entry = entry + 1;
        self.n_damaged += 1;
    }

    /// The prediction of this id, if a record or feedback named it.
    pub(crate) fn prediction(&self, id: &str) -> Option<&Prediction> {
        self.prediction_by_id.get(id).map(|&index| &self.predictions[index as usize])
    }

    /// The record at this entry.
    pub(crate) fn row_at(&self, entry: u64) -> Option<&Row> {
        self.rows.binary_search_by_key(&entry, |row| row.entry).ok().map(|place| &self.rows[place])
    }

    pub(crate) fn prediction_of(&self, row: &Row) -> &Prediction {
        &self.predictions[row.prediction as usize]
    }

    pub(crate) fn group_of(&self, row: &Row) -> &Group {
        &self.groups[row.group as usize]
    }

    pub(crate) fn model_of(&self, row: &Row) -> &Model {
        &self.models[self.group_of(row).model as usize]
    }

    pub(crate) fn method_of(&self, row: &Row) -> &str {
        &self.methods[self.group_of(row).method as usize]
    }

    /// The records that hold: none that a later one of the same prediction and key replaced.
    pub(crate) fn current(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.superseded)
    }

    /// All records of a prediction, newest first.
    pub(crate) fn records_of<'a>(&'a self, prediction: &Prediction) -> impl Iterator<Item = &'a Row> {
        let at = |index: u32| self.rows.get(index as usize);
        std::iter::successors(at(prediction.last_row), move |row| at(row.previous))
    }

    /// Whether the prediction was right, as far as its label is known and can be understood.
    pub(crate) fn outcome(&self, row: &Row) -> Outcome {
        match &self.prediction_of(row).label {
            None => Outcome::Unlabeled,
            Some(label) => judgment::outcome(label, row.class, self.model_of(row)),
        }
    }

    fn add_record(&mut self, entry: u64, record: &Record, explained: Option<Explained>) {
        let model = self.model_index(record);
        let method = position_or_push(&mut self.methods, &record.method);
        let group = self.group_index(record, model, method);
        if let Some(explained) = &explained {
            self.models[model as usize].learn(explained);
        }
        let output = judgment::output_of(record, explained.as_ref());
        let index = self.rows.len() as u32;
        let predicted = self.predicted(model, index, &record.prediction, output.space);
        let prediction = self.prediction_index(&record.prediction_id);
        let previous = self.predictions[prediction as usize].last_row;
        let row = Row {
            entry,
            time_micros: record.timestamp_micros,
            prediction,
            previous,
            group,
            matrix_row: explained.as_ref().map_or(NONE, |it| self.groups[group as usize].keep(it)),
            target: output.target,
            class: predicted.class,
            confidence: predicted.confidence as f32,
            output: output.value as f32,
            weight: (1.0 / record.inclusion_probability) as f32,
            failed_checks: self.failed_checks(record),
            n_checks: record.checks.len().min(255) as u8,
            erased: explained.is_none(),
            superseded: false,
            again: self.supersede(previous, group),
            finite: explained.as_ref().is_none_or(Explained::is_finite),
        };
        if !row.erased {
            self.groups[group as usize].count(row.target, row.finite);
        }
        self.predictions[prediction as usize].last_row = index;
        self.rows.push(row);
    }

    /// What a record's outputs say; `space` where it is told. What one record tells holds for those of the model that do not: they are read
    /// alike, whichever came first.
    fn predicted(
        &mut self,
        model: u32,
        row: u32,
        outputs: &[f64],
        space: Option<Space>,
    ) -> judgment::Predicted {
        let reading = &mut self.models[model as usize].reading;
        let before = reading.space();
        let readings = Readings::of(outputs);
        match space {
            Some(space) => {
                reading.told.get_or_insert(space);
            }
            None => {
                reading.within &= readings.within;
                reading.untold.extend(reading.told.is_none().then_some((row, readings)));
            }
        }
        let now = reading.space();
        if now != before {
            for (row, readings) in &reading.untold {
                if let Some(row) = self.rows.get_mut(*row as usize) {
                    row.read(readings.in_space(now));
                }
            }
        }
        if reading.told.is_some() {
            reading.untold = Vec::new();
        }
        readings.in_space(space.unwrap_or(now))
    }

    /// Of the records of one prediction under one key, the last holds. Gives whether there is one before.
    fn supersede(&mut self, last: u32, by_group: u32) -> bool {
        let (mut at, mut again) = (last, false);
        while let Some(row) = self.rows.get_mut(at as usize) {
            if row.group == by_group {
                again = true;
                if !row.superseded && !row.erased {
                    self.groups[by_group as usize].uncount(row.target, row.finite);
                }
                row.superseded = true;
            }
            at = row.previous;
        }
        again
    }

    /// One bit for each of the first 32 names of checks that the log has.
    fn failed_checks(&mut self, record: &Record) -> u32 {
        record.checks.iter().fold(0, |bits, (name, check)| {
            let bit = position_or_push(&mut self.checks, name).min(31);
            bits | u32::from(!check.passed) << bit
        })
    }

    fn add_feedback(&mut self, feedback: &Feedback) {
        self.n_feedback += 1;
        let index = self.prediction_index(&feedback.prediction_id);
        let prediction = &mut self.predictions[index as usize];
        prediction.decided |= feedback.decision.is_some();
        if let Some(label) = &feedback.label {
            prediction.label = Some(Label::of(label));
            prediction.label_micros = feedback.timestamp_micros;
        }
    }

    /// What is erased in the log is not kept in memory either.
    fn erase(&mut self, erasure: &Erasure) {
        self.n_erasures += 1;
        for &[first, end] in &erasure.records {
            let from = self.rows.partition_point(|row| row.entry < first);
            let to = self.rows.partition_point(|row| row.entry < end);
            for row in &mut self.rows[from..to] {
                let group = &mut self.groups[row.group as usize];
                if !row.superseded && !row.erased {
                    group.uncount(row.target, row.finite);
                }
                row.erased = true;
                group.forget(row.matrix_row);
                row.matrix_row = NONE;
            }
        }
    }

    fn model_index(&mut self, record: &Record) -> u32 {
        let named = &record.model;
        let digest = named.digest.to_string();
        let same = |it: &Model| it.name == named.name && it.version == named.version && it.digest == digest;
        let found = self.models.iter().position(same).unwrap_or_else(|| {
            self.models.push(Model::of(record));
            self.models.len() - 1
        });
        found as u32
    }

    fn group_index(&mut self, record: &Record, model: u32, method: u32) -> u32 {
        // Model and method are part of any key worth its name; where a writer's key leaves them out, they still part.
        let key = (record.comparability_key.as_str().into(), model, method);
        *self.group_by_key.entry(key).or_insert_with(|| {
            self.groups.push(Group::new(record, model, method));
            self.groups.len() as u32 - 1
        })
    }

    fn prediction_index(&mut self, id: &str) -> u32 {
        if let Some(&index) = self.prediction_by_id.get(id) {
            return index;
        }
        let index = self.predictions.len() as u32;
        self.predictions.push(Prediction::new(id));
        self.prediction_by_id.insert(id.into(), index);
        index
    }
}

impl Model {
    /// Of which nothing but its name is known.
    fn of(record: &Record) -> Self {
        Self {
            name: record.model.name.clone(),
            version: record.model.version.clone(),
            digest: record.model.digest.to_string(),
            classes: Vec::new(),
            single_output: record.prediction.len() == 1,
            names: BTreeSet::new(),
            numbers_are_names: false,
            reading: Reading { told: None, within: true, untold: Vec::new() },
        }
    }

    fn learn(&mut self, explained: &Explained) {
        for (index, name) in &explained.classes {
            if self.classes.len() <= *index {
                self.classes.resize(index + 1, None);
            }
            if self.classes[*index].is_some() {
                continue;
            }
            self.classes[*index] = Some(name.clone());
            let class = if self.single_output { 1 } else { *index };
            self.numbers_are_names |= name.trim().parse::<f64>().is_ok_and(|number| number != class as f64);
            self.names.insert(name.clone());
            self.names.extend(self.single_output.then(|| format!("not {name}")));
        }
    }

    /// Whether a label of this text is the name of a class.
    pub(crate) fn judges_by_name(&self, label: &str) -> bool {
        self.numbers_are_names || self.names.contains(label)
    }

    /// What a class is called: by name, where the log tells it, else by its index.
    pub(crate) fn class_name(&self, class: u32) -> Option<String> {
        self.told_name(class).or_else(|| (class != NONE).then(|| class.to_string()))
    }

    /// The name of a class, where the log tells it.
    pub(crate) fn told_name(&self, class: u32) -> Option<String> {
        // One output speaks for class 1 and against class 0.
        let index = if self.single_output && class != NONE { 0 } else { class as usize };
        let name = self.classes.get(index)?.as_ref()?;
        Some(if self.single_output && class == 0 { format!("not {name}") } else { name.clone() })
    }

    /// A label as people read it, for a record of this predicted class: a class by its name.
    pub(crate) fn label_name(&self, label: &Label, predicted: u32) -> String {
        let shown = label.shown();
        if predicted == NONE || self.judges_by_name(&shown) {
            return shown;
        }
        let index = label.number().filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < f64::from(NONE));
        // Of one output, there are two classes.
        let class = index.map(|n| n as u32).filter(|class| !self.single_output || *class <= 1);
        class.and_then(|class| self.told_name(class)).unwrap_or(shown)
    }

    /// What an output is called.
    pub(crate) fn output_name(&self, output: u32) -> Option<String> {
        let name = self.classes.get(output as usize).and_then(Option::as_ref).cloned();
        (output != NONE).then(|| name.unwrap_or_else(|| format!("output {output}")))
    }
}

fn position_or_push(names: &mut Vec<String>, name: &str) -> u32 {
    let found = names.iter().position(|it| it == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    found as u32
}

#[cfg(test)]
mod tests;
