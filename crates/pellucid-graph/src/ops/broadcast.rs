//! ONNX's multidirectional broadcasting, of lengths before a run and of values in one.

use crate::ops::{offset, positions, strides};
use crate::types::Dim;

/// The shape that several shapes broadcast to.
pub(crate) fn broadcast_dims(shapes: &[&[Dim]]) -> Result<Vec<Dim>, String> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result = vec![Dim::Known(1); rank];
    for shape in shapes {
        for (axis, dim) in shape.iter().enumerate() {
            let slot = &mut result[rank - shape.len() + axis];
            *slot = broadcast_dim(slot, dim)?;
        }
    }
    Ok(result)
}

fn broadcast_dim(a: &Dim, b: &Dim) -> Result<Dim, String> {
    use Dim::{Known, Symbol, Unknown};
    Ok(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Known(1), other) | (other, Known(1)) => other.clone(),
        (Known(n), Known(m)) => return Err(format!("lengths {n} and {m} do not broadcast")),
        // A named or unknown length beside a number other than 1 can only be that number or 1.
        (Known(n), Symbol { .. } | Unknown) | (Symbol { .. } | Unknown, Known(n)) => Known(*n),
        _ => Unknown,
    })
}

/// Reads tensors as if each had the common shape.
pub(crate) struct Broadcast {
    /// The common shape.
    pub(crate) shape: Vec<usize>,
    strides: Vec<Vec<usize>>,
}

impl Broadcast {
    /// Plans reading tensors of `shapes` together.
    pub(crate) fn new(shapes: &[&[usize]]) -> Result<Self, String> {
        let dims: Vec<Vec<Dim>> = shapes.iter().map(|s| s.iter().map(|&n| Dim::Known(n)).collect()).collect();
        let dims: Vec<&[Dim]> = dims.iter().map(Vec::as_slice).collect();
        let shape: Vec<usize> = broadcast_dims(&dims)?.iter().filter_map(Dim::known).collect();
        let strides = shapes.iter().map(|own| broadcast_strides(own, shape.len())).collect();
        Ok(Self { shape, strides })
    }

    /// For each position of the common shape, in row-major order, the offset into each tensor.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = Vec<usize>> + '_ {
        positions(&self.shape).map(|position| self.strides.iter().map(|s| offset(&position, s)).collect())
    }
}

/// Strides with 0 along every axis that is repeated.
fn broadcast_strides(own: &[usize], rank: usize) -> Vec<usize> {
    let mut result = vec![0; rank - own.len()];
    result.extend(strides(own).into_iter().zip(own).map(|(stride, &n)| if n == 1 { 0 } else { stride }));
    result
}
