//! `pellucid explain` of texts.

use std::fmt::Write;
use std::path::Path;

use pellucid_engine::{
    Cancellation, Error, TextExplanation, TextModel, TextRequest, attention_npz, attention_svg, explain_text,
    parameters_text, parse_target, read_text_file, text_ansi, text_head_view, text_html, text_svg,
    texts_json,
};

use crate::arguments::{ExplainArguments, InputArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::{open, summary};

/// Pictures are drawn of no more texts than these.
const MAX_PICTURED_TEXTS: usize = 20;

pub(crate) fn explain(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
) -> Result<(), Failure> {
    open::refuse(arguments.trees.first_given(), "is for tree models; this is about texts")?;
    let what = &arguments.what;
    let Some(tokenizer) = &what.texts.tokenizer else {
        return open::refuse(
            what.texts.first_given(),
            "needs the tokenizer of the model (--tokenizer tokenizer.json)",
        );
    };
    let texts = texts(what)?;
    let runtime = open::open_runtime(&arguments.work.runtime)?;
    let options = what.model.options(what.preprocess.options());
    let model = TextModel::open(&what.model.model, tokenizer, runtime, &options)?;
    let request = TextRequest {
        method: arguments.method.of_network().to_owned(),
        options: arguments.method.options.options(),
        target: Some(parse_target(&arguments.target)?),
        contrast: what.texts.contrast.as_deref().map(parse_target).transpose()?,
        token: what.texts.token,
        log_probability: what.texts.log_probability,
        seed: arguments.work.seed,
    };
    let work = open::work(&arguments.work, arguments.json, "evaluations", cancellation);
    let explained = texts.iter().map(|(file, text)| explain_text(&model, text, file, &request, &work));
    let explained: Vec<TextExplanation> = explained.collect::<Result<_, Error>>()?;
    let written = match &arguments.out {
        Some(folder) => open::write_files(folder, &files_of(&explained)?)?,
        None => Vec::new(),
    };
    match arguments.json {
        true => console.print(&texts_json(&explained)?),
        false => console.print(&lines(&explained, console.has_colors(), &written)?),
    }
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
    for path in written {
        let _ = writeln!(lines, "wrote     {path}");
    }
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
        let mut words: Vec<(&str, f64)> = text
            .words
            .iter()
            .zip(text.word_values(target))
            .map(|(word, value)| (&text.encoded.text[word.span.clone()], value))
            .collect();
        words.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let named: Vec<String> =
            words.iter().take(5).map(|(word, value)| format!("{word} {value:+.4}")).collect();
        writeln!(lines, "  words       {}", named.join(" · "))?;
    }
    for warning in &about.warnings {
        writeln!(lines, "warning   {warning}")?;
    }
    Ok(())
}
