//! Arrays ⇄ nested lists of numbers: `[[1.0, 2.0], [3.0, 4.0]]`.

use std::fmt;
use std::marker::PhantomData;

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

/// An array as nested lists; one without axes is a bare number. An axis of length 0 ends the nesting.
pub(super) struct Nested<T>(pub(super) ArrayD<T>);

impl<T: Serialize> Serialize for Nested<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Level(self.0.view()).serialize(serializer)
    }
}

struct Level<'a, T>(ArrayViewD<'a, T>);

impl<T: Serialize> Serialize for Level<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.ndim() == 0 {
            return match self.0.first() {
                Some(number) => number.serialize(serializer),
                None => serializer.serialize_none(),
            };
        }
        let mut list = serializer.serialize_seq(Some(self.0.shape()[0]))?;
        for part in self.0.outer_iter() {
            list.serialize_element(&Level(part))?;
        }
        list.end()
    }
}

impl<'de, T: FromNumber> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        let array = ArrayD::from_shape_vec(IxDyn(&flat.shape), flat.elements);
        array.map(Self).map_err(|_| D::Error::custom("lists of unequal lengths"))
    }
}

/// Elements that a JSON number can be read as.
pub(super) trait FromNumber: Copy {
    fn from_number(number: f64) -> Self;

    /// What `null` is read as, where it may stand.
    fn from_null() -> Option<Self> {
        None
    }
}

impl FromNumber for f64 {
    fn from_number(number: f64) -> Self {
        number
    }
}

impl FromNumber for f32 {
    fn from_number(number: f64) -> Self {
        number as f32
    }
}

/// The elements of a list in order, and the lengths of its axes.
struct Flat<T> {
    shape: Vec<usize>,
    elements: Vec<T>,
}

impl<'de, T: FromNumber> Deserialize<'de> for Flat<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlatVisitor(PhantomData))
    }
}

struct FlatVisitor<T>(PhantomData<T>);

impl<'de, T: FromNumber> Visitor<'de> for FlatVisitor<T> {
    type Value = Flat<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, or nested lists of numbers")
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Flat<T>, E> {
        Ok(Flat { shape: Vec::new(), elements: vec![T::from_number(number)] })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Flat<T>, E> {
        let element = T::from_null().ok_or_else(|| E::custom("a null where a number belongs"))?;
        Ok(Flat { shape: Vec::new(), elements: vec![element] })
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Flat<T>, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Flat<T>, E> {
        self.visit_f64(number as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Flat<T>, A::Error> {
        let mut length = 0;
        let mut shape = Vec::new();
        let mut elements = Vec::new();
        while let Some(part) = list.next_element::<Flat<T>>()? {
            if length > 0 && part.shape != shape {
                return Err(A::Error::custom("lists of unequal lengths"));
            }
            shape = part.shape;
            elements.extend(part.elements);
            length += 1;
        }
        shape.insert(0, length);
        Ok(Flat { shape, elements })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{arr0, array};

    #[test]
    fn arrays_come_back() {
        let check = |array: ArrayD<f64>, text: &str| {
            assert_eq!(serde_json::to_string(&Nested(array.clone())).unwrap(), text);
            assert_eq!(serde_json::from_str::<Nested<f64>>(text).unwrap().0, array);
        };
        check(array![[0.1, -2.0], [1e-300, 3.0]].into_dyn(), "[[0.1,-2.0],[1e-300,3.0]]");
        check(arr0(0.5).into_dyn(), "0.5");
        let f32s: Nested<f32> = serde_json::from_str("[0.1, 1]").unwrap();
        assert_eq!(serde_json::to_string(&f32s).unwrap(), "[0.1,1.0]");
    }

    #[test]
    fn ragged_lists_are_refused() {
        assert!(serde_json::from_str::<Nested<f64>>("[[1, 2], [3]]").is_err());
        assert!(serde_json::from_str::<Nested<f64>>("[1, [2]]").is_err());
        assert!(serde_json::from_str::<Nested<f64>>("[1, null]").is_err());
    }
}
