//! What the inputs of a network hold that are not explained, where it has several.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{ArrayD, ArrayView1, Axis};
use pellucid_core::row_digest_f64;
use pellucid_graph::{Dim, Graph, Tensor};

use crate::error::Error;
use crate::input::{ReadOptions, hex, numbers_of_file};
use crate::table;

const OPTION: &str = "fixed";

/// What other inputs hold in every row, by name: the values of one row.
pub type Fixed = BTreeMap<String, ArrayD<f64>>;

/// Reads `NAME=NUMBERS`, with commas between them, or `NAME=FILE` of one row (`.npy`, `.npz` or `.csv`).
///
/// # Errors
/// A text without `=`, a file that cannot be read, what is neither numbers nor such a file.
pub fn parse_fixed(text: &str) -> Result<(String, ArrayD<f64>), Error> {
    let (name, values) =
        text.split_once('=').filter(|(name, values)| !name.is_empty() && !values.is_empty()).ok_or_else(
            || Error::request(OPTION, format!("`{text}` is not of the form NAME=NUMBERS or NAME=FILE")),
        )?;
    let numbers: Result<Vec<f64>, _> = values.split(',').map(|number| number.trim().parse::<f64>()).collect();
    let values = match numbers {
        Ok(numbers) => ndarray::arr1(&numbers).into_dyn(),
        Err(_) => of_file(Path::new(values), name)?,
    };
    Ok((name.to_owned(), values))
}

fn of_file(path: &Path, name: &str) -> Result<ArrayD<f64>, Error> {
    match path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        true => Ok(table::read(path, &[])?.rows.mapv(f64::from).into_dyn()),
        false => numbers_of_file(path, &ReadOptions { input_name: name, ..ReadOptions::default() }),
    }
}

/// The tensors that stand in the place of the inputs named, `[1, …]` each.
pub(crate) fn tensors(graph: &Graph, fixed: &Fixed) -> Result<BTreeMap<String, Tensor>, Error> {
    fixed.iter().map(|(name, values)| Ok((name.clone(), tensor(graph, name, values)?))).collect()
}

fn tensor(graph: &Graph, name: &str, values: &ArrayD<f64>) -> Result<Tensor, Error> {
    let wire = graph.inputs().iter().find(|wire| graph.name_of(**wire) == name).ok_or_else(|| {
        let names: Vec<&str> = graph.inputs().iter().map(|wire| graph.name_of(*wire)).collect();
        Error::request(
            OPTION,
            format!("the model has no input `{name}`; its inputs are {}", names.join(", ")),
        )
    })?;
    let row = one_row(values, graph.rank(*wire));
    let shape = graph.shape(*wire).unwrap_or_default();
    let known = |(length, dim): (&usize, &Dim)| dim.known().is_none_or(|known| known == *length);
    let fits = shape.is_empty()
        || row.ndim() == shape.len()
            && row.shape().iter().zip(shape).skip(1).all(known)
            && row.shape()[0] == 1;
    if !fits {
        let lengths = |dim: &Dim| dim.known().map_or_else(|| "?".to_owned(), |n| n.to_string());
        let expected: Vec<String> = shape.iter().skip(1).map(lengths).collect();
        let reason = format!(
            "`{name}` takes one row of the shape [{}], and {:?} is given",
            expected.join(", "),
            values.shape()
        );
        return Err(Error::request(OPTION, reason));
    }
    if let Some(x) = row.iter().find(|x| !x.is_finite()) {
        return Err(Error::request(OPTION, format!("`{name}` holds {x}; replace it before explaining")));
    }
    let element = graph.element(*wire);
    if element.is_integer() && row.iter().any(|x| x.fract() != 0.0) {
        return Err(Error::request(
            OPTION,
            format!("`{name}` holds whole numbers; {element:?} has no others"),
        ));
    }
    Ok(Tensor::f64(row.shape(), row.iter().copied().collect()).cast(element))
}

/// A row with the axis of rows before it, where it lacks it.
fn one_row(values: &ArrayD<f64>, rank: Option<usize>) -> ArrayD<f64> {
    match rank == Some(values.ndim() + 1) {
        true => values.clone().insert_axis(Axis(0)),
        false => values.clone(),
    }
}

/// What the reader of an explanation must know.
pub(crate) fn warnings(held: &BTreeMap<String, Tensor>) -> Vec<String> {
    let warning = |(name, row): (&String, &Tensor)| {
        format!(
            "the input `{name}` holds {} in every row; it is part of the model here, and gets no attribution",
            text(row)
        )
    };
    held.iter().map(warning).collect()
}

/// Numbers that are told one by one; more are told by their digest.
const MOST_TOLD: usize = 16;

/// The numbers of a row, or what tells them from others.
pub(crate) fn text(row: &Tensor) -> String {
    let numbers = row.to_f64s();
    if numbers.len() <= MOST_TOLD {
        return numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    }
    let digest = hex(&row_digest_f64(ArrayView1::from(&numbers).into_dyn()));
    format!("{:?} numbers of SHA-256 {digest}", row.shape())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        pellucid_graph::text::parse(
            "g (float[N,2] x, int64[N,3] codes) => (float[N,2] y)
             <int64[2] s = {0, 0}, int64[2] e = {1, 2}> { c = Cast<to = 1>(codes) d = ReduceSum<keepdims = 1>(c) y = Add(x, d) }",
        )
        .expect("a graph")
    }

    fn refused(fixed: &str) -> String {
        let (name, values) = parse_fixed(fixed).expect("numbers");
        tensors(&graph(), &[(name, values)].into()).expect_err("does not fit").to_string()
    }

    #[test]
    fn numbers_become_a_row_of_the_inputs_own_elements() {
        let (name, values) = parse_fixed("codes=1, 2,3").expect("numbers");
        let tensors = tensors(&graph(), &[(name, values)].into()).expect("fits");
        assert_eq!(tensors["codes"], Tensor::i64(&[1, 3], vec![1, 2, 3]));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        assert!(refused("code=1,2,3").contains("its inputs are x, codes"));
        assert!(refused("codes=1,2").contains("[3]"));
        assert!(refused("codes=1,2.5,3").contains("whole numbers"));
        assert!(refused("codes=1,2,nan").contains("NaN"));
        for text in ["codes", "=1", "codes="] {
            assert!(parse_fixed(text).expect_err("no form").to_string().contains("NAME=NUMBERS"));
        }
    }
}
