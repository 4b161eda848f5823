//! A column of true classes → the index of each row's class.

use super::blocks::Block;
use super::cells::Codes;
use super::model::TreeModel;
use crate::error::Error;

/// Classes that an error names.
const MAX_NAMED: usize = 8;

/// What the classes of a model are called.
pub(crate) struct Classes {
    /// Of several outputs one each; of a single one the class that it speaks for.
    names: Vec<String>,
    codes: Codes,
    n_outputs: usize,
}

impl Classes {
    /// Those of a model with such names of outputs; none where it has none.
    pub(crate) fn new(names: Vec<String>, n_outputs: usize) -> Self {
        Self { codes: Codes::new(&names), names, n_outputs }
    }

    pub(crate) fn of_trees(model: &TreeModel) -> Self {
        Self::new(model.labels().unwrap_or_default().to_vec(), model.ensemble().n_outputs())
    }

    /// The classes of a block's rows, of which `cells` are the texts of the column `name`.
    pub(crate) fn of_column(&self, block: &Block, name: &str, cells: &[String]) -> Result<Vec<usize>, Error> {
        let of_row = |(row, cell): (usize, &String)| {
            self.index(cell).ok_or_else(|| Error::Input {
                path: block.file.clone(),
                reason: format!(
                    "row {}, column `{name}`: `{cell}` is no class of the model; write {}",
                    block.first_row + row,
                    self.expected()
                ),
            })
        };
        cells.iter().enumerate().map(of_row).collect()
    }

    /// By name where the classes have names, else by number: two classes for a single output.
    pub(crate) fn index(&self, cell: &str) -> Option<usize> {
        if let Some(code) = self.codes.get(cell) {
            return Some(if self.n_outputs == 1 { 1 } else { code as usize });
        }
        let number: f64 = match cell {
            _ if cell.eq_ignore_ascii_case("true") => 1.0,
            _ if cell.eq_ignore_ascii_case("false") => 0.0,
            _ => cell.parse().ok()?,
        };
        let fits = number.fract() == 0.0 && (0.0..self.n_outputs.max(2) as f64).contains(&number);
        (fits && self.are_counted()).then_some(number as usize)
    }

    /// Whether numbers count classes. The name `2` may stand for the class 1: what is no name is then no class; but the
    /// single name `1` leaves 0 for the other class.
    fn are_counted(&self) -> bool {
        let mut numbers = self.names.iter().filter_map(|name| name.trim().parse::<f64>().ok());
        numbers.all(|number| self.n_outputs == 1 && number == 1.0)
    }

    /// What a cell may say.
    pub(crate) fn expected(&self) -> String {
        let numbers = self.are_counted().then(|| format!("a number from 0 to {}", self.n_outputs.max(2) - 1));
        let names = self.names.iter().take(MAX_NAMED).map(|name| format!("`{name}`"));
        numbers.into_iter().chain(names).collect::<Vec<_>>().join(", or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(names: &[&str], n_outputs: usize) -> Classes {
        Classes::new(names.iter().map(|&name| name.to_owned()).collect(), n_outputs)
    }

    #[test]
    fn classes_are_found_by_name_or_number() {
        let check = |names: &[&str], n_outputs: usize, cell: &str, index: Option<usize>| {
            assert_eq!(classes(names, n_outputs).index(cell), index, "{names:?}, {cell}");
        };
        check(&[], 1, "1", Some(1));
        check(&[], 1, "0.0", Some(0));
        check(&[], 1, "True", Some(1));
        check(&[], 1, "2", None);
        check(&[], 1, "0.5", None);
        check(&[], 1, "", None);
        check(&[], 3, "2", Some(2));
        check(&["cat", "dog", "eel"], 3, "eel", Some(2));
        check(&["cat", "dog", "eel"], 3, "1", Some(1));
        check(&["cat", "dog", "eel"], 3, "cow", None);
        check(&["1", "2", "3"], 3, "3.0", Some(2));
        check(&["1", "2", "3"], 3, "0", None);
        check(&[">50K"], 1, ">50K", Some(1));
        check(&[">50K"], 1, "0", Some(0));
        check(&["1"], 1, "0", Some(0));
        check(&["1"], 1, "1", Some(1));
        check(&["2"], 1, "1", None);
    }
}
