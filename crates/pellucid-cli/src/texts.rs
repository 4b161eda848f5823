//! `pellucid explain`, `pellucid evaluate` and `pellucid report` of texts.

use std::fmt::Write;
use std::path::Path;

use pellucid_engine::{
    AgnosticMethod, Cancellation, Error, EvaluationOptions, MethodOptions, TextEvaluation, TextExplanation,
    TextModel, TextReportOptions, TextRequest, attention_npz, attention_svg, evaluate_texts, explain_text,
    parameters_text, parse_target, read_text_file, report_texts, text_ansi, text_evaluations_json,
    text_head_view, text_html, text_svg, texts_json,
};

use crate::arguments::{EvaluateArguments, ExplainArguments, InputArguments, ReportArguments, WorkArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::log::{Explained, Keep};
use crate::predicted::address;
use crate::written::wrote;
use crate::{agnostic, evaluate, open, summary};

/// Pictures are drawn of no more texts than these.
const MAX_PICTURED_TEXTS: usize = 20;

pub(crate) fn explain(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
    keep: Keep<'_>,
) -> Result<(), Failure> {
    if address(&arguments.what).is_some() {
        let reason = "is for texts, which are explained through the model's file; a served model takes rows of numbers";
        return open::refuse(arguments.what.texts.first_given(), reason);
    }
    let by_predictions = arguments.method.method.as_deref().is_some_and(AgnosticMethod::is_one);
    open::refuse(unfit(arguments, by_predictions), "is not for texts by this method")?;
    arguments.agnostic.served.refuse()?;
    let (model, texts) = opened(&arguments.what, &arguments.work)?;
    let method = arguments.method.of_network().to_owned();
    let asked = request(&arguments.what, &arguments.target, &arguments.work)?;
    let request = match by_predictions {
        true => TextRequest {
            method,
            predicted: agnostic::options(
                arguments.method.options.options(),
                &arguments.trees,
                &arguments.agnostic,
            )?,
            ..asked
        },
        false => TextRequest { method, options: arguments.method.options.options(), ..asked },
    };
    let unit = if by_predictions { "predictions" } else { "evaluations" };
    let work = open::work(&arguments.work, arguments.json, unit, cancellation);
    let explained = texts.iter().map(|(file, text)| explain_text(&model, text, file, &request, &work));
    let explained: Vec<TextExplanation> = explained.collect::<Result<_, Error>>()?;
    explained.iter().try_for_each(|text| keep(Explained::Text(text)))?;
    let written = match &arguments.out {
        Some(folder) => open::write_files(folder, &files_of(&explained)?)?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&texts_json(&explained)?),
        false => console.print(&lines(&explained, console.has_colors(), &written)?),
    }
}

/// The first option that has no meaning for texts, or none for this kind of method.
fn unfit(arguments: &ExplainArguments, by_predictions: bool) -> Option<&'static str> {
    let journal = arguments.agnostic.journal.as_ref().map(|_| "journal");
    let others = if by_predictions { journal } else { arguments.agnostic.first_given() };
    let ids = arguments.keeping.prediction_ids.as_ref().map(|_| "prediction_ids");
    let labels = arguments.keeping.known_labels.as_ref().map(|_| "known_labels");
    arguments.trees.first_given().or(others).or(ids).or(labels)
}

pub(crate) fn evaluate(
    arguments: &EvaluateArguments,
    options: &EvaluationOptions,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    open::refuse(arguments.background.first().map(|_| "background"), "is of rows; this is about texts")?;
    let (model, texts) = opened(&arguments.what, &arguments.work)?;
    let asked = request(&arguments.what, &arguments.target, &arguments.work)?;
    let method = arguments.method.of_network().to_owned();
    let request = TextRequest { method, options: arguments.method.options.options(), ..asked };
    let work = open::work(&arguments.work, arguments.json, "evaluations", cancellation);
    let scored = evaluate_texts(&model, &texts, &request, options, &work)?;
    let document = text_evaluations_json(&scored)?;
    let mut written = Vec::new();
    if let Some(folder) = &arguments.out {
        let explained: Vec<TextExplanation> = scored.iter().map(|scored| scored.text.clone()).collect();
        let mut files = files_of(&explained)?;
        files.push(("evaluation.json".to_owned(), document.clone().into_bytes()));
        written = open::write_files(folder, &files)?;
    }
    match arguments.json {
        true => console.print(&document)?,
        false => console.print(&scored_lines(&scored, console.has_colors(), &written)?)?,
    }
    evaluate::checked(scored.iter().map(|scored| &scored.evaluation))
}

/// The page of `pellucid report`.
pub(crate) fn report(arguments: &ReportArguments, cancellation: &Cancellation) -> Result<String, Failure> {
    let cohort = arguments.cohort.as_ref().map(|_| "cohort");
    open::refuse(arguments.trees.first_given().or(cohort), "is for tree models; this is about texts")?;
    open::refuse(arguments.agnostic.first_given(), "is for tables; this is about texts")?;
    let (model, texts) = opened(&arguments.what, &arguments.work)?;
    let defaults = TextReportOptions::default();
    let methods = match &arguments.methods {
        None => defaults.methods.clone(),
        Some(names) => names.iter().map(|name| (name.clone(), MethodOptions::default())).collect(),
    };
    let request = request(&arguments.what, &arguments.target, &arguments.work)?;
    let work = open::work(&arguments.work, false, "evaluations", cancellation);
    Ok(report_texts(&model, &texts, &request, &TextReportOptions { methods, ..defaults }, &work)?)
}

/// The model with its tokenizer, and the texts.
fn opened(
    what: &InputArguments,
    work: &WorkArguments,
) -> Result<(TextModel, Vec<(String, String)>), Failure> {
    let tokenizer = what.texts.tokenizer.as_ref().ok_or_else(|| Error::Request {
        option: what.texts.first_given().unwrap_or("tokenizer").to_owned(),
        reason: "needs the tokenizer of the model (--tokenizer tokenizer.json)".to_owned(),
    })?;
    let array = what.array.as_ref().map(|_| "array");
    open::refuse(array, "is the name of an array of numbers; this is about texts")?;
    open::refuse(what.preprocess.first_given(), "is for photos; this is about texts")?;
    let texts = texts(what)?;
    let runtime = open::open_runtime(&work.runtime)?;
    let options = what.model.options(what.preprocess.options())?;
    Ok((TextModel::open(&what.model.model, tokenizer, runtime, &options)?, texts))
}

/// What is asked of a text, but for the method.
fn request(what: &InputArguments, target: &str, work: &WorkArguments) -> Result<TextRequest, Failure> {
    Ok(TextRequest {
        target: Some(parse_target(target)?),
        contrast: what.texts.contrast.as_deref().map(parse_target).transpose()?,
        token: what.texts.token,
        log_probability: what.texts.log_probability,
        seed: work.seed,
        ..TextRequest::default()
    })
}

/// Each text with the file that it came from.
fn texts(what: &InputArguments) -> Result<Vec<(String, String)>, Failure> {
    let mut texts: Vec<(String, String)> =
        what.texts.text.iter().map(|text| (String::new(), text.clone())).collect();
    for path in &what.inputs {
        if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("txt")) {
            let reason = "with --tokenizer inputs are texts, .txt, one a file".to_owned();
            return Err(Error::Input { path: path.display().to_string(), reason }.into());
        }
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let text = read_text_file(path)?;
        // The end of the last line is no part of the text.
        texts.push((name, text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(texts)
}

/// The explanations, and for each text and target a page and a drawing.
fn files_of(explained: &[TextExplanation]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut files = vec![("explanation.json".to_owned(), texts_json(explained)?.into_bytes())];
    for (index, text) in explained.iter().enumerate().take(MAX_PICTURED_TEXTS) {
        let n_targets = text.explanation.n_targets();
        for target in 0..n_targets {
            let name = picture_name(text, index, target, n_targets);
            files.push((format!("{name}.html"), text_html(text, target, false)?.into_bytes()));
            files.push((format!("{name}.svg"), text_svg(text, target, false)?.into_bytes()));
        }
        let name = |ending: &str| format!("attention-{index}.{ending}");
        files.extend(attention_npz(text)?.map(|bytes| (name("npz"), bytes)));
        files.extend(text_head_view(text)?.map(|html| (name("html"), html.into_bytes())));
        files.extend(attention_svg(text, None)?.map(|svg| (name("svg"), svg.into_bytes())));
    }
    Ok(files)
}

/// `text-0`, of a file `text-0-review`, with several targets `text-0-target-2`.
fn picture_name(text: &TextExplanation, index: usize, target: usize, n_targets: usize) -> String {
    let file = text.explanation.about.inputs.first().map_or("", |input| input.source.file.as_str());
    let stem =
        Path::new(file).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let stem: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let stem = if stem.is_empty() { stem } else { format!("-{stem}") };
    let target = if n_targets == 1 { String::new() } else { format!("-target-{target}") };
    format!("text-{index}{stem}{target}")
}

fn lines(explained: &[TextExplanation], colors: bool, written: &[String]) -> Result<String, Error> {
    let mut lines = String::new();
    for (index, text) in explained.iter().enumerate() {
        let shown = if colors { text_ansi(text, 0)? } else { text.encoded.text.clone() };
        // Writing to a String cannot fail.
        let _ = write_text(&mut lines, text, index, &shown);
    }
    if explained.len() > MAX_PICTURED_TEXTS && !written.is_empty() {
        let _ = writeln!(lines, "pictures  of the first {MAX_PICTURED_TEXTS} texts only");
    }
    lines.push_str(&wrote(written));
    Ok(lines.trim_end().to_owned())
}

/// Each text with its words, and the scores under it.
fn scored_lines(scored: &[TextEvaluation], colors: bool, written: &[String]) -> Result<String, Error> {
    let mut lines = String::new();
    for (index, TextEvaluation { text, evaluation }) in scored.iter().enumerate() {
        let shown = if colors { text_ansi(text, 0)? } else { text.encoded.text.clone() };
        // Writing to a String cannot fail.
        let _ = write_text(&mut lines, text, index, &shown);
        let _ = writeln!(lines, "\n{}\n", evaluate::text(evaluation, &[]));
    }
    lines.push_str(&wrote(written));
    Ok(lines.trim_end().to_owned())
}

fn write_text(lines: &mut String, text: &TextExplanation, index: usize, shown: &str) -> std::fmt::Result {
    let about = &text.explanation.about;
    if index == 0 {
        writeln!(lines, "model     {} ({})", about.model.name, about.runtime.fingerprint)?;
        writeln!(lines, "method    {}: {}", about.method, parameters_text(&text.explanation))?;
    }
    writeln!(lines, "text {index:<4} {shown}")?;
    summary::write_explained(lines, &text.explanation, 0)?;
    for target in 0..text.explanation.n_targets() {
        writeln!(lines, "  words       {}", strongest_words(text, target))?;
    }
    for warning in &about.warnings {
        writeln!(lines, "warning   {warning}")?;
    }
    Ok(())
}

/// The words with the largest values; of sampled methods with their standard errors.
fn strongest_words(text: &TextExplanation, target: usize) -> String {
    let values = text.word_values(target);
    let errors = text.word_errors(target).filter(|errors| errors.iter().any(|error| *error > 0.0));
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()));
    let named = order.iter().take(5).map(|&index| {
        let word = &text.encoded.text[text.words[index].span.clone()];
        let error = errors.as_ref().map_or_else(String::new, |errors| format!(" ± {:.4}", errors[index]));
        format!("{word} {:+.4}{error}", values[index])
    });
    let named = named.collect::<Vec<String>>().join(" · ");
    if errors.is_some() { format!("{named} (± standard error)") } else { named }
}
