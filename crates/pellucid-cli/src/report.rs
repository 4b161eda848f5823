//! `pellucid report`.

use pellucid_engine::{
    Cancellation, LoadedModel, MethodOptions, Opened, ReportOptions, TreeModel, on_threads, read_target,
    report, report_table, write_file,
};

use crate::arguments::ReportArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::{open, tables, texts};

pub(crate) fn run(
    arguments: &ReportArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    let page = match arguments.what.texts.first_given() {
        Some(_) => texts::report(arguments, cancellation)?,
        None => of_rows(arguments, cancellation)?,
    };
    let path = arguments.out.join("index.html");
    write_file(&path, page.as_bytes())?;
    let shown = std::path::absolute(&path).unwrap_or(path);
    console.print(&format!("Open this page in a browser: {}", shown.display()))
}

fn of_rows(arguments: &ReportArguments, cancellation: &Cancellation) -> Result<String, Failure> {
    match open::opened(&arguments.what, &arguments.trees, &arguments.work.runtime)? {
        Opened::Network(model) => of_photos(&model, arguments, cancellation),
        Opened::Trees(model) => of_table(&model, arguments, cancellation),
    }
}

fn of_photos(
    model: &LoadedModel,
    arguments: &ReportArguments,
    cancellation: &Cancellation,
) -> Result<String, Failure> {
    let cohort = arguments.cohort.as_ref().map(|_| "cohort");
    open::refuse(arguments.trees.first_given().or(cohort), "is for tree models; this is a network")?;
    let work = open::work(&arguments.work, false, "evaluations", cancellation);
    let defaults = ReportOptions::default();
    let methods = match &arguments.methods {
        None => defaults.methods.clone(),
        Some(names) => names.iter().map(|name| (name.clone(), MethodOptions::default())).collect(),
    };
    let target = read_target(model, &arguments.target)?;
    let options = ReportOptions { methods, target, seed: arguments.work.seed, ..defaults };
    Ok(report(model, &arguments.what.inputs, &options, &work)?)
}

fn of_table(
    model: &TreeModel,
    arguments: &ReportArguments,
    cancellation: &Cancellation,
) -> Result<String, Failure> {
    open::refuse(arguments.methods.as_ref().map(|_| "methods"), tables::FOR_NETWORKS)?;
    let mut request = tables::request(
        model,
        &arguments.what,
        None,
        &arguments.trees,
        &arguments.target,
        arguments.work.seed,
    )?;
    let features = model.ensemble().feature_names.as_deref().unwrap_or_default();
    if let Some(cohort) = arguments.cohort.as_ref().filter(|name| !features.contains(name)) {
        request.other_columns.push(cohort.clone());
    }
    let work = open::work(&arguments.work, false, "rows", cancellation);
    let page = on_threads(tables::threads(&arguments.work), || {
        report_table(model, &arguments.what.inputs, &request, arguments.cohort.as_deref(), &work)
    });
    Ok(page??)
}
