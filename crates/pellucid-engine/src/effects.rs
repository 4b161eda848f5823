//! Global effects: how the outputs of a model of any kind follow a feature, or two, over the rows of a table.

mod accumulated;
mod dependence;
mod document;
mod drawing;
mod grid;
mod of_trees;

use std::str::FromStr;

use ndarray::{Array2, Array3, ArrayD, ArrayView2, Axis, Ix2};
use pellucid_agnostic::normal_quantile;
use pellucid_core::{OutputSpace, Work};

pub use self::of_trees::{effects_of_tables, effects_of_tree_rows};

use crate::agnostic::{PredictedModel, PredictedRows, Source};
use crate::error::Error;
use crate::explanation::ModelSource;
use crate::parameter::Parameter;
use crate::trees::listed;

/// Points of one feature, and of each of two.
const N_POINTS: [usize; 2] = [100, 25];

/// The same of accumulated effects, whose points are the edges of bins of rows.
const N_EDGES: [usize; 2] = [21, 11];

/// Rows that get a curve of their own, if nobody says otherwise.
const N_CURVES: usize = 200;

/// How sure intervals are, if nobody says otherwise.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// The global effects there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// The mean output with a value put into the feature of all rows.
    PartialDependence,
    /// The same for single rows: individual conditional expectation.
    Ice,
    /// The mean changes of rows near each value, added up: accumulated local effects.
    Ale,
}

impl EffectKind {
    /// All kinds with their names, as in JSON.
    pub const NAMES: [(&'static str, Self); 3] =
        [("partial_dependence", Self::PartialDependence), ("ice", Self::Ice), ("ale", Self::Ale)];

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
    /// The most points of a feature. Default: 100, for each of two features 25; of ale, where they are the edges of bins, 21
    /// and 11.
    pub n_points: Option<usize>,
    /// ice: rows that get a curve, evenly spread. Default: 200.
    pub n_curves: Option<usize>,
    /// Whether curves are given less their value at the first point.
    pub centered: bool,
    /// How sure the intervals are. Default: 0.95; effects of trees that are found without asking about every row have none.
    pub confidence: Option<f64>,
    /// Features whose numbers are codes without an order, beside those of which the model knows it.
    pub categorical: Vec<String>,
}

/// How the outputs follow some features.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectTable {
    /// Which effect.
    pub kind: EffectKind,
    /// All options with their values.
    pub parameters: Vec<(&'static str, Parameter)>,
    /// What identifies the model.
    pub model: ModelSource,
    /// The features, in the order of the grid's columns.
    pub features: Vec<EffectFeature>,
    /// The unit of the outputs.
    pub output_space: OutputSpace,
    /// The outputs' names.
    pub outputs: Vec<String>,
    /// The values of the features, `[points, features]`.
    pub grid: Array2<f64>,
    /// The mean over all rows, `[points, outputs]`; of ale the effect, which is 0 in the mean over the rows.
    pub mean: Array2<f64>,
    /// Its standard error over rows, `[points, outputs]`, where it is known.
    pub standard_error: Option<Array2<f64>>,
    /// How sure the interval around the mean is.
    pub confidence: f64,
    /// The curves of single rows.
    pub curves: Option<EffectCurves>,
    /// ale: the rows in each bin or of each category, of two features `[bins, bins]`.
    pub rows_in_bins: Option<ArrayD<usize>>,
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
    /// Whether its numbers have no order.
    pub is_categorical: bool,
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

/// How the outputs follow the asked features over all rows, by predictions alone.
///
/// # Errors
/// Rows that are no table, features that are not there, hold no value or one value, codes of no category, options out of
/// range; whatever the model reports; a cancellation.
pub fn effects(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    request: &EffectRequest,
    work: &Work,
) -> Result<EffectTable, Error> {
    check(request)?;
    let asked = AskedTable::new(model, rows, request)?;
    match request.kind {
        EffectKind::Ale => accumulated::accumulated_effects(&asked, request, work),
        EffectKind::PartialDependence | EffectKind::Ice => dependence::dependences(&asked, request, work),
    }
}

/// A table and the features of it that are asked about.
struct AskedTable<'a> {
    model: &'a PredictedModel<'a>,
    rows: ArrayView2<'a, f64>,
    warnings: Vec<String>,
    places: Vec<usize>,
    features: Vec<EffectFeature>,
}

impl<'a> AskedTable<'a> {
    fn new(
        model: &'a PredictedModel<'a>,
        rows: &'a PredictedRows,
        request: &EffectRequest,
    ) -> Result<Self, Error> {
        let table = rows.rows.view().into_dimensionality::<Ix2>();
        let table =
            table.map_err(|_| Error::request("input", "effects are of tables; these rows are none"))?;
        let names = rows.names_of_columns();
        let places = places(&names, "feature", &request.features)?;
        twice(&request.features, &places)?;
        let named = self::places(&names, "categorical", &request.categorical)?;
        let known = model.source().feature_categories.as_deref().unwrap_or_default();
        let feature = |&place: &usize| {
            let categories = known.get(place).cloned().unwrap_or_default();
            EffectFeature {
                name: names[place].clone(),
                is_categorical: !categories.is_empty()
                    || named.contains(&place)
                    || model.is_cut_by_sets(place),
                categories,
                data: table.column(place).to_vec(),
            }
        };
        let features: Vec<EffectFeature> = places.iter().map(feature).collect();
        features.iter().try_for_each(EffectFeature::check)?;
        let mut warnings = model.source().warnings.clone();
        warnings.extend(rows.warnings.iter().cloned());
        Ok(Self { model, rows: table, warnings, places, features })
    }

    /// The effect with everything in it but its numbers.
    fn told(&self, request: &EffectRequest) -> EffectTable {
        let source = self.model.source();
        EffectTable {
            kind: request.kind,
            parameters: Vec::new(),
            model: source.model.clone(),
            output_space: source.space,
            outputs: outputs(source, self.model.predictor().n_outputs()),
            grid: Array2::zeros((0, 0)),
            mean: Array2::zeros((0, 0)),
            standard_error: None,
            confidence: request.confidence.unwrap_or(CONFIDENCE),
            curves: None,
            rows_in_bins: None,
            n_rows: self.rows.nrows(),
            features: self.features.clone(),
            warnings: self.warnings.clone(),
        }
    }
}

/// The names of a model's outputs.
pub(crate) fn outputs(source: &Source, n_outputs: usize) -> Vec<String> {
    (0..n_outputs).map(|index| source.output_label(index)).collect()
}

impl EffectTable {
    /// A point of the grid in words: `age = 30, sex = Male`.
    pub fn point(&self, point: usize) -> String {
        let values = self.features.iter().zip(self.grid.row(point));
        let named: Vec<String> =
            values.map(|(feature, &value)| format!("{} = {}", feature.name, feature.shown(value))).collect();
        named.join(", ")
    }

    /// The ends of the interval around the mean, where its standard error is known.
    pub fn interval(&self, point: usize, output: usize) -> Option<(f64, f64)> {
        let error = self.standard_error.as_ref()?[[point, output]];
        let half = normal_quantile(f64::midpoint(1.0, self.confidence)) * error;
        let mean = self.mean[[point, output]];
        Some((mean - half, mean + half))
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

impl EffectFeature {
    /// Refuses what has no effect to follow.
    fn check(&self) -> Result<(), Error> {
        let mut known = self.data.iter().filter(|x| !x.is_nan());
        let fault = |reason: String| Err(Error::request("feature", reason));
        let Some(first) = known.next() else {
            return fault(format!("`{}` has no value in any row of the table", self.name));
        };
        if known.all(|x| x == first) {
            let (name, value) = (&self.name, self.shown(*first));
            return fault(format!(
                "`{name}` is {value} in every row that holds it; a constant has no effect to follow"
            ));
        }
        Ok(())
    }
}

/// Refuses options that do not go with the kind of effect, or are out of range.
fn check(request: &EffectRequest) -> Result<(), Error> {
    let is_ice = request.kind == EffectKind::Ice;
    match (request.features.len(), is_ice) {
        (1, _) | (2, false) => {}
        (2, true) => {
            return Err(Error::request("feature", "curves of single rows are of one feature; name one"));
        }
        (n, _) => return Err(Error::request("feature", format!("{n} are named; name one or two"))),
    }
    for (option, n, least) in [("points", request.n_points, 2), ("curves", request.n_curves, 1)] {
        if let Some(n) = n.filter(|&n| n < least) {
            return Err(Error::request(option, format!("{n} is too few; take {least} or more")));
        }
    }
    if request.n_curves.is_some() && !is_ice {
        return Err(Error::request("curves", "goes with the kind ice"));
    }
    if request.centered && request.kind == EffectKind::Ale {
        return Err(Error::request("centered", "is for the others; ale is 0 in the mean over the rows"));
    }
    check_confidence(request.confidence)
}

/// Refuses what is no share of intervals.
pub(crate) fn check_confidence(confidence: Option<f64>) -> Result<(), Error> {
    match confidence.filter(|&share| !(share > 0.0 && share < 1.0)) {
        Some(share) => Err(Error::request("confidence", format!("is {share}; it lies between 0 and 1"))),
        None => Ok(()),
    }
}

/// The most points of each feature.
fn n_points(request: &EffectRequest) -> usize {
    let defaults = if request.kind == EffectKind::Ale { N_EDGES } else { N_POINTS };
    request.n_points.unwrap_or(defaults[usize::from(request.features.len() > 1)])
}

/// Which columns have these names.
pub(crate) fn places(columns: &[String], option: &str, names: &[String]) -> Result<Vec<usize>, Error> {
    let place = |name: &String| {
        columns.iter().position(|column| column == name).ok_or_else(|| {
            Error::request(option, format!("no feature `{name}`; there are: {}", listed(columns)))
        })
    };
    names.iter().map(place).collect()
}

fn twice(names: &[String], places: &[usize]) -> Result<(), Error> {
    match (names, places) {
        ([first, second], [a, b]) if a == b => {
            Err(Error::request("feature", format!("`{first}` and `{second}`: one feature comes twice")))
        }
        _ => Ok(()),
    }
}
