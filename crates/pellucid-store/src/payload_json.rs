//! Payloads ⇄ JSON: for people and other programs. What is hashed are a payload's bytes, see `payload.rs`.
//!
//! An element that JSON has no number for is a text: `"Infinity"`, `"-Infinity"`, and a NaN its bits, `"0x7ff8000000000001"`; the
//! NaN that computations give is null. So every bit comes back.

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::error::Error;
use crate::payload::{Array, Payload, Values};

impl Payload {
    /// `{"input_digest", "input", "attribution", "details"}`, an array `{"name", "shape", "type", "values"}` with its elements in one
    /// list.
    ///
    /// ```
    /// use pellucid_store::{Array, Digest, Payload, Values};
    /// let input = Array::new("x", &[3], Values::F32(vec![1.5, f32::NAN, f32::NEG_INFINITY]))?;
    /// let payload = Payload {
    ///     input_digest: Digest([0; 32]),
    ///     input: vec![input],
    ///     attribution: Vec::new(),
    ///     details: serde_json::Value::Null,
    /// };
    /// let json = payload.to_json();
    /// assert_eq!(json["input"][0]["values"], serde_json::json!([1.5, null, "-Infinity"]));
    /// assert_eq!(Payload::from_json(&json)?.to_bytes()?, payload.to_bytes()?);
    /// # Ok::<(), pellucid_store::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Value {
        let arrays = |arrays: &[Array]| arrays.iter().map(of_array).collect::<Vec<Value>>();
        json!({
            "input_digest": self.input_digest,
            "input": arrays(&self.input),
            "attribution": arrays(&self.attribution),
            "details": self.details,
        })
    }

    /// The payload that [`Payload::to_json`] gave this for.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is none.
    pub fn from_json(json: &Value) -> Result<Self, Error> {
        let digest = json["input_digest"].as_str().and_then(Digest::parse);
        Ok(Self {
            input_digest: digest.ok_or_else(|| refused("`input_digest` is no digest"))?,
            input: arrays(&json["input"])?,
            attribution: arrays(&json["attribution"])?,
            details: json["details"].clone(),
        })
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::refused("payload", reason)
}

fn of_array(array: &Array) -> Value {
    let values: Vec<Value> = match array.values() {
        Values::F32(values) => {
            let plain = |x: f32| x.to_bits() == f32::NAN.to_bits();
            values
                .iter()
                .map(|&x| of_number(f64::from(x), plain(x), || format!("{:#010x}", x.to_bits())))
                .collect()
        }
        Values::F64(values) => {
            let plain = |x: f64| x.to_bits() == f64::NAN.to_bits();
            values.iter().map(|&x| of_number(x, plain(x), || format!("{:#018x}", x.to_bits()))).collect()
        }
        Values::I64(values) => values.iter().map(|&x| json!(x)).collect(),
        Values::Text(values) => values.iter().map(|text| json!(text)).collect(),
    };
    json!({"name": array.name(), "shape": array.shape(), "type": array.values().type_name(), "values": values})
}

fn of_number(x: f64, is_plain_nan: bool, bits: impl FnOnce() -> String) -> Value {
    match x {
        _ if x.is_finite() => json!(x),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ if is_plain_nan => Value::Null,
        _ => json!(bits()),
    }
}

fn arrays(arrays: &Value) -> Result<Vec<Array>, Error> {
    let arrays = arrays.as_array().ok_or_else(|| refused("`input` and `attribution` are lists of arrays"))?;
    arrays.iter().map(array).collect()
}

fn array(array: &Value) -> Result<Array, Error> {
    let none = || refused(format!("`{}` is no array", array["name"]));
    let name = array["name"].as_str().ok_or_else(none)?;
    let shape: Vec<u64> = serde_json::from_value(array["shape"].clone()).map_err(|_| none())?;
    let elements = array["values"].as_array().ok_or_else(none)?;
    let values = match array["type"].as_str() {
        Some("f32") => each(elements, f32_of).map(Values::F32),
        Some("f64") => each(elements, f64_of).map(Values::F64),
        Some("i64") => each(elements, Value::as_i64).map(Values::I64),
        Some("text") => each(elements, |it| it.as_str().map(str::to_owned)).map(Values::Text),
        _ => None,
    };
    Array::new(name, &shape, values.ok_or_else(none)?)
}

fn each<T>(elements: &[Value], of: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    elements.iter().map(of).collect()
}

fn f64_of(element: &Value) -> Option<f64> {
    match element {
        Value::Null => Some(f64::NAN),
        Value::String(text) => match text.as_str() {
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => {
                let bits = u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
                Some(f64::from_bits(bits)).filter(|x| x.is_nan())
            }
        },
        number => number.as_f64(),
    }
}

/// A number that single precision does not have is none of its elements.
fn f32_of(element: &Value) -> Option<f32> {
    if let Some(bits) = element.as_str().and_then(|text| text.strip_prefix("0x")) {
        return u32::from_str_radix(bits, 16).ok().map(f32::from_bits).filter(|x| x.is_nan());
    }
    let x = f64_of(element)?;
    match x.is_nan() {
        true => Some(f32::NAN),
        false => Some(x as f32).filter(|narrow| f64::from(*narrow).to_bits() == x.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: Values) -> Payload {
        let n = values.len() as u64;
        let array = Array::new("x", &[n], values).expect("fits");
        Payload {
            input_digest: Digest([7; 32]),
            input: vec![array.clone()],
            attribution: vec![array],
            details: json!({"a": 1}),
        }
    }

    #[test]
    fn every_bit_comes_back() {
        let doubles =
            [0.1, -0.0, f64::MAX, f64::MIN_POSITIVE / 3.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        let mut doubles = doubles.to_vec();
        doubles.extend([f64::from_bits(0xfff8_0000_0000_0000), f64::from_bits(0x7ff0_0000_0000_0001)]);
        let mut singles = vec![0.1, -0.0, f32::MAX, 1e-45, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        singles.extend([f32::from_bits(0xffc0_0000), f32::from_bits(0x7f80_0001)]);
        for values in [
            Values::F64(doubles),
            Values::F32(singles),
            Values::I64(vec![i64::MIN, 0, i64::MAX]),
            Values::Text(vec!["Infinity".into(), String::new(), "ü".into()]),
        ] {
            let payload = of(values);
            let text = payload.to_json().to_string();
            let read = Payload::from_json(&serde_json::from_str(&text).expect("JSON")).expect("a payload");
            assert_eq!(read.to_bytes(), payload.to_bytes(), "{text}");
        }
    }

    #[test]
    fn what_is_no_element_is_refused() {
        let whole = of(Values::F32(vec![1.0])).to_json();
        let with = |pointer: &str, value: Value| {
            let mut json = whole.clone();
            *json.pointer_mut(pointer).expect("there") = value;
            Payload::from_json(&json)
        };
        assert!(with("/input/0/values/0", json!(0.5)).is_ok());
        for (pointer, value) in [
            ("/input/0/values/0", json!("infinity")),
            ("/input/0/values/0", json!("0x3f800000")),
            ("/input/0/values/0", json!(0.1)),
            ("/input/0/values/0", json!(1e300)),
            ("/input/0/values/0", json!(true)),
            ("/input/0/values", json!([1.0, 2.0])),
            ("/input/0/type", json!("f16")),
            ("/input/0/name", json!(1)),
            ("/input", json!({})),
            ("/input_digest", json!("00")),
        ] {
            assert!(matches!(with(pointer, value.clone()), Err(Error::Refused { .. })), "{pointer} {value}");
        }
    }
}
