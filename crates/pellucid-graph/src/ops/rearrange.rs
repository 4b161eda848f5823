//! Reading elements from elsewhere: what all ops that only move elements are made of.

use super::{positions, strides};
use crate::tensor::{Data, Tensor};
use crate::types::Dim;

/// More elements than any model moves at once; what asks for more is a fault in the file.
const MAX_ELEMENTS: usize = 1 << 31;

/// A tensor of `shape` whose element at each place is the one of `source` at the given offset.
pub(super) fn gathered(source: &Tensor, shape: &[usize], offsets: impl Iterator<Item = usize>) -> Tensor {
    let data = match source.data() {
        Data::F64(v) => Data::F64(offsets.map(|o| v[o]).collect()),
        Data::Bool(v) => Data::Bool(offsets.map(|o| v[o]).collect()),
        Data::String(v) => Data::String(offsets.map(|o| v[o].clone()).collect()),
        _ => {
            let v = source.to_i64s();
            Data::I64(offsets.map(|o| v[o]).collect())
        }
    };
    Tensor::try_new(shape.to_vec(), data).unwrap_or_else(|| panic!("offsets do not fill shape {shape:?}"))
}

/// Like [`gathered`], the offset told by the position.
pub(super) fn gathered_at(source: &Tensor, shape: &[usize], from: impl Fn(&[usize]) -> usize) -> Tensor {
    gathered(source, shape, positions(shape).map(|position| from(&position)))
}

/// All elements of several tensors one behind the other, `[total]`.
///
/// # Errors
/// Where their types differ.
pub(super) fn joined(parts: &[&Tensor]) -> Result<Tensor, String> {
    let (first, rest) = parts.split_first().ok_or("no tensor to join")?;
    if let Some(other) = rest.iter().find(|part| part.element() != first.element()) {
        return Err(format!("element types {:?} and {:?} differ", first.element(), other.element()));
    }
    let data = match first.data() {
        Data::F64(_) => Data::F64(parts.iter().flat_map(|part| part.to_f64s()).collect()),
        Data::I64(_) => Data::I64(parts.iter().flat_map(|part| part.to_i64s()).collect()),
        Data::Bool(_) => Data::Bool(parts.iter().flat_map(|part| bools(part)).collect()),
        other => return Err(format!("cannot join {other:?}")),
    };
    let total = parts.iter().map(|part| part.len()).sum();
    Tensor::try_new(vec![total], data).ok_or_else(|| "too many elements".to_owned())
}

fn bools(tensor: &Tensor) -> Vec<bool> {
    tensor.to_i64s().into_iter().map(|n| n != 0).collect()
}

/// The lengths of a tensor to be made, none negative, not too many elements.
pub(super) fn checked_shape(lengths: &[i64]) -> Result<Vec<usize>, String> {
    let shape: Option<Vec<usize>> = lengths.iter().map(|&n| usize::try_from(n).ok()).collect();
    let total = |shape: &[usize]| shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    shape
        .filter(|shape| total(shape).is_some_and(|n| n <= MAX_ELEMENTS))
        .ok_or_else(|| format!("shape {lengths:?} is negative or too large"))
}

/// The index counted from the end where negative.
pub(crate) fn resolve_index(index: i64, n: usize) -> Result<usize, String> {
    let resolved = if index < 0 { index.saturating_add(n as i64) } else { index };
    usize::try_from(resolved)
        .ok()
        .filter(|&i| i < n)
        .ok_or_else(|| format!("index {index} does not exist on an axis of length {n}"))
}

/// What stands before an axis, and what behind it: the numbers of elements.
pub(super) fn around(shape: &[usize], axis: usize) -> (usize, usize) {
    (shape[..axis].iter().product(), shape[axis + 1..].iter().product())
}

/// Where a position lies in row-major order of `shape`.
pub(super) fn offset_in(shape: &[usize], position: &[usize]) -> usize {
    super::offset(position, &strides(shape))
}

/// The product of lengths.
pub(super) fn product(dims: &[Dim]) -> Dim {
    dims.iter().fold(Dim::Known(1), |n, dim| n.times(dim))
}
