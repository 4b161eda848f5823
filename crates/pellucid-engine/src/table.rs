//! CSV: a header of feature names and rows of numbers → `[rows, features]`.

use std::path::Path;

use ndarray::Array2;

use crate::error::Error;
use crate::file;
use crate::trees::kept_places;

/// Rows of numbers with the names of their features.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) feature_names: Vec<String>,
    /// `[rows, features]`.
    pub(crate) rows: Array2<f32>,
    /// The texts of the columns that are no features, `[columns][rows]`.
    pub(crate) kept: Vec<Vec<String>>,
}

/// Reads a CSV file whose first line names the columns and whose cells are all numbers, but for those of the columns `kept`.
pub(crate) fn read(path: &Path, kept: &[String]) -> Result<Table, Error> {
    parse(&file::read(path)?, kept).map_err(|reason| Error::input(path, reason))
}

fn parse(bytes: &[u8], kept: &[String]) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| error.to_string())?;
    let names: Vec<String> = header.iter().map(str::to_owned).collect();
    check_names(&names)?;
    let beside = kept_places(Some(&names), kept)?;
    let is_feature = |place: &usize| !beside.contains(place);
    let feature_names: Vec<String> =
        (0..names.len()).filter(is_feature).map(|place| names[place].clone()).collect();
    let mut texts = vec![Vec::new(); kept.len()];
    let mut cells = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        for (place, (cell, name)) in record.iter().zip(&names).enumerate() {
            match beside.iter().position(|&kept| kept == place) {
                Some(kept) => texts[kept].push(cell.to_owned()),
                None => cells.push(number(cell, line, name)?),
            }
        }
    }
    let n_features = feature_names.len();
    if cells.is_empty() {
        return Err("has a header and no rows".to_owned());
    }
    let rows = Array2::from_shape_vec((cells.len() / n_features, n_features), cells);
    Ok(Table { feature_names, rows: rows.map_err(|error| error.to_string())?, kept: texts })
}

/// A first line of numbers is data without a header, and would be lost as one.
pub(crate) fn check_names(names: &[String]) -> Result<(), String> {
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err("line 1 holds numbers; write the features' names above the rows".to_owned());
    }
    match names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        Some((_, name)) => Err(format!("line 1 names two columns `{name}`")),
        None => Ok(()),
    }
}

fn number(cell: &str, line: u64, column: &str) -> Result<f32, String> {
    match cell.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ if cell.is_empty() => Err(format!("line {line}, column `{column}` is empty; fill in a number")),
        _ => Err(format!("line {line}, column `{column}`: `{cell}` is no finite number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn numbers_become_rows() {
        let table = parse(b"age, income\n31, 2.5e3\n\n42,-1\n", &[]).unwrap();
        assert_eq!(table.feature_names, ["age", "income"]);
        assert_eq!(table.rows, array![[31.0, 2500.0], [42.0, -1.0]]);
        let kept = ["group".to_owned()];
        let table = parse(b"age, group, income\n31, a, 2.5e3\n42,b,-1\n", &kept).unwrap();
        assert_eq!((table.feature_names.len(), &table.rows[[1, 1]]), (2, &-1.0));
        assert_eq!(table.kept, [["a", "b"]]);
        assert!(parse(b"age\n31\n", &kept).unwrap_err().contains("no column `group`"));
    }

    #[test]
    fn a_bad_cell_is_named_by_line_and_column() {
        let check = |text: &str, part: &str| {
            let error = parse(text.as_bytes(), &[]).unwrap_err();
            assert!(error.contains(part), "{error:?} without {part:?}");
        };
        check("a,b\n1,2\n3,x\n", "line 3, column `b`: `x` is no finite number");
        check("a,b\n1,\n", "line 2, column `b` is empty");
        check("a,b\n1,NaN\n", "line 2, column `b`: `NaN`");
        check("a,b\n1,2,3\n", "found record with 3 fields");
        check("a,b\n", "no rows");
        check("1,2\n3,4\n", "line 1 holds numbers");
        check("a,a\n3,4\n", "two columns `a`");
    }
}
