//! How a node of ONNX-ML compares, and which `Split` says the same.

use crate::ensemble::{CategorySet, Fraction, Missing, Precision, Split, Test};
use crate::error::Error;

use super::{broken, unsupported};

/// Beyond, f32 does not tell integers apart.
const MAX_CATEGORY: f64 = 16_777_216.0;

/// When a row goes the way of "true".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
    Member,
}

/// A node that splits.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) feature: u32,
    pub(super) mode: Mode,
    pub(super) value: f64,
    /// The values of a `Member`.
    pub(super) members: Vec<f64>,
    /// Whether NaN goes the way of "true" whatever the comparison says.
    pub(super) missing_true: bool,
}

impl Mode {
    /// From the names of versions 1 to 3.
    pub(super) fn from_name(name: &str) -> Result<Option<Self>, Error> {
        Ok(Some(match name {
            "LEAF" => return Ok(None),
            "BRANCH_LEQ" => Self::Leq,
            "BRANCH_LT" => Self::Lt,
            "BRANCH_GTE" => Self::Gte,
            "BRANCH_GT" => Self::Gt,
            "BRANCH_EQ" => Self::Eq,
            "BRANCH_NEQ" => Self::Neq,
            _ => return Err(broken(format!("the node mode `{name}` is none of ONNX-ML's"))),
        }))
    }

    /// From the numbers of version 5.
    pub(super) fn from_number(number: i64) -> Result<Self, Error> {
        const ALL: [Mode; 7] = [Mode::Leq, Mode::Lt, Mode::Gte, Mode::Gt, Mode::Eq, Mode::Neq, Mode::Member];
        let mode = usize::try_from(number).ok().and_then(|index| ALL.get(index).copied());
        mode.ok_or_else(|| broken(format!("the node mode {number} is none of ONNX-ML's")))
    }
}

impl Branch {
    /// The split, its children not yet linked, and whether "true" is right.
    pub(super) fn split(&self, precision: Precision) -> Result<(Split, bool), Error> {
        let below = |t: f64| match precision {
            Precision::F32 => f64::from((t as f32).next_down()),
            Precision::F64 => t.next_down(),
        };
        let (test, true_right) = match self.mode {
            Mode::Leq => (Test::AtMost(self.value), false),
            Mode::Lt => (Test::AtMost(below(self.value)), false),
            // x >= t where not x < t.
            Mode::Gte => (Test::AtMost(below(self.value)), true),
            Mode::Gt => (Test::AtMost(self.value), true),
            Mode::Eq => (Test::In(categories(&[self.value])?), false),
            Mode::Neq => (Test::In(categories(&[self.value])?), true),
            Mode::Member => (Test::In(categories(&self.members)?), false),
        };
        // NaN is unequal to everything.
        let nan_true = self.missing_true || self.mode == Mode::Neq;
        let missing = Missing { nan_left: nan_true != true_right, zero: false };
        let split = Split { feature: self.feature, test, missing, left: 0, right: 0, cover: 0.0, gain: 0.0 };
        Ok((split, true_right))
    }
}

fn categories(values: &[f64]) -> Result<CategorySet, Error> {
    let category = |&value: &f64| match (0.0..MAX_CATEGORY).contains(&value) && value.fract() == 0.0 {
        true => Ok(value as u32),
        false => Err(unsupported(
            format!("a node that compares for equality with {value}"),
            "whole numbers from 0 on are read as categories",
        )),
    };
    let set = CategorySet::new(&values.iter().map(category).collect::<Result<Vec<_>, _>>()?, false);
    Ok(CategorySet { fraction: Fraction::None, ..set })
}
