//! `pellucid evaluate`.

use std::fmt::Write;

use pellucid_engine::{
    Cancellation, CurveOptions, Evaluation, EvaluationOptions, Metric, RowScores, evaluate,
};

use crate::arguments::EvaluateArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::written::wrote;
use crate::{open, summary, texts};

pub(crate) fn run(
    arguments: &EvaluateArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    if arguments.what.texts.first_given().is_some() {
        return texts::evaluate(arguments, &options(arguments)?, console, cancellation);
    }
    let model = open::model_of_inputs(&arguments.what, &arguments.work.runtime)?;
    let input = model.read_input(&arguments.what.inputs, arguments.what.array.as_deref())?;
    let request = open::request(
        &model,
        &arguments.method,
        &arguments.background,
        &arguments.target,
        arguments.work.seed,
    )?;
    let work = open::work(&arguments.work, arguments.json, "evaluations", cancellation);
    let evaluation = evaluate(&model, &input, &request, &options(arguments)?, &work)?;
    let mut written = Vec::new();
    if let Some(folder) = &arguments.out {
        let mut files = open::files_of(&evaluation.explanation)?;
        files.push(("evaluation.json".to_owned(), evaluation.to_json()?.into_bytes()));
        written = open::write_files(folder, &files)?;
    }
    match arguments.json {
        true => console.print(&evaluation.to_json()?)?,
        false => {
            let explained = summary::text(&evaluation.explanation, &request.method.parameters(), &[]);
            console.print(&format!("{explained}\n\n{}", text(&evaluation, &written)))?;
        }
    }
    checked(std::iter::once(&evaluation))
}

/// Fails with what does not hold.
pub(crate) fn checked<'a>(evaluations: impl Iterator<Item = &'a Evaluation>) -> Result<(), Failure> {
    let checks = evaluations.flat_map(|evaluation| &evaluation.checks);
    let broken: Vec<String> = checks.filter(|check| !check.holds).map(|check| check.claim.clone()).collect();
    if broken.is_empty() { Ok(()) } else { Err(Failure::Check(broken)) }
}

fn options(arguments: &EvaluateArguments) -> Result<EvaluationOptions, Failure> {
    let metrics = arguments.metrics.iter().map(|name| Metric::from_name(name.trim()));
    Ok(EvaluationOptions {
        metrics: metrics.collect::<Result<_, _>>()?,
        curves: CurveOptions {
            n_steps: arguments.curve_steps,
            n_random: arguments.n_random,
            patch: arguments.patch,
        },
        deletion_baseline: arguments.deletion_baseline.clone(),
        insertion_baseline: arguments.insertion_baseline.clone(),
        n_layers: arguments.n_layers,
        max_gap: arguments.max_gap,
        beat_random: arguments.beat_random,
    })
}

/// Tables of the scores.
pub(crate) fn text(evaluation: &Evaluation, written: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, evaluation, written);
    text.trim_end().to_owned()
}

fn write_text(text: &mut String, evaluation: &Evaluation, written: &[String]) -> std::fmt::Result {
    writeln!(text, "row target  completeness gap  deletion AUC (random)      insertion AUC (random)")?;
    for scores in &evaluation.scores {
        write_scores(text, scores)?;
    }
    if !evaluation.randomization.is_empty() {
        writeln!(
            text,
            "\nlike the original after redrawing down to   rank correlation (of absolute values)"
        )?;
        for stage in &evaluation.randomization {
            let (signed, absolute) = (correlation(stage.signed), correlation(stage.absolute));
            writeln!(text, "{:<43} {signed} ({absolute})", stage.layer)?;
        }
    }
    for check in &evaluation.checks {
        writeln!(text, "{} {}", if check.holds { "holds         " } else { "does not hold " }, check.claim)?;
    }
    text.push_str(&wrote(written));
    Ok(())
}

fn write_scores(text: &mut String, scores: &RowScores) -> std::fmt::Result {
    let gap = scores.completeness_gap.map_or("–".to_owned(), |gap| format!("{:.4} %", 100.0 * gap));
    let curve = |auc: Option<(f64, f64, f64)>| match auc {
        Some((auc, random, error)) => format!("{auc:.4} ({random:.4} ± {error:.4})"),
        None => "–".to_owned(),
    };
    let deletion = scores.deletion.as_ref();
    let deletion = deletion.map(|s| (s.curve.auc, s.random.mean.auc, s.random.standard_error));
    let insertion = scores.insertion.as_ref();
    let insertion = insertion.map(|s| (s.curve.auc, s.random.mean.auc, s.random.standard_error));
    writeln!(
        text,
        "{:<3} {:<7} {gap:<17} {:<26} {}",
        scores.row,
        scores.target,
        curve(deletion),
        curve(insertion)
    )
}

fn correlation(value: Option<f64>) -> String {
    value.map_or("none: constant".to_owned(), |value| format!("{value:+.3}"))
}
