//! Arrays of a NumPy archive, for tests (also those of pellucid-explain).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Data, Tensor};

/// The arrays of an `.npz` file by name.
pub(crate) fn load(path: &Path) -> BTreeMap<String, Tensor> {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().trim_end_matches(".npy").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        arrays.insert(name, array(&bytes));
    }
    arrays
}

/// An array in NumPy's format, version 1.
fn array(bytes: &[u8]) -> Tensor {
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let (header, data) = bytes[10..].split_at(usize::from(u16::from_le_bytes([bytes[8], bytes[9]])));
    let header = std::str::from_utf8(header).unwrap();
    assert!(header.contains("'fortran_order': False"), "{header}");
    let between = |from: &str, to: char| header.split_once(from).unwrap().1.split(to).next().unwrap();
    let shape: Vec<usize> =
        between("'shape': (", ')').split(',').filter_map(|length| length.trim().parse().ok()).collect();
    macro_rules! numbers {
        ($variant:ident, $ty:ty) => {
            Data::$variant(
                data.chunks(size_of::<$ty>()).map(|c| <$ty>::from_le_bytes(c.try_into().unwrap())).collect(),
            )
        };
    }
    let data = match between("'descr': '", '\'') {
        "<f4" => numbers!(F32, f32),
        "<f8" => numbers!(F64, f64),
        "<i4" => numbers!(I32, i32),
        "<i8" => numbers!(I64, i64),
        "|i1" => numbers!(I8, i8),
        "|u1" => Data::U8(data.to_vec()),
        "|b1" => Data::Bool(data.iter().map(|&byte| byte != 0).collect()),
        // Texts are not compared.
        other if other.starts_with("<U") => return Tensor::ints(&[]),
        other => panic!("no reader for {other}"),
    };
    Tensor::try_new(shape, data).unwrap()
}
