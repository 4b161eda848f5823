//! Matrix products.

use super::{Broadcast, Call, Op, Site, broadcast_dims};
use crate::graph::Node;
use crate::tensor::Tensor;
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "MatMul", infer: infer_matmul, evaluate: evaluate_matmul },
    Op { name: "Gemm", infer: infer_gemm, evaluate: evaluate_gemm },
];

fn infer_matmul(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(a), Some(b)) = (site.shape(0)?, site.shape(1)?) else { return site.like_first(None) };
    let (Some(k_a), Some(k_b)) = (a.last(), b.get(b.len().saturating_sub(2))) else {
        return Err("a scalar is no matrix".to_owned());
    };
    check_inner(k_a, k_b)?;
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

fn check_inner(k_a: &Dim, k_b: &Dim) -> Result<(), String> {
    match k_a.known().zip(k_b.known()).is_some_and(|(m, n)| m != n) {
        true => Err(format!("inner lengths {k_a} and {k_b} differ")),
        false => Ok(()),
    }
}

fn evaluate_matmul(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
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
    let mut result = vec![0.0; batches.shape.iter().product::<usize>() * m * n];
    for (sum, [i, j]) in result.chunks_exact_mut((m * n).max(1)).zip(batches.offsets()) {
        add_product(sum, &xs[i * m * k..][..m * k], &ys[j * k * n..][..k * n], [m, k, n]);
    }
    let mut shape = batches.shape;
    shape.extend((shape_a.len() > 1).then_some(m));
    shape.extend((shape_b.len() > 1).then_some(n));
    Ok(vec![Tensor::f64(&shape, result)])
}

/// `sum += a b`, with `a [m, k]`, `b [k, n]`; row by row, so that the inner loop runs through memory.
fn add_product(sum: &mut [f64], a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) {
    if n == 0 {
        return;
    }
    for (row, a_row) in sum.chunks_exact_mut(n).zip(a.chunks_exact(k.max(1))).take(m) {
        for (x, b_row) in a_row.iter().zip(b.chunks_exact(n)) {
            row.iter_mut().zip(b_row).for_each(|(y, b)| *y += x * b);
        }
    }
}

fn flag(node: &Node, name: &str) -> bool {
    node.int(name).unwrap_or(0) != 0
}

fn infer_gemm(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(a), Some(b)) = (site.shape(0)?, site.shape(1)?) else {
        return site.like_first(Some(vec![Dim::Unknown; 2]));
    };
    let ([a0, a1], [b0, b1]) = (a, b) else {
        return Err(format!("expected two matrices, got {} and {} axes", a.len(), b.len()));
    };
    let (m, k_a) = if flag(site.node, "transA") { (a1, a0) } else { (a0, a1) };
    let (k_b, n) = if flag(site.node, "transB") { (b1, b0) } else { (b0, b1) };
    check_inner(k_a, k_b)?;
    if site.wire(2).is_some()
        && let Some(c) = site.shape(2)?
    {
        broadcast_dims(&[&[m.clone(), n.clone()], c]).map_err(|reason| format!("input 2: {reason}"))?;
    }
    site.like_first(Some(vec![m.clone(), n.clone()]))
}

/// `α op(A) op(B) + β C`, where `op` transposes if the flag says so.
fn evaluate_gemm(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (a, [m, k]) = matrix(call, 0, flag(call.node, "transA"))?;
    let (b, [k_b, n]) = matrix(call, 1, flag(call.node, "transB"))?;
    if k != k_b {
        return Err(format!("inner lengths {k} and {k_b} differ"));
    }
    let (alpha, beta) = (call.node.float("alpha").unwrap_or(1.0), call.node.float("beta").unwrap_or(1.0));
    let mut product = vec![0.0; m * n];
    add_product(&mut product, &a, &b, [m, k, n]);
    product.iter_mut().for_each(|y| *y *= alpha);
    if let Some(c) = call.optional(2) {
        let plan = Broadcast::new(&[&[m, n], c.shape()])?;
        if plan.shape != [m, n] {
            return Err(format!("input 2 of shape {:?} does not broadcast to {:?}", c.shape(), [m, n]));
        }
        product = plan.zip(&product, call.floats(2)?, |y, c| y + beta * c);
    }
    Ok(vec![Tensor::f64(&[m, n], product)])
}

/// Input `i` as a matrix, its axes exchanged where `transposed`.
fn matrix(call: &Call<'_>, i: usize, transposed: bool) -> Result<(Vec<f64>, [usize; 2]), String> {
    let &[rows, columns] = call.shape(i)? else {
        return Err(format!("input {i}: expected a matrix, got shape {:?}", call.shape(i)?));
    };
    let x = call.floats(i)?;
    if !transposed {
        return Ok((x.to_vec(), [rows, columns]));
    }
    let exchanged = (0..columns).flat_map(|j| (0..rows).map(move |i| x[i * columns + j]));
    Ok((exchanged.collect(), [columns, rows]))
}
