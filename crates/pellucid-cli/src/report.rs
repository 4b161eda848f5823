//! `pellucid report`.

use std::collections::BTreeMap;

use pellucid_engine::{
    AgnosticMethod, Cancellation, Error, LoadedModel, Method, MethodOptions, Opened, ReportOptions, Request,
    TreeModel, explain, on_threads, read_target, report, report_explained, report_table, write_file,
};

use crate::agnostic::ByPredictions;
use crate::arguments::ReportArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::predicted::{Asked, address};
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
    if address(&arguments.what).is_some() || method_of_table(arguments).is_some_and(AgnosticMethod::is_one) {
        return by_predictions(arguments, cancellation);
    }
    let given = arguments.agnostic.first_given();
    open::refuse(given, "is for methods that need predictions alone, such as --methods kernel-shap")?;
    match open::opened(&arguments.what, &arguments.trees, &arguments.work.runtime)? {
        Opened::Network(model) if model.input_shape().len() == 1 => {
            of_columns(&model, arguments, cancellation)
        }
        Opened::Network(model) => of_photos(&model, arguments, cancellation),
        Opened::Trees(model) => of_table(&model, arguments, cancellation),
    }
}

/// The method of the page of a table, which has one.
fn method_of_table(arguments: &ReportArguments) -> Option<&str> {
    match arguments.methods.as_deref() {
        Some([method]) => Some(method),
        _ => None,
    }
}

fn refuse_several_methods(arguments: &ReportArguments) -> Result<(), Failure> {
    let are_several = arguments.methods.as_ref().is_some_and(|methods| methods.len() != 1);
    open::refuse(are_several.then_some("methods"), "the page of a table is of one method")
}

/// The page of a table that a model of any kind predicts from.
fn by_predictions(arguments: &ReportArguments, cancellation: &Cancellation) -> Result<String, Failure> {
    let ReportArguments { what, trees, agnostic, work: bounds, .. } = arguments;
    refuse_several_methods(arguments)?;
    let asked = Asked { what, trees, served: &agnostic.served, work: bounds };
    let by = ByPredictions {
        method: method_of_table(arguments),
        options: MethodOptions::default(),
        trees,
        agnostic,
        target: &arguments.target,
        seed: bounds.seed,
    };
    let work = open::work(bounds, false, "predictions", cancellation);
    let cohort = arguments.cohort.as_deref();
    asked.with_model(|model, read, trees| {
        let features = trees.and_then(|trees| trees.ensemble().feature_names.as_deref());
        let mut rows = with_cohort(cohort, features, |kept| read(&what.inputs, kept))?;
        let is_table = rows.rows.ndim() == 2;
        open::refuse(
            (!is_table).then_some("methods"),
            "by predictions alone there are pages of tables only",
        )?;
        if features.is_none() {
            rows.warnings.extend(taken_as_features(&rows.other_columns, rows.feature_names.as_deref()));
        }
        let names = rows.names_of_columns();
        rows.feature_names.get_or_insert(names);
        let (explanation, _) = by.explain(model, &rows, read, &work)?;
        Ok(report_explained(&explanation, cohort)?)
    })
}

/// The page of a table that a network predicts from, by a method for networks.
fn of_columns(
    model: &LoadedModel,
    arguments: &ReportArguments,
    cancellation: &Cancellation,
) -> Result<String, Failure> {
    refuse_several_methods(arguments)?;
    let given = arguments.trees.without_background().first_given();
    open::refuse(given, "is for tree models; this is a network")?;
    let (name, background) = (method_of_table(arguments), arguments.trees.background.clone());
    let options = MethodOptions { background, ..MethodOptions::default() };
    let method = Method::new(name.unwrap_or("integrated-gradients"), &options, model, arguments.work.seed)?;
    let target = read_target(model, &arguments.target)?;
    let (cohort, array) = (arguments.cohort.as_deref(), arguments.what.array.as_deref());
    let mut input = with_cohort(cohort, None, |kept| model.read_table(&arguments.what.inputs, array, kept))?;
    let numbered = || (0..model.input_shape()[0]).map(|index| format!("feature {index}")).collect();
    input.feature_names.get_or_insert_with(numbered);
    let work = open::work(&arguments.work, false, "evaluations", cancellation);
    let mut explanation =
        explain(model, &input, &Request { method, target, seed: arguments.work.seed }, &work)?;
    explanation
        .about
        .warnings
        .extend(taken_as_features(&input.other_columns, input.feature_names.as_deref()));
    explanation.about.other_columns = input.other_columns;
    Ok(report_explained(&explanation, cohort)?)
}

/// Rows with the column of the cohort beside them, if it is none of the features.
fn with_cohort<T>(
    cohort: Option<&str>,
    features: Option<&[String]>,
    read: impl Fn(&[String]) -> Result<T, Error>,
) -> Result<T, Failure> {
    let Some(cohort) = cohort.map(str::to_owned) else { return Ok(read(&[])?) };
    if features.is_some_and(|features| features.contains(&cohort)) {
        return Ok(read(&[])?);
    }
    // What a table's features are is not known where only their number is: a feature cannot be left out.
    read(&[cohort]).or_else(|fault| read(&[]).map_err(|_| fault)).map_err(Failure::from)
}

/// Where a model names no features, nobody knows which column is none: the reader has to see which were taken.
fn taken_as_features(kept: &BTreeMap<String, Vec<String>>, features: Option<&[String]>) -> Option<String> {
    let (beside, features) = (kept.keys().next()?, features?);
    Some(format!(
        "`{beside}` is taken as no feature, and as the features, in this order: {}",
        features.join(", ")
    ))
}

fn of_photos(
    model: &LoadedModel,
    arguments: &ReportArguments,
    cancellation: &Cancellation,
) -> Result<String, Failure> {
    let cohort = arguments.cohort.as_ref().map(|_| "cohort");
    open::refuse(arguments.trees.first_given().or(cohort), "is for tables; this is a network of images")?;
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
    refuse_several_methods(arguments)?;
    let mut request = tables::request(
        model,
        &arguments.what,
        method_of_table(arguments),
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
