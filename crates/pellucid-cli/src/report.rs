//! `pellucid report`.

use pellucid_engine::{Cancellation, MethodOptions, ReportOptions, parse_target, report, write_file};

use crate::arguments::ReportArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open;

pub(crate) fn run(
    arguments: &ReportArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let model = open::model_of_inputs(&arguments.what, &arguments.work.runtime)?;
    let work = open::work(&arguments.work, false, cancellation);
    let defaults = ReportOptions::default();
    let methods = match &arguments.methods {
        None => defaults.methods.clone(),
        Some(names) => names.iter().map(|name| (name.clone(), MethodOptions::default())).collect(),
    };
    let target = parse_target(&arguments.target)?;
    let options = ReportOptions { methods, target, seed: arguments.work.seed, ..defaults };
    let page = report(&model, &arguments.what.inputs, &options, &work)?;
    let path = arguments.out.join("index.html");
    write_file(&path, page.as_bytes())?;
    let shown = std::path::absolute(&path).unwrap_or(path);
    console.print(&format!("Open this page in a browser: {}", shown.display()))
}
