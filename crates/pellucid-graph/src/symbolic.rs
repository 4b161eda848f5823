//! Follows lengths through the small integer vectors that exporters compute shapes with
//! (`Shape → Gather → Concat → Reshape`), the batch axis as a symbol.

mod combine;
mod infer;
#[cfg(test)]
mod tests;

pub(crate) use infer::infer_numbers;

use crate::tensor::{ElementType, Tensor};
use crate::types::Dim;

/// Longer vectors are data, not shapes.
const MAX_NUMBERS: usize = 64;

/// One element of a small integer or boolean vector, as far as it is known before a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Number {
    /// A number; a boolean as 0 or 1.
    Int(i64),
    /// A multiple of a named length, so at least 0.
    Length(Dim),
    /// Nothing is known.
    Unknown,
}

impl Number {
    /// The number as the length of an axis; what is negative is unknown.
    pub(crate) fn dim(&self) -> Dim {
        match self {
            Self::Int(n) => usize::try_from(*n).map_or(Dim::Unknown, Dim::Known),
            Self::Length(dim) => dim.clone(),
            Self::Unknown => Dim::Unknown,
        }
    }

    /// The number, where it is one.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }
}

impl From<&Dim> for Number {
    fn from(dim: &Dim) -> Self {
        match dim {
            Dim::Known(n) => i64::try_from(*n).map_or(Self::Unknown, Self::Int),
            Dim::Symbol { .. } => Self::Length(dim.clone()),
            Dim::Unknown => Self::Unknown,
        }
    }
}

/// The elements of a small vector (or of one number without axes) as far as they are known before a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers {
    numbers: Vec<Number>,
    /// The same as lengths, for readers that want a shape.
    lengths: Vec<Dim>,
}

impl Numbers {
    fn new(numbers: Vec<Number>) -> Self {
        let lengths = numbers.iter().map(Number::dim).collect();
        Self { numbers, lengths }
    }

    /// The elements of a small constant vector of integers or booleans.
    pub(crate) fn of(tensor: &Tensor) -> Option<Self> {
        let small = tensor.shape().len() <= 1 && tensor.len() <= MAX_NUMBERS;
        let whole = matches!(tensor.element(), ElementType::I64 | ElementType::I32 | ElementType::Bool);
        let numbers = || tensor.to_i64s().into_iter().map(Number::Int).collect();
        (small && whole).then(|| Self::new(numbers()))
    }

    /// The elements.
    pub(crate) fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// The elements as lengths.
    pub(crate) fn lengths(&self) -> &[Dim] {
        &self.lengths
    }

    /// The elements, where all are numbers.
    pub(crate) fn ints(&self) -> Option<Vec<i64>> {
        self.numbers.iter().map(Number::int).collect()
    }
}
