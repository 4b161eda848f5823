//! Small graphs, one or more for each op, that several suites run: gradients against finite differences here, the
//! evaluator against both runtimes in pellucid-runtime.

mod activation;
mod convolution;
mod einsum;
mod elementwise;
mod fill;
mod join;
mod loops;
mod matmul;
mod normalization;
mod pick;
mod pooling;
mod quantize;
mod recurrent;
mod reduction;
mod reshape;
mod resize;
mod softmax;
mod transformer;

pub use loops::{LoopCase, loop_cases};

use crate::graph::Graph;
use crate::tensor::{ElementType, Tensor};
use crate::text;

/// One small graph with what its inputs may be.
pub struct OpCase {
    /// What it shows, unique: the op first.
    pub name: &'static str,
    /// The graph in textual syntax, with numbers (or `N`, taken as 2) as lengths.
    pub graph: &'static str,
    /// Float inputs are drawn uniformly from this range.
    pub range: (f64, f64),
    /// Whether all its float inputs are to be checked for gradients.
    pub differentiable: bool,
    /// Fixed values of inputs by name, where random ones would not do (indices, ties).
    pub fixed: &'static [(&'static str, &'static [f64])],
}

impl OpCase {
    /// A case with inputs from -2 to 2, checked for gradients.
    pub const fn new(name: &'static str, graph: &'static str) -> Self {
        Self { name, graph, range: (-2.0, 2.0), differentiable: true, fixed: &[] }
    }

    /// The same with inputs from another range.
    pub const fn range(mut self, low: f64, high: f64) -> Self {
        self.range = (low, high);
        self
    }

    /// The same without a check of gradients.
    pub const fn forward_only(mut self) -> Self {
        self.differentiable = false;
        self
    }

    /// The same with fixed values of some inputs.
    pub const fn fix(mut self, fixed: &'static [(&'static str, &'static [f64])]) -> Self {
        self.fixed = fixed;
        self
    }

    /// The graph.
    ///
    /// # Panics
    /// Where the text does not parse.
    pub fn parse(&self) -> Graph {
        text::parse(self.graph).unwrap_or_else(|error| panic!("case {}: {error}", self.name))
    }

    /// Inputs drawn from a seed: floats in f32 precision (so that f32 runtimes see the same numbers), a symbol as 2.
    ///
    /// # Panics
    /// Where an integer input has no fixed value.
    pub fn inputs(&self, graph: &Graph, seed: u64) -> Vec<Tensor> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
        graph.inputs().iter().map(|wire| self.input(graph, *wire, &mut state)).collect()
    }

    fn input(&self, graph: &Graph, wire: crate::Wire, state: &mut u64) -> Tensor {
        let length = |dim: &crate::Dim| match dim {
            crate::Dim::Known(n) => *n,
            crate::Dim::Symbol { times, .. } => 2 * times,
            crate::Dim::Unknown => panic!("case {}: a length of an input is unknown", self.name),
        };
        let shape: Vec<usize> = graph.shape(wire).unwrap_or_default().iter().map(length).collect();
        let (name, element) = (graph.name_of(wire), graph.element(wire));
        let fixed = self.fixed.iter().find(|(known, _)| *known == name);
        let elements = match fixed {
            Some((_, values)) => values.to_vec(),
            None if element.is_float() => {
                let (low, high) = self.range;
                let draw = |_| f64::from((low + (high - low) * uniform(state)) as f32);
                (0..shape.iter().product::<usize>()).map(draw).collect()
            }
            None => panic!("case {}: input `{name}` needs fixed values", self.name),
        };
        Tensor::f64(&shape, elements).cast(if element.is_float() { ElementType::F64 } else { element })
    }
}

/// The next number of a small generator (splitmix64), in 0..1.
pub fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// All cases, in the order of the families.
pub fn op_cases() -> Vec<&'static OpCase> {
    let families = [
        elementwise::CASES,
        activation::CASES,
        softmax::CASES,
        matmul::CASES,
        reduction::CASES,
        normalization::CASES,
        fill::CASES,
        reshape::CASES,
        join::CASES,
        pick::CASES,
        resize::CASES,
        convolution::CASES,
        pooling::CASES,
        einsum::CASES,
        transformer::CASES,
        recurrent::CASES,
        quantize::CASES,
    ];
    families.into_iter().flatten().collect()
}
