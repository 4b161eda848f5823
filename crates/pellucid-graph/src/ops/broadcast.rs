//! ONNX's multidirectional broadcasting, of lengths before a run and of values in one.

use crate::ops::strided::Strided;
use crate::ops::strides;
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

/// Reads `N` tensors as if each had the common shape.
pub(crate) struct Broadcast<const N: usize> {
    /// The common shape.
    pub(crate) shape: Vec<usize>,
    plan: Strided<N>,
}

impl<const N: usize> Broadcast<N> {
    /// Plans reading tensors of `shapes` together.
    pub(crate) fn new(shapes: &[&[usize]; N]) -> Result<Self, String> {
        let shape = broadcast_lengths(shapes)?;
        let own: Vec<Vec<usize>> = shapes.iter().map(|own| broadcast_strides(own, shape.len())).collect();
        let plan = Strided::new(&shape, std::array::from_fn(|i| own[i].as_slice()));
        Ok(Self { shape, plan })
    }

    /// For each position of the common shape, in row-major order, the offset into each tensor.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = [usize; N]> + '_ {
        self.plan.offsets()
    }
}

impl Broadcast<2> {
    /// `f` of the two elements at each position.
    pub(crate) fn zip<A: Copy, B: Copy, R>(&self, a: &[A], b: &[B], f: impl Fn(A, B) -> R) -> Vec<R> {
        let mut result = Vec::with_capacity(self.plan.len());
        let (length, step) = self.plan.run();
        for [i, j] in self.plan.starts() {
            match step {
                [1, 1] => result.extend(a[i..i + length].iter().zip(&b[j..]).map(|(x, y)| f(*x, *y))),
                [1, 0] => result.extend(a[i..i + length].iter().map(|x| f(*x, b[j]))),
                [0, 1] => result.extend(b[j..j + length].iter().map(|y| f(a[i], *y))),
                [p, q] => result.extend((0..length).map(|n| f(a[i + n * p], b[j + n * q]))),
            }
        }
        result
    }
}

fn broadcast_lengths(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result = vec![1; rank];
    for shape in shapes {
        for (slot, &length) in result[rank - shape.len()..].iter_mut().zip(*shape) {
            match (*slot, length) {
                (1, n) => *slot = n,
                (n, m) if m != 1 && n != m => return Err(format!("lengths {n} and {m} do not broadcast")),
                _ => {}
            }
        }
    }
    Ok(result)
}

/// Strides with 0 along every axis that is repeated.
fn broadcast_strides(own: &[usize], rank: usize) -> Vec<usize> {
    let mut result = vec![0; rank - own.len()];
    result.extend(strides(own).into_iter().zip(own).map(|(stride, &n)| if n == 1 { 0 } else { stride }));
    result
}
