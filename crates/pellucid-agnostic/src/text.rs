#![doc = include_str!("text.md")]

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use pellucid_core::{Work, row_digest_f64};

use crate::batches::in_batches;
use crate::error::Error;
use crate::game::Game;
use crate::predictor::checked;

/// Texts that a predictor is asked about at once, unless the work says otherwise.
const TEXTS_AT_ONCE: usize = 256;

/// What the words of a text are to a game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Words {
    /// A player is a word, wherever it stands: lime's bag of words.
    #[default]
    Distinct,
    /// A player is one place of a word.
    Positions,
}

/// What stands where a word is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Absent {
    /// Nothing; what is between words stays.
    #[default]
    Deleted,
    /// A token such as `[MASK]`; lime's for positions is `UNKWORDZ`.
    Token(String),
}

/// A text in words: the longest runs of letters, digits and `_`.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    text: String,
    /// Where each word stands, and whose player it is.
    words: Vec<(Range<usize>, usize)>,
    /// The word of each player.
    players: Vec<String>,
    absent: Absent,
}

impl Text {
    /// Finds the words of a text.
    ///
    /// # Errors
    /// A text without words.
    pub fn new(text: &str, words: Words, absent: Absent) -> Result<Self, Error> {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut players: Vec<String> = Vec::new();
        let mut found = Vec::new();
        for range in word_ranges(text) {
            let word = &text[range.clone()];
            let known = numbers.get(word).copied().filter(|_| words == Words::Distinct);
            let player = known.unwrap_or(players.len());
            if known.is_none() {
                numbers.insert(word, player);
                players.push(word.to_owned());
            }
            found.push((range, player));
        }
        match players.is_empty() {
            true => Err(Error::setting("text", "has no words; there is nothing to explain")),
            false => Ok(Self { text: text.to_owned(), words: found, players, absent }),
        }
    }

    /// The word of each player, in the order of their first places.
    pub fn players(&self) -> &[String] {
        &self.players
    }

    /// Where each word stands in the text, in bytes, and whose player it is.
    pub fn words(&self) -> &[(Range<usize>, usize)] {
        &self.words
    }

    /// The text of a coalition.
    pub fn with(&self, present: ArrayView1<'_, bool>) -> String {
        let (mut text, mut end) = (String::with_capacity(self.text.len()), 0);
        for (range, player) in &self.words {
            text.push_str(&self.text[end..range.start]);
            match (&self.absent, present[*player]) {
                (_, true) => text.push_str(&self.text[range.clone()]),
                (Absent::Token(token), false) => text.push_str(token),
                (Absent::Deleted, false) => {}
            }
            end = range.end;
        }
        text.push_str(&self.text[end..]);
        text
    }
}

fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let (mut ranges, mut start) = (Vec::new(), None);
    for (place, character) in text.char_indices() {
        match (character.is_alphanumeric() || character == '_', start) {
            (true, None) => start = Some(place),
            (false, Some(first)) => {
                ranges.push(first..place);
                start = None;
            }
            _ => {}
        }
    }
    ranges.extend(start.map(|first| first..text.len()));
    ranges
}

/// A model of texts of which only predictions are known.
pub trait TextPredictor: Sync {
    /// The number of outputs of a text.
    fn n_outputs(&self) -> usize;

    /// The outputs for texts: `[texts, outputs]`.
    ///
    /// # Errors
    /// Whatever the model reports.
    fn predict_texts(&self, texts: &[String]) -> Result<Array2<f64>, Error>;
}

/// A function of texts as a predictor.
pub struct TextFunction<F> {
    /// The number of outputs.
    pub n_outputs: usize,
    /// texts → `[texts, outputs]`.
    pub predict: F,
}

impl<F: Fn(&[String]) -> Result<Array2<f64>, Error> + Sync> TextPredictor for TextFunction<F> {
    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict_texts(&self, texts: &[String]) -> Result<Array2<f64>, Error> {
        (self.predict)(texts)
    }
}

/// The game of one text: a coalition of words is worth what the predictor says of the text without the others.
pub struct MaskedText<'a> {
    predictor: &'a dyn TextPredictor,
    text: &'a Text,
    /// `[outputs, targets]`.
    target_weights: Array2<f64>,
}

impl<'a> MaskedText<'a> {
    /// The game of `text`; each target is a weighted sum of outputs, `target_weights` `[outputs, targets]`.
    ///
    /// # Errors
    /// Weights of another number of outputs.
    pub fn new(
        predictor: &'a dyn TextPredictor,
        text: &'a Text,
        target_weights: Array2<f64>,
    ) -> Result<Self, Error> {
        if target_weights.nrows() != predictor.n_outputs() {
            let expected = format!("[{}, targets]", predictor.n_outputs());
            return Err(Error::shape("target weights", expected, target_weights.shape()));
        }
        Ok(Self { predictor, text, target_weights })
    }
}

impl Game for MaskedText<'_> {
    fn n_players(&self) -> usize {
        self.text.players.len()
    }

    fn n_targets(&self) -> usize {
        self.target_weights.ncols()
    }

    fn worth(&self, present: ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error> {
        let at_once = match work.batch_size {
            Some(0) => return Err(Error::setting("batch_size", "must be 1 or more")),
            batch_size => batch_size.unwrap_or(TEXTS_AT_ONCE),
        };
        let mut worth = Array2::zeros((present.nrows(), self.n_targets()));
        for range in in_batches(present.nrows(), at_once) {
            work.check()?;
            let texts: Vec<String> = range.clone().map(|row| self.text.with(present.row(row))).collect();
            let outputs = self.predictor.predict_texts(&texts)?;
            let targets =
                checked(outputs, [texts.len(), self.predictor.n_outputs()])?.dot(&self.target_weights);
            work.progress.advance(texts.len());
            for (row, targets) in range.zip(targets.outer_iter()) {
                worth.row_mut(row).assign(&targets);
            }
        }
        Ok(worth)
    }

    /// That of a row of the text's bytes.
    fn digest(&self) -> [u8; 32] {
        let bytes: Array1<f64> = self.text.text.bytes().map(f64::from).collect();
        row_digest_f64(bytes.into_dyn().view())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lime::{Options, lime};
    use crate::testing::work;
    use ndarray::{Axis, array};

    /// As lime's `IndexedString`: the gaps stay where words go.
    #[test]
    fn words_go_and_gaps_stay() {
        let text = |words, absent| Text::new("A cat, a dog: a_1 cat!", words, absent).expect("a text");
        let bag = text(Words::Distinct, Absent::Deleted);
        assert_eq!(bag.players(), ["A", "cat", "a", "dog", "a_1"]);
        assert_eq!(bag.with(array![true, false, true, false, true].view()), "A , a : a_1 !");
        let places = text(Words::Positions, Absent::Token("UNKWORDZ".to_owned()));
        assert_eq!(places.players(), ["A", "cat", "a", "dog", "a_1", "cat"]);
        let present = array![true, false, true, true, true, true];
        assert_eq!(places.with(present.view()), "A UNKWORDZ, a dog: a_1 cat!");
        assert_eq!(places.with(Array1::from_elem(6, true).view()), "A cat, a dog: a_1 cat!");
    }

    #[test]
    fn words_of_any_script_are_found() {
        let text = Text::new("Größe, 猫! naïve", Words::Distinct, Absent::Deleted).expect("a text");
        assert_eq!(text.players(), ["Größe", "猫", "naïve"]);
        assert_eq!(text.words()[1], (9..12, 1));
        assert_eq!(text.with(array![false, true, true].view()), ", 猫! naïve");
        let refusal = Text::new("... !", Words::Distinct, Absent::Deleted).expect_err("a refusal");
        assert!(refusal.to_string().contains("no words"));
    }

    fn count(word: &'static str) -> impl Fn(&[String]) -> Result<Array2<f64>, Error> + Sync {
        move |texts| {
            let counts = texts.iter().map(|text| text.matches(word).count() as f64);
            Ok(counts.collect::<Array1<f64>>().insert_axis(Axis(1)))
        }
    }

    /// A model that counts "good" gives that word all, and its places one each.
    #[test]
    fn lime_finds_the_word_that_counts() {
        let predictor = TextFunction { n_outputs: 1, predict: count("good") };
        for (words, n_words, places, worth) in
            [(Words::Distinct, 6, vec![2], 2.0), (Words::Positions, 7, vec![2, 5], 1.0)]
        {
            let text = Text::new("this is good or not good enough", words, Absent::Deleted).expect("a text");
            let game = MaskedText::new(&predictor, &text, array![[1.0]]).expect("a game");
            let mut options = Options { n_samples: 1000, ..Options::text() };
            options.fit.alpha = 0.0;
            let surrogate = lime(&game, &options, &work(64)).expect("a surrogate");
            assert_eq!(game.n_players(), n_words);
            for (player, &value) in surrogate.estimate.values.column(0).iter().enumerate() {
                let expected = if places.contains(&player) { worth } else { 0.0 };
                assert!((value - expected).abs() < 1e-9, "{words:?} {player}: {value}");
            }
        }
    }

    #[test]
    fn batches_change_nothing_and_broken_answers_are_refused() {
        let text = Text::new("one two three two", Words::Positions, Absent::Deleted).expect("a text");
        let predictor = TextFunction { n_outputs: 1, predict: count("two") };
        let game = MaskedText::new(&predictor, &text, array![[2.0, -1.0]]).expect("a game");
        let present =
            array![[true, true, true, true], [true, false, true, true], [false, false, false, false]];
        for batch_size in 1..4 {
            let worth = game.worth(present.view(), &work(batch_size)).expect("worths");
            assert_eq!(worth, array![[4.0, -2.0], [2.0, -1.0], [0.0, 0.0]]);
        }
        let broken = TextFunction { n_outputs: 1, predict: |_: &[String]| Ok(array![[f64::NAN]]) };
        let game = MaskedText::new(&broken, &text, array![[1.0]]).expect("a game");
        let one = array![[true, true, true, true]];
        assert!(game.worth(one.view(), &work(4)).expect_err("a refusal").to_string().contains("NaN"));
        assert!(game.worth(present.view(), &work(4)).expect_err("a refusal").to_string().contains("[1, 1]"));
        assert!(MaskedText::new(&broken, &text, array![[1.0], [1.0]]).is_err());
        let other = Text::new("one two three", Words::Positions, Absent::Deleted).expect("a text");
        let of_other = MaskedText::new(&predictor, &other, array![[1.0]]).expect("a game");
        assert_ne!(of_other.digest(), game.digest());
    }
}
