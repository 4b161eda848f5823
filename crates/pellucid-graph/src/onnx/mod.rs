//! ONNX files: bytes → `Graph` in the meaning of the canonical opset → bytes.

mod budget;
mod external;
mod file;
mod function;
mod message;
mod nodes;
mod opset;
mod proto;
mod read;
mod scan;
mod scope;
mod sort;
mod tensor;
mod upgrade;
mod value_type;
mod write;

#[cfg(test)]
mod tests;

pub use file::write;
pub(crate) use nodes::CAPTURES;
pub use read::{Model, read, read_bytes};
pub use write::{digest, write_bytes};

/// Every op of ONNX's default domain up to the newest opset that is read, by name.
pub fn ops() -> impl Iterator<Item = &'static str> {
    upgrade::ops()
}
