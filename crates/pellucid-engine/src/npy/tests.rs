use ndarray::{Array, Array2, arr0};

use super::*;

/// A file as NumPy writes it.
fn file(descr: &str, fortran_order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn what_is_written_is_read_again() {
    let array = Array::from_shape_fn((2, 3, 1), |(i, j, _)| i as f64 - 0.1 * j as f64).into_dyn();
    assert_eq!(parse(&bytes(&array)).unwrap(), array);
    assert_eq!(bytes(&array).len() % 64, 48);
    let scalar = arr0(7i64).into_dyn();
    assert_eq!(parse(&bytes(&scalar)).unwrap(), arr0(7.0).into_dyn());
}

#[test]
fn every_kind_of_number_is_read() {
    let check = |descr: &str, data: &[u8], expected: f64| {
        let array = parse(&file(descr, "False", "(1,)", data)).unwrap();
        assert_eq!(array[[0]], expected, "{descr}");
    };
    check("|b1", &[1], 1.0);
    check("|i1", &[0xFE], -2.0);
    check("|u1", &[0xFE], 254.0);
    check("<i2", &(-300i16).to_le_bytes(), -300.0);
    check(">i4", &(-70_000i32).to_be_bytes(), -70_000.0);
    check("<u8", &(1u64 << 40).to_le_bytes(), (1u64 << 40) as f64);
    check("<i8", &(-5i64).to_le_bytes(), -5.0);
    check("<f2", &half::f16::from_f32(0.5).to_le_bytes(), 0.5);
    check(">f4", &1.25f32.to_be_bytes(), 1.25);
    check("<f8", &(-2.5f64).to_le_bytes(), -2.5);
}

#[test]
fn fortran_order_is_turned() {
    let array = parse(&file("|u1", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6])).unwrap();
    let expected = Array2::from_shape_vec((2, 3), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(array, expected.into_dyn());
}

#[test]
fn broken_files_are_refused_in_words() {
    let check = |bytes: &[u8], part: &str| {
        let error = parse(bytes).unwrap_err();
        assert!(error.contains(part), "{error:?} without {part:?}");
    };
    check(b"PK\x03\x04", "no .npy file");
    check(&file("<f4", "False", "(2,)", &[0; 7]), "needs 8 bytes, there are 7");
    check(&file("<f4", "False", "(4294967296, 4294967296)", &[]), "beyond all memory");
    check(&file("<c8", "False", "(1,)", &[0; 8]), "no numbers");
    check(&file("|O", "False", "(1,)", &[0; 8]), "no numbers");
    check(&file("<f4", "False", "7", &[0; 4]), "no tuple");
    check(&file("<f4", "Perhaps", "(1,)", &[0; 4]), "neither");
}

#[test]
fn any_cut_or_flip_gives_an_error_or_an_array() {
    let whole = bytes(&Array::from_shape_fn((3, 2), |(i, j)| (i * j) as f64).into_dyn());
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).is_err());
    }
    for (place, bit) in (0..whole.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << bit;
        let _ = parse(&flipped);
    }
}
