//! A model file or the address of a served model → something that predicts, and what reads rows for it.

use std::path::PathBuf;

use pellucid_engine::{
    Address, EndpointOptions, Error, Input, Opened, OutputSpace, PredictedModel, PredictedRows, ReadOptions,
    TreeModel, on_threads, patience, read_text_file,
};

use crate::arguments::{InputArguments, ServedArguments, TreeArguments, WorkArguments};
use crate::failure::Failure;
use crate::{open, tables};

/// What says which model is asked, and how.
pub(crate) struct Asked<'a> {
    pub(crate) what: &'a InputArguments,
    pub(crate) trees: &'a TreeArguments,
    pub(crate) served: &'a ServedArguments,
    pub(crate) work: &'a WorkArguments,
}

/// Reads files as rows of the model; of a table, the named columns are none of its features.
pub(crate) type Read<'a> = &'a dyn Fn(&[PathBuf], &[String]) -> Result<PredictedRows, Error>;

/// The address, where a served model is named instead of a file.
pub(crate) fn address(what: &InputArguments) -> Option<&str> {
    what.model.model.to_str().filter(|text| Address::is_one(text))
}

impl Asked<'_> {
    /// Calls `run` with the model, what reads rows for it, and the trees that it is, if it is trees.
    pub(crate) fn with_model<T: Send>(
        &self,
        run: impl FnOnce(PredictedModel<'_>, Read<'_>, Option<&TreeModel>) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        self.with_outputs(|_| None, run)
    }

    /// The same of a model that gives probabilities where it can, if no space of outputs is asked for.
    pub(crate) fn with_probabilities<T: Send>(
        &self,
        run: impl FnOnce(PredictedModel<'_>, Read<'_>, Option<&TreeModel>) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        self.with_outputs(|classifies| classifies.then_some(OutputSpace::Probability), run)
    }

    /// `usual` says from whether the model classifies which space is taken, if none is asked for.
    fn with_outputs<T: Send>(
        &self,
        usual: impl FnOnce(bool) -> Option<OutputSpace> + Send,
        run: impl FnOnce(PredictedModel<'_>, Read<'_>, Option<&TreeModel>) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        open::refuse(
            self.what.texts.first_given(),
            "is for models of texts; this is asked of tables and images",
        )?;
        let asked = self.space()?;
        let array = self.what.array.as_deref();
        if let Some(address) = address(self.what) {
            open::refuse(
                asked.map(|_| "output_space"),
                "is for a model's file; a served one gives what it gives",
            )?;
            let model = self.endpoint(address)?;
            model.check_space(asked)?;
            let row_shape = model.predictor().row_shape().to_vec();
            let read = |paths: &[PathBuf], kept: &[String]| {
                let options = ReadOptions { input_shape: &row_shape, array, kept, ..ReadOptions::default() };
                Ok(Input::read(paths, &options)?.into())
            };
            return run(model, &read, None);
        }
        self.served.refuse()?;
        match open::opened(self.what, self.trees, &self.work.runtime)? {
            Opened::Network(model) => {
                let read = |paths: &[PathBuf], kept: &[String]| {
                    PredictedRows::of_network(&model, paths, array, kept)
                };
                run(
                    PredictedModel::of_network(&model, asked.or_else(|| usual(model.classifies())))?,
                    &read,
                    None,
                )
            }
            Opened::Trees(model) => on_threads(tables::threads(self.work), || {
                let read =
                    |paths: &[PathBuf], kept: &[String]| PredictedRows::of_trees(&model, paths, array, kept);
                run(
                    PredictedModel::of_trees(&model, asked.or_else(|| usual(model.classifies())))?,
                    &read,
                    Some(&model),
                )
            })?,
        }
    }

    fn endpoint(&self, address: &str) -> Result<PredictedModel<'static>, Failure> {
        let token = match &self.served.token_file {
            Some(path) => Some(read_text_file(path)?.trim().to_owned()),
            None => None,
        };
        let patience = patience(self.served.timeout)?;
        let options = EndpointOptions { patience, token, ..EndpointOptions::default() };
        let of_model = self.what.model.options(self.what.preprocess.options())?;
        Ok(PredictedModel::of_endpoint(address, options, &of_model)?)
    }

    fn space(&self) -> Result<Option<OutputSpace>, Failure> {
        let Some(name) = &self.trees.options().output_space else { return Ok(None) };
        let found = OutputSpace::ALL.into_iter().find(|space| space.name() == name.replace('-', "_"));
        let reason = || format!("there is no `{name}`; there are: margin, probability, value");
        Ok(Some(found.ok_or_else(|| Error::Request { option: "output_space".to_owned(), reason: reason() })?))
    }
}
