//! Matrix products.

use super::{Broadcast, Call, Op, Site, broadcast_dims};
use crate::tensor::Tensor;
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[Op { name: "MatMul", infer, evaluate }];

fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(a), Some(b)) = (site.shape(0)?, site.shape(1)?) else { return site.like_first(None) };
    let (Some(k_a), Some(k_b)) = (a.last(), b.get(b.len().saturating_sub(2))) else {
        return Err("a scalar is no matrix".to_owned());
    };
    if k_a.known().zip(k_b.known()).is_some_and(|(m, n)| m != n) {
        return Err(format!("inner lengths {k_a} and {k_b} differ"));
    }
    let batch = |shape: &[Dim]| shape[..shape.len().saturating_sub(2)].to_vec();
    let mut shape = broadcast_dims(&[&batch(a), &batch(b)])?;
    if a.len() > 1 {
        shape.push(a[a.len() - 2].clone());
    }
    if b.len() > 1 {
        shape.push(b[b.len() - 1].clone());
    }
    site.like_first(Some(shape))
}

fn evaluate(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (shape_a, shape_b) = (call.shape(0)?, call.shape(1)?);
    if shape_a.is_empty() || shape_b.is_empty() {
        return Err("a scalar is no matrix".to_owned());
    }
    // A vector is a row on the left and a column on the right; its axis leaves the result.
    let a = if shape_a.len() == 1 { vec![1, shape_a[0]] } else { shape_a.to_vec() };
    let b = if shape_b.len() == 1 { vec![shape_b[0], 1] } else { shape_b.to_vec() };
    let (m, k, n) = (a[a.len() - 2], a[a.len() - 1], b[b.len() - 1]);
    if b[b.len() - 2] != k {
        return Err(format!("shapes {shape_a:?} and {shape_b:?} do not multiply"));
    }
    let (xs, ys) = (call.floats(0)?, call.floats(1)?);
    let batches = Broadcast::new(&[&a[..a.len() - 2], &b[..b.len() - 2]])?;
    let mut result = Vec::with_capacity(batches.shape.iter().product::<usize>() * m * n);
    for o in batches.offsets() {
        let (x, y) = (&xs[o[0] * m * k..][..m * k], &ys[o[1] * k * n..][..k * n]);
        for i in 0..m {
            result.extend((0..n).map(|j| (0..k).map(|l| x[i * k + l] * y[l * n + j]).sum::<f64>()));
        }
    }
    let mut shape = batches.shape;
    shape.extend((shape_a.len() > 1).then_some(m));
    shape.extend((shape_b.len() > 1).then_some(n));
    Ok(vec![Tensor::f64(&shape, result)])
}
