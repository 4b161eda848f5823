//! Cohorts: an expression over a table's features, such as `age > 40 and sex == "F"` → a test of rows.
//!
//! ```text
//! any    = all ("or" all)*
//! all    = one ("and" one)*
//! one    = "not" one | "(" any ")" | name test
//! test   = ("==" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] "in" "(" value ("," value)* ")" | "is" ["not"] "missing"
//! name   = a word, or anything between backticks
//! value  = number | "text" | 'text'
//! ```
//!
//! A missing value meets no comparison, `!=` and `not in` included; `is missing` finds it.

mod parse;
mod read;

use crate::index::Group;
use parse::Parser;

/// A test of a row's inputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Compare { feature: usize, how: How, with: f32 },
    OneOf { feature: usize, values: Vec<f32>, negated: bool },
    Missing { feature: usize, negated: bool },
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    /// Reads an expression over a group's features.
    ///
    /// # Errors
    /// What is wrong, with the expression and a mark below the place.
    pub(crate) fn read(expression: &str, group: &Group) -> Result<Self, String> {
        Parser::new(expression, group).and_then(Parser::whole).map_err(|fault| fault.pointed(expression))
    }

    /// Whether a row meets it.
    pub(crate) fn holds(&self, row: &[f32]) -> bool {
        match self {
            Self::Any(tests) => tests.iter().any(|test| test.holds(row)),
            Self::All(tests) => tests.iter().all(|test| test.holds(row)),
            Self::Not(test) => !test.holds(row),
            Self::Missing { feature, negated } => row[*feature].is_nan() != *negated,
            Self::OneOf { feature, values, negated } => {
                let value = row[*feature];
                !value.is_nan() && values.contains(&value) != *negated
            }
            Self::Compare { feature, how, with } => how.holds(row[*feature], *with),
        }
    }
}

impl How {
    fn holds(self, value: f32, with: f32) -> bool {
        match self {
            Self::Equal => value == with,
            Self::NotEqual => !value.is_nan() && value != with,
            Self::Less => value < with,
            Self::LessOrEqual => value <= with,
            Self::Greater => value > with,
            Self::GreaterOrEqual => value >= with,
        }
    }
}

#[cfg(test)]
mod tests;
