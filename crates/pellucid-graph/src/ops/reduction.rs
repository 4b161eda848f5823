//! Reductions along axes.

use super::elementwise::{larger, smaller};
use super::{Call, Op, Site, Strided, resolve_axes, resolve_axis, strides};
use crate::tensor::{Data, ElementType, Tensor};
use crate::types::{Dim, Type};

macro_rules! reduction {
    ($name:literal, $float:expr) => {
        Op { name: $name, infer, evaluate: |c| reduce_floats(c, $float) }
    };
    ($name:literal, $float:expr, $int:expr) => {
        Op {
            name: $name,
            infer,
            evaluate: |c| match c.tensor(0)?.data() {
                Data::I64(_) => reduce_ints(c, $int),
                _ => reduce_floats(c, $float),
            },
        }
    };
}

pub(super) const OPS: &[Op] = &[
    reduction!("ReduceSum", |v| v.iter().sum(), int_sum),
    reduction!("ReduceMean", |v| v.iter().sum::<f64>() / v.len() as f64, |v| {
        int_sum(v).checked_div(v.len() as i64).unwrap_or(0)
    }),
    reduction!("ReduceMax", max, |v| v.iter().copied().max().unwrap_or(i64::MIN)),
    reduction!("ReduceMin", |v| v.iter().copied().fold(f64::INFINITY, smaller), |v| {
        v.iter().copied().min().unwrap_or(i64::MAX)
    }),
    reduction!("ReduceProd", |v| v.iter().product(), |v| v.iter().fold(1, |n, x| n.wrapping_mul(*x))),
    reduction!("ReduceL1", |v| v.iter().map(|x| x.abs()).sum()),
    reduction!("ReduceL2", |v| v.iter().map(|x| x * x).sum::<f64>().sqrt()),
    reduction!("ReduceSumSquare", |v| v.iter().map(|x| x * x).sum()),
    reduction!("ReduceLogSum", |v| v.iter().sum::<f64>().ln()),
    reduction!("ReduceLogSumExp", log_sum_exp),
    Op { name: "ArgMax", infer: infer_arg, evaluate: |c| evaluate_arg(c, |a, b| a > b) },
    Op { name: "ArgMin", infer: infer_arg, evaluate: |c| evaluate_arg(c, |a, b| a < b) },
    Op { name: "CumSum", infer: super::elementwise::same, evaluate: evaluate_cum_sum },
];

fn int_sum(v: &[i64]) -> i64 {
    v.iter().fold(0, |sum, x| sum.wrapping_add(*x))
}

fn max(v: &[f64]) -> f64 {
    v.iter().copied().fold(f64::NEG_INFINITY, larger)
}

/// `ln Σ eˣ` without overflow.
fn log_sum_exp(v: &[f64]) -> f64 {
    let max = max(v);
    // Of infinite numbers the largest is the answer; the difference would be NaN.
    if max.is_infinite() { max } else { max + v.iter().map(|x| (x - max).exp()).sum::<f64>().ln() }
}

/// The axes that a reduction reduces.
pub(crate) fn reduced_axes(axes: Option<&[i64]>, noop: bool, rank: usize) -> Result<Vec<usize>, String> {
    match axes {
        Some(axes) if !axes.is_empty() => resolve_axes(axes, rank),
        _ if noop => Ok(Vec::new()),
        _ => Ok((0..rank).collect()),
    }
}

fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let keep = site.node.int("keepdims").unwrap_or(1) != 0;
    let noop = site.node.int("noop_with_empty_axes").unwrap_or(0) != 0;
    let axes = site.constant_ints(1);
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    if axes.is_none() && site.wire(1).is_some() {
        return site.like_first(keep.then(|| vec![Dim::Unknown; own.len()]));
    }
    let axes = reduced_axes(axes.as_deref(), noop, own.len())?;
    site.like_first(Some(reduced_shape(own, &axes, keep)))
}

/// The lengths that are left, with 1 for each reduced axis if they are kept.
fn reduced_shape<T: Clone + From<usize>>(own: &[T], axes: &[usize], keep: bool) -> Vec<T> {
    let length = |(axis, length): (usize, &T)| match axes.contains(&axis) {
        true => keep.then(|| T::from(1)),
        false => Some(length.clone()),
    };
    own.iter().enumerate().filter_map(length).collect()
}

fn reduce_floats(call: &Call<'_>, f: impl Fn(&[f64]) -> f64) -> Result<Vec<Tensor>, String> {
    let (values, shape) = reduce(call, call.floats(0)?, f)?;
    Ok(vec![Tensor::f64(&shape, values)])
}

fn reduce_ints(call: &Call<'_>, f: impl Fn(&[i64]) -> i64) -> Result<Vec<Tensor>, String> {
    let (values, shape) = reduce(call, call.ints(0)?, f)?;
    Ok(vec![Tensor::i64(&shape, values)])
}

/// Applies `f` to the elements of each group that differ only along the reduced axes.
fn reduce<T: Copy>(call: &Call<'_>, x: &[T], f: impl Fn(&[T]) -> T) -> Result<(Vec<T>, Vec<usize>), String> {
    let own = call.shape(0)?;
    let noop = call.node.int("noop_with_empty_axes").unwrap_or(0) != 0;
    let axes = call.optional(1).map(Tensor::to_i64s);
    let axes = reduced_axes(axes.as_deref(), noop, own.len())?;
    let keep = call.node.int("keepdims").unwrap_or(1) != 0;
    Ok((grouped(x, own, &axes, f), reduced_shape(own, &axes, keep)))
}

/// `f` of each group of elements that differ only along `axes`, groups and elements in row-major order.
fn grouped<T: Copy, R>(x: &[T], own: &[usize], axes: &[usize], f: impl Fn(&[T]) -> R) -> Vec<R> {
    let steps = strides(own);
    let pick = |reduced: bool| -> (Vec<usize>, Vec<usize>) {
        let axes = (0..own.len()).filter(|axis| axes.contains(axis) == reduced);
        axes.map(|axis| (own[axis], steps[axis])).unzip()
    };
    let ((kept, kept_steps), (inner, inner_steps)) = (pick(false), pick(true));
    let inner_offsets: Vec<usize> = Strided::new(&inner, [&inner_steps]).offsets().map(|[o]| o).collect();
    let mut group = Vec::with_capacity(inner_offsets.len());
    let of_group = |[start]: [usize; 1]| {
        group.clear();
        group.extend(inner_offsets.iter().map(|o| x[start + o]));
        f(&group)
    };
    Strided::new(&kept, [&kept_steps]).offsets().map(of_group).collect()
}

fn infer_arg(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let keep = site.node.int("keepdims").unwrap_or(1) != 0;
    let shape = match site.shape(0)? {
        Some(own) => {
            let axis = resolve_axis(site.node.int("axis").unwrap_or(0), own.len())?;
            Some(reduced_shape(own, &[axis], keep))
        }
        None => None,
    };
    Ok(vec![Type { element: ElementType::I64, shape }])
}

/// The first (or last) index that no other one beats.
fn evaluate_arg(call: &Call<'_>, beats: impl Fn(f64, f64) -> bool) -> Result<Vec<Tensor>, String> {
    let own = call.shape(0)?;
    let axis = resolve_axis(call.node.int("axis").unwrap_or(0), own.len())?;
    let last = call.node.int("select_last_index").unwrap_or(0) != 0;
    let winner = |v: &[f64]| {
        let better = |best: usize, i: usize| beats(v[i], v[best]) || (last && v[i] == v[best]);
        (0..v.len()).fold(0, |best, i| if better(best, i) { i } else { best }) as i64
    };
    let keep = call.node.int("keepdims").unwrap_or(1) != 0;
    let values = grouped(&call.tensor(0)?.to_f64s(), own, &[axis], winner);
    Ok(vec![Tensor::i64(&reduced_shape(own, &[axis], keep), values)])
}

fn evaluate_cum_sum(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let axis = call.tensor(1)?.to_i64s().first().copied().ok_or("input 1 holds no axis")?;
    let shape = call.shape(0)?;
    let axis = resolve_axis(axis, shape.len())?;
    Ok(vec![match call.tensor(0)?.data() {
        Data::I64(x) => Tensor::i64(shape, cum_sum(call, x, axis, i64::wrapping_add)?),
        _ => Tensor::f64(shape, cum_sum(call, call.floats(0)?, axis, |a, b| a + b)?),
    }])
}

/// Sums of all elements up to each place along `axis`, itself included unless `exclusive`.
fn cum_sum<T: Copy + Default>(
    call: &Call<'_>,
    x: &[T],
    axis: usize,
    add: impl Fn(T, T) -> T,
) -> Result<Vec<T>, String> {
    let on = |name: &str| call.node.int(name).unwrap_or(0) != 0;
    let shape = call.shape(0)?;
    let (length, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let mut result = x.to_vec();
    for block in result.chunks_exact_mut((length * inner).max(1)) {
        for i in 0..inner {
            let mut sum = T::default();
            for step in 0..length {
                let j = if on("reverse") { length - 1 - step } else { step };
                let next = add(sum, block[j * inner + i]);
                block[j * inner + i] = if on("exclusive") { sum } else { next };
                sum = next;
            }
        }
    }
    Ok(result)
}
