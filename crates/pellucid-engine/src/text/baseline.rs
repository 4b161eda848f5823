//! What the tokens of a text are compared with.

use ndarray::{Array2, Axis};

use crate::error::Error;
use crate::text::model::TextModel;
use crate::text::tokenizer::EncodedText;

/// A text without content, in as many tokens. Special tokens stay what they are but in `Empty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextBaseline {
    /// The token that fills up.
    Pad,
    /// The token that stands for a hidden word.
    Mask,
    /// A vector of zeros, which is no token.
    Zero,
    /// The mean vector of the vocabulary.
    Mean,
    /// The tokens of the empty text, filled up behind.
    Empty,
}

impl TextBaseline {
    const NAMES: [(&'static str, Self); 5] = [
        ("pad", Self::Pad),
        ("mask", Self::Mask),
        ("zero", Self::Zero),
        ("mean", Self::Mean),
        ("empty", Self::Empty),
    ];

    /// The baseline that `text` names; by default padding, or zeros where the tokenizer has no token for it.
    pub(crate) fn parse(text: Option<&str>, model: &TextModel) -> Result<Self, Error> {
        let Some(text) = text else {
            return Ok(if model.tokenizer().pad_id().is_some() { Self::Pad } else { Self::Zero });
        };
        let name = if text == "zeros" { "zero" } else { text };
        let found = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, baseline)| *baseline);
        found.ok_or_else(|| {
            let known: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            Error::request("baseline", format!("`{text}` is none for texts; there are: {}", known.join(", ")))
        })
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The vectors that the path starts from, `[tokens, width]`.
    pub(crate) fn vectors(self, model: &TextModel, text: &EncodedText) -> Result<Array2<f32>, Error> {
        let ids: Vec<i64> = text.tokens.iter().map(|token| token.id).collect();
        let replaced = |id: i64| -> Vec<i64> {
            text.tokens.iter().map(|token| if token.special { token.id } else { id }).collect()
        };
        match self {
            Self::Pad => Ok(model.tokens().vectors(&replaced(self.needed(model.tokenizer().pad_id())?))?),
            Self::Mask => Ok(model.tokens().vectors(&replaced(self.needed(model.tokenizer().mask_id())?))?),
            Self::Empty => {
                let empty = model.tokenizer().encode_any("")?;
                let mut ids: Vec<i64> = empty.tokens.iter().map(|token| token.id).collect();
                if ids.len() < text.tokens.len() {
                    ids.resize(text.tokens.len(), self.needed(model.tokenizer().pad_id())?);
                }
                ids.truncate(text.tokens.len());
                Ok(model.tokens().vectors(&ids)?)
            }
            Self::Zero | Self::Mean => {
                let mut vectors = model.tokens().vectors(&ids)?;
                let mean = model.tokens().mean_vector();
                for (token, mut vector) in text.tokens.iter().zip(vectors.axis_iter_mut(Axis(0))) {
                    if !token.special && self == Self::Zero {
                        vector.fill(0.0);
                    } else if !token.special {
                        vector.assign(&mean);
                    }
                }
                Ok(vectors)
            }
        }
    }

    fn needed(self, id: Option<i64>) -> Result<i64, Error> {
        id.ok_or_else(|| {
            let reason = format!("the tokenizer has no token for `{}`; take zero or mean", self.name());
            Error::request("baseline", reason)
        })
    }
}
