//! Linear maps along one axis, written as nodes: picking elements, putting them back, a constant matrix.

use crate::graph::{Attribute, Graph, Wire};
use crate::tensor::{ElementType, Tensor};
use crate::types::Dim;

/// A one-hot matrix up to this many elements is smaller than the bother of anything else.
const MAX_ONE_HOT: usize = 1 << 20;

/// A dense matrix in row-major order, `[rows, columns]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) elements: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, elements: vec![0.0; rows * columns] }
    }

    /// Adds to one element.
    pub(crate) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.elements[row * self.columns + column] += value;
    }

    /// Rows and columns exchanged.
    pub(crate) fn transposed(&self) -> Self {
        let mut result = Self::zeros(self.columns, self.rows);
        for row in 0..self.rows {
            for column in 0..self.columns {
                result.elements[column * self.rows + row] = self.elements[row * self.columns + column];
            }
        }
        result
    }
}

/// The number of axes, which every map along an axis has to know.
fn rank_of(graph: &Graph, x: Wire) -> Result<usize, String> {
    graph.rank(x).ok_or_else(|| format!("the rank of `{}` is unknown", graph.name_of(x)))
}

/// `y[…, o, …] = Σᵢ matrix[o, i] · x[…, i, …]` along `axis`.
pub(crate) fn apply_matrix(graph: &mut Graph, x: Wire, axis: usize, matrix: &Matrix) -> Result<Wire, String> {
    let rank = rank_of(graph, x)?;
    let element = match graph.element(x) {
        ElementType::Unknown => ElementType::F32,
        element => element,
    };
    let mut constant = |matrix: &Matrix| {
        let tensor = Tensor::f64(&[matrix.rows, matrix.columns], matrix.elements.clone());
        graph.add_constant("matrix", tensor.cast(element))
    };
    if rank > 1 && axis == rank - 2 {
        let left = constant(matrix);
        return Ok(graph.matmul(left, x));
    }
    let right = constant(&matrix.transposed());
    if rank == 1 {
        let row = graph.unsqueeze(x, &[0]);
        let row = graph.matmul(row, right);
        return Ok(graph.squeeze(row, &[0]));
    }
    if axis == rank - 1 {
        return Ok(graph.matmul(x, right));
    }
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(axis, rank - 1);
    let swapped = graph.transpose(x, &order);
    let mapped = graph.matmul(swapped, right);
    Ok(graph.transpose(mapped, &order))
}

/// Zeros added before and behind the elements of each axis; negative numbers cut off.
pub(crate) fn pad(graph: &mut Graph, x: Wire, before: &[i64], behind: &[i64]) -> Wire {
    if before.iter().chain(behind).all(|&n| n == 0) {
        return x;
    }
    let pads = graph.ints(&[before, behind].concat());
    graph.node("Pad", &[x, pads], &[])
}

/// [`pad`] along one axis.
pub(crate) fn pad_axis(
    graph: &mut Graph,
    x: Wire,
    axis: usize,
    before: usize,
    behind: usize,
) -> Result<Wire, String> {
    let rank = rank_of(graph, x)?;
    let on_axis = |n: usize| (0..rank).map(|at| if at == axis { n as i64 } else { 0 }).collect::<Vec<i64>>();
    Ok(pad(graph, x, &on_axis(before), &on_axis(behind)))
}

/// The elements at `indices` along `axis`.
pub(crate) fn pick(graph: &mut Graph, x: Wire, axis: usize, indices: &[usize]) -> Wire {
    let indices: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
    let indices = graph.ints(&indices);
    gather(graph, x, axis, indices)
}

fn gather(graph: &mut Graph, x: Wire, axis: usize, indices: Wire) -> Wire {
    graph.node("Gather", &[x, indices], &[("axis", Attribute::Int(axis as i64))])
}

/// The transpose of [`pick`] from an axis of `length`: element `k` of the axis of `dy` is added to place `indices[k]`.
pub(crate) fn put_back(
    graph: &mut Graph,
    dy: Wire,
    axis: usize,
    indices: &[usize],
    length: usize,
) -> Result<Wire, String> {
    let Some(&first) = indices.first() else {
        return pad_axis(graph, dy, axis, 0, length);
    };
    if indices.iter().enumerate().all(|(k, &i)| i == first + k) {
        return pad_axis(graph, dy, axis, first, length - first - indices.len());
    }
    // For each place, the elements that go there.
    let mut sources = vec![Vec::new(); length];
    for (k, &i) in indices.iter().enumerate() {
        sources[i].push(k);
    }
    let most = sources.iter().map(Vec::len).max().unwrap_or(0);
    match most * length <= 8 * (length + indices.len()) {
        true => sum_of_picked(graph, dy, axis, &sources, most, indices.len()),
        false if indices.len() * length <= MAX_ONE_HOT => {
            let mut one_hot = Matrix::zeros(length, indices.len());
            for (k, &i) in indices.iter().enumerate() {
                one_hot.add(i, k, 1.0);
            }
            apply_matrix(graph, dy, axis, &one_hot)
        }
        false => {
            let indices: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
            let indices = graph.ints(&indices);
            let zeros = zeros_with_length(graph, dy, axis, length)?;
            scatter_add(graph, zeros, axis, indices, dy)
        }
    }
}

/// For each place the sum of its sources, those it has fewer than `most` filled up with a zero behind the last element.
fn sum_of_picked(
    graph: &mut Graph,
    dy: Wire,
    axis: usize,
    sources: &[Vec<usize>],
    most: usize,
    zero: usize,
) -> Result<Wire, String> {
    let complete = sources.iter().all(|places| places.len() == most);
    let padded = if complete { dy } else { pad_axis(graph, dy, axis, 0, 1)? };
    let filled = |places: &Vec<usize>| {
        (0..most).map(|i| places.get(i).copied().unwrap_or(zero) as i64).collect::<Vec<_>>()
    };
    let indices: Vec<i64> = sources.iter().flat_map(filled).collect();
    if most == 1 {
        let indices = graph.ints(&indices);
        return Ok(gather(graph, padded, axis, indices));
    }
    let indices = graph.add_constant("indices", Tensor::i64(&[sources.len(), most], indices));
    let picked = gather(graph, padded, axis, indices);
    Ok(graph.reduce_sum(picked, &[axis as i64 + 1], false))
}

/// Zeros of the shape of `like` but for the length of one axis.
fn zeros_with_length(graph: &mut Graph, like: Wire, axis: usize, length: usize) -> Result<Wire, String> {
    // A slice of length 0, padded.
    let none = graph.slice(like, axis as i64, 0, 0);
    pad_axis(graph, none, axis, 0, length)
}

/// `zeros` with each element of `dy` added at the place that `indices` (one an element of the axis) says.
pub(crate) fn scatter_add(
    graph: &mut Graph,
    zeros: Wire,
    axis: usize,
    indices: Wire,
    dy: Wire,
) -> Result<Wire, String> {
    let rank = rank_of(graph, dy)?;
    let mut shape = vec![1; rank];
    shape[axis] = -1;
    let column = graph.reshape(indices, &shape);
    let all = graph.expand_like(column, dy);
    let attributes = [("axis", Attribute::Int(axis as i64)), ("reduction", "add".into())];
    Ok(graph.node("ScatterElements", &[zeros, all, dy], &attributes))
}

/// `x` under a shape of which at most one length is no number.
pub(crate) fn reshape_to(graph: &mut Graph, x: Wire, shape: &[Dim]) -> Result<Wire, String> {
    let lengths = crate::build::constant_shape(shape).ok_or_else(|| {
        format!(
            "more than one length of {} is unknown: fix the shape of the input",
            crate::types::shape_text(shape)
        )
    })?;
    Ok(graph.reshape(x, &lengths))
}
