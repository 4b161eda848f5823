//! What is known of a wire before any run: element type and shape, the batch axis symbolic.

use std::fmt;
use std::sync::Arc;

use crate::tensor::{ElementType, Tensor};

/// The length of one axis.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dim {
    /// A number.
    Known(usize),
    /// `times` × a named length that only a run fixes, the batch above all: `N`, `4*N`.
    Symbol {
        /// The name, as in the model file.
        name: Arc<str>,
        /// How many times the named length; at least 1.
        times: usize,
    },
    /// Nothing is known.
    Unknown,
}

impl Dim {
    /// The named length itself.
    pub fn symbol(name: &str) -> Self {
        Self::Symbol { name: name.into(), times: 1 }
    }

    /// The number, where it is one.
    pub fn known(&self) -> Option<usize> {
        match self {
            Self::Known(n) => Some(*n),
            _ => None,
        }
    }

    /// Whether this axis certainly has length `n`.
    pub fn is(&self, n: usize) -> bool {
        *self == Self::Known(n)
    }

    /// The sum, `Unknown` where it is not a multiple of one symbol.
    pub fn plus(&self, other: &Self) -> Self {
        use Dim::*;
        match (self, other) {
            (Known(a), Known(b)) => a.checked_add(*b).map_or(Unknown, Known),
            (Known(0), d) | (d, Known(0)) => d.clone(),
            (Symbol { name: a, times: m }, Symbol { name: b, times: n }) if a == b => {
                m.checked_add(*n).map_or(Unknown, |times| Symbol { name: a.clone(), times })
            }
            _ => Unknown,
        }
    }

    /// The product, `Unknown` where it is not a multiple of one symbol.
    pub fn times(&self, other: &Self) -> Self {
        use Dim::*;
        match (self, other) {
            (Known(a), Known(b)) => a.checked_mul(*b).map_or(Unknown, Known),
            (Known(0), _) | (_, Known(0)) => Known(0),
            (Known(k), Symbol { name, times }) | (Symbol { name, times }, Known(k)) => {
                times.checked_mul(*k).map_or(Unknown, |times| Symbol { name: name.clone(), times })
            }
            _ => Unknown,
        }
    }

    /// The quotient where it is exact, else `Unknown`.
    pub fn divided_by(&self, other: &Self) -> Self {
        use Dim::*;
        match (self, other) {
            (Known(a), Known(b)) if *b != 0 && a % b == 0 => Known(a / b),
            (Symbol { name, times }, Known(k)) if *k != 0 && times % k == 0 => {
                Symbol { name: name.clone(), times: times / k }
            }
            (Symbol { name: a, times: m }, Symbol { name: b, times: n }) if a == b && m % n == 0 => {
                Known(m / n)
            }
            _ => Unknown,
        }
    }
}

impl From<usize> for Dim {
    fn from(n: usize) -> Self {
        Self::Known(n)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(n) => write!(f, "{n}"),
            Self::Symbol { name, times: 1 } => f.write_str(name),
            Self::Symbol { name, times } => write!(f, "{times}*{name}"),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// Element type and, where the rank is known, the shape of a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// The type of the elements.
    pub element: ElementType,
    /// Length of each axis; `None` where not even the rank is known.
    pub shape: Option<Vec<Dim>>,
}

impl Type {
    /// A type of known rank.
    pub fn new(element: ElementType, shape: Vec<Dim>) -> Self {
        Self { element, shape: Some(shape) }
    }

    /// A type of known lengths.
    pub fn fixed(element: ElementType, shape: &[usize]) -> Self {
        Self::new(element, shape.iter().map(|&n| Dim::Known(n)).collect())
    }

    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { element: ElementType::Unknown, shape: None }
    }

    /// The type of a tensor at hand.
    pub fn of(tensor: &Tensor) -> Self {
        Self::fixed(tensor.element(), tensor.shape())
    }

    /// Every length, where all are numbers.
    pub fn known_shape(&self) -> Option<Vec<usize>> {
        self.shape.as_ref()?.iter().map(Dim::known).collect()
    }

    /// Whether `shape` fits: same rank, known lengths equal, one value for each symbol.
    pub fn admits(&self, shape: &[usize]) -> bool {
        let Some(dims) = &self.shape else { return true };
        let mut symbols = std::collections::BTreeMap::new();
        dims.len() == shape.len()
            && dims.iter().zip(shape).all(|(dim, &n)| match dim {
                Dim::Known(k) => *k == n,
                Dim::Symbol { name, times } => {
                    n % times == 0 && *symbols.entry(name).or_insert(n / times) == n / times
                }
                Dim::Unknown => true,
            })
    }
}

/// Renders lengths as `[N, 3, 224, 224]`.
pub fn shape_text(shape: &[Dim]) -> String {
    let dims: Vec<String> = shape.iter().map(Dim::to_string).collect();
    format!("[{}]", dims.join(", "))
}
