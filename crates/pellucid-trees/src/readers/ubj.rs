//! Universal Binary JSON → whatever serde can fill: the same structs as from JSON.
//!
//! Numbers are big-endian; a list may state the type of its elements (`$`) and their count (`#`) once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Lists within lists.
const MAX_DEPTH: usize = 64;

/// Reads one value, which the bytes must end with.
///
/// # Errors
/// What is wrong, and at which byte.
pub(super) fn from_bytes<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let mut input = Input { bytes, place: 0, depth: 0 };
    let marker = input.marker()?;
    let value = T::deserialize(Value { input: &mut input, marker }).map_err(|fault| input.at(fault))?;
    match input.bytes[input.place..].iter().all(|&byte| byte == b'N') {
        true => Ok(value),
        false => Err(input.at(Fault("more bytes after the end".to_owned()))),
    }
}

/// A broken file, in words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Input<'de> {
    bytes: &'de [u8],
    place: usize,
    depth: usize,
}

impl<'de> Input<'de> {
    fn at(&self, Fault(reason): Fault) -> Fault {
        Fault(format!("{reason}, at byte {}", self.place))
    }

    fn take(&mut self, n: usize) -> Result<&'de [u8], Fault> {
        let rest = &self.bytes[self.place..];
        let taken = rest.get(..n).ok_or_else(|| Fault::custom("the file ends too early"))?;
        self.place += n;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.place).copied()
    }

    /// The next type, after what stands for nothing.
    fn marker(&mut self) -> Result<u8, Fault> {
        loop {
            let [marker] = self.array()?;
            if marker != b'N' {
                return Ok(marker);
            }
        }
    }

    fn integer(&mut self, marker: u8) -> Result<i64, Fault> {
        Ok(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' => i64::from(u8::from_be_bytes(self.array()?)),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            _ => return Err(Fault(format!("`{}` where an integer's type stands", marker.escape_ascii()))),
        })
    }

    /// A length: of a text, or of a list, each element of which takes `n_bytes` at least.
    fn length(&mut self, n_bytes: usize) -> Result<usize, Fault> {
        let marker = self.marker()?;
        let stated = self.integer(marker)?;
        let n_rest = self.bytes.len() - self.place;
        let length = usize::try_from(stated).ok().filter(|n| n.saturating_mul(n_bytes) <= n_rest);
        length.ok_or_else(|| {
            Fault(format!("a length of {stated}, but {n_rest} bytes are left: the file is cut off or broken"))
        })
    }

    fn text(&mut self) -> Result<&'de str, Fault> {
        let n_bytes = self.length(1)?;
        std::str::from_utf8(self.take(n_bytes)?).map_err(Fault::custom)
    }

    /// What a list or an object states before its elements.
    fn header(&mut self) -> Result<Header, Fault> {
        let mut header = Header { marker: None, n_left: None };
        if self.peek() == Some(b'$') {
            self.place += 1;
            let [marker] = self.array()?;
            header.marker = Some(marker);
            if self.peek() != Some(b'#') {
                return Err(Fault::custom("a list that states a type but no count"));
            }
        }
        if self.peek() == Some(b'#') {
            self.place += 1;
            header.n_left = Some(self.length(header.marker.map_or(Ok(1), least_bytes)?)?);
        }
        Ok(header)
    }

    fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault(format!("more than {MAX_DEPTH} lists within lists")));
        }
        Ok(())
    }
}

/// The least that an element takes after its type. Elements of no bytes are refused, which a few bytes could state any
/// number of.
fn least_bytes(marker: u8) -> Result<usize, Fault> {
    match marker {
        b'i' | b'U' | b'C' | b'[' | b'{' => Ok(1),
        b'I' | b'S' | b'H' => Ok(2),
        b'l' | b'd' => Ok(4),
        b'L' | b'D' => Ok(8),
        _ => Err(Fault(format!("a list of type `{}`", marker.escape_ascii()))),
    }
}

struct Header {
    marker: Option<u8>,
    n_left: Option<usize>,
}

/// One value, whose type has been read.
struct Value<'i, 'de> {
    input: &'i mut Input<'de>,
    marker: u8,
}

impl<'de> Deserializer<'de> for Value<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let input = self.input;
        match self.marker {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'd' => visitor.visit_f32(f32::from_be_bytes(input.array()?)),
            b'D' => visitor.visit_f64(f64::from_be_bytes(input.array()?)),
            b'S' | b'H' => visitor.visit_borrowed_str(input.text()?),
            b'C' => visitor.visit_char(char::from(input.array::<1>()?[0])),
            b'[' => {
                input.descend()?;
                let header = input.header()?;
                let mut elements = Elements { input, header, end: b']' };
                let value = visitor.visit_seq(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
            b'{' => {
                input.descend()?;
                let header = input.header()?;
                let mut elements = Elements { input, header, end: b'}' };
                let value = visitor.visit_map(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
            marker => visitor.visit_i64(input.integer(marker)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.marker {
            b'Z' => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// The elements of a list, or the keys and values of an object.
struct Elements<'i, 'de> {
    input: &'i mut Input<'de>,
    header: Header,
    end: u8,
}

impl Elements<'_, '_> {
    /// Whether another element follows.
    fn step(&mut self) -> Result<bool, Fault> {
        match &mut self.header.n_left {
            Some(0) => return Ok(false),
            Some(n_left) => *n_left -= 1,
            None => {
                while self.input.peek() == Some(b'N') {
                    self.input.place += 1;
                }
                if self.input.peek() == Some(self.end) {
                    self.input.place += 1;
                    self.header.n_left = Some(0);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn value<'de, T: DeserializeSeed<'de>>(
        input: &mut Input<'de>,
        marker: Option<u8>,
        seed: T,
    ) -> Result<T::Value, Fault> {
        let marker = marker.map_or_else(|| input.marker(), Ok)?;
        seed.deserialize(Value { input, marker })
    }

    /// A visitor that wants no more elements than it got is wrong about the file.
    fn finish(&mut self) -> Result<(), Fault> {
        self.input.depth -= 1;
        match self.step()? {
            true => Err(Fault::custom("more elements than expected")),
            false => Ok(()),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        match self.step()? {
            true => Self::value(self.input, self.header.marker, seed).map(Some),
            false => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.header.n_left
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        match self.step()? {
            true => seed.deserialize(self.input.text()?.into_deserializer()).map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        Self::value(self.input, self.header.marker, seed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_type_is_read() {
        let bytes = b"{i\x01a[$d#i\x02\x3f\x80\0\0\xc0\0\0\0U\x01b[i\xffI\x01\0l\0\0\0\x07]L\0\0\0\0\0\0\0\x01c[#U\x01D\x3f\xf0\0\0\0\0\0\0}";
        let read: BTreeMap<String, Vec<f64>> = from_bytes(bytes).expect("well-formed");
        let expected = [("a", vec![1.0, -2.0]), ("b", vec![-1.0, 256.0, 7.0]), ("c", vec![1.0])];
        assert_eq!(read, BTreeMap::from(expected.map(|(key, value)| (key.to_owned(), value))));
        let read: Vec<Option<String>> = from_bytes(b"[ZNSi\x02hi]").expect("well-formed");
        assert_eq!(read, [None, Some("hi".to_owned())]);
        let read: BTreeMap<String, bool> = from_bytes(b"{#i\x02i\x01aTi\x01bF").expect("well-formed");
        assert_eq!(read.into_values().collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_huge_count_is_refused_before_memory_is_taken() {
        let reason = |bytes: &[u8]| from_bytes::<Vec<f32>>(bytes).expect_err("broken").to_string();
        assert!(
            reason(b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff\0\0").contains("a length of 9223372036854775807")
        );
        assert!(reason(b"[$d#L\x80\0\0\0\0\0\0\0").contains("a length of -9223372036854775808"));
        assert!(reason(b"[#l\x7f\xff\xff\xff").contains("a length of 2147483647"));
        // Elements of no bytes would pass any count.
        assert!(reason(b"[$T#l\x7f\xff\xff\xff").contains("a list of type `T`"));
    }

    #[test]
    fn deep_lists_do_not_overflow_the_stack() {
        let fault = from_bytes::<serde::de::IgnoredAny>(&[b'['; 100_000]).expect_err("too deep");
        assert!(fault.to_string().contains("more than 64 lists within lists"));
    }
}
