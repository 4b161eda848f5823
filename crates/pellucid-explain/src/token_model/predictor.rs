//! A token model as it is asked: ids in, outputs out, texts of any lengths.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};
use pellucid_core::Work;
use pellucid_graph::passes::prune;
use pellucid_graph::{Attribute, ElementType, Session, Tensor, Type};

use crate::error::Error;
use crate::micro_batch::{first_rows, in_waves, rows_at_once};
use crate::token_model::{TokenModel, Tokens, check_log_probability, last_axis};

/// The whole graph, ids and all, with its outputs before a final softmax or sigmoid.
pub struct TokenPredictor<'a> {
    model: &'a TokenModel,
    session: Arc<dyn Session>,
    /// The names of its inputs; the place of the explained token has none.
    inputs: Vec<Option<String>>,
    /// What the activations of the longest text take.
    text_bytes: usize,
    /// The number of texts of every run, where the file fixes it.
    fixed_batch: Option<usize>,
}

/// A text that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AskedTokens {
    /// The text.
    pub tokens: Tokens,
    /// The token whose outputs are asked for, for models with outputs for every token.
    pub token: Option<usize>,
}

impl TokenModel {
    /// The model as it is asked about texts no longer than `longest`; `log_probability` as in
    /// [`Reading`](crate::token_model::Reading).
    ///
    /// # Errors
    /// As [`TokenModel::network`].
    pub fn predictor(&self, longest: &Tokens, log_probability: bool) -> Result<TokenPredictor<'_>, Error> {
        let part = self.part(longest).map_err(|error| self.too_long(longest, error))?;
        let mut graph = self.graph.clone();
        let (ending, before) = crate::network::ending(&graph, graph.outputs()[0], self.explain_probability);
        let mut wire = before;
        let place = self.has_outputs_per_token.then(|| {
            let place = graph.add_input("explained_token", Type::fixed(ElementType::I64, &[]));
            wire = graph.node("Gather", &[before, place], &[("axis", Attribute::Int(1))]);
            graph.name_of(place).to_owned()
        });
        if log_probability {
            check_log_probability(ending)?;
            wire = graph.node("LogSoftmax", &[wire], &last_axis());
        }
        graph.check_fault()?;
        graph.set_outputs(&[wire]);
        let graph = prune(&graph)?;
        let names = graph.inputs().iter().map(|input| graph.name_of(*input).to_owned());
        let inputs = names.map(|name| Some(name).filter(|name| place.as_ref() != Some(name))).collect();
        let fixed_batch = self.graph.shape(self.embedding.ids).and_then(|shape| shape.first()?.known());
        Ok(TokenPredictor {
            model: self,
            session: self.runtime.session(&graph)?,
            inputs,
            text_bytes: part.activation_bytes(),
            fixed_batch,
        })
    }
}

impl TokenPredictor<'_> {
    /// Weighted sums of the outputs of texts, `[texts, targets]`; `weights` `[outputs, targets]`. Texts of one length go together.
    ///
    /// # Errors
    /// A canceled work; whatever the session reports.
    pub fn outputs(
        &self,
        texts: &[AskedTokens],
        weights: ArrayView2<'_, f64>,
        work: &Work,
    ) -> Result<Array2<f64>, Error> {
        let mut alike: BTreeMap<(usize, Option<usize>), Vec<usize>> = BTreeMap::new();
        for (index, text) in texts.iter().enumerate() {
            alike.entry((text.tokens.ids.len(), text.token)).or_default().push(index);
        }
        let mut outputs = Array2::zeros((texts.len(), weights.ncols()));
        for indices in alike.into_values() {
            let of_texts: Vec<&AskedTokens> = indices.iter().map(|&index| &texts[index]).collect();
            let found = self.outputs_of_alike(&of_texts, weights, work)?;
            for (index, row) in indices.into_iter().zip(found.outer_iter()) {
                outputs.row_mut(index).assign(&row);
            }
        }
        Ok(outputs)
    }

    /// The same of texts of one length whose outputs are those of one place.
    fn outputs_of_alike(
        &self,
        texts: &[&AskedTokens],
        weights: ArrayView2<'_, f64>,
        work: &Work,
    ) -> Result<Array2<f64>, Error> {
        let lanes = self.session.lanes();
        let size =
            self.fixed_batch.unwrap_or_else(|| rows_at_once(self.text_bytes, lanes, texts.len(), work));
        let run = |wave: &[std::ops::Range<usize>]| {
            let batches = wave.iter().map(|range| self.filled(&texts[range.clone()]));
            let batches: Vec<Vec<Tensor>> = batches.collect::<Result<_, Error>>()?;
            Ok(self.session.run_all(&batches)?)
        };
        let mut outputs = Array2::zeros((texts.len(), weights.ncols()));
        in_waves(texts.len(), size, lanes, work, run, |range, tensors: Vec<Tensor>| {
            let n = range.len();
            let given = tensors.first().map_or_else(Vec::new, |tensor| first_rows(tensor, n));
            let given = Array2::from_shape_vec((n, weights.nrows()), given).map_err(|error| {
                Error::network(format!("its outputs have another number than it says: {error}"))
            })?;
            let slice = ndarray::Slice::from(range);
            outputs.slice_axis_mut(Axis(0), slice).assign(&given.dot(&weights));
            Ok(())
        })?;
        Ok(outputs)
    }

    /// What the graph's inputs hold for these texts, the last one repeated where the file fixes their number.
    fn filled(&self, texts: &[&AskedTokens]) -> Result<Vec<Tensor>, Error> {
        let last = texts.last().copied().into_iter();
        let n = self.fixed_batch.unwrap_or(texts.len());
        let texts: Vec<&AskedTokens> = texts.iter().copied().chain(last.cycle()).take(n).collect();
        let tensor = |name: &Option<String>| match name {
            None => Ok(Tensor::scalar(ElementType::I64, texts[0].token.unwrap_or(0) as f64)),
            Some(name) => {
                let elements = texts.iter().map(|text| self.model.elements(name, &text.tokens));
                let elements: Option<Vec<Vec<i64>>> = elements.collect();
                let elements = elements
                    .ok_or_else(|| Error::network(format!("no tokenizer fills its input `{name}`")))?;
                Ok(Tensor::i64(&[n, elements[0].len()], elements.concat()))
            }
        };
        self.inputs.iter().map(tensor).collect()
    }
}
