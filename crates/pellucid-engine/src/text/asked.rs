//! A text as the model's own file is asked about it, for those who predict without explaining.

use pellucid_explain::token_model::Reading;
use pellucid_graph::Tensor;

use crate::error::Error;
use crate::text::explain::explained_token;
use crate::text::model::{TextModel, tokens_of};

/// What the inputs of a model file hold for one text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextInputs {
    /// In the order of the file's inputs, `[1, tokens]` each.
    pub tensors: Vec<Tensor>,
    /// The token whose outputs are the text's, of models with outputs for every token: as [`explain_text`](crate::explain_text) takes it.
    pub token: Option<usize>,
}

impl TextModel {
    /// What the file's inputs hold for a text.
    ///
    /// # Errors
    /// A text without tokens; an input that no tokenizer fills.
    pub fn inputs_of(&self, text: &str) -> Result<TextInputs, Error> {
        let encoded = self.encode(text)?;
        let token = explained_token(self, &encoded, None)?;
        let (graph, tokens) = (self.graph(), tokens_of(&encoded));
        let tensor = |&input: &_| {
            let name = graph.name_of(input);
            let filled = self.tokens().filled(name, &tokens);
            let none = || Error::Unsupported { what: format!("input `{name}`, which no tokenizer fills") };
            Ok(filled.ok_or_else(none)?.cast(graph.element(input)))
        };
        let tensors = graph.inputs().iter().map(tensor).collect::<Result<_, Error>>()?;
        Ok(TextInputs { tensors, token })
    }

    /// Why the model cannot take a text, in a user's words: it is longer than the model reads.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn check_length(&self, text: &str) -> Result<(), Error> {
        let encoded = self.encode(text)?;
        let token = explained_token(self, &encoded, None)?;
        self.part(&encoded, Reading { token, log_probability: false }).map(drop)
    }
}
