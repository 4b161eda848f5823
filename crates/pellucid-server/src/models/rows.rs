//! Rows of a request, in the one form that predicting and explaining share.

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_engine::TreeModel;
use sha2::{Digest as _, Sha256};

use crate::error::Fault;

/// Numbers of rows in f64: `[rows, features…]`; NaN is a missing value of a table.
pub(crate) type Numbers = ArrayD<f64>;

/// The longest text that is taken: what a model reads is far shorter.
const MAX_TEXT_BYTES: usize = 1 << 16;

/// Rows of one model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rows {
    Numbers(Numbers),
    Texts(Vec<String>),
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.shape().first().copied().unwrap_or(0),
            Self::Texts(texts) => texts.len(),
        }
    }

    /// One of them.
    pub(crate) fn row(&self, index: usize) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(row(numbers, index)),
            Self::Texts(texts) => Self::Texts(vec![texts[index].clone()]),
        }
    }

    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) => size_of::<f64>() * numbers.len(),
            Self::Texts(texts) => texts.iter().map(|text| size_of::<String>() + text.len()).sum(),
        }
    }

    /// The numbers, of a model that takes numbers.
    pub(crate) fn numbers(&self) -> Result<&Numbers, Fault> {
        match self {
            Self::Numbers(numbers) => Ok(numbers),
            Self::Texts(_) => {
                Err(Fault::Conflict("the rows are texts, and the model takes numbers".to_owned()))
            }
        }
    }

    /// The texts, of a model that takes texts.
    pub(crate) fn texts(&self) -> Result<&[String], Fault> {
        match self {
            Self::Texts(texts) => Ok(texts),
            Self::Numbers(_) => {
                Err(Fault::Conflict("the rows are numbers, and the model takes texts".to_owned()))
            }
        }
    }

    /// Hashes what tells these rows from others.
    pub(crate) fn hash(&self, into: &mut Sha256) {
        match self {
            Self::Numbers(numbers) => {
                numbers.shape().iter().for_each(|&length| into.update((length as u64).to_le_bytes()));
                numbers.iter().for_each(|x| into.update(x.to_bits().to_le_bytes()));
            }
            Self::Texts(texts) => texts.iter().for_each(|text| {
                into.update((text.len() as u64).to_le_bytes());
                into.update(text.as_bytes());
            }),
        }
    }
}

/// Rows of texts, none of them longer than any model reads.
pub(crate) fn of_texts(texts: Vec<String>) -> Result<Rows, Fault> {
    match texts.iter().map(String::len).find(|&n| n > MAX_TEXT_BYTES) {
        Some(n) => Err(Fault::TooLarge(format!("a text has {n} bytes; at most {MAX_TEXT_BYTES} are read"))),
        None => Ok(Rows::Texts(texts)),
    }
}

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
        None => Ok(Rows::Numbers(rows)),
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
        false => Ok(Rows::Numbers(rows)),
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
pub(crate) fn row(rows: &Numbers, index: usize) -> Numbers {
    rows.index_axis(Axis(0), index).to_owned().insert_axis(Axis(0))
}

/// Rows of numbers one below the other; they have one shape.
pub(crate) fn stacked(rows: &[&Rows]) -> Result<Numbers, Fault> {
    let views = rows.iter().map(|row| Ok(row.numbers()?.view())).collect::<Result<Vec<_>, Fault>>()?;
    ndarray::concatenate(Axis(0), &views).map_err(|error| Fault::Internal(error.to_string()))
}
