//! One option's value in an explanation.

use std::fmt;

/// The value of a method's option, as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// Not set.
    Unset,
    /// Yes or no.
    Flag(bool),
    /// A number of things.
    Count(usize),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("none"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

macro_rules! parameter_from {
    ($($ty:ty => $variant:ident),*) => {
        $(impl From<$ty> for Parameter {
            fn from(value: $ty) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}
parameter_from!(bool => Flag, usize => Count, f64 => Number, &str => Text, String => Text);

impl From<Option<f64>> for Parameter {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Unset, Self::Number)
    }
}
