//! Parts of numbers, element by element: what is positive, what is negative, and what the formulas of relevance take.

use crate::gradient::derived_constant;
use crate::graph::{Graph, Wire};
use crate::tensor::Tensor;

/// What a formula takes of input, weights or bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    Whole,
    /// `max(x, 0)`
    Positive,
    /// `min(x, 0)`
    Negative,
    Square,
    One,
    /// `w + γ w⁺`
    Raised(f64),
    /// `w + γ w⁻`
    Lowered(f64),
    /// `α w`
    Scaled(f64),
}

impl Part {
    fn of_number(self, x: f64) -> f64 {
        match self {
            Self::Whole => x,
            Self::Positive => x.max(0.0),
            Self::Negative => x.min(0.0),
            Self::Square => x * x,
            Self::One => 1.0,
            Self::Raised(gamma) => x + gamma * x.max(0.0),
            Self::Lowered(gamma) => x + gamma * x.min(0.0),
            Self::Scaled(alpha) => alpha * x,
        }
    }

    /// The part of a wire; of a constant, a constant.
    pub(crate) fn of(self, s: &mut Graph, wire: Wire) -> Wire {
        if self == Self::Whole {
            return wire;
        }
        if let Some(tensor) = s.constant(wire).cloned() {
            let numbers = tensor.to_f64s().into_iter().map(|x| self.of_number(x)).collect();
            let part = Tensor::f64(tensor.shape(), numbers).cast(tensor.element());
            return derived_constant(s, wire, &format!("{self:?}").to_lowercase(), part);
        }
        match self {
            Self::Whole => wire,
            Self::Positive => s.relu(wire),
            Self::Negative => negative(s, wire),
            Self::Square => s.mul(wire, wire),
            Self::Scaled(alpha) => s.mul_scalar(wire, alpha),
            Self::One => {
                let one = s.scalar(1.0, wire);
                s.expand_like(one, wire)
            }
            Self::Raised(gamma) => {
                let part = s.relu(wire);
                let more = s.mul_scalar(part, gamma);
                s.add(wire, more)
            }
            Self::Lowered(gamma) => {
                let part = negative(s, wire);
                let more = s.mul_scalar(part, gamma);
                s.add(wire, more)
            }
        }
    }
}

/// `min(x, 0)`, exactly.
fn negative(s: &mut Graph, x: Wire) -> Wire {
    let positive = s.relu(x);
    s.sub(x, positive)
}
