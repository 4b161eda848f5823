//! Element by element, with broadcasting: arithmetic, comparisons, activations.

use super::{Broadcast, Call, Op, Site, broadcast_dims};
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

macro_rules! unary {
    ($name:literal, $f:expr) => {
        Op { name: $name, infer: same, evaluate: |c| map(c, $f) }
    };
}

macro_rules! binary {
    ($name:literal, $float:expr, $int:expr) => {
        Op { name: $name, infer: broadcast, evaluate: |c| zip_numbers(c, $float, $int) }
    };
}

pub(super) const OPS: &[Op] = &[
    Op { name: "Identity", infer: same, evaluate: |c| Ok(vec![c.tensor(0)?.clone()]) },
    unary!("Neg", |x| -x),
    unary!("Relu", |x| x.max(0.0)),
    unary!("Exp", f64::exp),
    binary!("Add", |a, b| a + b, i64::wrapping_add),
    binary!("Sub", |a, b| a - b, i64::wrapping_sub),
    binary!("Mul", |a, b| a * b, i64::wrapping_mul),
    binary!("Div", |a, b| a / b, |a, b| a.checked_div(b).unwrap_or(0)),
    Op { name: "Greater", infer: compare, evaluate: |c| zip_compare(c, |a, b| a > b, |a, b| a > b) },
    Op { name: "Less", infer: compare, evaluate: |c| zip_compare(c, |a, b| a < b, |a, b| a < b) },
    Op { name: "Where", infer: infer_where, evaluate: evaluate_where },
];

/// The type of input 0.
pub(super) fn same(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![site.ty(0)?.clone()])
}

fn broadcast_shape(site: &Site<'_>) -> Result<Option<Vec<Dim>>, String> {
    let shapes: Result<Vec<_>, _> = (0..site.node.inputs.len()).map(|i| site.shape(i)).collect();
    let shapes: Option<Vec<&[Dim]>> = shapes?.into_iter().collect();
    shapes.map(|shapes| broadcast_dims(&shapes)).transpose()
}

fn broadcast(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let shape = broadcast_shape(site)?;
    site.like_first(shape)
}

fn compare(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![Type { element: ElementType::Bool, shape: broadcast_shape(site)? }])
}

fn infer_where(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![Type { element: site.element(1)?, shape: broadcast_shape(site)? }])
}

/// Applies `f` to every float of input 0.
pub(super) fn map(call: &Call<'_>, f: impl Fn(f64) -> f64) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    if x.element() == ElementType::I64 {
        let ints = call.ints(0)?.iter().map(|&n| f(n as f64) as i64).collect();
        return Ok(vec![Tensor::i64(x.shape(), ints)]);
    }
    Ok(vec![Tensor::f64(x.shape(), call.floats(0)?.iter().map(|&x| f(x)).collect())])
}

fn zip_numbers(
    call: &Call<'_>,
    float: impl Fn(f64, f64) -> f64,
    int: impl Fn(i64, i64) -> i64,
) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?])?;
    Ok(vec![match call.tensor(0)?.element() {
        ElementType::I64 => {
            let (a, b) = (call.ints(0)?, call.ints(1)?);
            Tensor::i64(&plan.shape, plan.offsets().map(|o| int(a[o[0]], b[o[1]])).collect())
        }
        _ => {
            let (a, b) = (call.floats(0)?, call.floats(1)?);
            Tensor::f64(&plan.shape, plan.offsets().map(|o| float(a[o[0]], b[o[1]])).collect())
        }
    }])
}

fn zip_compare(
    call: &Call<'_>,
    float: impl Fn(f64, f64) -> bool,
    int: impl Fn(i64, i64) -> bool,
) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?])?;
    let holds: Vec<bool> = match call.tensor(0)?.element() {
        ElementType::I64 => {
            let (a, b) = (call.ints(0)?, call.ints(1)?);
            plan.offsets().map(|o| int(a[o[0]], b[o[1]])).collect()
        }
        _ => {
            let (a, b) = (call.floats(0)?, call.floats(1)?);
            plan.offsets().map(|o| float(a[o[0]], b[o[1]])).collect()
        }
    };
    Ok(vec![Tensor::bool(&plan.shape, holds)])
}

fn evaluate_where(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?, call.shape(2)?])?;
    let condition = call.bools(0)?;
    let pick = |o: &[usize]| if condition[o[0]] { (1, o[1]) } else { (2, o[2]) };
    Ok(vec![match call.tensor(1)?.element() {
        ElementType::I64 => {
            let sides = [call.ints(1)?, call.ints(2)?];
            Tensor::i64(
                &plan.shape,
                plan.offsets().map(|o| pick(&o)).map(|(i, at)| sides[i - 1][at]).collect(),
            )
        }
        _ => {
            let sides = [call.floats(1)?, call.floats(2)?];
            Tensor::f64(
                &plan.shape,
                plan.offsets().map(|o| pick(&o)).map(|(i, at)| sides[i - 1][at]).collect(),
            )
        }
    }])
}
