//! Tensors made from little: constants, ranges, one-hot rows, and the places where something is not zero.

use super::rearrange::{checked_shape, gathered_at, offset_in, resolve_index};
use super::{Call, Op, Site, positions, resolve_axis};
use crate::build::element_of_code;
use crate::graph::{Attribute, Node};
use crate::tensor::{Data, ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "Constant", infer: infer_constant, evaluate: evaluate_constant },
    Op { name: "ConstantOfShape", infer: infer_constant_of_shape, evaluate: evaluate_constant_of_shape },
    Op { name: "Range", infer: infer_range, evaluate: evaluate_range },
    Op { name: "OneHot", infer: infer_one_hot, evaluate: evaluate_one_hot },
    Op { name: "EyeLike", infer: infer_eye_like, evaluate: evaluate_eye_like },
    Op { name: "NonZero", infer: infer_non_zero, evaluate: evaluate_non_zero },
];

/// The tensor of a `Constant` node, whichever attribute holds it.
///
/// # Errors
/// Where there is none that is supported.
pub(crate) fn constant_tensor(node: &Node) -> Result<Tensor, String> {
    let (name, attribute) = node
        .attributes
        .iter()
        .find(|(name, _)| name.starts_with("value") || *name == "sparse_value")
        .ok_or("no value")?;
    match (name.as_str(), attribute) {
        ("value", Attribute::Tensor(tensor)) => Ok((**tensor).clone()),
        ("value_int", Attribute::Int(n)) => Ok(Tensor::i64(&[], vec![*n])),
        ("value_float", Attribute::Float(x)) => Ok(Tensor::f32(&[], vec![*x])),
        ("value_ints", Attribute::Ints(v)) => Ok(Tensor::ints(v)),
        ("value_floats", Attribute::Floats(v)) => Ok(Tensor::f32(&[v.len()], v.clone())),
        ("value_string", Attribute::String(text)) => strings(Vec::new(), vec![text.clone()]),
        ("value_strings", Attribute::Strings(v)) => strings(vec![v.len()], v.clone()),
        (name, _) => Err(format!("attribute `{name}` is not supported")),
    }
}

fn strings(shape: Vec<usize>, elements: Vec<String>) -> Result<Tensor, String> {
    Tensor::try_new(shape, Data::String(elements)).ok_or_else(|| "strings do not fit their shape".to_owned())
}

fn infer_constant(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![Type::of(&constant_tensor(site.node)?)])
}

fn evaluate_constant(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    Ok(vec![crate::evaluate::widened(&constant_tensor(call.node)?)])
}

/// The one element that `ConstantOfShape` repeats: a float 0 unless stated.
fn fill_value(node: &Node) -> Result<Tensor, String> {
    match node.attributes.get("value") {
        None => Ok(Tensor::f32(&[1], vec![0.0])),
        Some(Attribute::Tensor(tensor)) if tensor.len() == 1 => Ok((**tensor).clone()),
        Some(_) => Err("attribute `value` is no tensor of one element".to_owned()),
    }
}

fn infer_constant_of_shape(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let shape = match site.lengths(0) {
        Some(lengths) => Some(lengths.to_vec()),
        None => match site.shape(0)? {
            Some([Dim::Known(rank)]) => Some(vec![Dim::Unknown; *rank]),
            _ => None,
        },
    };
    Ok(vec![Type { element: fill_value(site.node)?.element(), shape }])
}

fn evaluate_constant_of_shape(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let value = crate::evaluate::widened(&fill_value(call.node)?);
    Ok(vec![gathered_at(&value, &checked_shape(call.ints(0)?)?, |_| 0)])
}

/// How many numbers there are from `start` to before `limit`.
pub(crate) fn range_length(start: f64, limit: f64, delta: f64) -> Result<usize, String> {
    let n = ((limit - start) / delta).ceil().max(0.0);
    match delta != 0.0 && n.is_finite() {
        true => Ok(checked_shape(&[n as i64])?[0]),
        false => Err(format!("no range from {start} to {limit} by {delta}")),
    }
}

fn infer_range(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let constant = |i: usize| -> Option<f64> {
        let wire = site.wire(i)?;
        let tensor = site.graph.constant(wire);
        let float = tensor.filter(|t| t.element().is_float()).map(|t| t.to_f64s());
        float.or_else(|| Some(site.constant_ints(i)?.iter().map(|&n| n as f64).collect()))?.first().copied()
    };
    let length = match (constant(0), constant(1), constant(2)) {
        (Some(start), Some(limit), Some(delta)) => Dim::Known(range_length(start, limit, delta)?),
        // From 0 in steps of 1: as many as the limit says.
        (Some(start), None, Some(delta)) if start.abs() + (delta - 1.0).abs() < f64::EPSILON => {
            site.lengths(1).and_then(<[Dim]>::first).cloned().unwrap_or(Dim::Unknown)
        }
        _ => Dim::Unknown,
    };
    site.like_first(Some(vec![length]))
}

fn evaluate_range(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let one =
        |i: usize| call.tensor(i)?.to_f64s().first().copied().ok_or_else(|| format!("input {i} is empty"));
    let (start, limit, delta) = (one(0)?, one(1)?, one(2)?);
    let n = range_length(start, limit, delta)?;
    let values = (0..n).map(|i| start + i as f64 * delta).collect();
    Ok(vec![Tensor::f64(&[n], values).cast(call.tensor(0)?.element())])
}

/// The place of the new axis: -1 is behind the last.
fn one_hot_axis(node: &Node, rank: usize) -> Result<usize, String> {
    resolve_axis(node.int("axis").unwrap_or(-1), rank + 1)
}

fn infer_one_hot(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let element = site.element(2)?;
    let Some(indices) = site.shape(0)? else { return Ok(vec![Type { element, shape: None }]) };
    let depth = site.lengths(1).and_then(<[Dim]>::first).cloned().unwrap_or(Dim::Unknown);
    let mut shape = indices.to_vec();
    shape.insert(one_hot_axis(site.node, indices.len())?, depth);
    Ok(vec![Type::new(element, shape)])
}

fn evaluate_one_hot(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let indices = call.tensor(0)?.to_i64s();
    let depth = *call.tensor(1)?.to_i64s().first().ok_or("depth is empty")?;
    let mut shape = call.shape(0)?.to_vec();
    let axis = one_hot_axis(call.node, shape.len())?;
    shape.insert(axis, checked_shape(&[depth])?[0]);
    checked_shape(&shape.iter().map(|&n| n as i64).collect::<Vec<_>>())?;
    // An index outside the depth gives a row of the value for "off".
    let hot = |p: &[usize]| {
        let mut own = p.to_vec();
        let at = own.remove(axis);
        let index = indices[offset_in(call.shape(0).unwrap_or_default(), &own)];
        usize::from(resolve_index(index, depth as usize) == Ok(at))
    };
    match call.tensor(2)?.len() {
        2 => Ok(vec![gathered_at(call.tensor(2)?, &shape, hot)]),
        n => Err(format!("needs a value for off and one for on, got {n}")),
    }
}

fn infer_eye_like(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let element = match site.node.int("dtype") {
        None => site.element(0)?,
        Some(code) => element_of_code(code).ok_or_else(|| format!("element type {code} is not supported"))?,
    };
    Ok(vec![Type { element, shape: site.shape(0)?.map(<[Dim]>::to_vec) }])
}

fn evaluate_eye_like(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    if shape.len() != 2 {
        return Err(format!("needs a matrix, got {} axes", shape.len()));
    }
    let element = call.node.int("dtype").and_then(element_of_code).unwrap_or(call.tensor(0)?.element());
    let k = call.node.int("k").unwrap_or(0);
    let ones = positions(shape).map(|p| f64::from(u8::from(p[1] as i64 - p[0] as i64 == k))).collect();
    if element == ElementType::String {
        return Err("no matrix of strings".to_owned());
    }
    Ok(vec![crate::evaluate::widened(&Tensor::f64(shape, ones).cast(element))])
}

fn infer_non_zero(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let rank = site.shape(0)?.map_or(Dim::Unknown, |shape| Dim::Known(shape.len()));
    Ok(vec![Type::new(ElementType::I64, vec![rank, Dim::Unknown])])
}

fn evaluate_non_zero(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    if x.element() == ElementType::String {
        return Err("strings are neither zero nor not".to_owned());
    }
    let values = x.to_f64s();
    let found: Vec<Vec<usize>> =
        positions(x.shape()).zip(values).filter(|(_, value)| *value != 0.0).map(|(p, _)| p).collect();
    let rank = x.shape().len();
    let indices = (0..rank).flat_map(|axis| found.iter().map(move |p| p[axis] as i64)).collect();
    Ok(vec![Tensor::i64(&[rank, found.len()], indices)])
}
