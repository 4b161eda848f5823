//! What a cell of a table says of a feature: a number, a category's code, or nothing.

use std::collections::{BTreeMap, HashMap};

use pellucid_trees::TreeEnsemble;

/// What stands for a missing value, as pandas reads it.
const MISSING: [&str; 12] =
    ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "n/a", "<NA>", "#N/A", "-nan"];

/// Unseen categories that are named in a warning.
const MAX_NAMED: usize = 5;

/// Reads the cells of the model's features.
#[derive(Debug)]
pub(crate) struct Cells {
    codes: Vec<Option<Codes>>,
    refuses_unseen: bool,
    unseen: BTreeMap<usize, Unseen>,
}

/// The codes of a feature's categories.
#[derive(Debug)]
pub(crate) struct Codes {
    by_name: HashMap<String, f64>,
    /// Where categories are numbers, `1.0` is the category `1`.
    by_number: Vec<(f64, f64)>,
}

#[derive(Debug, Default)]
struct Unseen {
    names: Vec<String>,
    n_cells: usize,
}

impl Cells {
    pub(crate) fn new(ensemble: &TreeEnsemble) -> Self {
        let none = vec![Vec::new(); ensemble.n_features];
        let lists = ensemble.categories.as_ref().unwrap_or(&none);
        Self {
            codes: lists.iter().map(|list| (!list.is_empty()).then(|| Codes::new(list))).collect(),
            // XGBoost fails on a category it was not trained on; LightGBM takes it as missing.
            refuses_unseen: ensemble.provenance.library == "xgboost",
            unseen: BTreeMap::new(),
        }
    }

    /// The value of a feature; NaN is missing. In words, why a cell has none.
    pub(crate) fn value(&mut self, feature: usize, cell: &str) -> Result<f64, String> {
        let cell = cell.trim();
        match &self.codes[feature] {
            None => number(cell),
            Some(codes) => match codes.get(cell) {
                Some(code) => Ok(code),
                None if MISSING.contains(&cell) => Ok(f64::NAN),
                None if self.refuses_unseen => Err(format!(
                    "`{cell}` is none of the model's {} categories, and XGBoost refuses such rows",
                    codes.by_name.len()
                )),
                None => {
                    self.unseen.entry(feature).or_default().add(cell);
                    Ok(f64::NAN)
                }
            },
        }
    }

    /// Whether the model names categories for a feature.
    pub(crate) fn has_categories(&self, feature: usize) -> bool {
        self.codes[feature].is_some()
    }

    /// A number that came as one: for a feature with categories it is a code.
    pub(crate) fn checked(number: f64) -> Result<f64, String> {
        if number.is_infinite() { Err(format!("{number} {INFINITE}")) } else { Ok(number) }
    }

    /// What was unseen, one line a feature.
    pub(crate) fn warnings(&self, feature_names: &[String]) -> Vec<String> {
        let line = |(&feature, unseen): (&usize, &Unseen)| {
            let more = if unseen.names.len() > MAX_NAMED { ", …" } else { "" };
            let names: Vec<&str> = unseen.names.iter().take(MAX_NAMED).map(String::as_str).collect();
            format!(
                "column `{}`: {} cells with categories that the model was not trained on ({}{more}) are taken as \
                 missing, as the library does",
                feature_names[feature],
                unseen.n_cells,
                names.join(", ")
            )
        };
        self.unseen.iter().map(line).collect()
    }
}

const INFINITE: &str = "is infinite; write a number, or leave the cell empty for a missing value";

fn number(cell: &str) -> Result<f64, String> {
    match cell.parse::<f64>() {
        Ok(number) if number.is_infinite() => Err(format!("`{cell}` {INFINITE}")),
        Ok(number) => Ok(number),
        Err(_) if MISSING.contains(&cell) => Ok(f64::NAN),
        Err(_) if cell.eq_ignore_ascii_case("true") => Ok(1.0),
        Err(_) if cell.eq_ignore_ascii_case("false") => Ok(0.0),
        Err(_) => Err(format!("`{cell}` is no number, and the model names no categories for this column")),
    }
}

impl Codes {
    pub(crate) fn new(list: &[String]) -> Self {
        let coded = || list.iter().enumerate().map(|(code, name)| (name, code as f64));
        Self {
            by_name: coded().map(|(name, code)| (name.trim().to_owned(), code)).collect(),
            by_number: coded().filter_map(|(name, code)| Some((name.parse().ok()?, code))).collect(),
        }
    }

    pub(crate) fn get(&self, cell: &str) -> Option<f64> {
        if let Some(code) = self.by_name.get(cell) {
            return Some(*code);
        }
        let number: f64 = if self.by_number.is_empty() { None } else { cell.parse().ok() }?;
        self.by_number.iter().find(|(category, _)| *category == number).map(|(_, code)| *code)
    }
}

impl Unseen {
    fn add(&mut self, cell: &str) {
        self.n_cells += 1;
        if self.names.len() <= MAX_NAMED && !self.names.iter().any(|name| name == cell) {
            self.names.push(cell.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(library: &str, categories: &[&str]) -> Cells {
        let mut ensemble = TreeEnsemble::new(Vec::new(), 2, 1);
        ensemble.categories = Some(vec![vec![], categories.iter().map(|&name| name.to_owned()).collect()]);
        ensemble.provenance.library = library.to_owned();
        Cells::new(&ensemble)
    }

    #[test]
    fn numbers_and_missing_values_are_read() {
        let mut cells = cells("lightgbm", &[]);
        let mut check = |cell: &str, expected: f64| assert_eq!(cells.value(0, cell), Ok(expected), "{cell}");
        check(" 2.5e3 ", 2500.0);
        check("True", 1.0);
        check("-0", 0.0);
        for cell in MISSING {
            assert!(cells.value(0, cell).is_ok_and(f64::is_nan), "{cell}");
        }
        assert!(cells.value(0, "abc").is_err_and(|reason| reason.contains("`abc` is no number")));
        assert!(cells.value(0, "-inf").is_err_and(|reason| reason.contains("infinite")));
    }

    #[test]
    fn words_become_codes_and_unseen_ones_are_missing_or_refused() {
        let mut lightgbm = cells("lightgbm", &["NA", "b", "7"]);
        assert_eq!(lightgbm.value(1, "b"), Ok(1.0));
        assert_eq!(lightgbm.value(1, "NA"), Ok(0.0), "a category before a missing value");
        assert_eq!(lightgbm.value(1, "7.0"), Ok(2.0));
        assert!(lightgbm.value(1, "new").is_ok_and(f64::is_nan));
        assert!(lightgbm.value(1, "").is_ok_and(f64::is_nan));
        let names = ["x".to_owned(), "color".to_owned()];
        let warnings = lightgbm.warnings(&names);
        assert!(warnings.len() == 1 && warnings[0].contains("`color`: 1 cells"), "{warnings:?}");
        let refused = cells("xgboost", &["b"]).value(1, "new");
        assert!(refused.is_err_and(|reason| reason.contains("XGBoost refuses")));
    }
}
