//! The rows of an explanation in files: networks take f32, and so few digits are written; missing values are `null`.

use ndarray::{ArrayD, ArrayViewD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::nested::{FromNumber, Nested};
use crate::npy;

/// What the numbers of `data` are. Documents without it hold f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DataType {
    #[default]
    Float32,
    Float64,
}

/// Whether f32 loses nothing of these numbers.
pub(crate) fn fits_f32(data: ArrayViewD<'_, f64>) -> bool {
    data.iter().all(|&x| x.is_nan() || f64::from(x as f32) == x)
}

/// Rows; NaN is missing.
pub(super) struct Data(pub(super) ArrayD<f64>);

impl DataType {
    /// f32 where that loses nothing.
    pub(super) fn of(data: &ArrayD<f64>) -> Self {
        match fits_f32(data.view()) {
            true => Self::Float32,
            false => Self::Float64,
        }
    }

    /// The numbers that were written as this type.
    pub(super) fn read(self, data: ArrayD<f64>) -> ArrayD<f64> {
        match self {
            Self::Float32 => data.mapv(|x| f64::from(x as f32)),
            Self::Float64 => data,
        }
    }
}

/// The rows as the bytes of a `.npy` file.
pub(super) fn npy_bytes(data: &ArrayD<f64>) -> Vec<u8> {
    match DataType::of(data) {
        DataType::Float32 => npy::bytes(&data.mapv(|x| x as f32)),
        DataType::Float64 => npy::bytes(data),
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // NaN is written as null.
        match DataType::of(&self.0) {
            DataType::Float32 => Nested(self.0.mapv(|x| x as f32)).serialize(serializer),
            DataType::Float64 => Nested(self.0.clone()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Nested::<Cell>::deserialize(deserializer)?.0.mapv(|cell| cell.0)))
    }
}

/// A number that may be missing.
#[derive(Clone, Copy)]
struct Cell(f64);

impl FromNumber for Cell {
    fn from_number(number: f64) -> Self {
        Self(number)
    }

    fn from_null() -> Option<Self> {
        Some(Self(f64::NAN))
    }
}
