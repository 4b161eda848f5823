//! `pellucid explain`.

use pellucid_engine::{Cancellation, explain};

use crate::arguments::ExplainArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::{open, summary};

pub(crate) fn run(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let model = open::model_of_inputs(&arguments.what, &arguments.work.runtime)?;
    let input = model.read_input(&arguments.what.inputs, arguments.what.array.as_deref())?;
    let request = open::request(&model, &arguments.method, &arguments.target, arguments.work.seed)?;
    let work = open::work(&arguments.work, arguments.json, cancellation);
    let explanation = explain(&model, &input, &request, &work)?;
    let written = match &arguments.out {
        Some(folder) => open::write_files(folder, &open::files_of(&explanation)?)?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&explanation.to_json()?),
        false => console.print(&summary::text(&explanation, &request.method, &written)),
    }
}
