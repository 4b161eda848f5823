//! `pellucid explain`.

use pellucid_engine::{Cancellation, LoadedModel, Opened, explain};

use crate::arguments::ExplainArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::{open, summary, tables};

pub(crate) fn run(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    match open::opened(&arguments.what, &arguments.work.runtime)? {
        Opened::Network(model) => network(&model, arguments, console, cancellation),
        Opened::Trees(model) => tables::explain(&model, arguments, console, cancellation),
    }
}

fn network(
    model: &LoadedModel,
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    open::refuse(arguments.trees.first_given(), "is for tree models; this is a network")?;
    let input = model.read_input(&arguments.what.inputs, arguments.what.array.as_deref())?;
    let request = open::request(model, &arguments.method, &arguments.target, arguments.work.seed)?;
    let work = open::work(&arguments.work, arguments.json, cancellation);
    let explanation = explain(model, &input, &request, &work)?;
    let written = match &arguments.out {
        Some(folder) => open::write_files(folder, &open::files_of(&explanation)?)?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&explanation.to_json()?),
        false => console.print(&summary::text(&explanation, &request.method, &written)),
    }
}
