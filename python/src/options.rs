//! A call's keywords → the engine's options.

use std::path::PathBuf;

use ndarray::{Array2, ArrayD};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn};
use pellucid_engine::{
    AgnosticOptions, LoadedModel, MaskingOptions, MethodOptions, OutputSpace, OutputTarget, Similarity,
    Target, TreeOptions, parse_target, read_target,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arrays::{Rows, table};
use crate::errors::{fault, of_option};

const OF_NETWORKS: &str = "absolute, baseline, background, n_steps, rule, tolerance, max_evaluations, composite, epsilon, gamma, low, \
                           high, rules, layer, relu, base_method, noise, n_samples, head, head_fusion, discard_ratio, \
                           start_layer, query";
const OF_TREES: &str = "background, removal, interactions, index, max_order, output_space, labels, max_exact_features, \
                        n_permutations";
const OF_PREDICTIONS: &str = "background, background_weights, background_clusters, baseline, feature_groups, segments, channels, \
     time_axis, max_evaluations, tolerance, n_samples, kernel_width, link, index, hierarchy, window, strides, output_space, journal";

/// The options of methods for networks.
pub(crate) fn of_network(given: Option<&Bound<'_, PyDict>>) -> PyResult<MethodOptions> {
    let mut options = MethodOptions::default();
    for (name, value) in
        given.into_iter().flat_map(|given| given.iter()).filter(|(_, value)| !value.is_none())
    {
        let name: String = name.extract()?;
        match name.as_str() {
            "absolute" => options.absolute = Some(read(&name, &value)?),
            "baseline" => baseline(&mut options, &value)?,
            "background" => options.background_array = Some(Rows::of(&value)?.to_f32()),
            "n_steps" => options.n_steps = Some(read(&name, &value)?),
            "rule" => options.rule = Some(read(&name, &value)?),
            "tolerance" => options.tolerance = Some(read(&name, &value)?),
            "max_evaluations" => options.max_evaluations = Some(read(&name, &value)?),
            "composite" => options.composite = Some(read(&name, &value)?),
            "epsilon" => options.epsilon = Some(read(&name, &value)?),
            "gamma" => options.gamma = Some(read(&name, &value)?),
            "low" => options.low = Some(numbers(&name, &value)?),
            "high" => options.high = Some(numbers(&name, &value)?),
            "rules" => options.rules = Some(path(&name, &value)?),
            "layer" => options.layer = Some(word_or_number(&name, &value)?),
            "relu" => options.relu = Some(read(&name, &value)?),
            "base_method" => options.base_method = Some(read(&name, &value)?),
            "noise" => options.noise = Some(read(&name, &value)?),
            "n_samples" => options.n_samples = Some(read(&name, &value)?),
            "head" => options.attention.head = Some(read(&name, &value)?),
            "head_fusion" => options.attention.head_fusion = Some(read(&name, &value)?),
            "discard_ratio" => options.attention.discard_ratio = Some(read(&name, &value)?),
            "start_layer" => options.attention.start_layer = Some(read(&name, &value)?),
            "query" => options.attention.query = Some(word_or_number(&name, &value)?),
            _ => return Err(unknown(&name, "a network", OF_NETWORKS)),
        }
    }
    Ok(options)
}

/// The options of methods for tree models; the background has the model's features in its order.
pub(crate) fn of_trees(given: Option<&Bound<'_, PyDict>>) -> PyResult<TreeOptions> {
    let mut options = TreeOptions::default();
    for (name, value) in
        given.into_iter().flat_map(|given| given.iter()).filter(|(_, value)| !value.is_none())
    {
        let name: String = name.extract()?;
        match name.as_str() {
            "background" => options.background_rows = Some(background(&value)?),
            "removal" => options.removal = Some(read(&name, &value)?),
            "interactions" => options.interactions = read(&name, &value)?,
            "index" => options.index = Some(read(&name, &value)?),
            "max_order" => options.max_order = Some(read(&name, &value)?),
            "output_space" => options.output_space = Some(read(&name, &value)?),
            "labels" => options.labels = Some(read(&name, &value)?),
            "max_exact_features" => options.max_exact_features = Some(read(&name, &value)?),
            "n_permutations" => options.n_permutations = Some(read(&name, &value)?),
            _ => return Err(unknown(&name, "a tree model", OF_TREES)),
        }
    }
    Ok(options)
}

/// The options of methods that need predictions alone, the space that outputs are in, and the file they are kept in.
pub(crate) fn of_predictions(
    given: Option<&Bound<'_, PyDict>>,
    row_shape: &[usize],
) -> PyResult<(AgnosticOptions, Option<OutputSpace>, Option<PathBuf>)> {
    let (mut options, mut space, mut journal) = (AgnosticOptions::default(), None, None);
    let masking = &mut options.masking;
    for (name, value) in
        given.into_iter().flat_map(|given| given.iter()).filter(|(_, value)| !value.is_none())
    {
        let name: String = name.extract()?;
        match name.as_str() {
            "background" => masking.background_rows = Some(Rows::of(&value)?.to_f64()),
            "background_weights" => {
                masking.background_weights = Some(read::<Vec<f64>>(&name, &value)?.into());
            }
            "background_clusters" => masking.background_clusters = Some(read(&name, &value)?),
            "baseline" => baseline_of_predictions(masking, &value, row_shape)?,
            "feature_groups" => feature_groups(masking, &value)?,
            "segments" => masking.segments = Some(word_or_number(&name, &value)?),
            "channels" => masking.channels = Some(read(&name, &value)?),
            "time_axis" => masking.time_axis = Some(read(&name, &value)?),
            "max_evaluations" => options.max_evaluations = Some(read(&name, &value)?),
            "tolerance" => options.tolerance = Some(read(&name, &value)?),
            "n_samples" => options.n_samples = Some(read(&name, &value)?),
            "kernel_width" => options.kernel_width = Some(read(&name, &value)?),
            "link" => options.link = Some(read(&name, &value)?),
            "index" => options.index = Some(read(&name, &value)?),
            "hierarchy" => options.hierarchy = Some(read(&name, &value)?),
            "window" => options.window = Some(lengths(&name, &value)?),
            "strides" => options.strides = Some(lengths(&name, &value)?),
            "output_space" => space = Some(output_space(&read::<String>(&name, &value)?)?),
            "journal" => journal = Some(read(&name, &value)?),
            _ => return Err(unknown(&name, "any model", OF_PREDICTIONS)),
        }
    }
    Ok((options, space, journal))
}

/// The options of such methods for texts, whose words come and go.
pub(crate) fn of_text_predictions(given: Option<&Bound<'_, PyDict>>) -> PyResult<AgnosticOptions> {
    let (options, space, journal) = of_predictions(given, &[])?;
    let unfit = space.map(|_| "output_space").or(journal.map(|_| "journal"));
    match unfit {
        None => Ok(options),
        Some(option) => Err(of_option(option, "is not for texts")),
    }
}

/// A text as on the command line, a number, one row, or one for each row.
fn baseline_of_predictions(
    masking: &mut MaskingOptions,
    value: &Bound<'_, PyAny>,
    row_shape: &[usize],
) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        masking.baseline = Some(text.to_cow()?.into_owned());
    } else if let Ok(rows) = Rows::of(value) {
        masking.baseline_array = Some(rows.to_f64());
    } else {
        let number = read::<f64>("baseline", value)?;
        masking.baseline_array = Some(ArrayD::from_elem(row_shape, number));
    }
    Ok(())
}

/// A text as on the command line, or the group of each feature, an array of a row's shape.
fn feature_groups(masking: &mut MaskingOptions, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match value.cast::<PyString>() {
        Ok(text) => masking.feature_group_names = Some(text.to_cow()?.into_owned()),
        Err(_) => masking.feature_groups = Some(numbers_of_groups("feature_groups", value)?),
    }
    Ok(())
}

/// An array of numbers from 0; the Python side sees to the type.
pub(crate) fn numbers_of_groups(name: &str, value: &Bound<'_, PyAny>) -> PyResult<ArrayD<usize>> {
    let numbers: PyReadonlyArrayDyn<'_, i64> = read(name, value)?;
    let numbers = numbers.as_array();
    match numbers.iter().find(|&&number| number < 0) {
        Some(number) => Err(of_option(name, &format!("{number} is no group; groups are numbered from 0"))),
        None => Ok(numbers.mapv(|number| number as usize)),
    }
}

/// One length, or one for each axis.
fn lengths(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    value.extract::<usize>().map(|length| vec![length]).or_else(|_| read(name, value))
}

/// The space of that name.
pub(crate) fn output_space(name: &str) -> PyResult<OutputSpace> {
    let found = OutputSpace::ALL.into_iter().find(|space| space.name() == name.replace('-', "_"));
    let reason = || format!("there is no `{name}`; there are: margin, probability, value");
    found.ok_or_else(|| of_option("output_space", &reason()))
}

/// What a call says of a target: a text as on the command line, an index, one index a row, or `{index: weight}`.
pub(crate) fn target(given: &Bound<'_, PyAny>) -> PyResult<OutputTarget> {
    if let Ok(text) = given.cast::<PyString>() {
        return OutputTarget::parse(&text.to_cow()?).map_err(fault);
    }
    if let Ok(weights) = given.cast::<PyDict>() {
        let weights =
            weights.iter().map(|(index, weight)| Ok((read("target", &index)?, read("target", &weight)?)));
        return Ok(OutputTarget::Of(Target::Weighted(weights.collect::<PyResult<_>>()?)));
    }
    if let Ok(index) = given.extract::<usize>() {
        return Ok(OutputTarget::Of(Target::Index(index)));
    }
    let indices: Result<Vec<usize>, _> = given.extract();
    let reason = "write \"top-1\", \"all\", a label, an index, one index a row, or {index: weight}";
    indices.map(|indices| OutputTarget::Of(Target::PerRow(indices))).map_err(|_| of_option("target", reason))
}

/// The target of a network: there, `all` is a label, texts may name files, and `{"cosine": array}`, `{"dot": array}` and
/// `{"class": 15, "mask": array}` hold arrays.
pub(crate) fn target_of_network(given: &Bound<'_, PyAny>, model: &LoadedModel) -> PyResult<Target> {
    if let Ok(text) = given.cast::<PyString>() {
        return read_target(model, &text.to_cow()?).map_err(fault);
    }
    match given.cast::<PyDict>() {
        Ok(parts) if parts.keys().iter().any(|key| key.is_instance_of::<PyString>()) => {
            target_of_parts(parts)
        }
        _ => target_of_text_model(given),
    }
}

/// The target of a model of texts.
pub(crate) fn target_of_text_model(given: &Bound<'_, PyAny>) -> PyResult<Target> {
    match target(given)? {
        OutputTarget::Of(target) => Ok(target),
        OutputTarget::All => parse_target("label:all").map_err(fault),
    }
}

fn target_of_parts(parts: &Bound<'_, PyDict>) -> PyResult<Target> {
    let array = |value: &Bound<'_, PyAny>| Ok::<_, PyErr>(Rows::of(value)?.to_f32());
    for (name, measure) in Similarity::NAMES {
        if let Some(value) = parts.get_item(name)?.filter(|_| parts.len() == 1) {
            return Ok(Target::Similar { measure, to: array(&value)?, name: "array".to_owned() });
        }
    }
    match (parts.get_item("class")?, parts.get_item("mask")?, parts.len()) {
        (Some(class), Some(mask), 2) => {
            Ok(Target::Masked { class: Box::new(target_of_text_model(&class)?), mask: array(&mask)? })
        }
        _ => Err(of_option(
            "target",
            "write {\"cosine\": array}, {\"dot\": array}, or {\"class\": …, \"mask\": array}",
        )),
    }
}

pub(crate) fn read<'py, T: for<'a> FromPyObject<'a, 'py>>(
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<T> {
    value.extract().map_err(|_| of_option(name, &format!("{value} is of the wrong type")))
}

/// An entry of a dictionary that the Python side makes of a call's keywords.
pub(crate) fn field<'py, T: for<'a> FromPyObject<'a, 'py>>(
    given: Borrowed<'_, 'py, PyAny>,
    name: &str,
) -> PyResult<T> {
    read(name, &given.get_item(name)?)
}

/// A keyword's values are read one by one, so that what is wrong is named.
macro_rules! read_by_name {
    ($wishes:ident { $($field:ident),* $(,)? }) => {
        impl<'a, 'py> FromPyObject<'a, 'py> for $wishes {
            type Error = PyErr;

            fn extract(given: pyo3::Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                Ok(Self { $($field: $crate::options::field(given, stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use read_by_name;

/// One number, or several.
fn numbers(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    value.extract::<f64>().map(|number| vec![number]).or_else(|_| read(name, value))
}

/// A path as text or as a `pathlib.Path`.
fn path(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let path: PathBuf = read(name, value)?;
    Ok(path.to_string_lossy().into_owned())
}

/// A text, or a number as one.
fn word_or_number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.extract::<usize>() {
        Ok(number) => Ok(number.to_string()),
        Err(_) => read(name, value),
    }
}

fn unknown(name: &str, what: &str, known: &str) -> PyErr {
    of_option(name, &format!("no method of {what} has such an option; there are: {known}"))
}

/// A text as on the command line, a number, one row, or one for each row.
fn baseline(options: &mut MethodOptions, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        options.baseline = Some(text.to_cow()?.into_owned());
    } else if let Ok(array) = value.cast::<PyArrayDyn<f32>>() {
        options.baseline_array = Some(array.readonly().as_array().to_owned());
    } else if let Ok(array) = value.cast::<PyArrayDyn<f64>>() {
        let array: ArrayD<f32> = array.readonly().as_array().mapv(|x| x as f32);
        options.baseline_array = Some(array);
    } else {
        options.baseline = Some(format!("value:{}", read::<f64>("baseline", value)?));
    }
    Ok(())
}

pub(crate) fn background(value: &Bound<'_, PyAny>) -> PyResult<Array2<f64>> {
    match Rows::of(value)? {
        Rows::F32(rows) => Ok(table(rows.as_array())?.mapv(f64::from)),
        Rows::F64(rows) => Ok(table(rows.as_array())?.to_owned()),
    }
}
