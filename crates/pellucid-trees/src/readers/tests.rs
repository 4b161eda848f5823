//! Formats are told by content.

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;

fn reason(bytes: &[u8]) -> String {
    read(bytes).expect_err("no model").to_string()
}

#[test]
fn the_content_tells_the_format() {
    let format = |bytes: &[u8]| recognize(bytes).expect("known");
    assert_eq!(format(b" {\"version\": [1, 2], \"learner\": {"), FileFormat::XgboostJson);
    assert_eq!(format(b"{L\0\0\0\0\0\0\0\x07learner{"), FileFormat::XgboostUbj);
    assert_eq!(format(b"{\"features_info\": {"), FileFormat::CatboostJson);
    assert_eq!(format(b"tree\nversion=v4\n"), FileFormat::LightgbmText);
    assert_eq!(format(b"tree\r\nversion=v4\r\n"), FileFormat::LightgbmText);
    assert_eq!(format(&[0x08, 0x09, 0x12]), FileFormat::Onnx);
}

#[test]
fn what_is_no_model_is_named() {
    assert!(reason(b"").contains("it is empty"));
    assert!(reason(b"binf\0\0").contains("old binary format"));
    assert!(reason(b"\x80\x04\x95").contains("pickle"));
    assert!(reason(b"[{\"nodeid\": 0}]").contains("save_model"));
    assert!(reason(b"{\"tree_info\": []}").contains("dump_model"));
    assert!(reason(b"{\"a\": 1}").contains("without `learner`"));
    assert!(reason(b"{\"a\": 1").contains("EOF"));
    assert!(reason(b"a,b\n1,2\n").contains("no known model"));
}

/// Small models of each format.
const SMALL: [&str; 6] = [
    "xgboost/3.2.0/partition.json",
    "xgboost/3.2.0/softprob_vector.json",
    "xgboost/3.2.0/partition.ubj",
    "xgboost/3.2.0/dart.ubj",
    "onnx/forest_binary.onnx",
    "onnx/v5.onnx",
];

#[test]
fn broken_bytes_give_an_error_or_a_well_formed_ensemble() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/trees");
    for name in SMALL {
        let bytes = std::fs::read(folder.join(name)).expect("a fixture");
        let mut n_read = 0;
        for round in 0..10_000 {
            let mut broken = bytes.clone();
            let place = |random: &mut ChaCha8Rng| random.next_u32() as usize % bytes.len();
            match round % 3 {
                0 => broken.truncate(place(&mut random)),
                1 => broken[place(&mut random)] ^= 1 << (random.next_u32() % 8),
                _ => (0..4).for_each(|_| broken[place(&mut random)] = random.next_u32() as u8),
            }
            if let Ok(ensemble) = read(&broken) {
                ensemble.check().expect("what is read is well-formed");
                n_read += 1;
            }
        }
        assert!((10..9_000).contains(&n_read), "{name}: {n_read} were read");
    }
}
