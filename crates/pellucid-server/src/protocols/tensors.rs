//! A named tensor of a request or an answer, whatever form its numbers came in.

use pellucid_engine::Tensor;

use crate::error::Fault;
use crate::models::rows::{self, Cell, Rows};
use crate::models::served::{Kind, Served};
use crate::models::texts::TEXT_INPUT;

/// A tensor as a request names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Received {
    pub(crate) name: String,
    pub(crate) datatype: Datatype,
    pub(crate) shape: Vec<usize>,
    pub(crate) elements: Elements,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Elements {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// The protocol's names of element types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bytes,
}

/// An output of a model with its name.
pub(crate) struct Answered<'a> {
    pub(crate) name: &'a str,
    pub(crate) tensor: &'a Tensor,
}

impl Datatype {
    const NAMES: [(&'static str, Self); 13] = [
        ("BOOL", Self::Bool),
        ("UINT8", Self::Uint8),
        ("UINT16", Self::Uint16),
        ("UINT32", Self::Uint32),
        ("UINT64", Self::Uint64),
        ("INT8", Self::Int8),
        ("INT16", Self::Int16),
        ("INT32", Self::Int32),
        ("INT64", Self::Int64),
        ("FP16", Self::Fp16),
        ("FP32", Self::Fp32),
        ("FP64", Self::Fp64),
        ("BYTES", Self::Bytes),
    ];

    pub(crate) fn parse(name: &str) -> Result<Self, Fault> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, datatype)| *datatype).ok_or_else(|| {
            let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            Fault::BadRequest(format!("there is no datatype `{name}`; there are {}", names.join(", ")))
        })
    }

    /// The bytes of one element; of texts it depends.
    pub(crate) fn n_bytes(self) -> Option<usize> {
        match self {
            Self::Bool | Self::Uint8 | Self::Int8 => Some(1),
            Self::Uint16 | Self::Int16 | Self::Fp16 => Some(2),
            Self::Uint32 | Self::Int32 | Self::Fp32 => Some(4),
            Self::Uint64 | Self::Int64 | Self::Fp64 => Some(8),
            Self::Bytes => None,
        }
    }
}

/// How many elements a shape has.
pub(crate) fn n_elements(name: &str, shape: &[usize]) -> Result<usize, Fault> {
    let n = shape.iter().try_fold(1_usize, |n, &length| n.checked_mul(length));
    n.ok_or_else(|| Fault::BadRequest(format!("input `{name}`: shape {shape:?} is beyond counting")))
}

/// The rows of a request's tensors: the model's input, or of a tree model one tensor a feature.
///
/// # Errors
/// Tensors that do not fit the model; more rows than `max_rows`.
pub(crate) fn rows(tensors: &[Received], served: &Served, max_rows: usize) -> Result<Rows, Fault> {
    let n_rows = tensors.first().and_then(|tensor| tensor.shape.first()).copied().unwrap_or(0);
    if n_rows == 0 {
        return Err(Fault::BadRequest("the inputs hold no rows".to_owned()));
    }
    if n_rows > max_rows {
        return Err(Fault::TooLarge(format!("{n_rows} rows; at most {max_rows} go into one request")));
    }
    let row_shape = served.kind.row_shape();
    match (tensors, &served.kind) {
        ([one], Kind::Trees(_)) if one.shape[1..] == row_shape => of_one(one, n_rows, &row_shape, true),
        (_, Kind::Trees(model)) => {
            let names = served.column_names();
            let columns = names.iter().map(|name| column(tensors, name, n_rows, names.len()));
            let columns = columns.collect::<Result<Vec<Vec<Cell>>, Fault>>()?;
            match tensors.iter().find(|tensor| !names.contains(&tensor.name)) {
                Some(unknown) => Err(Fault::BadRequest(format!("the model has no input `{}`", unknown.name))),
                None => rows::of_columns(model, &columns),
            }
        }
        ([one], Kind::Network(network)) => {
            let input = network.model.input_name();
            if one.name != input {
                let reason = format!("the model has no input `{}`; it takes `{input}`", one.name);
                return Err(Fault::BadRequest(reason));
            }
            if one.shape[1..] != row_shape {
                let reason =
                    format!("input `{input}` has shape {:?}, expected [rows] and {row_shape:?}", one.shape);
                return Err(Fault::BadRequest(reason));
            }
            of_one(one, n_rows, &row_shape, false)
        }
        ([one], Kind::Texts(_)) => of_texts(one, n_rows),
        (many, Kind::Network(_) | Kind::Texts(_)) => {
            Err(Fault::BadRequest(format!("{} inputs were sent, the model takes one", many.len())))
        }
    }
}

fn of_texts(tensor: &Received, n_rows: usize) -> Result<Rows, Fault> {
    match &tensor.elements {
        Elements::Texts(texts) if texts.len() == n_rows && tensor.name == TEXT_INPUT => {
            rows::of_texts(texts.clone())
        }
        _ => Err(Fault::BadRequest(format!(
            "input `{}` of shape {:?}: the model takes `{TEXT_INPUT}`, BYTES of shape [rows]",
            tensor.name, tensor.shape
        ))),
    }
}

fn of_one(tensor: &Received, n_rows: usize, row_shape: &[usize], may_miss: bool) -> Result<Rows, Fault> {
    match &tensor.elements {
        Elements::Numbers(numbers) => rows::of_numbers(numbers.clone(), n_rows, row_shape, may_miss),
        Elements::Texts(_) => {
            Err(Fault::BadRequest(format!("input `{}` holds texts, expected numbers", tensor.name)))
        }
    }
}

fn column(tensors: &[Received], name: &str, n_rows: usize, n_features: usize) -> Result<Vec<Cell>, Fault> {
    let tensor = tensors.iter().find(|tensor| tensor.name == name).ok_or_else(|| {
        Fault::BadRequest(format!(
            "expected one input of shape [rows, {n_features}], or one a feature; there is none for `{name}`"
        ))
    })?;
    if tensor.shape != [n_rows] && tensor.shape != [n_rows, 1] {
        return Err(Fault::BadRequest(format!(
            "input `{name}` has shape {:?}, expected [{n_rows}] or [{n_rows}, 1]",
            tensor.shape
        )));
    }
    Ok(match &tensor.elements {
        Elements::Numbers(numbers) => numbers.iter().map(|&number| Cell::Number(number)).collect(),
        Elements::Texts(texts) => texts.iter().map(|text| Cell::Text(text.clone())).collect(),
    })
}
