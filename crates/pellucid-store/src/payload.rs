//! What can be erased: the input, its digest and the attribution, as bytes behind a salted commitment.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical;
use crate::digest::Digest;
use crate::error::Error;

/// What one payload may hold before it is compressed.
pub const MAX_PAYLOAD_BYTES: usize = 256 << 20;

/// The part of an explanation that is personal data: it lies outside the tree, behind `SHA-256(salt ‖ payload)`.
///
/// ```
/// use pellucid_store::{Array, Digest, Payload, Values};
/// let payload = Payload {
///     input_digest: Digest([0; 32]),
///     input: vec![Array::new("x", &[2], Values::F32(vec![1.0, f32::NAN]))?],
///     attribution: vec![Array::new("x", &[2], Values::F64(vec![0.5, -0.5]))?],
///     details: serde_json::json!({ "base_value": 0.1 }),
/// };
/// assert_eq!(payload.to_bytes()?, pellucid_store::Payload::from_bytes(&payload.to_bytes()?)?.to_bytes()?);
/// # Ok::<(), pellucid_store::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// The row's digest.
    pub input_digest: Digest,
    /// What was explained.
    pub input: Vec<Array>,
    /// The explanation's numbers.
    pub attribution: Vec<Array>,
    /// Whatever else belongs to it, as JSON.
    pub details: Value,
}

/// Numbers or texts with a name and a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    name: String,
    shape: Vec<u64>,
    values: Values,
}

/// The elements of an array, row-major.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Single precision; every bit is kept, NaN's too.
    F32(Vec<f32>),
    /// Double precision; every bit is kept, NaN's too.
    F64(Vec<f64>),
    /// Integers.
    I64(Vec<i64>),
    /// Texts.
    Text(Vec<String>),
}

/// An array as the payload's first line describes it.
#[derive(Serialize, Deserialize)]
struct Described {
    name: String,
    role: Role,
    shape: Vec<u64>,
    r#type: String,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Input,
    Attribution,
}

#[derive(Serialize, Deserialize)]
struct Description {
    arrays: Vec<Described>,
    details: Value,
    input_digest: Digest,
    schema: u64,
}

impl Array {
    /// An array of this shape.
    ///
    /// # Errors
    /// [`Error::Refused`] where the shape has another number of elements.
    pub fn new(name: &str, shape: &[u64], values: Values) -> Result<Self, Error> {
        let n = count(shape);
        match n == Some(values.len()) {
            true => Ok(Self { name: name.to_owned(), shape: shape.to_owned(), values }),
            false => Err(Error::refused(
                format!("array `{name}`"),
                format!("shape {shape:?} does not hold {} elements", values.len()),
            )),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its axes' lengths.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Its elements.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Its elements as numbers, where they are numbers.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match &self.values {
            Values::F32(values) => Some(values.iter().map(|&x| f64::from(x)).collect()),
            Values::F64(values) => Some(values.clone()),
            Values::I64(values) => Some(values.iter().map(|&x| x as f64).collect()),
            Values::Text(_) => None,
        }
    }

    fn described(&self, role: Role) -> Described {
        let r#type = self.values.type_name().to_owned();
        Described { name: self.name.clone(), role, shape: self.shape.clone(), r#type }
    }
}

fn count(shape: &[u64]) -> Option<usize> {
    let n = shape.iter().try_fold(1_u64, |n, &length| n.checked_mul(length));
    n.and_then(|n| usize::try_from(n).ok())
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
            Self::I64(_) => "i64",
            Self::Text(_) => "text",
        }
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::F32(values) => values.iter().for_each(|x| bytes.extend(x.to_bits().to_le_bytes())),
            Self::F64(values) => values.iter().for_each(|x| bytes.extend(x.to_bits().to_le_bytes())),
            Self::I64(values) => values.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
            Self::Text(values) => {
                for text in values {
                    bytes.extend((text.len() as u64).to_le_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
    }

    /// Takes `n` elements off the front of `bytes`.
    fn take(type_name: &str, n: usize, bytes: &mut &[u8]) -> Option<Self> {
        Some(match type_name {
            "f32" => {
                Self::F32(words(n, bytes)?.map(|word| f32::from_bits(u32::from_le_bytes(word))).collect())
            }
            "f64" => {
                Self::F64(words(n, bytes)?.map(|word| f64::from_bits(u64::from_le_bytes(word))).collect())
            }
            "i64" => Self::I64(words(n, bytes)?.map(i64::from_le_bytes).collect()),
            "text" => Self::Text((0..n).map(|_| take_text(bytes)).collect::<Option<Vec<String>>>()?),
            _ => return None,
        })
    }
}

fn words<'a, const N: usize>(n: usize, bytes: &mut &'a [u8]) -> Option<impl Iterator<Item = [u8; N]> + 'a> {
    let (front, rest) = bytes.split_at_checked(n.checked_mul(N)?)?;
    *bytes = rest;
    Some(front.as_chunks::<N>().0.iter().copied())
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = words::<8>(1, bytes)?.next().map(u64::from_le_bytes)?;
    let (front, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    String::from_utf8(front.to_vec()).ok()
}

impl Payload {
    /// The payload's bytes: a line of canonical JSON that describes the arrays, then their elements, little-endian.
    ///
    /// # Errors
    /// [`Error::Refused`] where details have no canonical JSON, or the payload is too large.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let arrays = || {
            let inputs = self.input.iter().map(|array| (Role::Input, array));
            inputs.chain(self.attribution.iter().map(|array| (Role::Attribution, array)))
        };
        let described: Vec<Described> = arrays().map(|(role, array)| array.described(role)).collect();
        let line = json!({
            "arrays": described, "details": self.details, "input_digest": self.input_digest, "schema": 1,
        });
        let mut bytes =
            canonical::write(&line).map_err(|reason| Error::refused("payload", reason))?.into_bytes();
        bytes.push(b'\n');
        arrays().for_each(|(_, array)| array.values.append_to(&mut bytes));
        match bytes.len() {
            n if n > MAX_PAYLOAD_BYTES => {
                Err(Error::refused("payload", format!("{n} bytes, {MAX_PAYLOAD_BYTES} are allowed")))
            }
            // What cannot be read again must not be acknowledged.
            _ => Self::from_bytes(&bytes).map(|_| bytes),
        }
    }

    /// The payload that these bytes are.
    ///
    /// # Errors
    /// [`Error::Refused`] with what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes).map_err(|reason| Error::refused("payload", reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("has no first line")?;
        let line = canonical::read(&bytes[..end]).map_err(|reason| format!("its first line {reason}"))?;
        let line: Description = serde_json::from_value(line).map_err(|fault| fault.to_string())?;
        if line.schema != 1 {
            return Err(format!("has schema {}; this version reads 1", line.schema));
        }
        let mut rest = &bytes[end + 1..];
        let (mut input, mut attribution) = (Vec::new(), Vec::new());
        for Described { name, role, shape, r#type } in line.arrays {
            let values = count(&shape).and_then(|n| Values::take(&r#type, n, &mut rest));
            let values = values.ok_or_else(|| format!("array `{name}` of {type} does not fit {shape:?}"))?;
            let to = if role == Role::Input { &mut input } else { &mut attribution };
            to.push(Array { name, shape, values });
        }
        match rest.len() {
            0 => Ok(Self { input_digest: line.input_digest, input, attribution, details: line.details }),
            n => Err(format!("has {n} bytes too many")),
        }
    }
}

/// `SHA-256(salt ‖ payload)`: without the salt, an input of few possible values cannot be guessed from it.
#[must_use]
pub fn payload_commitment(salt: &[u8; 32], payload: &[u8]) -> Digest {
    Digest::of(&[salt, payload])
}

/// Compresses as RFC 1950 (zlib).
pub(crate) fn deflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The `n_bytes` bytes that were compressed: no more are ever held, and nothing may follow.
pub(crate) fn inflate(deflated: &[u8], n_bytes: u64) -> Result<Vec<u8>, String> {
    if n_bytes > MAX_PAYLOAD_BYTES as u64 {
        return Err(format!("is said to have {n_bytes} bytes, {MAX_PAYLOAD_BYTES} are allowed"));
    }
    let mut decoder = ZlibDecoder::new(deflated);
    let mut bytes = Vec::new();
    let inflated = (&mut decoder).take(n_bytes + 1).read_to_end(&mut bytes);
    inflated.map_err(|fault| format!("cannot be inflated: {fault}"))?;
    match bytes.len() as u64 == n_bytes && decoder.total_in() == deflated.len() as u64 {
        true => Ok(bytes),
        false => Err("has another length than was stored".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::payload;

    #[test]
    fn payloads_come_back_bit_by_bit() {
        let mut payload = payload(3);
        let nan = f32::from_bits(0x7fc1_2345);
        payload.input.push(Array::new("nan", &[1, 2], Values::F32(vec![nan, -0.0])).expect("fits"));
        payload.input.push(Array::new("id", &[1], Values::I64(vec![i64::MIN])).expect("fits"));
        payload
            .input
            .push(Array::new("job", &[2], Values::Text(vec!["é\n".into(), String::new()])).expect("fits"));
        let bytes = payload.to_bytes().expect("keepable");
        assert_eq!(Payload::from_bytes(&bytes).expect("readable").to_bytes(), Ok(bytes.clone()));
        let deflated = deflate(&bytes).expect("memory");
        assert_eq!(inflate(&deflated, bytes.len() as u64), Ok(bytes));
    }

    /// Commitments hash these bytes: they may never change.
    #[test]
    fn a_payload_has_the_specified_bytes() {
        let payload = Payload {
            input_digest: Digest([0xab; 32]),
            input: vec![Array::new("x", &[1, 2], Values::F32(vec![1.0, 2.0])).expect("fits")],
            attribution: vec![Array::new("x", &[1], Values::Text(vec!["a".into()])).expect("fits")],
            details: json!({}),
        };
        let mut expected = [
            r#"{"arrays":[{"name":"x","role":"input","shape":[1,2],"type":"f32"},"#,
            r#"{"name":"x","role":"attribution","shape":[1],"type":"text"}],"details":{},"input_digest":""#,
            &"ab".repeat(32),
            "\",\"schema\":1}\n",
        ]
        .concat()
        .into_bytes();
        expected.extend([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 1, 0, 0, 0, 0, 0, 0, 0, b'a']);
        assert_eq!(payload.to_bytes(), Ok(expected));
    }

    #[test]
    fn cut_or_swollen_payloads_are_refused() {
        let bytes = payload(1).to_bytes().expect("keepable");
        for end in 0..bytes.len() {
            assert!(Payload::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(Payload::from_bytes(&[&bytes[..], b"x"].concat()).is_err());
        let deflated = deflate(&bytes).expect("memory");
        assert!(inflate(&deflated, bytes.len() as u64 - 1).is_err());
        assert!(inflate(&[&deflated[..], b"x"].concat(), bytes.len() as u64).is_err());
        assert!(inflate(&deflated, u64::MAX).is_err());
        assert!(Array::new("x", &[u64::MAX, 2], Values::F64(vec![])).is_err());
    }
}
