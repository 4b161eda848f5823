//! Global effects: how the outputs of a tree model follow a feature, or two, over the rows of a table.

mod document;
mod drawing;
mod grid;

use std::path::PathBuf;
use std::str::FromStr;

use ndarray::{Array2, Array3, Axis};
use pellucid_core::{OutputSpace, Work};
use pellucid_trees::dependence::{Options, dependence};
use pellucid_trees::{Rows, Test, Tree};

use self::grid::{Values, grid};
use super::background::{TableRows, WholeTable, all_rows};
use super::columns::listed;
use super::model::TreeModel;
use super::spaces::{asked_space, check_link};
use crate::error::Error;
use crate::parameter::Parameter;

/// Points of one feature, and of each of two.
const N_POINTS: [usize; 2] = [100, 25];

/// Rows that get a curve of their own, if nobody says otherwise.
const N_CURVES: usize = 200;

/// The global effects there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// The mean output with a value put into the feature of all rows.
    PartialDependence,
    /// The same for single rows: individual conditional expectation.
    Ice,
}

impl EffectKind {
    /// All kinds with their names, as in JSON.
    pub const NAMES: [(&'static str, Self); 2] =
        [("partial_dependence", Self::PartialDependence), ("ice", Self::Ice)];

    /// The name, as in JSON.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for EffectKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text.replace('-', "_"));
        let names: Vec<String> = Self::NAMES.iter().map(|(name, _)| name.replace('_', "-")).collect();
        found
            .map(|(_, kind)| *kind)
            .ok_or_else(|| format!("no kind `{text}`; there are: {}", names.join(", ")))
    }
}

/// What is asked of a model's features.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectRequest {
    /// Which effect.
    pub kind: EffectKind,
    /// One feature, or two whose joint effect is asked for.
    pub features: Vec<String>,
    /// The most points of a feature's grid. Default: 100, for each of two features 25.
    pub n_points: Option<usize>,
    /// ice: rows that get a curve, evenly spread. Default: 200.
    pub n_curves: Option<usize>,
    /// Whether curves are given less their value at the first point.
    pub centered: bool,
    /// `margin` (default), `probability` or `value`.
    pub output_space: Option<String>,
    /// The array of an `.npz` file.
    pub array: Option<String>,
}

/// How the outputs follow some features.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectTable {
    /// Which effect.
    pub kind: EffectKind,
    /// All options with their values.
    pub parameters: Vec<(&'static str, Parameter)>,
    /// The features, in the order of the grid's columns.
    pub features: Vec<EffectFeature>,
    /// The unit of the outputs.
    pub output_space: OutputSpace,
    /// The outputs' names.
    pub outputs: Vec<String>,
    /// What is put into the features, `[points, features]`.
    pub grid: Array2<f64>,
    /// The mean over all rows, `[points, outputs]`.
    pub mean: Array2<f64>,
    /// The curves of single rows.
    pub curves: Option<EffectCurves>,
    /// Rows that the mean is taken over.
    pub n_rows: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// A feature whose effect is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectFeature {
    /// Its name.
    pub name: String,
    /// The names of the categories that its numbers count from 0; empty for plain numbers.
    pub categories: Vec<String>,
    /// What the rows hold, `[rows]`; NaN is missing.
    pub data: Vec<f64>,
}

/// The curves of single rows.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectCurves {
    /// Which rows of the table.
    pub rows: Vec<usize>,
    /// `[rows, points, outputs]`.
    pub values: Array3<f64>,
}

/// How the outputs follow the asked features over all rows of some tables; exact.
///
/// # Errors
/// Tables that cannot be read or do not fit, features that are not there or hold no value, a space that the model does not
/// have, options out of range, a cancellation.
pub fn effects(
    model: &TreeModel,
    inputs: &[PathBuf],
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    let space = space(model, request)?;
    let n_points = check(request)?;
    let table = all_rows(model, inputs, request.array.as_deref(), None)?;
    let places = places(&table, &request.features)?;
    let features: Vec<EffectFeature> = places.iter().map(|&place| feature(model, &table, place)).collect();
    let values: Vec<Values> =
        places.iter().zip(&features).map(|(&place, feature)| values(model, place, feature)).collect();
    if let Some(empty) = features.iter().find(|feature| feature.data.iter().all(|x| x.is_nan())) {
        let reason = format!("`{}` has no value in any row of the table", empty.name);
        return Err(Error::request("feature", reason));
    }
    let grid = grid(&values, n_points);
    // Where no link stands between, the margin is found without a curve of each row.
    let asked = if space == model.space() { OutputSpace::Margin } else { space };
    let options = Options { space: asked, individual: false };
    let ask = |rows: Rows<'_>, options: &Options| {
        dependence(model.ensemble(), rows, None, &places, grid.view(), options, work)
    };
    let mean = ask(table.rows.view(), &options)?.mean;
    let n_curves = request.n_curves.unwrap_or(N_CURVES).min(table.rows.n_rows());
    let mut warnings = model.ensemble().provenance.warnings.clone();
    warnings.extend(table.warnings);
    let mut curves = None;
    if request.kind == EffectKind::Ice {
        let rows: Vec<usize> =
            (0..n_curves).map(|index| index * table.rows.n_rows() / n_curves.max(1)).collect();
        let picked = picked(model, &table.rows, &rows);
        let found = ask(Rows::F64(picked.view()), &Options { individual: true, ..options })?;
        curves = found.individual.map(|values| EffectCurves { rows, values });
        if n_curves < table.rows.n_rows() {
            let n_rows = table.rows.n_rows();
            warnings.push(format!("the curves are those of {n_curves} of {n_rows} rows, evenly spread"));
        }
    }
    let mut effect = EffectTable {
        kind: request.kind,
        parameters: parameters(request, n_points, n_curves),
        features,
        output_space: space,
        outputs: (0..model.ensemble().n_outputs()).map(|index| model.output_label(index)).collect(),
        grid,
        mean,
        curves,
        n_rows: table.rows.n_rows(),
        warnings,
    };
    if request.centered {
        effect.center();
    }
    Ok(effect)
}

impl EffectTable {
    /// A point of the grid in words: `age = 30, sex = Male`.
    pub fn point(&self, point: usize) -> String {
        let values = self.features.iter().zip(self.grid.row(point));
        let named: Vec<String> =
            values.map(|(feature, &value)| format!("{} = {}", feature.name, feature.shown(value))).collect();
        named.join(", ")
    }

    /// Takes off what each curve is at the first point.
    fn center(&mut self) {
        let first = self.mean.row(0).to_owned();
        self.mean -= &first;
        for mut curve in self.curves.iter_mut().flat_map(|curves| curves.values.outer_iter_mut()) {
            let first = curve.index_axis(Axis(0), 0).to_owned();
            curve -= &first;
        }
    }
}

fn space(model: &TreeModel, request: &EffectRequest) -> Result<OutputSpace, Error> {
    let space = asked_space(request.output_space.as_deref(), model)?;
    if space == OutputSpace::LogLoss {
        return Err(Error::request("output_space", "effects are of margin, probability or value"));
    }
    if space != model.space() {
        check_link(space, model)?;
    }
    Ok(space)
}

/// The most points of each feature.
fn check(request: &EffectRequest) -> Result<usize, Error> {
    let n_features = request.features.len();
    let is_ice = request.kind == EffectKind::Ice;
    let default = match (n_features, is_ice) {
        (1, _) => N_POINTS[0],
        (2, false) => N_POINTS[1],
        (2, true) => {
            return Err(Error::request("feature", "curves of single rows are of one feature; name one"));
        }
        _ => return Err(Error::request("feature", format!("{n_features} are named; name one or two"))),
    };
    for (option, n, least) in [("points", request.n_points, 2), ("curves", request.n_curves, 1)] {
        if let Some(n) = n.filter(|&n| n < least) {
            return Err(Error::request(option, format!("{n} is too few; take {least} or more")));
        }
    }
    if request.n_curves.is_some() && !is_ice {
        return Err(Error::request("curves", "goes with the kind ice"));
    }
    Ok(request.n_points.unwrap_or(default))
}

fn places(table: &WholeTable, names: &[String]) -> Result<Vec<usize>, Error> {
    let place = |name: &String| {
        table.feature_names.iter().position(|feature| feature == name).ok_or_else(|| {
            let reason = format!("no feature `{name}`; there are: {}", listed(&table.feature_names));
            Error::request("feature", reason)
        })
    };
    let places: Vec<usize> = names.iter().map(place).collect::<Result<_, _>>()?;
    match names {
        [first, second] if places[0] == places[1] => {
            Err(Error::request("feature", format!("`{first}` and `{second}`: one feature comes twice")))
        }
        _ => Ok(places),
    }
}

fn feature(model: &TreeModel, table: &WholeTable, place: usize) -> EffectFeature {
    let lists = model.ensemble().categories.as_ref();
    let categories = lists.and_then(|lists| lists.get(place).cloned()).unwrap_or_default();
    let is_known =
        |x: f64| categories.is_empty() || (x.fract() == 0.0 && (0.0..categories.len() as f64).contains(&x));
    // What is none of the named categories is missing for the model.
    let data = column(model, &table.rows, place).into_iter().map(|x| if is_known(x) { x } else { f64::NAN });
    EffectFeature { name: table.feature_names[place].clone(), data: data.collect(), categories }
}

fn column(model: &TreeModel, rows: &TableRows, place: usize) -> Vec<f64> {
    match rows {
        TableRows::Dense(rows) => rows.column(place).to_vec(),
        TableRows::Sparse(_) => {
            let mut row = vec![0.0; model.ensemble().n_features];
            let mut at = |index: usize| {
                rows.view().fill(index, model.ensemble(), &mut row);
                row[place]
            };
            (0..rows.n_rows()).map(&mut at).collect()
        }
    }
}

/// What a feature holds, and whether its numbers have an order for the model.
fn values<'a>(model: &TreeModel, place: usize, feature: &'a EffectFeature) -> Values<'a> {
    let mut splits = model.ensemble().trees.iter().flat_map(Tree::splits);
    let by_set = splits.any(|split| split.feature as usize == place && matches!(split.test, Test::In(_)));
    Values { data: &feature.data, are_categories: by_set || !feature.categories.is_empty() }
}

/// Some rows as the model takes them.
fn picked(model: &TreeModel, rows: &TableRows, indices: &[usize]) -> Array2<f64> {
    let n_features = model.ensemble().n_features;
    let mut picked = Array2::zeros((indices.len(), n_features));
    let mut row = vec![0.0; n_features];
    for (&index, mut to) in indices.iter().zip(picked.rows_mut()) {
        rows.view().fill(index, model.ensemble(), &mut row);
        to.iter_mut().zip(&row).for_each(|(to, &x)| *to = x);
    }
    picked
}

fn parameters(request: &EffectRequest, n_points: usize, n_curves: usize) -> Vec<(&'static str, Parameter)> {
    let mut parameters: Vec<(&str, Parameter)> =
        vec![("n_points", n_points.into()), ("centered", request.centered.into())];
    if request.kind == EffectKind::Ice {
        parameters.push(("n_curves", n_curves.into()));
    }
    parameters
}
