//! A model that reads text, with its tokenizer and the names of its outputs.

use std::path::Path;
use std::sync::Arc;

use pellucid_core::Target;
use pellucid_explain::token_model::{Reading, Tokens};
use pellucid_explain::{Network, TokenModel, network};
use pellucid_graph::{Graph, Runtime, onnx};

use crate::error::Error;
use crate::input::hex;
use crate::labels;
use crate::model::{LoadedModel, ModelOptions, read, stem};
use crate::text::tokenizer::{EncodedText, TextTokenizer, Token};

/// A token model ready to be explained.
pub struct TextModel {
    name: String,
    file: Arc<onnx::Model>,
    tokens: TokenModel,
    tokenizer: TextTokenizer,
    output_name: String,
    labels: Option<Vec<String>>,
    /// Whether outputs are tokens: a language model.
    outputs_are_tokens: bool,
    explain_probability: bool,
}

impl TextModel {
    /// Opens a model file with its tokenizer, and the labels that lie beside it.
    ///
    /// # Errors
    /// Files that cannot be read; a model without an embedding; a tokenizer that is not this model's; labels that do
    /// not fit.
    pub fn open(
        path: &Path,
        tokenizer: &Path,
        runtime: Arc<dyn Runtime>,
        options: &ModelOptions,
    ) -> Result<Self, Error> {
        let of_others = [
            ("input_shape", options.input_shape.is_some()),
            ("start", options.start.is_some()),
            ("fixed", !options.fixed.is_empty()),
        ];
        if let Some((option, _)) = of_others.iter().find(|(_, given)| *given) {
            return Err(Error::request(*option, "is not for texts; the tokenizer says what all inputs hold"));
        }
        let file = read(path)?;
        let of_network = network::Options {
            output: options.output.clone(),
            explain_probability: options.explain_probability,
            ..network::Options::default()
        };
        let tokens = TokenModel::new(&file.graph, runtime, &of_network)?;
        let tokenizer_path = tokenizer;
        let tokenizer = TextTokenizer::open(tokenizer_path)?;
        check_vocabulary(&tokenizer, &tokens, tokenizer_path)?;
        let is_vocabulary = |n: usize| n == tokenizer.vocabulary_size() || n == tokens.vocabulary_size();
        let outputs_are_tokens = tokens.has_outputs_per_token() && is_vocabulary(tokens.n_outputs());
        let mut labels = labels::find(Some(path), options, tokens.n_outputs())?;
        if outputs_are_tokens && labels.is_none() {
            let mut names = tokenizer.names();
            names.resize(tokens.n_outputs(), String::new());
            labels = Some(names);
        }
        let output = network::chosen_output(&file.graph, options.output.as_deref())?;
        let output_name = file.graph.name_of(output).to_owned();
        let (name, file) = (stem(path), Arc::new(file));
        let explain_probability = options.explain_probability;
        Ok(Self {
            name,
            file,
            tokens,
            tokenizer,
            output_name,
            labels,
            outputs_are_tokens,
            explain_probability,
        })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }

    /// The file's name without folder and ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the explained output in the file.
    pub fn output_name(&self) -> &str {
        &self.output_name
    }

    /// The graph as the file has it.
    pub fn graph(&self) -> &Graph {
        &self.file.graph
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn digest(&self) -> String {
        hex(&self.file.digest)
    }

    /// The number of outputs of a text, or of one of its tokens.
    pub fn n_outputs(&self) -> usize {
        self.tokens.n_outputs()
    }

    pub(crate) fn tokens(&self) -> &TokenModel {
        &self.tokens
    }

    /// Whether its outputs are tokens.
    pub(crate) fn outputs_are_tokens(&self) -> bool {
        self.outputs_are_tokens
    }

    /// The tokens of a text, filled up where the model takes texts of one length only.
    pub(crate) fn encode(&self, text: &str) -> Result<EncodedText, Error> {
        let mut encoded = self.tokenizer.encode(text)?;
        let Some(length) = self.tokens.fixed_length() else { return Ok(encoded) };
        let n = encoded.tokens.len();
        if n > length {
            let reason =
                format!("has {n} tokens, the model takes {length}; shorten it, or explain its parts");
            return Err(Error::request("text", reason));
        }
        let pad_id = self.tokenizer.pad_id();
        if n < length && pad_id.is_none() {
            let reason =
                format!("has {n} tokens, the model takes {length}, and the tokenizer has no padding");
            return Err(Error::request("text", reason));
        }
        let name = "padding".to_owned();
        let padding = Token { name, id: pad_id.unwrap_or(0), span: 0..0, special: true, type_id: 0 };
        encoded.tokens.resize(length, padding);
        encoded.n_padding = length - n;
        Ok(encoded)
    }

    /// What stands behind the vectors of a text, as a model of its own.
    pub(crate) fn part(&self, text: &EncodedText, reading: Reading) -> Result<LoadedModel, Error> {
        let network = self.tokens.network(&tokens_of(text), reading)?;
        let labels = self.labels.clone();
        Ok(LoadedModel::of_part(&self.name, self.file.clone(), network, &self.output_name, labels))
    }

    /// What stands behind the vectors of a text in another graph of the same kind.
    pub(crate) fn redrawn(
        &self,
        graph: &Graph,
        text: &EncodedText,
        reading: Reading,
    ) -> Result<Arc<Network>, Error> {
        let options = network::Options {
            output: Some(self.output_name.clone()),
            explain_probability: self.explain_probability,
            ..network::Options::default()
        };
        let tokens = TokenModel::new(graph, self.tokens.runtime().clone(), &options)?;
        Ok(tokens.network(&tokens_of(text), reading)?)
    }

    /// The target with a word of a language model turned into its token.
    pub(crate) fn target(&self, target: &Target) -> Target {
        match target {
            Target::Label(label) if self.outputs_are_tokens => {
                let id = self.tokenizer.single_token(label).and_then(|id| usize::try_from(id).ok());
                id.map_or_else(|| target.clone(), Target::Index)
            }
            _ => target.clone(),
        }
    }
}

/// A text as the model's inputs hold it.
pub(super) fn tokens_of(text: &EncodedText) -> Tokens {
    inputs_of(text.tokens.iter(), text.tokens.len() - text.n_padding)
}

/// Tokens as the model's inputs hold them; those behind `n_own` fill up.
pub(super) fn inputs_of<'a>(tokens: impl Iterator<Item = &'a Token>, n_own: usize) -> Tokens {
    let (ids, type_ids): (Vec<i64>, Vec<i64>) = tokens.map(|token| (token.id, token.type_id)).unzip();
    let attention_mask = (0..ids.len()).map(|index| i64::from(index < n_own)).collect();
    Tokens { ids, attention_mask, type_ids }
}

/// Refuses a tokenizer that knows more tokens than the model, or less than half as many: models round their tables up,
/// but not so far.
fn check_vocabulary(tokenizer: &TextTokenizer, tokens: &TokenModel, path: &Path) -> Result<(), Error> {
    let (known, looked_up) = (tokenizer.vocabulary_size(), tokens.vocabulary_size());
    if known <= looked_up && looked_up < 2 * known {
        return Ok(());
    }
    let reason = format!(
        "knows {known} tokens, and the model's embedding has {looked_up}: it is not the tokenizer of this model"
    );
    Err(Error::input(path, reason))
}
