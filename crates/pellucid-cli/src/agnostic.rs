//! `pellucid explain` by predictions alone: of any model file, and of served models.

use std::path::PathBuf;

use pellucid_engine::{
    Address, AgnosticMethod, AgnosticOptions, AgnosticRequest, Cancellation, EndpointOptions, Error,
    Explanation, Input, LoadedModel, Opened, OutputSpace, PredictedModel, PredictedRows, ReadOptions,
    TreeModel, TreeTarget, explain_predicted, on_threads, patience, read_text_file,
};

use crate::arguments::ExplainArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::{open, summary, tables};

/// Whether the arguments ask for an explanation by predictions alone.
pub(crate) fn is_asked(arguments: &ExplainArguments) -> bool {
    served(arguments).is_some() || arguments.method.method.as_deref().is_some_and(AgnosticMethod::is_one)
}

/// The address, where a served model is named instead of a file.
fn served(arguments: &ExplainArguments) -> Option<&str> {
    arguments.what.model.model.to_str().filter(|text| Address::is_one(text))
}

pub(crate) fn explain(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let asked = Asked { arguments, console, cancellation };
    if let Some(address) = served(arguments) {
        return asked.of_endpoint(address);
    }
    match open::opened(&arguments.what, &arguments.trees, &arguments.work.runtime)? {
        Opened::Network(model) => asked.of_network(&model),
        Opened::Trees(model) => on_threads(tables::threads(&arguments.work), || asked.of_trees(&model))?,
    }
}

struct Asked<'a> {
    arguments: &'a ExplainArguments,
    console: &'a Console,
    cancellation: &'a Cancellation,
}

impl Asked<'_> {
    fn of_network(&self, model: &LoadedModel) -> Result<(), Failure> {
        let array = self.arguments.what.array.as_deref();
        let read = |paths: &[PathBuf]| PredictedRows::of_network(model, paths, array);
        self.run(PredictedModel::of_network(model, self.space()?)?, read)
    }

    fn of_trees(&self, model: &TreeModel) -> Result<(), Failure> {
        let (array, ignored) = (self.arguments.what.array.as_deref(), None);
        let read = |paths: &[PathBuf]| PredictedRows::of_trees(model, paths, array, ignored);
        self.run(PredictedModel::of_trees(model, self.space()?)?, read)
    }

    fn of_endpoint(&self, address: &str) -> Result<(), Failure> {
        let given = &self.arguments.agnostic;
        let of_model = self.arguments.what.model.options(self.arguments.what.preprocess.options());
        let token = match &given.token_file {
            Some(path) => Some(read_text_file(path)?.trim().to_owned()),
            None => None,
        };
        let patience = patience(given.timeout)?;
        let options = EndpointOptions { patience, token, ..EndpointOptions::default() };
        let model = PredictedModel::of_endpoint(address, options, &of_model)?;
        let row_shape = model.predictor().row_shape().to_vec();
        let read = |paths: &[PathBuf]| {
            let options = ReadOptions {
                input_shape: &row_shape,
                array: self.arguments.what.array.as_deref(),
                ..ReadOptions::default()
            };
            Ok(Input::read(paths, &options)?.into())
        };
        self.run(model, read)
    }

    fn space(&self) -> Result<Option<OutputSpace>, Failure> {
        let Some(name) = &self.arguments.trees.options().output_space else { return Ok(None) };
        let found = OutputSpace::ALL.into_iter().find(|space| space.name() == name.replace('-', "_"));
        let reason = || format!("there is no `{name}`; there are: margin, probability, value");
        Ok(Some(found.ok_or_else(|| Error::Request { option: "output_space".to_owned(), reason: reason() })?))
    }

    fn run(
        &self,
        model: PredictedModel<'_>,
        read: impl Fn(&[PathBuf]) -> Result<PredictedRows, Error>,
    ) -> Result<(), Failure> {
        let arguments = self.arguments;
        let model = match &arguments.agnostic.journal {
            Some(path) => model.kept_in(path)?,
            None => model,
        };
        let rows = read(&arguments.what.inputs)?;
        let name = arguments.method.method.as_deref().unwrap_or("kernel-shap");
        let names = rows.feature_names.as_deref();
        let method = AgnosticMethod::new(name, &self.options()?, &model, arguments.work.seed, names, read)?;
        let request = AgnosticRequest {
            method,
            target: TreeTarget::parse(&arguments.target)?,
            seed: arguments.work.seed,
        };
        let work = open::work(&arguments.work, arguments.json, "predictions", self.cancellation);
        let explanation = explain_predicted(&model, &rows, &request, &work)?;
        let written = self.written(&explanation)?;
        match arguments.json {
            true => self.console.print(&explanation.to_json()?),
            false => self.console.print(&summary::text(&explanation, &request.method.parameters(), &written)),
        }
    }

    fn options(&self) -> Result<AgnosticOptions, Failure> {
        let given = &self.arguments.agnostic;
        let (networks, trees) = (self.arguments.method.options.options(), self.arguments.trees.options());
        let mut options = AgnosticOptions::of(networks, trees)?;
        options.masking.background_clusters = given.background_clusters;
        options.masking.feature_group_names = given.feature_groups.clone();
        options.masking.segments = given.segments.clone();
        options.kernel_width = given.kernel_width;
        options.link = given.link.clone();
        (options.window, options.strides) = (given.window.clone(), given.strides.clone());
        Ok(options)
    }

    /// All of the explanation, and for tables and images its pictures.
    fn written(&self, explanation: &Explanation) -> Result<Vec<String>, Failure> {
        let Some(folder) = &self.arguments.out else { return Ok(Vec::new()) };
        let mut files = open::files_of(explanation)?;
        if explanation.data.ndim() == 2 {
            files.extend(tables::pictures(explanation)?);
        }
        open::write_files(folder, &files)
    }
}
