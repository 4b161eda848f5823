//! A network that reads texts: its tokenizer fills the file's inputs, one session predicts, another explains.

use std::sync::Arc;

use pellucid_engine::{
    AgnosticMethod, Error, RecordContext, Runtime, Session, Tensor, TensorData, TextModel, TextRequest, Work,
    explain_text, parse_target, recorded_text,
};
use pellucid_store::{Record, RecordedModel};

use super::options::Given;
use super::plan::Asked;
use super::served::Signature;
use crate::error::Fault;

/// What the input is called: the file's own inputs are the tokenizer's business.
pub(crate) const TEXT_INPUT: &str = "text";

/// What a plan is tried on.
const TRIED: &str = "a";

/// A text model as it is served.
pub(crate) struct ServedTexts {
    pub(crate) model: TextModel,
    session: Arc<dyn Session>,
    /// The explained output among the file's.
    output: usize,
}

impl ServedTexts {
    pub(crate) fn new(model: TextModel, runtime: &dyn Runtime) -> Result<Self, Fault> {
        let graph = model.graph();
        let name = model.output_name();
        let output = graph.outputs().iter().position(|&output| graph.name_of(output) == name);
        let output = output.ok_or_else(|| Fault::Unprocessable(format!("has no output `{name}`")))?;
        let session = runtime.session(graph).map_err(Error::from)?;
        Ok(Self { session, output, model })
    }

    /// The explained outputs of texts, `[texts, outputs]`, as the file gives them: of a model with outputs for every token those of
    /// the explained one.
    ///
    /// # Errors
    /// A text that the model cannot take; whatever the session reports.
    pub(crate) fn predict(&self, texts: &[String]) -> Result<Vec<Tensor>, Fault> {
        let n = self.model.n_outputs();
        let mut outputs = Vec::with_capacity(texts.len() * n);
        for text in texts {
            outputs.extend(self.outputs_of(text)?);
        }
        let tensor = Tensor::try_new(vec![texts.len(), n], TensorData::F32(outputs));
        Ok(vec![tensor.ok_or_else(|| Fault::Internal("the outputs do not fill their shape".to_owned()))?])
    }

    fn outputs_of(&self, text: &str) -> Result<Vec<f32>, Fault> {
        let (inputs, n) = (self.model.inputs_of(text)?, self.model.n_outputs());
        let outputs = self.session.run(&inputs.tensors).map_err(|error| {
            // A text that is too long is the caller's to shorten.
            self.model.check_length(text).err().unwrap_or_else(|| error.into())
        })?;
        let outputs = outputs.get(self.output).map(Tensor::to_f32s).unwrap_or_default();
        let start = inputs.token.unwrap_or(0) * n;
        let own = outputs.get(start..start + n);
        own.map(<[f32]>::to_vec)
            .ok_or_else(|| Fault::Internal("the model gave other outputs than it says".to_owned()))
    }

    pub(crate) fn signatures(&self) -> (Vec<Signature>, Vec<Signature>) {
        let n = i64::try_from(self.model.n_outputs()).unwrap_or(-1);
        let signature = |name: &str, datatype, shape| Signature { name: name.to_owned(), datatype, shape };
        (
            vec![signature(TEXT_INPUT, "BYTES", vec![-1])],
            vec![signature(self.model.output_name(), "FP32", vec![-1, n])],
        )
    }

    /// What is asked about each text.
    ///
    /// # Errors
    /// Options that are of no method for texts; several targets.
    pub(crate) fn request(&self, asked: &Asked, given: Given) -> Result<TextRequest, Fault> {
        let name = asked.method.as_deref().unwrap_or("integrated_gradients");
        if let Some(option) = given.trees.first_given() {
            return Err(Fault::BadRequest(format!("options: methods for texts have no option `{option}`")));
        }
        if let Some(space) = &asked.output_space {
            return Err(Fault::BadRequest(format!("output_space: {space} is not for texts")));
        }
        if !given.networks.background.is_empty() {
            return Err(Fault::Unprocessable(
                "explain: background is of rows; this model reads texts".to_owned(),
            ));
        }
        let target = parse_target(&asked.target)?;
        if target.n_targets() > 1 {
            return Err(Fault::BadRequest(format!(
                "target: `{target}` is several outputs; a record explains one: top-1, an index or a label"
            )));
        }
        let request = TextRequest {
            method: name.to_owned(),
            target: Some(target),
            seed: asked.seed,
            ..TextRequest::default()
        };
        if AgnosticMethod::is_one(name) {
            return Ok(TextRequest { predicted: given.agnostic()?, ..request });
        }
        match given.of_any {
            Some(option) => Err(Fault::BadRequest(format!("options: {name} has no option `{option}`"))),
            None => Ok(TextRequest { options: given.networks, ..request }),
        }
    }

    /// The record of a text explained so: what all records by this request have in common.
    ///
    /// # Errors
    /// What the model or the method does not have.
    pub(crate) fn tried(&self, request: &TextRequest, recorded: &RecordedModel) -> Result<Record, Fault> {
        let explained = explain_text(&self.model, TRIED, "", request, &Work::default())?;
        let context = RecordContext {
            model_name: Some(&recorded.name),
            model_version: Some(&recorded.version),
            ..RecordContext::new("tried", 0)
        };
        Ok(recorded_text(&explained, &context)?.0)
    }
}
