//! The lines of the file: a header, then trees, then what no prediction needs.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::Error;

pub(super) struct Sections<'a> {
    pub(super) header: Section<'a>,
    pub(super) trees: Vec<Section<'a>>,
    /// The lists of the categories of pandas columns, in JSON.
    pub(super) pandas_categorical: Option<&'a str>,
    /// The categorical features, `1,3,4`, as the parameters tell.
    pub(super) categorical_feature: Option<&'a str>,
}

/// The `key=value` lines of the header or of one tree.
pub(super) struct Section<'a> {
    name: String,
    values: BTreeMap<&'a str, (usize, &'a str)>,
}

pub(super) fn broken(reason: String) -> Error {
    Error::Format { format: "LightGBM text", reason }
}

impl<'a> Sections<'a> {
    /// Splits the file, and finds out whether it is whole.
    pub(super) fn of(text: &'a str) -> Result<Self, Error> {
        let mut header = Section { name: "the header".to_owned(), values: BTreeMap::new() };
        let mut trees: Vec<Section<'a>> = Vec::new();
        let (mut ended, mut in_parameters) = (false, false);
        let (mut pandas_categorical, mut categorical_feature) = (None, None);
        for (index, line) in text.lines().enumerate() {
            if ended {
                in_parameters = line == "parameters:" || (in_parameters && line != "end of parameters");
                let categories = line.strip_prefix("pandas_categorical:").map(str::trim);
                pandas_categorical =
                    pandas_categorical.or(categories.filter(|text| !matches!(*text, "null" | "[]")));
                let features =
                    line.strip_prefix("[categorical_feature:").and_then(|text| text.strip_suffix(']'));
                categorical_feature = categorical_feature.or(features.filter(|text| !text.trim().is_empty()));
            } else if let Some(number) = line.strip_prefix("Tree=") {
                if number.trim().parse() != Ok(trees.len()) {
                    let expected = trees.len();
                    return Err(broken(format!(
                        "line {}: `{line}` where Tree={expected} belongs",
                        index + 1
                    )));
                }
                let name = format!("tree {} (line {})", trees.len(), index + 1);
                trees.push(Section { name, values: BTreeMap::new() });
            } else if line == "end of trees" || line.starts_with("feature importances") {
                // The first is written since v3, the second before.
                ended = true;
            } else if !line.trim().is_empty() {
                let (key, value) = line.split_once('=').unwrap_or((line, ""));
                trees.last_mut().unwrap_or(&mut header).values.insert(key.trim(), (index + 1, value.trim()));
            }
        }
        let sections = Self { header, trees, pandas_categorical, categorical_feature };
        sections.check_end(ended)?;
        // The names of the categories stand behind the parameters.
        if in_parameters {
            return Err(broken("truncated: no `end of parameters`".to_owned()));
        }
        Ok(sections)
    }

    fn check_end(&self, ended: bool) -> Result<(), Error> {
        let n_trees = self.trees.len();
        if !ended {
            return Err(broken(format!("truncated: no `end of trees` after {n_trees} trees")));
        }
        if !self.header.has("tree_sizes") {
            return Ok(());
        }
        match self.header.text("tree_sizes")?.split_whitespace().count() {
            announced if announced == n_trees => Ok(()),
            announced => Err(broken(format!("{n_trees} trees, but tree_sizes announces {announced}"))),
        }
    }
}

impl<'a> Section<'a> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn text(&self, key: &str) -> Result<&'a str, Error> {
        Ok(self.line(key)?.1)
    }

    fn line(&self, key: &str) -> Result<(usize, &'a str), Error> {
        self.values.get(key).copied().ok_or_else(|| broken(format!("{} has no `{key}`", self.name)))
    }

    pub(super) fn number<T: FromStr>(&self, key: &str) -> Result<T, Error> {
        let (line, word) = self.line(key)?;
        parse(line, key, word)
    }

    /// As many numbers as there must be.
    pub(super) fn numbers<T: FromStr>(&self, key: &str, count: usize) -> Result<Vec<T>, Error> {
        let (line, words) = self.line(key)?;
        let numbers: Vec<T> =
            words.split_whitespace().map(|word| parse(line, key, word)).collect::<Result<_, _>>()?;
        match numbers.len() {
            n if n == count => Ok(numbers),
            n => Err(broken(format!("line {line}: {n} values in `{key}`, not {count}"))),
        }
    }

    /// As [`Section::numbers`], or nothing where the file leaves them out.
    pub(super) fn numbers_if_any<T: FromStr>(
        &self,
        key: &str,
        count: usize,
    ) -> Result<Option<Vec<T>>, Error> {
        self.has(key).then(|| self.numbers(key, count)).transpose()
    }

    /// An error that says where this section is.
    pub(super) fn broken(&self, reason: String) -> Error {
        broken(format!("{}: {reason}", self.name))
    }
}

fn parse<T: FromStr>(line: usize, key: &str, word: &str) -> Result<T, Error> {
    // A word may be as long as the file.
    let shown: String = word.chars().take(40).collect();
    word.parse()
        .map_err(|_| broken(format!("line {line}: `{shown}` in `{key}` is not a number that it can be")))
}
