//! `tokenizer.json` → tokens of a text, with their places in it.

use std::ops::Range;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

use crate::error::Error;
use crate::file;
use crate::input::hex;

/// How tokenizers call the token that fills up, and the one that stands for a hidden word.
const PAD_NAMES: [&str; 5] = ["[PAD]", "<pad>", "<|pad|>", "<|padding|>", "<PAD>"];
const MASK_NAMES: [&str; 4] = ["[MASK]", "<mask>", "<|mask|>", "<MASK>"];

/// A tokenizer of the Hugging Face kind. It never cuts a text off and never pads: what it says of that is not used.
pub struct TextTokenizer {
    inner: Tokenizer,
    pad_id: Option<i64>,
    mask_id: Option<i64>,
    digest: String,
}

/// One token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// As the vocabulary has it: `##ing`, `▁the`.
    pub name: String,
    /// Its number in the vocabulary.
    pub id: i64,
    /// The bytes of the text that it stands for; empty where it stands for none.
    pub span: Range<usize>,
    /// Whether the tokenizer put it in by itself.
    pub special: bool,
    /// Which of two texts it belongs to.
    pub type_id: i64,
}

/// A text and its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedText {
    /// The text.
    pub text: String,
    /// Its tokens, in order.
    pub tokens: Vec<Token>,
    /// How many of the last ones fill up.
    pub n_padding: usize,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// A file that cannot be read or is no tokenizer.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::parse(&file::read(path)?).map_err(|reason| Error::input(path, reason))
    }

    /// Reads the bytes of a `tokenizer.json`; in words what is wrong with them.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let fault = |error: &dyn std::fmt::Display| {
            format!("is no tokenizer.json of the Hugging Face library: {error}")
        };
        let mut json: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| fault(&error))?;
        // Dropout of merges is for training: the same text would have other tokens each time.
        if let Some(dropout) = json.pointer_mut("/model/dropout") {
            *dropout = serde_json::Value::Null;
        }
        let mut inner = Tokenizer::from_bytes(json.to_string()).map_err(|error| fault(&error))?;
        let padding = inner.get_padding().map(|padding| i64::from(padding.pad_id));
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| fault(&error))?;
        let named = |names: &[&str]| names.iter().find_map(|name| inner.token_to_id(name)).map(i64::from);
        let (pad_id, mask_id) = (padding.or_else(|| named(&PAD_NAMES)), named(&MASK_NAMES));
        Ok(Self { inner, pad_id, mask_id, digest: hex(&Sha256::digest(bytes)) })
    }

    /// One more than the largest id.
    pub fn vocabulary_size(&self) -> usize {
        self.inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1)
    }

    /// All tokens by their ids, a line break as `\n`; empty where an id is not used.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.vocabulary_size()];
        for (id, name) in names.iter_mut().enumerate() {
            *name = visible(&self.inner.id_to_token(id as u32).unwrap_or_default());
        }
        names
    }

    /// SHA-256 of its file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The token that fills up.
    pub fn pad_id(&self) -> Option<i64> {
        self.pad_id
    }

    /// The token that stands for a hidden word.
    pub fn mask_id(&self) -> Option<i64> {
        self.mask_id
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// An empty text, or one of which no token is left.
    pub fn encode(&self, text: &str) -> Result<EncodedText, Error> {
        if text.trim().is_empty() {
            return Err(Error::request("text", "is empty; there is nothing to explain"));
        }
        let encoded = self.encode_any(text)?;
        match encoded.tokens.iter().all(|token| token.special) {
            true => Err(Error::request("text", "has no token that this tokenizer knows")),
            false => Ok(encoded),
        }
    }

    /// The tokens of a text that may be empty.
    pub(crate) fn encode_any(&self, text: &str) -> Result<EncodedText, Error> {
        let encoding =
            self.inner.encode(text, true).map_err(|error| Error::request("text", error.to_string()))?;
        let n = encoding.get_ids().len();
        let token = |i: usize| {
            let (start, end) = encoding.get_offsets()[i];
            Token {
                name: encoding.get_tokens()[i].clone(),
                id: i64::from(encoding.get_ids()[i]),
                // Bytes of one letter may be tokens of their own.
                span: text.floor_char_boundary(start)..text.ceil_char_boundary(end),
                special: encoding.get_special_tokens_mask()[i] == 1,
                type_id: i64::from(encoding.get_type_ids()[i]),
            }
        };
        Ok(EncodedText { text: text.to_owned(), tokens: (0..n).map(token).collect(), n_padding: 0 })
    }

    /// The id of a word that is a single token where it stands behind a blank, as words do; else of the token that the
    /// vocabulary writes so. `token:of` is the latter in any case.
    pub fn single_token(&self, text: &str) -> Option<i64> {
        let exact = |name: &str| self.inner.token_to_id(name).map(i64::from);
        if let Some(name) = text.strip_prefix("token:") {
            return exact(name);
        }
        match self.inner.encode(format!(" {text}").as_str(), false).ok()?.get_ids() {
            [id] => Some(i64::from(*id)),
            _ => exact(text),
        }
    }
}

/// A token as it may stand in a line.
fn visible(token: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    token.chars().map(escaped).collect()
}
