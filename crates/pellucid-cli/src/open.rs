//! What commands have in common: a model opened, a runtime chosen, the work bounded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pellucid_engine::{
    Cancellation, Error, Explanation, LoadedModel, Method, MethodOptions, Opened, PreprocessOptions, Request,
    Runtime, RuntimeChoice, RuntimeOptions, Work, read_target, runtime, write_file,
};

use crate::arguments::{
    InputArguments, MethodArguments, ModelArguments, RuntimeArguments, TreeArguments, WorkArguments,
};
use crate::failure::Failure;
use crate::progress::progress;
use crate::tables::PNG_SCALE;

pub(crate) fn model(
    arguments: &ModelArguments,
    preprocess: PreprocessOptions,
    runtime: &RuntimeArguments,
) -> Result<LoadedModel, Failure> {
    let options = arguments.options(preprocess)?;
    Ok(LoadedModel::open(&arguments.model, open_runtime(runtime)?, &options)?)
}

/// A model of whatever kind; a runtime is looked for where it is a network.
pub(crate) fn opened(
    what: &InputArguments,
    trees: &TreeArguments,
    runtime: &RuntimeArguments,
) -> Result<Opened, Failure> {
    let mut options = what.model.options(what.preprocess.options())?;
    if trees.labels_are_a_column() {
        options.labels = None;
    }
    let runtime = || pellucid_engine::runtime(&runtime_options(runtime)?).map_err(Error::from);
    Ok(Opened::open(&what.model.model, runtime, &options)?)
}

pub(crate) fn model_of_inputs(
    what: &InputArguments,
    runtime: &RuntimeArguments,
) -> Result<LoadedModel, Failure> {
    model(&what.model, what.preprocess.options(), runtime)
}

/// Refuses an option that is given and does not fit.
pub(crate) fn refuse(given: Option<&str>, reason: &str) -> Result<(), Failure> {
    match given {
        None => Ok(()),
        Some(option) => Err(Error::Request { option: option.to_owned(), reason: reason.to_owned() }.into()),
    }
}

pub(crate) fn request(
    model: &LoadedModel,
    method: &MethodArguments,
    background: &[PathBuf],
    target: &str,
    seed: u64,
) -> Result<Request, Failure> {
    let options = MethodOptions { background: background.to_vec(), ..method.options.options() };
    let method = Method::new(method.of_network(), &options, model, seed)?;
    Ok(Request { method, target: read_target(model, target)?, seed })
}

pub(crate) fn runtime_options(arguments: &RuntimeArguments) -> Result<RuntimeOptions, Error> {
    let choice = match arguments.runtime {
        Some(choice) => choice,
        None => RuntimeChoice::from_environment().map_err(Error::from)?,
    };
    let defaults = RuntimeOptions::default();
    let threads = arguments.threads.map_or(defaults.threads, |n| n as usize);
    Ok(RuntimeOptions { choice, threads, ..defaults })
}

pub(crate) fn open_runtime(arguments: &RuntimeArguments) -> Result<Arc<dyn Runtime>, Failure> {
    Ok(runtime(&runtime_options(arguments)?).map_err(Error::from)?)
}

/// The work, bounded; its progress counts `unit`.
pub(crate) fn work(
    arguments: &WorkArguments,
    quiet: bool,
    unit: &'static str,
    cancellation: &Cancellation,
) -> Work {
    Work {
        batch_size: arguments.batch_size.map(|n| n as usize),
        max_memory_bytes: arguments.max_memory,
        cancellation: cancellation.clone(),
        progress: progress(quiet || arguments.quiet, unit),
    }
}

/// Writes files into a folder; gives their paths.
pub(crate) fn write_files(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<String>, Failure> {
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        write_file(&path, bytes)?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// Pictures are drawn of no more rows than these.
pub(crate) const MAX_PICTURED_ROWS: usize = 20;

/// The files of an explanation: all of it twice, and for images and series a picture of each row and target.
pub(crate) fn files_of(explanation: &Explanation) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = vec![
        ("explanation.json".to_owned(), explanation.to_json()?.into_bytes()),
        ("explanation.npz".to_owned(), explanation.to_npz()?),
    ];
    for row in 0..explanation.n_rows().min(MAX_PICTURED_ROWS) {
        for target in 0..explanation.n_targets() {
            if let Some(panel) = pellucid_engine::panel(explanation, row, target)? {
                let name = picture_name("heatmap", explanation, row, target);
                files.push((format!("{name}.png"), panel.png));
                files.push((format!("{name}.svg"), panel.svg.into_bytes()));
            } else if let Some(chart) = pellucid_engine::series_chart(explanation, row, target)? {
                let name = picture_name("series", explanation, row, target);
                files.push((format!("{name}.png"), chart.png(PNG_SCALE).map_err(Error::from)?));
                files.push((format!("{name}.svg"), chart.svg().into_bytes()));
            } else {
                return Ok(files);
            }
        }
    }
    Ok(files)
}

/// What [`files_of`] leaves out.
pub(crate) fn left_out(explanation: &Explanation, files: &[(String, Vec<u8>)]) -> Option<String> {
    let n_rows = explanation.n_rows();
    let pictured = n_rows > MAX_PICTURED_ROWS
        && files.iter().any(|(name, _)| name.starts_with("heatmap-") || name.starts_with("series-"));
    pictured.then(|| {
        format!(
            "pictures  of the first {MAX_PICTURED_ROWS} of {n_rows} rows only; explanation.npz holds all, and fewer \
             inputs at a time get a picture each"
        )
    })
}

/// `heatmap-0-chelsea`, with several targets `heatmap-0-chelsea-target-2`.
fn picture_name(kind: &str, explanation: &Explanation, row: usize, target: usize) -> String {
    let file = &explanation.about.inputs[row].source.file;
    let stem =
        Path::new(file).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let stem: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let target = if explanation.n_targets() == 1 { String::new() } else { format!("-target-{target}") };
    format!("{kind}-{row}-{stem}{target}")
}
