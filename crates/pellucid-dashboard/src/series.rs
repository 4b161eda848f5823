//! A series: records that may be averaged, because they have one comparability key and explain one output.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::error::ViewError;
use crate::index::{Counts, Group, Index, Kind, NONE, Row};

/// Which records a view is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series<'a> {
    pub(crate) index: &'a Index,
    pub(crate) group_index: u32,
    pub(crate) target: u32,
}

/// A series in words, for those who choose.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Described {
    /// What the parameter `series` takes.
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) version: String,
    method: String,
    key: String,
    parameters: Map<String, Value>,
    /// The explained output.
    pub(crate) output: Option<String>,
    pub(crate) output_space: Option<String>,
    kind: Kind,
    pub(crate) signed: bool,
    n_records: u64,
    /// Those of them that have no part in means, because their output or attributions are no finite numbers.
    n_not_finite: u64,
    n_features: usize,
    n_left_out: u64,
}

/// What a view of one series takes.
pub(crate) const PARAMETER: &str = "series";

impl<'a> Series<'a> {
    /// The asked series, or the one that has most records.
    pub(crate) fn asked(
        index: &'a Index,
        asked: Asked<'_>,
        tables_only: bool,
    ) -> Result<Option<Self>, ViewError> {
        let all = Self::all(index, tables_only);
        match asked.text(PARAMETER) {
            None => Ok(all.into_iter().next()),
            Some(id) => match all.into_iter().find(|series| series.id() == id) {
                Some(found) => Ok(Some(found)),
                None => Err(ViewError::not_found(format!(
                    "no series `{id}`: choose one of those that the view lists"
                ))),
            },
        }
    }

    /// All series, those with most records first.
    pub(crate) fn all(index: &'a Index, tables_only: bool) -> Vec<Self> {
        let of_group = |(group_index, group): (usize, &'a Group)| {
            let series = move |&target| Self { index, group_index: group_index as u32, target };
            group.targets.keys().map(series)
        };
        let wanted = |(_, group): &(usize, &Group)| !tables_only || group.kind == Kind::Table;
        let mut all: Vec<Self> = index.groups.iter().enumerate().filter(wanted).flat_map(of_group).collect();
        // Replaced by other records, or erased.
        all.retain(|series| series.counts().n_records > 0);
        all.sort_by_key(|series| std::cmp::Reverse(series.counts().n_records));
        all
    }

    pub(crate) fn group(&self) -> &'a Group {
        &self.index.groups[self.group_index as usize]
    }

    fn counts(&self) -> Counts {
        self.group().targets.get(&self.target).copied().unwrap_or_default()
    }

    /// Short, and the same after a restart: places in the log decide.
    pub(crate) fn id(&self) -> String {
        match self.target {
            NONE => format!("{}", self.group_index),
            target => format!("{}.{target}", self.group_index),
        }
    }

    pub(crate) fn described(&self) -> Described {
        let group = self.group();
        let model = &self.index.models[group.model as usize];
        Described {
            id: self.id(),
            model: model.name.clone(),
            version: model.version.clone(),
            method: self.index.methods[group.method as usize].clone(),
            key: group.key.clone(),
            parameters: group.parameters.clone(),
            output: model.output_name(self.target),
            output_space: group.output_space.clone(),
            kind: group.kind,
            signed: group.signed,
            n_records: self.counts().n_records,
            n_not_finite: self.counts().n_not_finite,
            n_features: group.n_features(),
            n_left_out: group.n_left_out,
        }
    }

    /// Records of the key that hold, whatever output they explain.
    pub(crate) fn comparable(&self) -> impl Iterator<Item = &'a Row> {
        let group = self.group_index;
        self.index.current().filter(move |row| row.group == group)
    }

    /// Records that hold, with their attributions and inputs: those that means are taken of.
    pub(crate) fn explained(&self) -> impl Iterator<Item = (&'a Row, &'a [f32], &'a [f32])> {
        let (series, group) = (*self, self.group());
        let kept = self.comparable().filter(move |row| series.averages(row));
        kept.map(move |row| (row, group.attributions(row.matrix_row), group.inputs(row.matrix_row)))
    }

    /// The first record of each prediction, behind an entry, in the order of the log: nothing is ever put in between, and only erasures take one
    /// away.
    pub(crate) fn first_behind(&self, entry: Option<u64>) -> impl Iterator<Item = &'a Row> {
        let series = *self;
        let rows = &self.index.rows;
        let from = entry.map_or(0, |entry| rows.partition_point(|row| row.entry <= entry));
        let own = move |row: &&Row| row.group == series.group_index && !row.again && series.averages(row);
        rows[from..].iter().filter(own)
    }

    /// Whether a record of the group explains the series' output, in finite numbers that are still there.
    pub(crate) fn averages(&self, row: &Row) -> bool {
        row.target == self.target && row.matrix_row != NONE && row.finite
    }
}

/// All series in words.
pub(crate) fn choices(index: &Index, tables_only: bool) -> Vec<Described> {
    Series::all(index, tables_only).iter().map(Series::described).collect()
}
