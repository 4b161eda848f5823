//! Matrix products. Large weights are never copied: where an op with a transposition flag fits, it is used.

use super::elementwise::flag;
use super::{PlainRule, each};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Wire};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "MatMul" => matmul,
        "Gemm" => gemm,
        _ => return None,
    })
}

/// `dA = dY Bᵀ`, `dB = Aᵀ dY`; the driver sums over broadcast batch axes. A vector is treated as the matrix of one row
/// (left) or column (right) that it stands for.
fn matmul(s: &mut Step<'_>) -> Signals {
    let (mut dy, mut a, mut b) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let (row, column) = (s.known_rank(a)? == 1, s.known_rank(b)? == 1);
    if column {
        (dy, b) = (s.unsqueeze(dy, &[-1]), s.unsqueeze(b, &[-1]));
    }
    if row {
        (dy, a) = (s.unsqueeze(dy, &[-2]), s.unsqueeze(a, &[0]));
    }
    let mut da = match s.needs(0) {
        true => Some(left_gradient(s, dy, a, b)?),
        false => None,
    };
    let mut db = match s.needs(1) {
        true => Some(right_gradient(s, dy, a, b)?),
        false => None,
    };
    if row {
        da = da.map(|da| s.squeeze(da, &[-2]));
    }
    if column {
        db = db.map(|db| s.squeeze(db, &[-1]));
    }
    each([da, db])
}

/// `dY Bᵀ`. By a plain matrix `B` it is one Gemm over all rows of all batches.
fn left_gradient(s: &mut Step<'_>, dy: Wire, a: Wire, b: Wire) -> Result<Wire, String> {
    if s.known_rank(b)? == 2 {
        let flat = rows(s, dy)?;
        let product = product(s, flat, b, [false, true], 1.0);
        return Ok(if flat == dy { product } else { s.reshape_like(product, a) });
    }
    let transposed = exchanged(s, b)?;
    Ok(s.matmul(dy, transposed))
}

/// `Aᵀ dY`. For a plain matrix `B` it is one Gemm that sums over all batches.
fn right_gradient(s: &mut Step<'_>, dy: Wire, a: Wire, b: Wire) -> Result<Wire, String> {
    if s.known_rank(b)? == 2 {
        let (flat_a, flat_dy) = (rows(s, a)?, rows(s, dy)?);
        return Ok(product(s, flat_a, flat_dy, [true, false], 1.0));
    }
    let transposed = exchanged(s, a)?;
    Ok(s.matmul(transposed, dy))
}

/// All rows of all batches as one matrix.
fn rows(s: &mut Step<'_>, x: Wire) -> Result<Wire, String> {
    let rank = s.known_rank(x)?;
    if rank == 2 {
        return Ok(x);
    }
    match s.shape(x).and_then(|shape| shape[rank - 1].known()) {
        Some(n) => Ok(s.reshape(x, &[-1, n as i64])),
        // -1 stands for one length only: flatten instead.
        None => Ok(s.node("Flatten", &[x], &[("axis", Attribute::Int(rank as i64 - 1))])),
    }
}

/// The last two axes exchanged. What an exchange made is taken from before it.
fn exchanged(s: &mut Step<'_>, x: Wire) -> Result<Wire, String> {
    let rank = s.known_rank(x)?;
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(rank - 1, rank - 2);
    let (source, inner) = match s.producer(x).filter(|node| node.op == "Transpose") {
        Some(node) => (node.inputs[0], node.ints("perm").map(<[i64]>::to_vec)),
        None => (None, None),
    };
    let (Some(source), Some(inner)) = (source, inner) else { return Ok(s.transpose(x, &order)) };
    let combined: Vec<i64> = order.iter().map(|&axis| inner[axis as usize]).collect();
    match combined.iter().enumerate().all(|(i, &axis)| i as i64 == axis) {
        true => Ok(source),
        false => Ok(s.transpose(source, &combined)),
    }
}

/// `α op(A) op(B)` of two matrices.
fn product(s: &mut Step<'_>, a: Wire, b: Wire, transposed: [bool; 2], alpha: f64) -> Wire {
    let mut attributes = vec![("transA", flag(transposed[0])), ("transB", flag(transposed[1]))];
    if alpha != 1.0 {
        attributes.push(("alpha", Attribute::Float(alpha as f32)));
    }
    s.node("Gemm", &[a, b], &attributes)
}

/// `Y = α op(A) op(B) + β C`
fn gemm(s: &mut Step<'_>) -> Signals {
    let (dy, a, b) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let on = |name: &str| s.at().int(name).unwrap_or(0) != 0;
    let (trans_a, trans_b) = (on("transA"), on("transB"));
    let number = |name: &str| s.at().float(name).unwrap_or(1.0);
    let (alpha, beta) = (number("alpha"), number("beta"));
    let da = s.needs(0).then(|| match trans_a {
        false => product(s, dy, b, [false, !trans_b], alpha),
        true => product(s, b, dy, [trans_b, true], alpha),
    });
    let db = s.needs(1).then(|| match trans_b {
        false => product(s, a, dy, [!trans_a, false], alpha),
        true => product(s, dy, a, [true, trans_a], alpha),
    });
    let dc = s.needs(2).then(|| if beta == 1.0 { dy } else { s.mul_scalar(dy, beta) });
    each([da, db, dc])
}
