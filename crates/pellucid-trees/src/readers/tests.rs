//! Formats are told by content, and bytes from strangers are errors or models: never a panic, never much memory.

use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::testing::{bytes, one_line};
use super::*;
use crate::rows::Rows;

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
    assert!(reason(b"CBM1").contains("without text and embedding features"));
    (2..=5).for_each(|protocol| assert!(reason(&[0x80, protocol, 0x95]).contains("pickle")));
    assert!(reason(b"[{\"nodeid\": 0}]").contains("save_model"));
    assert!(reason(b"{\"tree_info\": []}").contains("dump_model"));
    assert!(reason(b"{\"a\": 1}").contains("without `learner`"));
    assert!(reason(b"{\"a\": 1").contains("EOF"));
    assert!(reason(b"a,b\n1,2\n").contains("no known model"));
}

/// Small models of each format and shape.
const SMALL: [&str; 14] = [
    "xgboost/1.0.2/names.json",
    "xgboost/3.2.0/pseudo_huber.json",
    "xgboost/3.2.0/partition.json",
    "xgboost/3.2.0/softprob_vector.json",
    "xgboost/3.2.0/partition.ubj",
    "xgboost/3.2.0/dart.ubj",
    "lightgbm/missing_zero.txt",
    "lightgbm/pandas.txt",
    "lightgbm/v2_none.txt",
    "catboost/many_categories.json",
    "catboost/lossguide.json",
    "onnx/forest_binary.onnx",
    "onnx/modes.onnx",
    "onnx/v5.onnx",
];

/// Refused in one line, or read as an ensemble that holds together, is not larger than the file can say, and predicts.
/// Whether it was read.
fn survives(bytes: &[u8]) -> bool {
    let ensemble = match read(bytes) {
        Ok(ensemble) => ensemble,
        Err(error) => {
            one_line(&error);
            return false;
        }
    };
    ensemble.check().expect("what is read is well-formed");
    let n_nodes: usize = ensemble.trees.iter().map(|tree| tree.nodes.len()).sum();
    assert!(n_nodes <= bytes.len(), "{n_nodes} nodes from {} bytes", bytes.len());
    let rows = Array2::from_elem((1, ensemble.n_features), 0.5);
    ensemble.predict(Rows::F64(rows.view())).expect("rows fit");
    true
}

fn damaged(bytes: &[u8], kind: usize, below: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    match kind {
        0 => damaged.truncate(below(bytes.len())),
        1 => damaged[below(bytes.len())] ^= 1 << below(8),
        2 => (0..4).for_each(|_| damaged[below(bytes.len())] = below(256) as u8),
        _ => {
            // A digit becomes another: what only wrong numbers can do.
            let digits: Vec<usize> =
                (0..bytes.len()).filter(|&place| bytes[place].is_ascii_digit()).collect();
            damaged[digits[below(digits.len())]] = b'0' + below(10) as u8;
        }
    }
    damaged
}

#[test]
fn damaged_files_give_an_error_or_a_well_formed_ensemble() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut below = |n: usize| random.next_u64() as usize % n;
    for name in SMALL {
        let bytes = bytes(name);
        let n_rounds = 1_500;
        let n_read = (0..n_rounds).filter(|round| survives(&damaged(&bytes, round % 4, &mut below))).count();
        assert!((10..n_rounds * 5 / 6).contains(&n_read), "{name}: {n_read} of {n_rounds} were read");
    }
}

#[test]
fn beginnings_of_a_file_are_errors_or_the_model() {
    for name in SMALL {
        let bytes = bytes(name);
        let whole = read(&bytes).expect("a model");
        // All of them where the file is small.
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 5_000) {
            if survives(&bytes[..length]) {
                let trees = read(&bytes[..length]).expect("read before").trees;
                assert!(trees == whole.trees, "{name}: another model from {length} of {} bytes", bytes.len());
            }
        }
    }
}

#[test]
fn random_bytes_are_errors() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let beginnings: [&[u8]; 8] = [
        b"",
        b"{\"learner\":",
        b"{L\0\0\0\0\0\0\0\x07learner{",
        b"tree\nversion=v4\n",
        b"{\"features_info\":{",
        b"{\"oblivious_trees\":[",
        &[0x08, 0x09, 0x3a],
        b"[",
    ];
    for beginning in beginnings {
        for length in 0..500 {
            let mut bytes = beginning.to_vec();
            bytes.extend((0..length).map(|_| random.next_u32() as u8));
            assert!(!survives(&bytes), "{bytes:?}");
        }
    }
}

#[test]
fn what_never_ends_does_not_overflow_the_stack() {
    let pieces: [&[u8]; 6] = [
        b"{\"learner\":",
        b"{\"trees\":[",
        b"{\"trees\":[{\"left\":{\"left\":",
        b"{i\x07learner",
        b"{i\x07learner[",
        b"[",
    ];
    for piece in pieces {
        assert!(!survives(&piece.repeat(100_000)), "{piece:?}");
    }
}
