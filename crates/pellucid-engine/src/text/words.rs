//! Tokens → words: tokens that share a word of the text belong together.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::text::tokenizer::EncodedText;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// Its tokens, by their places.
    pub tokens: Range<usize>,
}

/// The words of a text by the rules of Unicode (UAX #29), punctuation by itself; a token that reaches over several words
/// makes them one. Special tokens and tokens of white space are in none.
pub(crate) fn words(text: &EncodedText) -> Vec<Word> {
    let segments: Vec<Range<usize>> = text
        .text
        .split_word_bound_indices()
        .filter(|(_, segment)| !segment.trim().is_empty())
        .map(|(start, segment)| start..start + segment.len())
        .collect();
    let segment_at = |place: usize| segments.partition_point(|segment| segment.end <= place);
    let mut words: Vec<Word> = Vec::new();
    for (index, token) in text.tokens.iter().enumerate() {
        let span = trimmed(&text.text, &token.span);
        if token.special || span.is_empty() {
            continue;
        }
        let joined = words.last_mut().filter(|word| {
            word.tokens.end == index && segment_at(word.span.end - 1) >= segment_at(span.start)
        });
        match joined {
            Some(word) => {
                word.span.end = word.span.end.max(span.end);
                word.tokens.end = index + 1;
            }
            None => words.push(Word { span, tokens: index..index + 1 }),
        }
    }
    words
}

/// A span without the white space at its ends.
fn trimmed(text: &str, span: &Range<usize>) -> Range<usize> {
    let part = &text[span.clone()];
    let start = span.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokenizer::Token;

    /// Tokens by the bytes that they stand for; an empty one is special.
    fn check(text: &str, spans: &[Range<usize>], expected: &[(&str, Range<usize>)]) {
        let token = |span: &Range<usize>| Token {
            name: String::new(),
            id: 0,
            span: span.clone(),
            special: span.is_empty(),
            type_id: 0,
        };
        let tokens = spans.iter().map(token).collect();
        let encoded = EncodedText { text: text.to_owned(), tokens, n_padding: 0 };
        let found = words(&encoded);
        let found: Vec<(&str, Range<usize>)> =
            found.iter().map(|word| (&text[word.span.clone()], word.tokens.clone())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pieces_of_a_word_are_joined_and_punctuation_is_not() {
        // [CLS] un ##believ ##able ! [SEP]
        check(
            "unbelievable!",
            &[0..0, 0..2, 2..8, 8..12, 12..13, 0..0],
            &[("unbelievable", 1..4), ("!", 4..5)],
        );
        check("don't stop", &[0..3, 3..4, 4..5, 6..10], &[("don't", 0..3), ("stop", 3..4)]);
        check("mean-spirited", &[0..4, 4..5, 5..13], &[("mean", 0..1), ("-", 1..2), ("spirited", 2..3)]);
    }

    #[test]
    fn blanks_before_a_token_are_not_of_the_word() {
        check("a  good\nfilm", &[0..1, 1..7, 7..8, 8..12], &[("a", 0..1), ("good", 1..2), ("film", 3..4)]);
    }

    #[test]
    fn a_token_over_several_words_makes_them_one() {
        check("New York, now", &[0..8, 8..9, 9..13], &[("New York", 0..1), (",", 1..2), ("now", 2..3)]);
    }

    #[test]
    fn letters_of_several_bytes_and_scripts_without_blanks() {
        // Two tokens may stand for parts of one letter.
        check("naïve 猫だ", &[0..4, 2..6, 7..10, 10..13], &[("naïve", 0..2), ("猫", 2..3), ("だ", 3..4)]);
    }
}
