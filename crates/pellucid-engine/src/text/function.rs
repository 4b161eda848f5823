//! A function of texts + text → a value for each word.

use std::collections::HashMap;

use ndarray::{Array1, Array2, ArrayViewD, Axis};
use pellucid_core::Work;
use unicode_segmentation::UnicodeSegmentation;

use crate::agnostic::{
    AgnosticMethod, AgnosticOptions, AgnosticRequest, FunctionInfo, PredictedModel, PredictedRows,
    explain_predicted,
};
use crate::error::Error;
use crate::input::Source;
use crate::output_target::OutputTarget;
use crate::parameter::Parameter;
use crate::text::explain::TextExplanation;
use crate::text::predicted::{options_of_words, without_row};
use crate::text::tokenizer::{EncodedText, Token};
use crate::text::words::words;

/// The words of a text that a function reads as it stands: they come and go, and what is between them stays.
#[derive(Clone, Debug, PartialEq)]
pub struct TextWords {
    /// Its tokens are its words.
    encoded: EncodedText,
    /// What stands where a word is absent.
    absent: String,
    baseline: String,
}

impl TextWords {
    /// The words of `text`, punctuation by itself. An absent word is `deleted` (the default), or `token:TEXT` stands for it.
    ///
    /// # Errors
    /// A text without words; another baseline.
    pub fn new(text: &str, baseline: Option<&str>) -> Result<Self, Error> {
        let baseline = baseline.unwrap_or("deleted");
        let absent = match (baseline, baseline.strip_prefix("token:")) {
            ("deleted", _) => String::new(),
            (_, Some(token)) => token.to_owned(),
            _ => {
                let reason =
                    format!("`{baseline}` is none for a function of texts; there are: deleted, token:TEXT");
                return Err(Error::request("baseline", reason));
            }
        };
        let segments = text.split_word_bound_indices().filter(|(_, segment)| !segment.trim().is_empty());
        let token = |(start, segment): (usize, &str)| Token {
            name: segment.to_owned(),
            id: number(segment),
            span: start..start + segment.len(),
            special: false,
            type_id: 0,
        };
        let tokens: Vec<Token> = segments.map(token).collect();
        if tokens.is_empty() {
            return Err(Error::request("text", "is empty; there is nothing to explain"));
        }
        let encoded = EncodedText { text: text.to_owned(), tokens, n_padding: 0 };
        Ok(Self { encoded, absent, baseline: baseline.to_owned() })
    }

    /// The number of words.
    pub fn n_words(&self) -> usize {
        self.encoded.tokens.len()
    }

    /// The texts that rows `[rows, words]` stand for: a word whose number is 0 is absent.
    pub fn texts(&self, rows: ArrayViewD<'_, f64>) -> Vec<String> {
        let text = |row: ArrayViewD<'_, f64>| {
            let (mut text, mut end) = (String::with_capacity(self.encoded.text.len()), 0);
            for (word, &present) in self.encoded.tokens.iter().zip(&row) {
                text.push_str(&self.encoded.text[end..word.span.start]);
                text.push_str(if present == 0.0 { &self.absent } else { &word.name });
                end = word.span.end;
            }
            text + &self.encoded.text[end..]
        };
        rows.axis_iter(Axis(0)).map(text).collect()
    }
}

/// A number of a word that is never 0, so that draws are those of this text (FNV-1a).
fn number(word: &str) -> i64 {
    let hash =
        word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i64::from(hash) + 1
}

/// What is asked about a text.
#[derive(Clone, Debug)]
pub struct TextFunctionRequest {
    /// The method's name.
    pub method: String,
    /// Its options; the baseline is that of the words.
    pub options: AgnosticOptions,
    /// Which outputs.
    pub target: OutputTarget,
    /// What random draws are made from.
    pub seed: u64,
}

/// Explains a text by a function of such rows as [`TextWords::texts`] makes texts of; `info` says what it is, its row shape aside.
///
/// # Errors
/// An option that has no meaning for texts; whatever the function and the method report.
pub fn explain_text_function<'a>(
    text: &TextWords,
    info: FunctionInfo,
    predict: impl Fn(ArrayViewD<'_, f64>) -> Result<Array2<f64>, String> + Send + Sync + 'a,
    request: &TextFunctionRequest,
    work: &Work,
) -> Result<TextExplanation, Error> {
    let options = options_of_words(&request.options)?;
    let info = FunctionInfo { row_shape: vec![text.n_words()], ..info };
    let mut model = PredictedModel::of_function(info, move |rows| of_distinct(rows, &predict));
    model.reads_words = true;
    let numbers: Array1<f64> = text.encoded.tokens.iter().map(|token| token.id as f64).collect();
    let names: Vec<String> = text.encoded.tokens.iter().map(|token| token.name.clone()).collect();
    let rows = PredictedRows {
        other_columns: Default::default(),
        rows: numbers.insert_axis(Axis(0)).into_dyn(),
        sources: vec![Source { file: String::new(), row_index: 0, crop_box: None }],
        feature_names: Some(names.clone()),
        warnings: Vec::new(),
    };
    let none =
        |_: &[std::path::PathBuf]| Err(Error::request("background", "is of rows; this is about texts"));
    let method = AgnosticMethod::new(&request.method, &options, &model, request.seed, Some(&names), none)?;
    let asked = AgnosticRequest { method, target: request.target.clone(), seed: request.seed };
    let mut explanation = explain_predicted(&model, &rows, &asked, work)?;
    let about = &mut explanation.about;
    without_row(&mut about.warnings);
    about.parameters.insert("baseline".to_owned(), Parameter::Text(text.baseline.clone()));
    about.parameters.insert("players".to_owned(), Parameter::Text("words".to_owned()));
    // Of words, which are there or not, the name says all.
    about.parameters.remove("baseline_digest");
    let encoded = text.encoded.clone();
    Ok(TextExplanation { words: words(&encoded), encoded, token: None, explanation, attention: None })
}

/// Asks about each of the rows once: of few words, coalitions repeat.
fn of_distinct(
    rows: ArrayViewD<'_, f64>,
    predict: &impl Fn(ArrayViewD<'_, f64>) -> Result<Array2<f64>, String>,
) -> Result<Array2<f64>, String> {
    let mut known = HashMap::new();
    let mut firsts = Vec::new();
    let places: Vec<usize> = rows
        .axis_iter(Axis(0))
        .enumerate()
        .map(|(index, row)| {
            let present: Vec<bool> = row.iter().map(|&value| value != 0.0).collect();
            *known.entry(present).or_insert_with(|| {
                firsts.push(index);
                firsts.len() - 1
            })
        })
        .collect();
    let outputs = predict(rows.select(Axis(0), &firsts).view())?;
    match outputs.nrows() == firsts.len() {
        true => Ok(outputs.select(Axis(0), &places)),
        // Whoever asked says what is wrong with it.
        false => Ok(outputs),
    }
}
