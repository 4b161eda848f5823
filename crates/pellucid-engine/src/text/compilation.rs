//! A text model made ready to be compiled: for texts of one length, whatever they say.

use pellucid_core::Target;
use pellucid_explain::token_model::Reading;

use crate::error::Error;
use crate::method::{Method, MethodOptions};
use crate::model::LoadedModel;
use crate::text::explain::{TextRequest, method};
use crate::text::model::TextModel;
use crate::text::tokenizer::{EncodedText, Token};

/// What a compiled text model is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct TextCompilation {
    /// The method's name.
    pub method: String,
    /// Its options. `baseline` is pad (the default), mask, zero, mean or empty, at every token.
    pub options: MethodOptions,
    /// Which output.
    pub target: Target,
    /// The number of tokens of every text.
    pub n_tokens: usize,
    /// The token whose outputs are explained, for models with outputs for every token. Default: of language models the
    /// last.
    pub token: Option<usize>,
    /// Explain the logarithm of the probability instead of the logit.
    pub log_probability: bool,
    /// What random baselines are made from.
    pub seed: u64,
}

/// The network behind the vectors with the method for it.
pub(crate) struct Ready {
    pub(crate) part: LoadedModel,
    pub(crate) method: Method,
}

impl TextModel {
    pub(crate) fn ready(&self, request: &TextCompilation) -> Result<Ready, Error> {
        let n = request.n_tokens;
        let fixed = self.tokens().fixed_length().filter(|length| *length != n);
        if let Some(length) = fixed {
            return Err(Error::request("tokens", format!("the model takes {length} tokens, not {n}")));
        }
        if n == 0 {
            return Err(Error::request("tokens", "0 tokens are no text"));
        }
        let token = self.compiled_token(request)?;
        // Any tokens that are not special: masks, types and baselines are the same for all of them.
        let any = Token { name: String::new(), id: 0, span: 0..0, special: false, type_id: 0 };
        let text = EncodedText { text: String::new(), tokens: vec![any; n], n_padding: 0 };
        let part = self.part(&text, Reading { token, log_probability: request.log_probability })?;
        let asked = TextRequest {
            method: request.method.clone(),
            options: request.options.clone(),
            seed: request.seed,
            ..TextRequest::default()
        };
        let (method, _) = method(self, &part, &text, token, &asked)?;
        Ok(Ready { part, method })
    }

    fn compiled_token(&self, request: &TextCompilation) -> Result<Option<usize>, Error> {
        if request.token.is_some() || !self.tokens().has_outputs_per_token() {
            return Ok(request.token);
        }
        match self.outputs_are_tokens() && self.tokenizer().mask_id().is_none() {
            true => Ok(Some(request.n_tokens - 1)),
            false => {
                let reason =
                    "the model has outputs for every token; say which one's are explained, counted from 0";
                Err(Error::request("token", reason))
            }
        }
    }
}
