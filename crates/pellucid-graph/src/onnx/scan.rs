//! One look over a file's bytes before they are decoded: fields that the schema does not have, which prost would drop
//! without a word, and how much memory the decoded messages will take, which a hostile file can make a hundred times
//! its size.

use std::collections::BTreeSet;

use prost::encoding::{WireType, decode_key, decode_varint};

use super::proto::*;
use crate::error::Error;

/// Bytes of decoded messages that any file may take.
const BASE_BYTES: usize = 256 << 20;

/// Bytes of decoded messages for each byte of the file.
const BYTES_PER_BYTE: usize = 8;

/// prost gives up here, too.
const MAX_DEPTH: usize = 100;

/// No more unknown fields are named.
const MAX_UNKNOWN: usize = 16;

/// What a list takes for each string or message beside its content: its pointer, length and capacity, doubled because
/// lists grow by doubling.
const ENTRY_BYTES: usize = 64;

/// The fields of a message: those that hold messages, and the others.
struct Schema {
    name: &'static str,
    n_bytes: usize,
    nested: &'static [(u32, &'static Schema)],
    plain: &'static [u32],
}

macro_rules! schemas {
    ($($schema:ident = $message:ty { $($tag:literal: $nested:ident),* } [$($plain:literal),*];)*) => {
        $(static $schema: Schema = Schema {
            name: stringify!($message),
            n_bytes: size_of::<$message>(),
            nested: &[$(($tag, &$nested)),*],
            plain: &[$($plain),*],
        };)*

        /// Fields of which prost says otherwise than the table: it drops those it does not know.
        #[cfg(test)]
        pub(super) fn disagreements() -> Vec<String> {
            use prost::Message;

            let mut found = Vec::new();
            $(for tag in 1..64u32 {
                let kept = |wire_type: u8| {
                    let key = (tag << 3) | u32::from(wire_type);
                    let bytes = [(key & 0x7f) as u8 | 0x80, (key >> 7) as u8, 0];
                    <$message>::decode(bytes.as_slice()).map_or(true, |message| message.encoded_len() > 0)
                };
                if (kept(0) || kept(2)) != [$($tag,)* $($plain),*].contains(&tag) {
                    found.push(format!("{} {tag}", stringify!($message)));
                }
            })*
            found
        }
    };
}

schemas! {
    MODEL = ModelProto { 7: GRAPH, 8: OPSET, 14: ENTRY, 20: TRAINING, 25: FUNCTION, 26: DEVICE } [1, 2, 3, 4, 5, 6];
    GRAPH = GraphProto {
        1: NODE, 5: TENSOR, 11: VALUE_INFO, 12: VALUE_INFO, 13: VALUE_INFO, 14: ANNOTATION, 15: SPARSE, 16: ENTRY
    } [2, 10];
    NODE = NodeProto { 5: ATTRIBUTE, 9: ENTRY, 10: NODE_DEVICE } [1, 2, 3, 4, 6, 7, 8];
    ATTRIBUTE = AttributeProto {
        5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH, 14: TYPE, 15: TYPE, 22: SPARSE, 23: SPARSE
    } [1, 2, 3, 4, 7, 8, 9, 13, 20, 21];
    TENSOR = TensorProto { 3: SEGMENT, 13: ENTRY, 16: ENTRY } [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14];
    SEGMENT = Segment {} [1, 2];
    SPARSE = SparseTensorProto { 1: TENSOR, 2: TENSOR } [3];
    VALUE_INFO = ValueInfoProto { 2: TYPE, 4: ENTRY } [1, 3];
    TYPE = TypeProto { 1: TENSOR_TYPE, 4: ELEMENT_OF, 5: MAP, 7: OPAQUE, 8: TENSOR_TYPE, 9: ELEMENT_OF } [6];
    TENSOR_TYPE = TensorType { 2: SHAPE } [1];
    ELEMENT_OF = ElementOf { 1: TYPE } [];
    MAP = MapType { 2: TYPE } [1];
    OPAQUE = OpaqueType {} [1, 2];
    SHAPE = TensorShapeProto { 1: DIMENSION } [];
    DIMENSION = Dimension {} [1, 2, 3];
    OPSET = OperatorSetIdProto {} [1, 2];
    ENTRY = StringStringEntryProto {} [1, 2];
    ANNOTATION = TensorAnnotation { 2: ENTRY } [1];
    FUNCTION = FunctionProto {
        7: NODE, 9: OPSET, 11: ATTRIBUTE, 12: VALUE_INFO, 14: ENTRY
    } [1, 4, 5, 6, 8, 10, 13];
    TRAINING = TrainingInfoProto { 1: GRAPH, 2: GRAPH, 3: ENTRY, 4: ENTRY } [];
    DEVICE = DeviceConfigurationProto {} [1, 2, 3];
    NODE_DEVICE = NodeDeviceConfigurationProto { 2: SHARDING } [1, 3];
    SHARDING = ShardingSpecProto { 3: INT_LIST, 4: SHARDED_DIM } [1, 2];
    INT_LIST = IntIntListEntryProto {} [1, 2];
    SHARDED_DIM = ShardedDimProto { 2: SIMPLE_SHARDING } [1];
    SIMPLE_SHARDING = SimpleShardedDimProto {} [1, 2, 3];
}

/// Fields of a model file that the schema does not have, by message and tag. Bytes that are no messages are left to
/// the decoder to report.
///
/// # Errors
/// [`Error::Unsupported`] where the messages would take memory out of proportion to the file.
pub(super) fn unknown_fields(bytes: &[u8]) -> Result<BTreeSet<(&'static str, u32)>, Error> {
    let mut scan = Scan {
        unknown: BTreeSet::new(),
        budget_bytes: bytes.len().saturating_mul(BYTES_PER_BYTE).saturating_add(BASE_BYTES),
    };
    match scan.message(bytes, &MODEL, 0) {
        Some(TooLarge) => Err(Error::Unsupported {
            reason: "its messages would take memory out of proportion to the file's size".to_owned(),
        }),
        None => Ok(scan.unknown),
    }
}

struct Scan {
    unknown: BTreeSet<(&'static str, u32)>,
    budget_bytes: usize,
}

struct TooLarge;

impl Scan {
    /// Stops at bytes that are no message.
    fn message(&mut self, mut bytes: &[u8], schema: &Schema, depth: usize) -> Option<TooLarge> {
        while !bytes.is_empty() && depth < MAX_DEPTH {
            let (tag, wire_type) = decode_key(&mut bytes).ok()?;
            let nested = schema.nested.iter().find(|(known, _)| *known == tag).map(|(_, nested)| *nested);
            let known = nested.is_some() || schema.plain.contains(&tag);
            if !known && self.unknown.len() < MAX_UNKNOWN {
                self.unknown.insert((schema.name, tag));
            }
            let content = content(&mut bytes, wire_type)?;
            if wire_type == WireType::LengthDelimited {
                let n_bytes = ENTRY_BYTES + nested.map_or(0, |nested| 2 * nested.n_bytes);
                let Some(rest) = self.budget_bytes.checked_sub(n_bytes) else { return Some(TooLarge) };
                self.budget_bytes = rest;
                if let Some(too_large) = nested.and_then(|nested| self.message(content, nested, depth + 1)) {
                    return Some(too_large);
                }
            }
        }
        None
    }
}

/// Takes one value; empty but for strings and messages.
fn content<'a>(bytes: &mut &'a [u8], wire_type: WireType) -> Option<&'a [u8]> {
    let n = match wire_type {
        WireType::Varint => {
            decode_varint(bytes).ok()?;
            0
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => usize::try_from(decode_varint(bytes).ok()?).ok()?,
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    let (content, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(content)
}
