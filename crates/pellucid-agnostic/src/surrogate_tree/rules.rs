//! Leaves of a tree as sentences.

use std::collections::BTreeMap;

use super::fit::{Node, Test};
use crate::counterfactual::{Column, Table, number_text};

/// What a path asks of one column.
#[derive(Clone, Debug)]
struct Asked {
    above: f64,
    at_most: f64,
    /// One of these; [`None`]: any but those excluded.
    categories: Option<Vec<f64>>,
    excluded: Vec<f64>,
    /// Whether a missing value takes this path; [`None`] where the tree saw none.
    missing: Option<bool>,
}

impl Default for Asked {
    fn default() -> Self {
        let (above, at_most) = (f64::NEG_INFINITY, f64::INFINITY);
        Self { above, at_most, categories: None, excluded: Vec::new(), missing: None }
    }
}

/// Each leaf as "if … and …: value (n rows)", from left to right.
pub(super) fn rules(nodes: &[Node], table: &Table, is_class: bool) -> Vec<String> {
    let mut rules = Vec::new();
    let mut paths = vec![(0, BTreeMap::<usize, Asked>::new())];
    while let Some((place, asked)) = paths.pop() {
        match &nodes[place] {
            Node::Leaf { value, n_rows } => rules.push(rule(&asked, *value, *n_rows, table, is_class)),
            Node::Split { column, test, missing_left, left, right } => {
                let known = all_categories(&table.columns[*column]);
                let branch = |is_left: bool| {
                    let mut asked = asked.clone();
                    let of_column = asked.entry(*column).or_default();
                    of_column.narrow(test, is_left, &known);
                    if let Some(missing_left) = missing_left {
                        let here = of_column.missing.unwrap_or(true) && *missing_left == is_left;
                        of_column.missing = Some(here);
                    }
                    asked
                };
                paths.push((*right, branch(false)));
                paths.push((*left, branch(true)));
            }
        }
    }
    rules
}

fn all_categories(column: &Column) -> Vec<f64> {
    (0..column.labels().map_or(0, <[String]>::len)).map(|code| code as f64).collect()
}

impl Asked {
    fn narrow(&mut self, test: &Test, is_left: bool, known: &[f64]) {
        match (test, is_left) {
            (Test::AtMost(threshold), true) => self.at_most = self.at_most.min(*threshold),
            (Test::AtMost(threshold), false) => self.above = self.above.max(*threshold),
            (Test::In(categories), true) => {
                let before = self.categories.take().unwrap_or_else(|| categories.clone());
                let stays = |code: &f64| categories.contains(code) && !self.excluded.contains(code);
                self.categories = Some(before.into_iter().filter(stays).collect());
            }
            // What has labels says what is left; what has none, what is not.
            (Test::In(categories), false) if self.categories.is_some() || !known.is_empty() => {
                let before = self.categories.take().unwrap_or_else(|| known.to_vec());
                self.categories =
                    Some(before.into_iter().filter(|code| !categories.contains(code)).collect());
            }
            (Test::In(categories), false) => self.excluded.extend(categories),
        }
    }

    fn text(&self, column: &Column) -> String {
        let name = &column.name;
        let words = |codes: &[f64]| -> String {
            codes.iter().map(|&code| column.text(code)).collect::<Vec<_>>().join(" or ")
        };
        let condition = match &self.categories {
            Some(categories) => format!("{name} is {}", words(categories)),
            None if !self.excluded.is_empty() => format!("{name} is not {}", words(&self.excluded)),
            None => {
                let unit = column.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
                let ends = (self.above.is_finite(), self.at_most.is_finite());
                let (above, at_most) = (number_text(self.above), number_text(self.at_most));
                match ends {
                    (true, true) => format!("{above}{unit} < {name} ≤ {at_most}{unit}"),
                    (true, false) => format!("{name} > {above}{unit}"),
                    _ => format!("{name} ≤ {at_most}{unit}"),
                }
            }
        };
        if self.missing == Some(true) { format!("({condition} or missing)") } else { condition }
    }
}

fn rule(asked: &BTreeMap<usize, Asked>, value: f64, n_rows: usize, table: &Table, is_class: bool) -> String {
    let conditions: Vec<String> =
        asked.iter().map(|(&column, asked)| asked.text(&table.columns[column])).collect();
    let when = match conditions.is_empty() {
        true => "always".to_owned(),
        false => format!("if {}", conditions.join(" and ")),
    };
    let value = match is_class {
        true => table.outcome_names.get(value as usize).cloned().unwrap_or_else(|| format!("class {value}")),
        false => number_text(value),
    };
    let rows = if n_rows == 1 { "row" } else { "rows" };
    format!("{when}: {value} ({n_rows} {rows})")
}
