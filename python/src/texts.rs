//! Texts + keywords → a value for each token and each word.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array1, ArrayD};
use numpy::{PyArrayDyn, PyReadonlyArray2};
use pellucid_engine::{
    AgnosticMethod, AgnosticOptions, MethodOptions, TextCompilation, TextExplanation, TextFunctionRequest,
    TextModel, TextRequest, TextWords, compile_text, explain_text, text_fragment, text_head_view, text_html,
    text_svg, texts_json,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::frozen;
use crate::errors::{During, fault, raised};
use crate::explanation::ExplanationCore;
use crate::model::Wishes;
use crate::options;
use crate::predicted::Description;
use crate::watched::{Limits, answering, watched};

/// A token model with its tokenizer.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct TextModelCore {
    model: Arc<TextModel>,
}

/// What a call says of a text beside target and method.
#[derive(FromPyObject)]
pub(crate) struct TextWishes<'py> {
    #[pyo3(item)]
    contrast: Option<Bound<'py, PyAny>>,
    #[pyo3(item)]
    token: Option<usize>,
    #[pyo3(item)]
    log_probability: bool,
}

/// The explanation of one text.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct TextCore {
    text: TextExplanation,
}

#[pymethods]
impl TextModelCore {
    /// Opens a model file and its `tokenizer.json`.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, tokenizer: PathBuf, wishes: Wishes) -> PyResult<Self> {
        let opened = py.detach(|| TextModel::open(&path, &tokenizer, wishes.runtime()?, &wishes.options()));
        let model = opened.map_err(|error| raised(&error, During::Loading))?;
        Ok(Self { model: Arc::new(model) })
    }

    #[getter]
    fn name(&self) -> &str {
        self.model.name()
    }

    /// Explains each text.
    #[pyo3(signature = (texts, method, target, wishes, options, seed, limits))]
    #[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
    fn explain(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        method: Option<&str>,
        target: &Bound<'_, PyAny>,
        wishes: TextWishes<'_>,
        options: Option<&Bound<'_, PyDict>>,
        seed: u64,
        limits: Limits,
    ) -> PyResult<Vec<TextCore>> {
        let method = method.unwrap_or("integrated_gradients");
        let (of_network, predicted) = match AgnosticMethod::is_one(method) {
            true => (MethodOptions::default(), options::of_text_predictions(options)?),
            false => (options::of_network(options)?, AgnosticOptions::default()),
        };
        let request = TextRequest {
            method: method.to_owned(),
            options: of_network,
            predicted,
            target: Some(options::target_of_text_model(target)?),
            contrast: wishes.contrast.as_ref().map(options::target_of_text_model).transpose()?,
            token: wishes.token,
            log_probability: wishes.log_probability,
            seed,
        };
        let explained = watched(py, &limits, |work| {
            texts.iter().map(|text| explain_text(&self.model, text, "", &request, work)).collect()
        });
        let explained: Vec<TextExplanation> = explained?;
        Ok(explained.into_iter().map(|text| TextCore { text }).collect())
    }

    /// The bytes of an ONNX file that takes ids and gives outputs and a value for each token.
    #[pyo3(signature = (n_tokens, method, target, token, log_probability, options, seed))]
    #[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
    fn compile<'py>(
        &self,
        py: Python<'py>,
        n_tokens: usize,
        method: Option<&str>,
        target: &Bound<'_, PyAny>,
        token: Option<usize>,
        log_probability: bool,
        options: Option<&Bound<'_, PyDict>>,
        seed: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let request = TextCompilation {
            method: method.unwrap_or("integrated_gradients").to_owned(),
            options: options::of_network(options)?,
            target: options::target_of_text_model(target)?,
            n_tokens,
            token,
            log_probability,
            seed,
        };
        let bytes = py.detach(|| compile_text(&self.model, &request)).map_err(fault)?;
        Ok(PyBytes::new(py, &bytes))
    }
}

/// Explains each text by a function of texts, `call`, which takes a list of them and gives an array of f64 `[texts, outputs]`; the Python side
/// sees to that.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "only the Python side of the package calls it")]
pub(crate) fn explain_text_function(
    py: Python<'_>,
    call: Py<PyAny>,
    description: Description,
    texts: Vec<String>,
    method: &str,
    target: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
    seed: u64,
    limits: Limits,
) -> PyResult<Vec<TextCore>> {
    let (info, options) = (description.info(), options::of_text_predictions(options)?);
    let request =
        TextFunctionRequest { method: method.to_owned(), target: options::target(target)?, options, seed };
    let explained = texts.iter().map(|text| {
        let words = TextWords::new(text, request.options.masking.baseline.as_deref()).map_err(fault)?;
        let answer = |py: Python<'_>, rows: ArrayD<f64>| {
            let outputs = call.call1(py, (words.texts(rows.view()),))?;
            let outputs: PyReadonlyArray2<'_, f64> = outputs.extract(py)?;
            Ok(outputs.as_array().to_owned())
        };
        let text = answering(py, &limits, &answer, |work, asker| {
            pellucid_engine::explain_text_function(
                &words,
                info.clone(),
                |rows| asker.ask(rows),
                &request,
                work,
            )
        })?;
        Ok(TextCore { text })
    });
    explained.collect()
}

#[pymethods]
impl TextCore {
    #[getter]
    fn text(&self) -> &str {
        &self.text.encoded.text
    }

    #[getter]
    fn tokens(&self) -> Vec<&str> {
        self.text.encoded.tokens.iter().map(|token| token.name.as_str()).collect()
    }

    #[getter]
    fn token_ids(&self) -> Vec<i64> {
        self.text.encoded.tokens.iter().map(|token| token.id).collect()
    }

    #[getter]
    fn is_special(&self) -> Vec<bool> {
        self.text.encoded.tokens.iter().map(|token| token.special).collect()
    }

    #[getter]
    fn token_spans(&self) -> Vec<(usize, usize)> {
        self.text.encoded.tokens.iter().map(|token| self.chars(&token.span)).collect()
    }

    #[getter]
    fn words(&self) -> Vec<&str> {
        self.text.words.iter().map(|word| &self.text.encoded.text[word.span.clone()]).collect()
    }

    #[getter]
    fn word_spans(&self) -> Vec<(usize, usize)> {
        self.text.words.iter().map(|word| self.chars(&word.span)).collect()
    }

    /// The token whose outputs are explained.
    #[getter]
    fn token(&self) -> Option<usize> {
        self.text.token
    }

    fn word_values(&self, py: Python<'_>, target: usize) -> Py<PyArrayDyn<f64>> {
        frozen(py, Array1::from(self.text.word_values(target)))
    }

    /// Their standard errors, of sampled methods.
    fn word_errors(&self, py: Python<'_>, target: usize) -> Option<Py<PyArrayDyn<f64>>> {
        self.text.word_errors(target).map(|errors| frozen(py, Array1::from(errors)))
    }

    /// The weights of attention, `[layers, heads, tokens, tokens]`, of attention methods.
    fn attention(&self, py: Python<'_>) -> Option<Py<PyArrayDyn<f64>>> {
        self.text.attention.clone().map(|maps| frozen(py, maps))
    }

    /// The explanation whose features are the tokens.
    fn explanation(&self, py: Python<'_>) -> ExplanationCore {
        ExplanationCore::new(py, self.text.explanation.clone())
    }

    fn html(&self, target: usize, by_token: bool) -> PyResult<String> {
        text_html(&self.text, target, by_token).map_err(fault)
    }

    /// A part of a page, for notebooks.
    fn fragment(&self, target: usize, by_token: bool) -> PyResult<String> {
        text_fragment(&self.text, target, by_token).map_err(fault)
    }

    fn svg(&self, target: usize, by_token: bool) -> PyResult<String> {
        text_svg(&self.text, target, by_token).map_err(fault)
    }

    /// All layers and heads on a page, of attention methods.
    fn attention_html(&self) -> PyResult<Option<String>> {
        text_head_view(&self.text).map_err(fault)
    }

    fn to_json(&self) -> PyResult<String> {
        texts_json(std::slice::from_ref(&self.text)).map_err(fault)
    }
}

impl TextCore {
    /// Bytes as characters, which Python counts.
    fn chars(&self, span: &Range<usize>) -> (usize, usize) {
        let text = &self.text.encoded.text;
        let start = text[..span.start].chars().count();
        (start, start + text[span.clone()].chars().count())
    }
}
