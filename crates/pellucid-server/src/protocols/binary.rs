//! The binary tensor extension: raw little-endian elements behind the JSON part of a V2 body.

use half::f16;
use pellucid_engine::{Tensor, TensorData};

use super::tensors::{Datatype, Elements};
use crate::error::Fault;

/// The header that says how many bytes of a body are JSON.
pub(crate) const LENGTH_HEADER: &str = "inference-header-content-length";

/// The elements of raw bytes, `n` of them.
///
/// # Errors
/// Bytes that are more or fewer than the elements need; texts that are no UTF-8.
pub(crate) fn elements(name: &str, datatype: Datatype, n: usize, bytes: &[u8]) -> Result<Elements, Fault> {
    if let Some(size) = datatype.n_bytes()
        && n.checked_mul(size) != Some(bytes.len())
    {
        return Err(Fault::BadRequest(format!(
            "input `{name}`: {} bytes for {n} elements of {size} bytes each",
            bytes.len()
        )));
    }
    let numbers = match datatype {
        Datatype::Bool => bytes.iter().map(|&byte| f64::from(u8::from(byte != 0))).collect(),
        Datatype::Uint8 => bytes.iter().map(|&byte| f64::from(byte)).collect(),
        Datatype::Int8 => bytes.iter().map(|&byte| f64::from(byte.cast_signed())).collect(),
        Datatype::Uint16 => of(bytes, |it| f64::from(u16::from_le_bytes(it))),
        Datatype::Int16 => of(bytes, |it| f64::from(i16::from_le_bytes(it))),
        Datatype::Fp16 => of(bytes, |it| f16::from_le_bytes(it).to_f64()),
        Datatype::Uint32 => of(bytes, |it| f64::from(u32::from_le_bytes(it))),
        Datatype::Int32 => of(bytes, |it| f64::from(i32::from_le_bytes(it))),
        Datatype::Fp32 => of(bytes, |it| f64::from(f32::from_le_bytes(it))),
        Datatype::Uint64 => of(bytes, |it| u64::from_le_bytes(it) as f64),
        Datatype::Int64 => of(bytes, |it| i64::from_le_bytes(it) as f64),
        Datatype::Fp64 => of(bytes, f64::from_le_bytes),
        Datatype::Bytes => return texts(name, n, bytes).map(Elements::Texts),
    };
    Ok(Elements::Numbers(numbers))
}

fn of<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|&chunk| number(chunk)).collect()
}

/// Each text stands behind its length in four bytes.
fn texts(name: &str, n: usize, mut bytes: &[u8]) -> Result<Vec<String>, Fault> {
    let fault = |reason: String| Fault::BadRequest(format!("input `{name}`: {reason}"));
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((text, rest)) = rest.split_at_checked(length) else {
            return Err(fault(format!(
                "text {} is said to have {length} bytes, and {} are left",
                texts.len(),
                rest.len()
            )));
        };
        texts.push(String::from_utf8(text.to_vec()).map_err(|_| fault("a text is no UTF-8".to_owned()))?);
        bytes = rest;
    }
    match bytes.is_empty() && texts.len() == n {
        true => Ok(texts),
        false => {
            Err(fault(format!("{} texts and {} bytes more, expected {n} texts", texts.len(), bytes.len())))
        }
    }
}

/// The raw bytes of a tensor's elements.
pub(crate) fn bytes(tensor: &Tensor) -> Vec<u8> {
    match tensor.data() {
        TensorData::F16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::BF16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::F64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::I8(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::I16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::I64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::U8(v) => v.clone(),
        TensorData::U16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::U32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::U64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        TensorData::Bool(v) => v.iter().map(|&x| u8::from(x)).collect(),
        TensorData::String(v) => {
            let of_text = |text: &String| {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                [&length.to_le_bytes(), text.as_bytes()].concat()
            };
            v.iter().flat_map(of_text).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_little_endian() {
        let check = |datatype, bytes: &[u8], n, expected: Option<Vec<f64>>| {
            let read = elements("x", datatype, n, bytes).ok();
            assert_eq!(read, expected.map(Elements::Numbers), "{datatype:?}");
        };
        check(Datatype::Fp32, &[0, 0, 128, 63, 0, 0, 0, 192], 2, Some(vec![1.0, -2.0]));
        check(Datatype::Int64, &(-3_i64).to_le_bytes(), 1, Some(vec![-3.0]));
        check(Datatype::Fp16, &[0, 60], 1, Some(vec![1.0]));
        check(Datatype::Int8, &[255], 1, Some(vec![-1.0]));
        check(Datatype::Bool, &[0, 1, 7], 3, Some(vec![0.0, 1.0, 1.0]));
        check(Datatype::Fp32, &[0, 0, 128], 1, None);
        check(Datatype::Fp64, &[], usize::MAX, None);
    }

    #[test]
    fn texts_stand_behind_their_lengths() {
        let read = |n, bytes: &[u8]| elements("x", Datatype::Bytes, n, bytes).ok();
        let two = b"\x02\0\0\0ab\0\0\0\0";
        assert_eq!(read(2, two), Some(Elements::Texts(vec!["ab".into(), String::new()])));
        for wrong in [&b"\xff\xff\xff\xffab"[..], b"\x02\0\0", b"\x01\0\0\0\xff", &two[..6]] {
            assert_eq!(read(2, wrong), None, "{wrong:?}");
        }
        let tensor = Tensor::try_new(vec![1], TensorData::String(vec!["ab".into()])).unwrap();
        assert_eq!(bytes(&tensor), b"\x02\0\0\0ab");
    }
}
