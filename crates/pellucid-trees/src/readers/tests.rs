//! Formats are told by content.

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
