//! XGBoost writes numbers that JSON does not have as the bare words `NaN`, `Infinity` and `-Infinity`. Each becomes an
//! integer that no f32 is written as, so that all other numbers are read straight into f32, rounded once.

use std::borrow::Cow;

const NAN: u64 = 9_007_199_254_740_997;
const INFINITY: u64 = 9_007_199_254_740_999;

/// The bytes without bare words.
pub(super) fn replace(bytes: &[u8]) -> Cow<'_, [u8]> {
    let found = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    if !found(b"NaN") && !found(b"Infinity") {
        return Cow::Borrowed(bytes);
    }
    let mut replaced = Vec::with_capacity(bytes.len() + 64);
    let (mut rest, mut in_text) = (bytes, false);
    while let Some((&first, tail)) = rest.split_first() {
        let word: &[(&[u8], u64)] = if in_text { &[] } else { &[(b"NaN", NAN), (b"Infinity", INFINITY)] };
        if let Some((word, number)) = word.iter().find(|(word, _)| rest.starts_with(word)) {
            replaced.extend_from_slice(number.to_string().as_bytes());
            rest = &rest[word.len()..];
            continue;
        }
        let n = if in_text && first == b'\\' { 2.min(rest.len()) } else { 1 };
        in_text ^= first == b'"';
        replaced.extend_from_slice(&rest[..n]);
        rest = if n == 1 { tail } else { &rest[n..] };
    }
    Cow::Owned(replaced)
}

/// The number that an integer stands for.
pub(super) fn number(magnitude: u64, negative: bool) -> f32 {
    let number = match magnitude {
        NAN => f32::NAN,
        INFINITY => f32::INFINITY,
        _ => magnitude as f32,
    };
    if negative { -number } else { number }
}

#[test]
fn bare_words_become_numbers_outside_of_texts() {
    let replaced = replace(br#"["NaN \" Infinity", NaN, -Infinity, Infinity, 1]"#);
    let expected = r#"["NaN \" Infinity", 9007199254740997, -9007199254740999, 9007199254740999, 1]"#;
    assert_eq!(std::str::from_utf8(&replaced), Ok(expected));
    assert!(matches!(replace(b"[1]"), Cow::Borrowed(_)));
    assert_eq!([number(INFINITY, true), number(7, false)], [f32::NEG_INFINITY, 7.0]);
    assert!(number(NAN, false).is_nan());
}
