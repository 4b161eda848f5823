//! Text model + text + request → a value for each token and each word.

use std::collections::BTreeMap;

use ndarray::{Array1, ArrayD, Axis};
use pellucid_core::{Target, Work};
use pellucid_explain::attention_maps::attention_maps;
use pellucid_explain::token_model::Reading;

use crate::agnostic::{AgnosticMethod, AgnosticOptions};
use crate::attention::AttentionMethod;
use crate::deletion::deletion_checks;
use crate::error::Error;
use crate::explain::{Attributed, Request, attribute, explanation};
use crate::explanation::{About, Explanation};
use crate::input::{Input, Source};
use crate::method::{Method, MethodOptions};
use crate::model::LoadedModel;
use crate::parameter::Parameter;
use crate::text::baseline::TextBaseline;
use crate::text::model::TextModel;
use crate::text::predicted::explain_by_predictions;
use crate::text::tokenizer::EncodedText;
use crate::text::words::{Word, words};

/// Beyond so many names of outputs, an explanation keeps those of its predictions alone.
const MAX_OUTPUT_NAMES: usize = 4096;

/// What is asked about a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextRequest {
    /// The method's name.
    pub method: String,
    /// Its options. `baseline` is pad (the default), mask, zero, mean or empty.
    pub options: MethodOptions,
    /// Those of a method that needs predictions alone, instead. `baseline` is mask (the default), pad, deleted (the default where the
    /// tokenizer has no mask) or `token:NAME`.
    pub predicted: AgnosticOptions,
    /// Which output; of language models the next word too (`of`), or a token as the vocabulary writes it (`token:of`).
    /// Default: the highest.
    pub target: Option<Target>,
    /// An output that is taken off the target: why this and not that?
    pub contrast: Option<Target>,
    /// The token whose outputs are explained, for models with outputs for every token. Default: of language models
    /// the mask token where there is one, else the last.
    pub token: Option<usize>,
    /// Explain the logarithm of the probability instead of the logit.
    pub log_probability: bool,
    /// What random draws are made from.
    pub seed: u64,
}

/// The explanation of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextExplanation {
    /// The text and its tokens.
    pub encoded: EncodedText,
    /// The words that tokens make.
    pub words: Vec<Word>,
    /// The token whose outputs are explained.
    pub token: Option<usize>,
    /// Its only row has a value for each token: `values` is `[1, tokens]`, with several targets `[1, tokens, targets]`,
    /// `data` holds the ids, and a `standard_error` is at most this (the sum over the vector).
    pub explanation: Explanation,
    /// For attention methods the weights of all layers and heads, `[layers, heads, tokens, tokens]`.
    pub attention: Option<ArrayD<f64>>,
}

impl TextExplanation {
    /// The value of each token.
    pub fn token_values(&self, target: usize) -> Vec<f64> {
        self.explanation.values_of(0, target).iter().copied().collect()
    }

    /// The value of each word: the sum over its tokens.
    pub fn word_values(&self, target: usize) -> Vec<f64> {
        self.of_words(&self.token_values(target))
    }

    /// The standard error of each word's value, for sampled methods: at most this, exactly this for methods whose players are words.
    pub fn word_errors(&self, target: usize) -> Option<Vec<f64>> {
        let errors = self.explanation.errors_of(0, target)?;
        Some(self.of_words(&errors.iter().copied().collect::<Vec<f64>>()))
    }

    fn of_words(&self, of_tokens: &[f64]) -> Vec<f64> {
        self.words.iter().map(|word| of_tokens[word.tokens.clone()].iter().sum()).collect()
    }
}

/// Explains one text; `file` names where it came from and may be empty.
///
/// # Errors
/// An empty text, or one of more tokens than the model takes; a token or target that is not there; whatever the method
/// reports.
pub fn explain_text(
    model: &TextModel,
    text: &str,
    file: &str,
    request: &TextRequest,
    work: &Work,
) -> Result<TextExplanation, Error> {
    if AgnosticMethod::is_one(&request.method) {
        return explain_by_predictions(model, text, file, request, work);
    }
    let asked = AskedText::new(model, text, file, request)?;
    let attributed = attribute(&asked.part, &asked.input, &asked.request, work)?;
    asked.told(model, attributed, work)
}

/// A text with what is asked about it but the method, as the part of the model behind its vectors takes it.
pub(super) struct TextPart {
    pub(super) encoded: EncodedText,
    pub(super) token: Option<usize>,
    pub(super) part: LoadedModel,
    pub(super) input: Input,
    pub(super) target: Target,
    pub(super) ids: Vec<i64>,
    tokenizer_digest: String,
    /// The target in words, where it is more than one output.
    words: Option<String>,
}

impl TextPart {
    pub(super) fn new(
        model: &TextModel,
        text: &str,
        file: &str,
        request: &TextRequest,
    ) -> Result<Self, Error> {
        let encoded = model.encode(text)?;
        let token = explained_token(model, &encoded, request.token)?;
        let part = model.part(&encoded, Reading { token, log_probability: request.log_probability })?;
        let ids: Vec<i64> = encoded.tokens.iter().map(|token| token.id).collect();
        let vectors = model.tokens().vectors(&ids)?;
        let (target, words) = target(model, &part, request)?;
        let input = Input {
            rows: vectors.insert_axis(Axis(0)).into_dyn(),
            sources: vec![Source { file: file.to_owned(), row_index: 0, crop_box: None }],
            feature_names: Some(encoded.tokens.iter().map(|token| token.name.clone()).collect()),
            other_columns: BTreeMap::new(),
            warnings: model.tokens().warnings(),
        };
        let tokenizer_digest = model.tokenizer().digest().to_owned();
        Ok(Self { encoded, token, part, input, target, ids, tokenizer_digest, words })
    }

    /// Says in an explanation of tokens what only the text knows.
    pub(super) fn tell(&self, about: &mut About) {
        if let Some(words) = &self.words {
            about.target.asked.clone_from(words);
        }
        about.parameters.insert("tokenizer_digest".to_owned(), self.tokenizer_digest.clone().into());
        if about.output_names.as_ref().is_some_and(|names| names.len() > MAX_OUTPUT_NAMES) {
            about.output_names = None;
        }
    }

    /// The ids as the data of an explanation, `[1, tokens]`.
    pub(super) fn data(&self) -> ArrayD<f64> {
        let ids: Array1<f64> = self.ids.iter().map(|&id| id as f64).collect();
        ids.insert_axis(Axis(0)).into_dyn()
    }
}

/// The same with the method.
pub(super) struct AskedText {
    text: TextPart,
    pub(super) request: Request,
    baseline: Option<&'static str>,
}

impl std::ops::Deref for AskedText {
    type Target = TextPart;

    fn deref(&self) -> &TextPart {
        &self.text
    }
}

impl AskedText {
    pub(super) fn new(
        model: &TextModel,
        text: &str,
        file: &str,
        request: &TextRequest,
    ) -> Result<Self, Error> {
        let text = TextPart::new(model, text, file, request)?;
        let (method, baseline) = method(model, &text.part, &text.encoded, text.token, request)?;
        let request = Request { method, target: text.target.clone(), seed: request.seed };
        Ok(Self { text, request, baseline })
    }

    /// What the attribution of the vectors says of the tokens.
    pub(super) fn told(
        &self,
        model: &TextModel,
        mut attributed: Attributed,
        work: &Work,
    ) -> Result<TextExplanation, Error> {
        let Self { text: TextPart { part, input, encoded, token, .. }, request, .. } = self;
        let (mut attention, mut checks) = (None, Vec::new());
        if let Method::Attention(_) = request.method {
            let maps = attention_maps(part.network(), &input.rows, work)?;
            attention = Some(maps.index_axis_move(Axis(0), 0));
            let blank = self.blank(model, None)?;
            let (method, seed) = (&request.method, request.seed);
            checks = deletion_checks(part, input, method, &mut attributed, seed, Some(&blank), work)?;
        }
        let mut explanation = by_token(explanation(part, input, request, work, attributed)?, &self.text);
        let about = &mut explanation.about;
        about.deletion = checks;
        if let Some(baseline) = self.baseline {
            about.parameters.insert("baseline".to_owned(), Parameter::Text(baseline.to_owned()));
            // Its vectors differ from text to text; the name says what they are.
            about.parameters.remove("baseline_digest");
        }
        self.text.tell(about);
        let (encoded, token) = (encoded.clone(), *token);
        Ok(TextExplanation { words: words(&encoded), encoded, token, explanation, attention })
    }

    /// The text without content, `[1, tokens, width]`, by a baseline's name.
    pub(super) fn blank(&self, model: &TextModel, baseline: Option<&str>) -> Result<ArrayD<f32>, Error> {
        let vectors = TextBaseline::parse(baseline, model)?.vectors(model, &self.encoded)?;
        Ok(vectors.insert_axis(Axis(0)).into_dyn())
    }
}

/// The token whose outputs are explained, `None` for models with outputs for the whole text.
pub(super) fn explained_token(
    model: &TextModel,
    text: &EncodedText,
    asked: Option<usize>,
) -> Result<Option<usize>, Error> {
    if asked.is_some() || !model.tokens().has_outputs_per_token() {
        return Ok(asked);
    }
    let n_own = text.tokens.len() - text.n_padding;
    let last = n_own.checked_sub(1).filter(|&last| !text.tokens[last].special);
    let mask_id = model.tokenizer().mask_id();
    let masked: Vec<usize> = (0..n_own).filter(|&index| Some(text.tokens[index].id) == mask_id).collect();
    match (model.outputs_are_tokens(), masked.as_slice(), last) {
        (true, [masked], _) => Ok(Some(*masked)),
        (true, _, Some(last)) => Ok(Some(last)),
        _ => {
            let named = text.tokens[..n_own].iter().enumerate();
            let named: Vec<String> = named.map(|(index, token)| format!("{index} {}", token.name)).collect();
            let reason =
                format!("the model has outputs for every token; say which one of: {}", named.join(", "));
            Err(Error::request("token", reason))
        }
    }
}

/// The method, and its baseline where it has one.
pub(super) fn method(
    model: &TextModel,
    part: &LoadedModel,
    text: &EncodedText,
    token: Option<usize>,
    request: &TextRequest,
) -> Result<(Method, Option<&'static str>), Error> {
    let name = request.method.as_str();
    let mut plain = MethodOptions { baseline: None, ..request.options.clone() };
    if AttentionMethod::NAMES.contains(&name.replace('-', "_").as_str()) {
        // The token whose outputs are explained is the one that looks.
        plain.attention.query = plain.attention.query.or_else(|| token.map(|token| token.to_string()));
    }
    let has_baseline = Method::new(name, &plain, part, request.seed)?
        .parameters()
        .iter()
        .any(|(option, _)| *option == "baseline");
    if !has_baseline {
        // Says that there is no such option, if one was given.
        let options = MethodOptions { baseline: request.options.baseline.clone(), ..plain };
        return Ok((Method::new(name, &options, part, request.seed)?, None));
    }
    let baseline = TextBaseline::parse(request.options.baseline.as_deref(), model)?;
    let vectors = baseline.vectors(model, text)?.into_dyn();
    let options = MethodOptions { baseline_array: Some(vectors), ..plain };
    Ok((Method::new(name, &options, part, request.seed)?, Some(baseline.name())))
}

/// The target as the part has it, and in words where it is more than one output.
fn target(
    model: &TextModel,
    part: &LoadedModel,
    request: &TextRequest,
) -> Result<(Target, Option<String>), Error> {
    let asked = request.target.clone().unwrap_or(Target::Top(1));
    let target = model.target(&asked);
    let Some(contrast) = &request.contrast else {
        let words = request.log_probability.then(|| format!("log-probability of {asked}"));
        return Ok((target, words));
    };
    let index = |target: Target| match crate::aim::by_index(part, &target)? {
        Target::Index(index) => Ok(index),
        other => Err(Error::request("contrast", format!("needs two single outputs; {other} is none"))),
    };
    let (a, b) = (index(target)?, index(model.target(contrast))?);
    let words = format!("{} − {}", part.output_label(a), part.output_label(b));
    Ok((Target::Weighted(vec![(a, 1.0), (b, -1.0)]), Some(words)))
}

/// An explanation of vectors as one of tokens: what a token gets is the sum over its vector.
fn by_token(mut explanation: Explanation, text: &TextPart) -> Explanation {
    let vectors = [text.ids.len(), explanation.data.len_of(Axis(2))];
    explanation.values = summed(explanation.values, vectors);
    explanation.standard_error = explanation.standard_error.map(|errors| summed(errors, vectors));
    explanation.data = text.data();
    explanation.baselines = None;
    explanation
}

/// `[1, tokens, width, …]` summed over the width; what is of tokens already stays.
fn summed(array: ArrayD<f64>, vectors: [usize; 2]) -> ArrayD<f64> {
    let is_of_vectors = array.ndim() > 2 && array.shape()[1..3] == vectors;
    if is_of_vectors { array.sum_axis(Axis(2)) } else { array }
}
