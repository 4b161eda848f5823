//! Element by element, with broadcasting: arithmetic, comparisons, logic, conversions.

use super::{Broadcast, Call, Op, Site, broadcast_dims};
use crate::build::element_of_code;
use crate::evaluate::widened;
use crate::tensor::{Data, ElementType, Tensor};
use crate::types::{Dim, Type};

macro_rules! unary {
    ($name:literal, $float:expr) => {
        Op { name: $name, infer: same, evaluate: |c| map_floats(c, $float) }
    };
    ($name:literal, $float:expr, $int:expr) => {
        Op { name: $name, infer: same, evaluate: |c| map_numbers(c, $float, $int) }
    };
}

macro_rules! binary {
    ($name:literal, $float:expr, $int:expr) => {
        Op { name: $name, infer: broadcast, evaluate: |c| zip_numbers(c, $float, $int) }
    };
}

macro_rules! variadic {
    ($name:literal, $float:expr, $int:expr) => {
        Op { name: $name, infer: broadcast, evaluate: |c| fold_numbers(c, $float, $int) }
    };
}

macro_rules! compare {
    ($name:literal, $operator:tt) => {
        Op {
            name: $name,
            infer: compare,
            evaluate: |c| zip_compare(c, |a, b| a $operator b, |a, b| a $operator b),
        }
    };
}

macro_rules! logic {
    ($name:literal, $operator:tt) => {
        Op { name: $name, infer: compare, evaluate: |c| zip_bools(c, |a, b| a $operator b) }
    };
}

pub(super) const OPS: &[Op] = &[
    Op { name: "Identity", infer: same, evaluate: |c| Ok(vec![c.tensor(0)?.clone()]) },
    Op { name: "Dropout", infer: infer_dropout, evaluate: evaluate_dropout },
    Op { name: "Cast", infer: infer_cast, evaluate: evaluate_cast },
    Op { name: "CastLike", infer: infer_cast_like, evaluate: evaluate_cast_like },
    unary!("Neg", |x| -x, i64::wrapping_neg),
    unary!("Abs", f64::abs, i64::wrapping_abs),
    unary!("Sign", sign, i64::signum),
    unary!("Reciprocal", f64::recip),
    unary!("Sqrt", f64::sqrt),
    unary!("Exp", f64::exp),
    unary!("Log", f64::ln),
    unary!("Floor", f64::floor),
    unary!("Ceil", f64::ceil),
    unary!("Round", f64::round_ties_even),
    unary!("Sin", f64::sin),
    unary!("Cos", f64::cos),
    unary!("Tan", f64::tan),
    unary!("Asin", f64::asin),
    unary!("Acos", f64::acos),
    unary!("Atan", f64::atan),
    unary!("Sinh", f64::sinh),
    unary!("Cosh", f64::cosh),
    unary!("Asinh", f64::asinh),
    unary!("Acosh", f64::acosh),
    unary!("Atanh", f64::atanh),
    binary!("Add", |a, b| a + b, i64::wrapping_add),
    binary!("Sub", |a, b| a - b, i64::wrapping_sub),
    binary!("Mul", |a, b| a * b, i64::wrapping_mul),
    binary!("Div", |a, b| a / b, |a, b| a.checked_div(b).unwrap_or(0)),
    Op { name: "Mod", infer: broadcast, evaluate: evaluate_mod },
    Op { name: "Pow", infer: infer_pow, evaluate: evaluate_pow },
    variadic!("Sum", |a, b| a + b, i64::wrapping_add),
    variadic!("Max", larger, i64::max),
    variadic!("Min", smaller, i64::min),
    Op { name: "Mean", infer: broadcast, evaluate: evaluate_mean },
    Op { name: "Clip", infer: same, evaluate: evaluate_clip },
    Op { name: "Equal", infer: compare, evaluate: evaluate_equal },
    compare!("Greater", >),
    compare!("GreaterOrEqual", >=),
    compare!("Less", <),
    compare!("LessOrEqual", <=),
    logic!("And", &),
    logic!("Or", |),
    logic!("Xor", ^),
    Op { name: "Not", infer: test, evaluate: evaluate_not },
    Op { name: "IsNaN", infer: test, evaluate: |c| test_floats(c, f64::is_nan) },
    Op { name: "IsInf", infer: test, evaluate: evaluate_is_inf },
    Op { name: "Where", infer: infer_where, evaluate: evaluate_where },
];

/// The type of input 0.
pub(super) fn same(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![site.ty(0)?.clone()])
}

fn test(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![Type { element: ElementType::Bool, shape: site.ty(0)?.shape.clone() }])
}

fn broadcast_shape(site: &Site<'_>) -> Result<Option<Vec<Dim>>, String> {
    let shapes: Result<Vec<_>, _> = (0..site.node.inputs.len()).map(|i| site.shape(i)).collect();
    let shapes: Option<Vec<&[Dim]>> = shapes?.into_iter().collect();
    shapes.map(|shapes| broadcast_dims(&shapes)).transpose()
}

/// One element type and shapes that broadcast.
fn broadcast(site: &Site<'_>) -> Result<Vec<Type>, String> {
    check_elements(site, 0)?;
    let shape = broadcast_shape(site)?;
    site.like_first(shape)
}

fn compare(site: &Site<'_>) -> Result<Vec<Type>, String> {
    check_elements(site, 0)?;
    Ok(vec![Type { element: ElementType::Bool, shape: broadcast_shape(site)? }])
}

fn infer_pow(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let shape = broadcast_shape(site)?;
    site.like_first(shape)
}

fn infer_where(site: &Site<'_>) -> Result<Vec<Type>, String> {
    check_elements(site, 1)?;
    Ok(vec![Type { element: site.element(1)?, shape: broadcast_shape(site)? }])
}

/// Inputs from `first` on have one element type.
fn check_elements(site: &Site<'_>, first: usize) -> Result<(), String> {
    let expected = site.element(first)?;
    for i in first + 1..site.node.inputs.len() {
        let element = site.element(i)?;
        if element != expected && ![element, expected].contains(&ElementType::Unknown) {
            return Err(format!("input {i} is {element:?} beside {expected:?}"));
        }
    }
    Ok(())
}

fn infer_dropout(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok([same(site)?, test(site)?].concat())
}

/// Dropout of a model that is not in training: nothing is dropped.
fn evaluate_dropout(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    if call.optional(2).is_some_and(|training| training.to_f64s().contains(&1.0)) {
        return Err("training mode is not supported; export the model for inference".to_owned());
    }
    let x = call.tensor(0)?;
    Ok(vec![x.clone(), Tensor::bool(x.shape(), vec![true; x.len()])])
}

fn infer_cast(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let code = site.node.int("to").ok_or("attribute `to` is missing")?;
    let element = element_of_code(code).ok_or_else(|| format!("element type {code} is not supported"))?;
    Ok(vec![Type { element, shape: site.ty(0)?.shape.clone() }])
}

fn infer_cast_like(site: &Site<'_>) -> Result<Vec<Type>, String> {
    Ok(vec![Type { element: site.element(1)?, shape: site.ty(0)?.shape.clone() }])
}

fn evaluate_cast(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let to = call.node.int("to").and_then(element_of_code).ok_or("attribute `to` names no known type")?;
    cast(call.tensor(0)?, to)
}

fn evaluate_cast_like(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    cast(call.tensor(0)?, call.tensor(1)?.element())
}

/// Floats stay as they are in f64, whatever their width: the evaluator rounds nothing.
fn cast(x: &Tensor, to: ElementType) -> Result<Vec<Tensor>, String> {
    let is_string = |element| element == ElementType::String;
    if is_string(x.element()) != is_string(to) {
        return Err("conversions between numbers and strings are not supported".to_owned());
    }
    Ok(vec![match x.element().is_float() && to.is_float() {
        true => x.clone(),
        false => widened(&x.cast(to)),
    }])
}

/// Applies `f` to every float of input 0.
pub(super) fn map_floats(call: &Call<'_>, f: impl Fn(f64) -> f64) -> Result<Vec<Tensor>, String> {
    Ok(vec![Tensor::f64(call.shape(0)?, call.floats(0)?.iter().map(|&x| f(x)).collect())])
}

fn map_numbers(
    call: &Call<'_>,
    float: impl Fn(f64) -> f64,
    int: impl Fn(i64) -> i64,
) -> Result<Vec<Tensor>, String> {
    match call.tensor(0)?.data() {
        Data::I64(v) => Ok(vec![Tensor::i64(call.shape(0)?, v.iter().map(|&n| int(n)).collect())]),
        _ => map_floats(call, float),
    }
}

fn test_floats(call: &Call<'_>, f: impl Fn(f64) -> bool) -> Result<Vec<Tensor>, String> {
    Ok(vec![Tensor::bool(call.shape(0)?, call.floats(0)?.iter().map(|&x| f(x)).collect())])
}

fn zip_numbers(
    call: &Call<'_>,
    float: impl Fn(f64, f64) -> f64,
    int: impl Fn(i64, i64) -> i64,
) -> Result<Vec<Tensor>, String> {
    zip_two(call.tensor(0)?, call.tensor(1)?, float, int).map(|tensor| vec![tensor])
}

fn zip_two(
    a: &Tensor,
    b: &Tensor,
    float: impl Fn(f64, f64) -> f64,
    int: impl Fn(i64, i64) -> i64,
) -> Result<Tensor, String> {
    let plan = Broadcast::new(&[a.shape(), b.shape()])?;
    match (a.data(), b.data()) {
        (Data::F64(x), Data::F64(y)) => Ok(Tensor::f64(&plan.shape, plan.zip(x, y, float))),
        (Data::I64(x), Data::I64(y)) => Ok(Tensor::i64(&plan.shape, plan.zip(x, y, int))),
        _ => Err("expected two tensors of floats or two of integers".to_owned()),
    }
}

/// Applies `float` or `int` from the first input to the last.
fn fold_numbers(
    call: &Call<'_>,
    float: impl Fn(f64, f64) -> f64,
    int: impl Fn(i64, i64) -> i64,
) -> Result<Vec<Tensor>, String> {
    let mut result = call.tensor(0)?.clone();
    for i in 1..call.n_inputs() {
        result = zip_two(&result, call.tensor(i)?, &float, &int)?;
    }
    Ok(vec![result])
}

fn evaluate_mean(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let sum = fold_numbers(call, |a, b| a + b, |a, _| a)?;
    let n = call.n_inputs() as f64;
    Ok(sum.iter().map(|t| Tensor::f64(t.shape(), t.to_f64s().iter().map(|x| x / n).collect())).collect())
}

fn zip_compare(
    call: &Call<'_>,
    float: impl Fn(f64, f64) -> bool,
    int: impl Fn(i64, i64) -> bool,
) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?])?;
    let holds = match call.tensor(0)?.data() {
        Data::I64(a) => plan.zip(a, call.ints(1)?, int),
        _ => plan.zip(call.floats(0)?, call.floats(1)?, float),
    };
    Ok(vec![Tensor::bool(&plan.shape, holds)])
}

fn zip_bools(call: &Call<'_>, f: impl Fn(bool, bool) -> bool) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?])?;
    Ok(vec![Tensor::bool(&plan.shape, plan.zip(call.bools(0)?, call.bools(1)?, f))])
}

fn evaluate_equal(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?])?;
    match (call.tensor(0)?.data(), call.tensor(1)?.data()) {
        (Data::Bool(_), Data::Bool(_)) => zip_bools(call, |a, b| a == b),
        (Data::String(a), Data::String(b)) => {
            let holds = plan.offsets().map(|[i, j]| a[i] == b[j]).collect();
            Ok(vec![Tensor::bool(&plan.shape, holds)])
        }
        _ => zip_compare(call, |a, b| a == b, |a, b| a == b),
    }
}

fn evaluate_not(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    Ok(vec![Tensor::bool(call.shape(0)?, call.bools(0)?.iter().map(|x| !x).collect())])
}

fn evaluate_is_inf(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let wanted = |name: &str| call.node.int(name).unwrap_or(1) != 0;
    let (negative, positive) = (wanted("detect_negative"), wanted("detect_positive"));
    test_floats(call, |x| x.is_infinite() && if x > 0.0 { positive } else { negative })
}

/// The remainder with the sign of the dividend (`fmod = 1`) or of the divisor.
fn evaluate_mod(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    match call.node.int("fmod").unwrap_or(0) {
        0 => zip_numbers(
            call,
            |a, b| a - b * (a / b).floor(),
            |a, b| {
                let rest = a.checked_rem(b).unwrap_or(0);
                if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
            },
        ),
        _ => zip_numbers(call, |a, b| a % b, |a, b| a.checked_rem(b).unwrap_or(0)),
    }
}

/// The result has the base's type; the exponent may have another.
fn evaluate_pow(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (base, exponent) = (call.tensor(0)?, call.tensor(1)?);
    if let (Data::I64(_), Data::I64(_)) = (base.data(), exponent.data()) {
        return zip_numbers(call, f64::powf, int_pow);
    }
    let floats = |tensor: &Tensor| tensor.cast(ElementType::F64);
    let result = zip_two(&floats(base), &floats(exponent), f64::powf, int_pow)?;
    Ok(vec![widened(&result.cast(base.element()))])
}

fn int_pow(base: i64, exponent: i64) -> i64 {
    match u32::try_from(exponent) {
        Ok(exponent) => base.wrapping_pow(exponent),
        Err(_) => (base as f64).powf(exponent as f64) as i64,
    }
}

/// The upper bound wins where the bounds cross.
fn evaluate_clip(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let mut x = call.tensor(0)?.clone();
    if let Some(min) = call.optional(1) {
        x = zip_two(&x, min, larger, i64::max)?;
    }
    if let Some(max) = call.optional(2) {
        x = zip_two(&x, max, smaller, i64::min)?;
    }
    Ok(vec![x])
}

fn evaluate_where(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let plan = Broadcast::new(&[call.shape(0)?, call.shape(1)?, call.shape(2)?])?;
    let condition = call.bools(0)?;
    fn picked<T: Clone>(plan: &Broadcast<3>, condition: &[bool], a: &[T], b: &[T]) -> Vec<T> {
        plan.offsets().map(|[c, i, j]| if condition[c] { a[i].clone() } else { b[j].clone() }).collect()
    }
    Ok(vec![match (call.tensor(1)?.data(), call.tensor(2)?.data()) {
        (Data::F64(a), Data::F64(b)) => Tensor::f64(&plan.shape, picked(&plan, condition, a, b)),
        (Data::I64(a), Data::I64(b)) => Tensor::i64(&plan.shape, picked(&plan, condition, a, b)),
        (Data::Bool(a), Data::Bool(b)) => Tensor::bool(&plan.shape, picked(&plan, condition, a, b)),
        _ => return Err("expected two tensors of floats, of integers or of booleans".to_owned()),
    }])
}

/// 0 at 0, and NaN of NaN.
fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

/// Unlike `f64::max`, NaN where either is.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// Unlike `f64::min`, NaN where either is.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}
