//! `pellucid explain`.

use pellucid_engine::{Cancellation, LoadedModel, Opened, attention_files, conservation_csv, explain};

use crate::arguments::ExplainArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::log::{Explained, Keep, Sink, first_fault};
use crate::{agnostic, open, summary, tables, texts};

pub(crate) fn run(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let sink = Sink::of(&arguments.keeping, console)?;
    let keep = |explained: Explained<'_>| sink.as_ref().map_or(Ok(()), |sink| sink.keep(explained));
    let done = explained(arguments, console, cancellation, &keep);
    first_fault(done, sink.map_or(Ok(()), |sink| sink.finish(console)))
}

/// Explains, gives what was explained to `keep`, and then writes and prints it.
pub(crate) fn explained(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
    keep: Keep<'_>,
) -> Result<(), Failure> {
    if arguments.what.texts.first_given().is_some() {
        return texts::explain(arguments, console, cancellation, keep);
    }
    if agnostic::is_asked(arguments) {
        return agnostic::explain(arguments, console, cancellation, keep);
    }
    open::refuse(
        arguments.agnostic.first_given(),
        "is for methods that need predictions alone, such as kernel-shap",
    )?;
    match open::opened(&arguments.what, &arguments.trees, &arguments.work.runtime)? {
        Opened::Network(model) => network(&model, arguments, console, cancellation, keep),
        Opened::Trees(model) => tables::explain(&model, arguments, console, cancellation, keep),
    }
}

fn network(
    model: &LoadedModel,
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
    keep: Keep<'_>,
) -> Result<(), Failure> {
    open::refuse(
        arguments.trees.without_background().first_given(),
        "is for tree models; this is a network",
    )?;
    let input =
        model.read_table(&arguments.what.inputs, arguments.what.array.as_deref(), &arguments.kept())?;
    let request = open::request(
        model,
        &arguments.method,
        &arguments.trees.background,
        &arguments.target,
        arguments.work.seed,
    )?;
    let work = open::work(&arguments.work, arguments.json, "evaluations", cancellation);
    let explanation = explain(model, &input, &request, &work)?;
    keep(Explained::Rows(&explanation))?;
    let (mut written, mut left_out) = (Vec::new(), None);
    if let Some(folder) = &arguments.out {
        let mut files = open::files_of(&explanation)?;
        let (method, max_rows) = (&request.method, open::MAX_PICTURED_ROWS);
        files.extend(attention_files(model, &input, method, &explanation, max_rows, &work)?);
        if arguments.conservation {
            let table = conservation_csv(model, &input, &request, &work)?;
            files.push(("conservation.csv".to_owned(), table));
        }
        written = open::write_files(folder, &files)?;
        left_out = open::left_out(&explanation, &files);
    }
    match arguments.json {
        true => console.print(&explanation.to_json()?),
        false => {
            console.print(&summary::text(&explanation, &request.method.parameters(), &written))?;
            left_out.map_or(Ok(()), |line| console.print(&line))
        }
    }
}
