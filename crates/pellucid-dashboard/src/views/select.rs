//! Filters on records, and what there is to choose from.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::asked::Asked;
use crate::error::ViewError;
use crate::index::{Index, Outcome, Row};

/// Parameters that choose records.
pub(super) const PARAMETERS: &[&str] = &[
    "model",
    "version",
    "method",
    "key",
    "class",
    "confidence_min",
    "confidence_max",
    "checks",
    "outcome",
    "since",
    "until",
    "text",
];

/// Conditions that a record must meet, all of those that are given.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    model: Option<&'a str>,
    version: Option<&'a str>,
    method: Option<&'a str>,
    key: Option<&'a str>,
    class: Option<&'a str>,
    confidence_min: Option<f64>,
    confidence_max: Option<f64>,
    checks: Option<&'a str>,
    outcome: Option<Outcome>,
    since: Option<i64>,
    until: Option<i64>,
    text: Option<String>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(asked: Asked<'a>) -> Result<Self, ViewError> {
        let outcomes = ["right", "wrong", "unlabeled", "not_judged"];
        Ok(Self {
            model: asked.text("model"),
            version: asked.text("version"),
            method: asked.text("method"),
            key: asked.text("key"),
            class: asked.text("class"),
            confidence_min: asked.number("confidence_min")?,
            confidence_max: asked.number("confidence_max")?,
            checks: asked.text("checks"),
            outcome: asked.choice("outcome", &outcomes)?.map(|outcome| match outcome {
                "right" => Outcome::Right,
                "wrong" => Outcome::Wrong,
                "unlabeled" => Outcome::Unlabeled,
                _ => Outcome::NotJudged,
            }),
            since: asked.number("since")?,
            until: asked.number("until")?,
            text: asked.text("text").map(str::to_lowercase),
        })
    }

    pub(super) fn takes(&self, index: &Index, row: &Row) -> bool {
        self.takes_origin(index, row) && self.takes_content(index, row)
    }

    fn takes_origin(&self, index: &Index, row: &Row) -> bool {
        let model = index.model_of(row);
        self.model.is_none_or(|name| model.name == name)
            && self.version.is_none_or(|version| model.version == version)
            && self.method.is_none_or(|method| index.method_of(row) == method)
            && self.key.is_none_or(|key| index.group_of(row).key == key)
            && self.since.is_none_or(|since| row.time_micros >= since)
            && self.until.is_none_or(|until| row.time_micros < until)
    }

    fn takes_content(&self, index: &Index, row: &Row) -> bool {
        let class = |name: &str| index.model_of(row).class_name(row.class).is_some_and(|it| it == name);
        let confidence = |within: &dyn Fn(f64) -> bool| row.confidence().is_some_and(within);
        self.class.is_none_or(class)
            && self.confidence_min.is_none_or(|min| confidence(&|it| it >= min))
            && self.confidence_max.is_none_or(|max| confidence(&|it| it <= max))
            && self.checks.is_none_or(|checks| takes_checks(index, row, checks))
            && self.outcome.is_none_or(|outcome| index.outcome(row) == outcome)
            && self.text.as_ref().is_none_or(|text| contains(&index.prediction_of(row).id, text))
    }
}

/// `passed`, `failed`, `none`, or the name of a check that failed.
fn takes_checks(index: &Index, row: &Row, checks: &str) -> bool {
    match checks {
        "passed" => row.failed_checks == 0 && row.n_checks > 0,
        "failed" => row.failed_checks != 0,
        "none" => row.n_checks == 0,
        name => failed_names(index, row).any(|failed| failed == name),
    }
}

/// The names of the checks that a record failed.
pub(super) fn failed_names<'a>(index: &'a Index, row: &'a Row) -> impl Iterator<Item = &'a str> {
    let failed = |(bit, _): &(usize, &String)| row.failed_checks & (1 << bit) != 0;
    index.checks.iter().take(32).enumerate().filter(failed).map(|(_, name)| name.as_str())
}

fn contains(id: &str, text: &str) -> bool {
    id.contains(text) || id.to_lowercase().contains(text)
}

/// What filters can be set to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Choices {
    models: BTreeSet<String>,
    versions: BTreeSet<String>,
    methods: BTreeSet<String>,
    classes: BTreeSet<String>,
    checks: BTreeSet<String>,
}

/// More classes than a list can show are found by typing.
const MAX_CLASSES: usize = 200;

impl Choices {
    pub(super) fn of(index: &Index) -> Self {
        let classes = index.models.iter().flat_map(|model| {
            let n = if model.single_output { 2 } else { model.classes.len() };
            (0..n).filter_map(|class| model.class_name(class as u32))
        });
        Self {
            models: index.models.iter().map(|model| model.name.clone()).collect(),
            versions: index.models.iter().map(|model| model.version.clone()).collect(),
            methods: index.methods.iter().cloned().collect(),
            classes: classes.take(MAX_CLASSES).collect(),
            checks: index.checks.iter().cloned().collect(),
        }
    }
}
