//! Softmax and its relatives along one axis.

use super::elementwise::{larger, same};
use super::{Call, Op, resolve_axis};
use crate::tensor::Tensor;

pub(super) const OPS: &[Op] = &[
    Op { name: "Softmax", infer: same, evaluate: |c| along_axis(c, softmax) },
    Op { name: "LogSoftmax", infer: same, evaluate: |c| along_axis(c, log_softmax) },
    Op { name: "Hardmax", infer: same, evaluate: |c| along_axis(c, hardmax) },
];

/// Replaces each vector along `axis` by what `f` makes of it.
fn along_axis(call: &Call<'_>, f: impl Fn(&mut [f64])) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    let axis = resolve_axis(call.node.int("axis").unwrap_or(-1), shape.len())?;
    let (length, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let mut values = call.floats(0)?.to_vec();
    let mut lane = vec![0.0; length];
    for block in values.chunks_exact_mut((length * inner).max(1)) {
        for i in 0..inner {
            (0..length).for_each(|j| lane[j] = block[j * inner + i]);
            f(&mut lane);
            (0..length).for_each(|j| block[j * inner + i] = lane[j]);
        }
    }
    Ok(vec![Tensor::f64(shape, values)])
}

fn max(lane: &[f64]) -> f64 {
    lane.iter().copied().fold(f64::NEG_INFINITY, larger)
}

fn softmax(lane: &mut [f64]) {
    let max = max(lane);
    lane.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum: f64 = lane.iter().sum();
    lane.iter_mut().for_each(|x| *x /= sum);
}

fn log_softmax(lane: &mut [f64]) {
    let max = max(lane);
    let log_sum = lane.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    lane.iter_mut().for_each(|x| *x = *x - max - log_sum);
}

/// 1 at the first of the largest, 0 elsewhere.
fn hardmax(lane: &mut [f64]) {
    let max = max(lane);
    let winner = lane.iter().position(|x| *x == max);
    lane.iter_mut().enumerate().for_each(|(i, x)| *x = f64::from(u8::from(Some(i) == winner)));
}
