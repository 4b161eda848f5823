//! Which words of a text are there → the text without the others → what the model says of it.

use std::collections::HashMap;

use ndarray::{Array1, Array2, ArrayD, ArrayViewD, Axis};
use pellucid_agnostic::{Error as AgnosticError, Predictor};
use pellucid_core::Work;
use pellucid_explain::Error as ExplainError;
use pellucid_explain::token_model::{AskedTokens, TokenPredictor};

use crate::error::Error;
use crate::text::model::{TextModel, inputs_of, tokens_of};
use crate::text::tokenizer::{EncodedText, Token};
use crate::text::words::{Word, words};

/// What stands where a word is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hiding {
    /// A token at each of its places: its number, and what a person calls it.
    Token(i64, String),
    /// Nothing: the text is shorter.
    Deleted,
}

impl Hiding {
    /// What `text` names; by default the mask token, and where the tokenizer has none, nothing.
    pub(crate) fn parse(text: Option<&str>, model: &TextModel) -> Result<Self, Error> {
        let tokenizer = model.tokenizer();
        let fault = |reason: String| Error::request("baseline", reason);
        let token = |id: Option<i64>, name: &str| match id {
            Some(id) => Ok(Self::Token(id, name.to_owned())),
            None => Err(fault(format!(
                "the tokenizer has no token for `{name}`; take deleted, or token:NAME as its vocabulary writes it"
            ))),
        };
        match text {
            None => Ok(tokenizer.mask_id().map_or(Self::Deleted, |id| Self::Token(id, "mask".to_owned()))),
            Some("mask") => token(tokenizer.mask_id(), "mask"),
            Some("pad") => token(tokenizer.pad_id(), "pad"),
            Some("deleted") => Ok(Self::Deleted),
            Some(name) if name.starts_with("token:") => token(tokenizer.single_token(name), name),
            Some(name) => Err(fault(format!(
                "`{name}` stands for no hidden word; there are: mask, pad, deleted, token:NAME"
            ))),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Token(_, name) => name,
            Self::Deleted => "deleted",
        }
    }
}

/// The explained token of a text that gets shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Explained {
    /// The model has outputs for the whole text.
    Text,
    /// The one at this place of the whole text, which is always there.
    Fixed(usize),
    /// Whatever token is the last: of language models the next one is explained.
    Last,
}

/// A text as a row of words: what is not 0 is there. The model's outputs are contracted to targets.
pub(crate) struct HiddenWords<'a> {
    predictor: TokenPredictor<'a>,
    text: EncodedText,
    /// The words that come and go.
    players: Vec<Word>,
    row_shape: [usize; 1],
    hiding: Hiding,
    explained: Explained,
    /// Stands for what fills up, and for a text of which nothing is left.
    filler: Option<i64>,
    has_fixed_length: bool,
    /// `[outputs, targets]`.
    target_weights: Array2<f64>,
    work: Work,
}

impl<'a> HiddenWords<'a> {
    /// The words of `text`; `token` is the place whose outputs are explained, `target_weights` `[outputs, targets]`.
    ///
    /// # Errors
    /// A text without words; one of which nothing would be left that the model takes; whatever the model reports.
    pub(crate) fn new(
        model: &'a TextModel,
        text: &EncodedText,
        token: Option<usize>,
        hiding: Hiding,
        target_weights: Array2<f64>,
        log_probability: bool,
        work: &Work,
    ) -> Result<Self, Error> {
        let n_own = text.tokens.len() - text.n_padding;
        let explained = match token {
            None => Explained::Text,
            Some(token) if model.outputs_are_tokens() && token + 1 == n_own => Explained::Last,
            Some(token) => Explained::Fixed(token),
        };
        let mut players = words(text);
        if let (Explained::Fixed(token), Hiding::Deleted) = (explained, &hiding) {
            players.retain(|word| !word.tokens.contains(&token));
        }
        if players.is_empty() {
            return Err(Error::request(
                "text",
                "has no words that could be absent; there is nothing to explain",
            ));
        }
        let filler = model.tokenizer().pad_id().or(model.tokenizer().mask_id());
        let has_fixed_length = model.tokens().fixed_length().is_some();
        let are_all_words = players.iter().map(|word| word.tokens.len()).sum::<usize>() == n_own;
        if hiding == Hiding::Deleted && filler.is_none() && (are_all_words || has_fixed_length) {
            let reason = "without its words nothing of the text is left that the model takes, and the tokenizer has no \
                          padding; take token:NAME, a token that stands where a word is absent";
            return Err(Error::request("baseline", reason));
        }
        Ok(Self {
            predictor: model.tokens().predictor(&tokens_of(text), log_probability)?,
            row_shape: [players.len()],
            text: text.clone(),
            players,
            hiding,
            explained,
            filler,
            has_fixed_length,
            target_weights,
            work: work.clone(),
        })
    }

    /// The words that come and go.
    pub(crate) fn players(&self) -> &[Word] {
        &self.players
    }

    /// The whole text as a row: of each word a number of its own tokens, never 0, so that draws are those of this text.
    pub(crate) fn row(&self) -> Array1<f64> {
        self.players.iter().map(|word| 1.0 + self.text.tokens[word.tokens.start].id as f64).collect()
    }

    /// What the reader must know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.hiding != Hiding::Deleted {
            return warnings;
        }
        if let Explained::Fixed(token) = self.explained
            && let Some(word) = words(&self.text).into_iter().find(|word| word.tokens.contains(&token))
        {
            let word = &self.text.text[word.span];
            warnings.push(format!(
                "the explained token is of the word `{word}`, which is never deleted and has the value 0"
            ));
        }
        if self.kept(&vec![false; self.players.len()]).is_empty() {
            warnings.push("where every word is deleted, one token of padding stands".to_owned());
        }
        warnings
    }

    /// The text of a coalition.
    fn asked(&self, present: &[bool]) -> AskedTokens {
        match &self.hiding {
            Hiding::Token(id, _) => {
                let mut tokens = self.text.tokens.clone();
                for (word, _) in self.players.iter().zip(present).filter(|(_, present)| !**present) {
                    tokens[word.tokens.clone()].iter_mut().for_each(|token| token.id = *id);
                }
                let n_own = tokens.len() - self.text.n_padding;
                let token = match self.explained {
                    Explained::Text => None,
                    Explained::Fixed(token) => Some(token),
                    Explained::Last => Some(n_own - 1),
                };
                AskedTokens { tokens: inputs_of(tokens.iter(), n_own), token }
            }
            Hiding::Deleted => self.without(present),
        }
    }

    /// The text without the words that are absent, filled up where the model takes one length only.
    fn without(&self, present: &[bool]) -> AskedTokens {
        let kept = self.kept(present);
        let filler = Token {
            name: String::new(),
            id: self.filler.unwrap_or(0),
            span: 0..0,
            special: true,
            type_id: 0,
        };
        let n_own = kept.len().max(1);
        let length = if self.has_fixed_length { self.text.tokens.len() } else { n_own };
        let own = kept.iter().map(|&index| &self.text.tokens[index]);
        let tokens = own.chain(std::iter::repeat(&filler)).take(length);
        let token = match self.explained {
            Explained::Text => None,
            Explained::Fixed(token) => kept.iter().position(|&index| index == token),
            Explained::Last => Some(n_own - 1),
        };
        AskedTokens { tokens: inputs_of(tokens, n_own), token }
    }

    /// The places of the tokens that are left.
    fn kept(&self, present: &[bool]) -> Vec<usize> {
        let mut is_kept = vec![true; self.text.tokens.len() - self.text.n_padding];
        for (word, _) in self.players.iter().zip(present).filter(|(_, present)| !**present) {
            is_kept[word.tokens.clone()].fill(false);
        }
        (0..is_kept.len()).filter(|&index| is_kept[index]).collect()
    }
}

impl Predictor for HiddenWords<'_> {
    fn row_shape(&self) -> &[usize] {
        &self.row_shape
    }

    fn n_outputs(&self) -> usize {
        self.target_weights.ncols()
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, AgnosticError> {
        let texts = rows.axis_iter(Axis(0)).map(|row| {
            let present: Vec<bool> = row.iter().map(|&value| value != 0.0).collect();
            self.asked(&present)
        });
        let (texts, places) = distinct(texts);
        let outputs = self.predictor.outputs(&texts, self.target_weights.view(), &self.work);
        let outputs = outputs.map_err(|error| match error {
            ExplainError::Core(error) => AgnosticError::Core(error),
            other => AgnosticError::Core(pellucid_core::Error::Model { reason: other.to_string() }),
        })?;
        Ok(outputs.select(Axis(0), &places))
    }
}

/// Each text once, and the place of each among them: of few words, coalitions repeat.
fn distinct(texts: impl Iterator<Item = AskedTokens>) -> (Vec<AskedTokens>, Vec<usize>) {
    let mut known = HashMap::new();
    let mut distinct = Vec::new();
    let places = texts.map(|text| {
        let next = distinct.len();
        let place = *known.entry(text.clone()).or_insert(next);
        if place == next {
            distinct.push(text);
        }
        place
    });
    let places = places.collect();
    (distinct, places)
}

/// Values of words, `[1, words]` or `[1, words, targets]`, as those of tokens: a word's is shared out evenly.
pub(crate) fn by_token(values: &ArrayD<f64>, words: &[Word], n_tokens: usize) -> ArrayD<f64> {
    let mut shape = values.shape().to_vec();
    shape[1] = n_tokens;
    let mut by_token = ArrayD::zeros(shape);
    for (index, word) in words.iter().enumerate() {
        let share = values.index_axis(Axis(1), index).mapv(|value| value / word.tokens.len() as f64);
        for token in word.tokens.clone() {
            by_token.index_axis_mut(Axis(1), token).assign(&share);
        }
    }
    by_token
}
