//! What each op means: the types of its outputs, and their values in f64 and i64. One file a family of ops.

pub(crate) mod activation;
mod broadcast;
pub(crate) mod convolution;
mod defined;
mod elementwise;
mod fill;
mod join;
mod matmul;
pub(crate) mod normalization;
mod order;
mod pick;
pub(crate) mod pooling;
mod quantize;
mod rearrange;
pub(crate) mod recurrent;
pub(crate) mod reduction;
mod reshape;
mod resize;
mod softmax;
mod strided;
#[cfg(test)]
mod tests;
pub(crate) mod window;

pub(crate) use broadcast::{Broadcast, broadcast_dims};
pub(crate) use fill::range_length;
pub(crate) use join::{pad_indices, pads_of, split_lengths};
pub(crate) use pick::{Cut, cuts, slice_indices};
pub(crate) use quantize::integer_range;
pub(crate) use rearrange::resolve_index;
pub(crate) use resize::{ResizeAxis, known_operands, resize_axes};
pub(crate) use strided::Strided;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::CONTRIBUTED;
use crate::symbolic::{Number, Numbers};
use crate::tensor::{Data, ElementType, Tensor};
use crate::types::{Dim, Type};

/// Infers the types of a node's outputs from what is known of its inputs.
pub(crate) type Infer = fn(&Site<'_>) -> Result<Vec<Type>, String>;

/// Computes a node's outputs: floats in f64, integers in i64, in plain loops.
pub(crate) type Evaluate = fn(&Call<'_>) -> Result<Vec<Tensor>, String>;

/// An op, in the meaning of the canonical opset.
pub(crate) struct Op {
    pub(crate) name: &'static str,
    pub(crate) infer: Infer,
    pub(crate) evaluate: Evaluate,
}

/// The families of the default domain.
const FAMILIES: &[&[Op]] = &[
    elementwise::OPS,
    activation::OPS,
    softmax::OPS,
    matmul::OPS,
    reduction::OPS,
    normalization::OPS,
    fill::OPS,
    reshape::OPS,
    join::OPS,
    pick::OPS,
    order::OPS,
    resize::OPS,
    convolution::OPS,
    pooling::OPS,
    recurrent::OPS,
    quantize::OPS,
    defined::OPS,
];

pub(crate) fn find(domain: &str, op: &str) -> Option<&'static Op> {
    let families: &[&[Op]] = match domain {
        "" => FAMILIES,
        CONTRIBUTED => &[defined::CONTRIBUTED_OPS],
        _ => return None,
    };
    families.iter().flat_map(|family| family.iter()).find(|known| known.name == op)
}

/// Whether the crate knows what an op means.
pub fn is_known(domain: &str, op: &str) -> bool {
    find(domain, op).is_some()
}

/// The ops that the crate knows, each with its domain, in the order of the families.
pub fn known_ops() -> impl Iterator<Item = (&'static str, &'static str)> {
    let default = FAMILIES.iter().flat_map(|family| family.iter()).map(|op| ("", op.name));
    default.chain(defined::CONTRIBUTED_OPS.iter().map(|op| (CONTRIBUTED, op.name)))
}

/// Infers the types of a node's outputs; of an unknown op nothing is known.
pub(crate) fn infer(graph: &Graph, node: &Node) -> Result<Vec<Type>, Error> {
    match find(&node.domain, &node.op) {
        Some(op) => (op.infer)(&Site { graph, node }).map_err(|reason| node.fault(reason)),
        None => Ok(Vec::new()),
    }
}

/// Computes a node's outputs from its inputs. `output` is the element type that its first output is to have.
pub(crate) fn evaluate(
    node: &Node,
    inputs: &[Option<&Tensor>],
    output: ElementType,
) -> Result<Vec<Tensor>, Error> {
    let op = find(&node.domain, &node.op)
        .ok_or_else(|| Error::UnknownOp { op: node.full_op(), node: node.name.clone() })?;
    (op.evaluate)(&Call { node, inputs, output }).map_err(|reason| node.fault(reason))
}

/// A node about to be added, and the graph that says what its inputs are.
pub(crate) struct Site<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) node: &'a Node,
}

impl<'a> Site<'a> {
    /// The wire of input `i`, `None` where it is left out.
    pub(crate) fn wire(&self, i: usize) -> Option<Wire> {
        self.node.inputs.get(i).copied().flatten()
    }

    /// The type of input `i`.
    pub(crate) fn ty(&self, i: usize) -> Result<&'a Type, String> {
        let wire = self.wire(i).ok_or_else(|| format!("input {i} is missing"))?;
        Ok(self.graph.type_of(wire))
    }

    /// The element type of input `i`.
    pub(crate) fn element(&self, i: usize) -> Result<ElementType, String> {
        Ok(self.ty(i)?.element)
    }

    /// The shape of input `i`, `None` where the rank is unknown.
    pub(crate) fn shape(&self, i: usize) -> Result<Option<&'a [Dim]>, String> {
        Ok(self.ty(i)?.shape.as_deref())
    }

    /// The integers of input `i` where they are known before a run; `None` where it is left out or they are not.
    pub(crate) fn constant_ints(&self, i: usize) -> Option<Vec<i64>> {
        let wire = self.wire(i)?;
        match self.graph.constant(wire) {
            Some(tensor) => tensor.element().is_integer().then(|| tensor.to_i64s()),
            None => self.graph.numbers(wire)?.ints(),
        }
    }

    /// What is known of each number of input `i`.
    pub(crate) fn numbers(&self, i: usize) -> Option<&'a [Number]> {
        self.graph.numbers(self.wire(i)?).map(Numbers::numbers)
    }

    /// Input `i` as lengths: what is known of a shape operand.
    pub(crate) fn lengths(&self, i: usize) -> Option<&'a [Dim]> {
        self.graph.lengths(self.wire(i)?)
    }

    /// One output: the element type of input 0, `shape` where known.
    pub(crate) fn like_first(&self, shape: Option<Vec<Dim>>) -> Result<Vec<Type>, String> {
        Ok(vec![Type { element: self.element(0)?, shape }])
    }
}

/// A node with the values of its inputs.
pub(crate) struct Call<'a> {
    pub(crate) node: &'a Node,
    inputs: &'a [Option<&'a Tensor>],
    /// The element type of the first output; values themselves are f64, i64 or booleans.
    pub(crate) output: ElementType,
}

impl<'a> Call<'a> {
    /// Input `i`, where it is given.
    pub(crate) fn optional(&self, i: usize) -> Option<&'a Tensor> {
        self.inputs.get(i).copied().flatten()
    }

    /// The number of inputs, left-out ones in the middle included.
    pub(crate) fn n_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Input `i`.
    pub(crate) fn tensor(&self, i: usize) -> Result<&'a Tensor, String> {
        self.optional(i).ok_or_else(|| format!("input {i} is missing"))
    }

    /// The shape of input `i`.
    pub(crate) fn shape(&self, i: usize) -> Result<&'a [usize], String> {
        Ok(self.tensor(i)?.shape())
    }

    /// The floats of input `i`.
    pub(crate) fn floats(&self, i: usize) -> Result<&'a [f64], String> {
        match self.tensor(i)?.data() {
            Data::F64(v) => Ok(v),
            other => Err(format!("input {i}: expected floats, got {}", kind(other))),
        }
    }

    /// The integers of input `i`.
    pub(crate) fn ints(&self, i: usize) -> Result<&'a [i64], String> {
        match self.tensor(i)?.data() {
            Data::I64(v) => Ok(v),
            other => Err(format!("input {i}: expected integers, got {}", kind(other))),
        }
    }

    /// The booleans of input `i`.
    pub(crate) fn bools(&self, i: usize) -> Result<&'a [bool], String> {
        match self.tensor(i)?.data() {
            Data::Bool(v) => Ok(v),
            other => Err(format!("input {i}: expected booleans, got {}", kind(other))),
        }
    }
}

fn kind(data: &Data) -> &'static str {
    match data {
        Data::F64(_) => "floats",
        Data::I64(_) => "integers",
        Data::Bool(_) => "booleans",
        _ => "strings",
    }
}

/// The axis as an index, counted from the end where negative.
pub(crate) fn resolve_axis(axis: i64, rank: usize) -> Result<usize, String> {
    let resolved = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(resolved)
        .ok()
        .filter(|&axis| axis < rank)
        .ok_or_else(|| format!("axis {axis} does not exist in a tensor of {rank} axes"))
}

/// The axes as sorted indices.
pub(crate) fn resolve_axes(axes: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let mut resolved = axes.iter().map(|&axis| resolve_axis(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    resolved.sort_unstable();
    resolved.dedup();
    if resolved.len() != axes.len() {
        return Err(format!("axes {axes:?} name one axis twice"));
    }
    Ok(resolved)
}

/// Steps between neighbors along each axis, row-major.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// All positions of a tensor of `shape`, in row-major order. Each is a new vector: where offsets alone are needed,
/// [`Strided`] gives them without.
pub(crate) fn positions(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let shape = shape.to_vec();
    let mut left: usize = shape.iter().product();
    let mut next = vec![0; shape.len()];
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let here = next.clone();
        for axis in (0..shape.len()).rev() {
            next[axis] += 1;
            if next[axis] < shape[axis] {
                break;
            }
            next[axis] = 0;
        }
        Some(here)
    })
}

/// Where a position lies in row-major order.
pub(crate) fn offset(position: &[usize], strides: &[usize]) -> usize {
    position.iter().zip(strides).map(|(p, s)| p * s).sum()
}
