//! What each op makes of numbers known before a run.

use super::combine::{
    absolute, add, and, div, equal, less, max, min, modulo, mul, negated, not, or, select, sub,
};
use super::{MAX_NUMBERS, Number, Numbers};
use crate::build::element_of_code;
use crate::graph::{Attribute, Graph, Node};
use crate::tensor::ElementType;
use crate::types::Dim;

/// The elements of a node's first output, where something of them can be told before a run.
pub(crate) fn infer_numbers(graph: &Graph, node: &Node) -> Option<Numbers> {
    if !node.domain.is_empty() {
        return None;
    }
    let chain = Chain { graph, node };
    let numbers = chain.infer()?;
    (numbers.len() <= MAX_NUMBERS).then(|| Numbers::new(numbers))
}

/// A node with the numbers on its inputs.
struct Chain<'a> {
    graph: &'a Graph,
    node: &'a Node,
}

impl<'a> Chain<'a> {
    fn wire(&self, i: usize) -> Option<crate::graph::Wire> {
        self.node.inputs.get(i).copied().flatten()
    }

    fn numbers(&self, i: usize) -> Option<&'a [Number]> {
        self.graph.numbers(self.wire(i)?).map(Numbers::numbers)
    }

    fn ints(&self, i: usize) -> Option<Vec<i64>> {
        self.graph.numbers(self.wire(i)?)?.ints()
    }

    fn shape(&self, i: usize) -> Option<&'a [Dim]> {
        self.graph.shape(self.wire(i)?)
    }

    fn infer(&self) -> Option<Vec<Number>> {
        match self.node.op.as_str() {
            "Shape" => self.shape_slice(),
            "Size" => Some(vec![Number::from(&self.shape(0)?.iter().fold(Dim::Known(1), |n, d| n.times(d)))]),
            "Constant" => self.constant(),
            "ConstantOfShape" => self.constant_of_shape(),
            "Identity" | "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten" => self.vector(0),
            "Cast" => self.cast(),
            "Gather" => self.gather(),
            "Concat" => self.concat(),
            "Slice" => self.slice(),
            "Expand" | "Tile" => self.repeated(),
            "Range" => self.range(),
            "Where" => zip3(self.numbers(0)?, self.numbers(1)?, self.numbers(2)?),
            "Neg" => self.map(negated),
            "Abs" => self.map(absolute),
            "Not" => self.map(not),
            "ReduceProd" => self.product(),
            _ => self.combine(),
        }
    }

    fn combine(&self) -> Option<Vec<Number>> {
        let combine: fn(&Number, &Number) -> Number = match self.node.op.as_str() {
            "Add" | "Sum" => add,
            "Sub" => sub,
            "Mul" => mul,
            "Div" => div,
            "Mod" if self.node.int("fmod").unwrap_or(0) == 0 => modulo,
            "Min" => min,
            "Max" => max,
            "Equal" => equal,
            "Less" => less,
            "Greater" => |a, b| less(b, a),
            "LessOrEqual" => |a, b| not(&less(b, a)),
            "GreaterOrEqual" => |a, b| not(&less(a, b)),
            "And" => and,
            "Or" => or,
            _ => return None,
        };
        let first = self.numbers(0)?.to_vec();
        (1..self.node.inputs.len()).try_fold(first, |all, i| zip(&all, self.numbers(i)?, combine))
    }

    fn map(&self, f: fn(&Number) -> Number) -> Option<Vec<Number>> {
        Some(self.numbers(0)?.iter().map(f).collect())
    }

    /// The elements of an input under another shape.
    fn vector(&self, i: usize) -> Option<Vec<Number>> {
        self.numbers(i).map(<[Number]>::to_vec)
    }

    fn shape_slice(&self) -> Option<Vec<Number>> {
        let shape = self.shape(0)?;
        let rank = shape.len() as i64;
        let position = |n: i64| if n < 0 { n.saturating_add(rank) } else { n }.clamp(0, rank) as usize;
        let start = position(self.node.int("start").unwrap_or(0));
        let end = position(self.node.int("end").unwrap_or(rank));
        Some(shape.get(start..end).unwrap_or_default().iter().map(Number::from).collect())
    }

    fn constant(&self) -> Option<Vec<Number>> {
        if let Some(Attribute::Tensor(tensor)) = self.node.attributes.get("value") {
            return Numbers::of(tensor).map(|numbers| numbers.numbers);
        }
        let ints = self.node.ints("value_ints").map(<[i64]>::to_vec);
        let ints = ints.or_else(|| self.node.int("value_int").map(|n| vec![n]));
        Some(ints?.into_iter().map(Number::Int).collect())
    }

    fn constant_of_shape(&self) -> Option<Vec<Number>> {
        let shape = self.ints(0)?;
        let n = match shape.as_slice() {
            [] => 1,
            [n] => usize::try_from(*n).ok().filter(|n| *n <= MAX_NUMBERS)?,
            _ => return None,
        };
        let Some(Attribute::Tensor(value)) = self.node.attributes.get("value") else { return None };
        Some(vec![Numbers::of(value)?.numbers.first()?.clone(); n])
    }

    fn cast(&self) -> Option<Vec<Number>> {
        match element_of_code(self.node.int("to")?)? {
            // Narrower types could wrap around.
            ElementType::I64 | ElementType::I32 => self.vector(0),
            ElementType::Bool => self.map(|n| not(&equal(n, &Number::Int(0)))),
            _ => None,
        }
    }

    fn gather(&self) -> Option<Vec<Number>> {
        let numbers = self.numbers(0)?;
        // One number without axes cannot be picked from.
        self.shape(0).filter(|shape| shape.len() == 1)?;
        let n = numbers.len() as i64;
        let pick = |i: i64| numbers.get(usize::try_from(if i < 0 { i + n } else { i }).ok()?).cloned();
        self.ints(1)?.into_iter().map(pick).collect()
    }

    fn concat(&self) -> Option<Vec<Number>> {
        let mut all = Vec::new();
        for i in 0..self.node.inputs.len() {
            match self.numbers(i) {
                Some(numbers) => all.extend_from_slice(numbers),
                // A part that is not known still has its place.
                None => match self.shape(i)? {
                    [n] => all.extend(vec![Number::Unknown; n.known().filter(|n| *n <= MAX_NUMBERS)?]),
                    _ => return None,
                },
            }
        }
        Some(all)
    }

    fn slice(&self) -> Option<Vec<Number>> {
        let numbers = self.numbers(0)?;
        let step = if self.wire(4).is_some() { *self.ints(4)?.first()? } else { 1 };
        let start = *self.ints(1)?.first()?;
        let end = *self.ints(2)?.first()?;
        let picked = crate::ops::slice_indices(numbers.len(), start, end, step).ok()?;
        Some(picked.into_iter().map(|i| numbers[i].clone()).collect())
    }

    /// One number repeated, or a vector as it is.
    fn repeated(&self) -> Option<Vec<Number>> {
        let numbers = self.numbers(0)?;
        let [n] = self.ints(1)?.as_slice().try_into().ok()?;
        let n = usize::try_from(n).ok().filter(|n| *n <= MAX_NUMBERS)?;
        match (numbers, self.node.op.as_str()) {
            (_, "Tile") => Some(std::iter::repeat_n(numbers, n).flatten().cloned().collect()),
            ([one], _) => Some(vec![one.clone(); n]),
            (many, _) => (n == 1 || n == many.len()).then(|| many.to_vec()),
        }
    }

    fn range(&self) -> Option<Vec<Number>> {
        let one = |i: usize| self.ints(i)?.first().copied();
        let (start, limit, delta) = (one(0)?, one(1)?, one(2)?);
        let n = crate::ops::range_length(start as f64, limit as f64, delta as f64).ok()?;
        (n <= MAX_NUMBERS).then(|| (0..n as i64).map(|i| Number::Int(start + i * delta)).collect())
    }

    fn product(&self) -> Option<Vec<Number>> {
        self.shape(0).filter(|shape| shape.len() == 1)?;
        Some(vec![self.numbers(0)?.iter().fold(Number::Int(1), |n, d| mul(&n, d))])
    }
}

fn zip(a: &[Number], b: &[Number], combine: impl Fn(&Number, &Number) -> Number) -> Option<Vec<Number>> {
    match (a, b) {
        ([one], many) => Some(many.iter().map(|d| combine(one, d)).collect()),
        (many, [one]) => Some(many.iter().map(|d| combine(d, one)).collect()),
        _ if a.len() == b.len() => Some(a.iter().zip(b).map(|(a, b)| combine(a, b)).collect()),
        _ => None,
    }
}

fn zip3(condition: &[Number], a: &[Number], b: &[Number]) -> Option<Vec<Number>> {
    let n = condition.len().max(a.len()).max(b.len());
    let all = |v: &[Number]| match v {
        [one] => Some(vec![one.clone(); n]),
        many => (many.len() == n).then(|| many.to_vec()),
    };
    let (condition, a, b) = (all(condition)?, all(a)?, all(b)?);
    Some((0..n).map(|i| select(&condition[i], &a[i], &b[i])).collect())
}
