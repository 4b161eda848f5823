//! Rows of a request, in the one form that predicting and explaining share.

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_engine::TreeModel;

use crate::error::Fault;

/// Rows in f64: `[rows, features…]`; NaN is a missing value of a table.
pub(crate) type Rows = ArrayD<f64>;

/// One cell of a table as a request may write it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Number(f64),
    Text(String),
    Missing,
}

/// Rows of this shape from their numbers, which have to be finite; NaN is a missing value of a table.
pub(crate) fn of_numbers(
    numbers: Vec<f64>,
    n_rows: usize,
    row_shape: &[usize],
    is_table: bool,
) -> Result<Rows, Fault> {
    let shape: Vec<usize> = std::iter::once(n_rows).chain(row_shape.iter().copied()).collect();
    let n_numbers = numbers.len();
    let rows = ArrayD::from_shape_vec(IxDyn(&shape), numbers)
        .map_err(|_| Fault::BadRequest(format!("{n_numbers} numbers do not fill rows of shape {shape:?}")))?;
    // Networks take f32, and have no missing values.
    let is_none = |x: f64| if is_table { x.is_infinite() } else { !(x as f32).is_finite() };
    match rows.indexed_iter().find(|(_, x)| is_none(**x)) {
        Some((place, x)) => {
            let place = ndarray::Dimension::slice(&place).to_vec();
            Err(Fault::BadRequest(format!("the input holds {x} at {place:?}; send finite numbers")))
        }
        None => Ok(rows),
    }
}

/// Rows of a tree model from its columns, one list of cells a feature.
pub(crate) fn of_columns(model: &TreeModel, columns: &[Vec<Cell>]) -> Result<Rows, Fault> {
    let n_rows = columns.first().map_or(0, Vec::len);
    let mut rows = ArrayD::zeros(IxDyn(&[n_rows, columns.len()]));
    for (feature, (cells, mut column)) in columns.iter().zip(rows.axis_iter_mut(Axis(1))).enumerate() {
        let numbers = numbers_of(model, feature, cells)?;
        column.iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
    }
    match rows.iter().any(|x: &f64| x.is_infinite()) {
        true => Err(Fault::BadRequest("the input holds an infinite number; send finite ones".to_owned())),
        false => Ok(rows),
    }
}

/// Texts become codes as in a file; numbers are taken as they are.
fn numbers_of(model: &TreeModel, feature: usize, cells: &[Cell]) -> Result<Vec<f64>, Fault> {
    let texts: Vec<String> = cells.iter().filter_map(Cell::text).collect();
    let mut codes = if texts.is_empty() { Vec::new() } else { model.codes(feature, &texts)?.0 }.into_iter();
    let number = |cell: &Cell| match cell {
        Cell::Number(number) => *number,
        Cell::Missing => f64::NAN,
        Cell::Text(_) => codes.next().unwrap_or(f64::NAN),
    };
    Ok(cells.iter().map(number).collect())
}

impl Cell {
    fn text(&self) -> Option<String> {
        if let Self::Text(text) = self { Some(text.clone()) } else { None }
    }
}

/// One row with its leading axis.
pub(crate) fn row(rows: &Rows, index: usize) -> Rows {
    rows.index_axis(Axis(0), index).to_owned().insert_axis(Axis(0))
}

/// Rows one below the other; they have one shape.
pub(crate) fn stacked<'a>(rows: impl Iterator<Item = &'a Rows>) -> Result<Rows, Fault> {
    let views: Vec<_> = rows.map(|row| row.view()).collect();
    ndarray::concatenate(Axis(0), &views).map_err(|error| Fault::Internal(error.to_string()))
}
