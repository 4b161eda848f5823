//! The explanation of a table → charts.

use std::collections::BTreeMap;
use std::str::FromStr;

use ndarray::{Array1, Array2, Axis, Ix2, Ix3};
use pellucid_core::OutputSpace;
use pellucid_plot::Chart;
use pellucid_plot::tabular::{
    self, Cohort, Coloring, Feature, Interactions, Options, Output, RowOrder, Table, interaction_sizes,
};

use crate::error::Error;
use crate::explanation::Explanation;

/// Features that a chart shows by name, if nobody says otherwise.
pub(crate) const MAX_FEATURES: usize = 12;

/// The charts of a table's explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlotKind {
    /// From the base value to the output of one row, step by step.
    Waterfall,
    /// The same on one line.
    Force,
    /// The mean size of the values of each feature.
    Bar,
    /// All values of each feature.
    Beeswarm,
    /// The value of one feature over what the rows hold for it.
    Dependence,
    /// The ways of many rows from base value to output.
    Decision,
    /// All values as a field of colors.
    Heatmap,
    /// The mean size of the interaction of each pair.
    Interactions,
    /// The mean sizes in groups of rows, side by side.
    Cohorts,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlotOptions {
    /// The row of waterfall and force, counted from 0 within the explanation.
    pub row: usize,
    /// Which of several targets, counted from 0.
    pub target: usize,
    /// The feature of a dependence plot. Default: the one that matters most.
    pub feature: Option<String>,
    /// The column that makes the cohorts.
    pub cohort: Option<String>,
    /// On top. Default: none.
    pub title: String,
    /// Features shown by name.
    pub max_features: usize,
}

impl Default for PlotOptions {
    fn default() -> Self {
        let (feature, cohort, title) = (None, None, String::new());
        Self { row: 0, target: 0, feature, cohort, title, max_features: MAX_FEATURES }
    }
}

impl PlotKind {
    /// All kinds with their names.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("waterfall", Self::Waterfall),
        ("force", Self::Force),
        ("bar", Self::Bar),
        ("beeswarm", Self::Beeswarm),
        ("dependence", Self::Dependence),
        ("decision", Self::Decision),
        ("heatmap", Self::Heatmap),
        ("interactions", Self::Interactions),
        ("cohorts", Self::Cohorts),
    ];
}

impl FromStr for PlotKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
        found.ok_or_else(|| format!("no kind `{text}`; there are: {}", names.join(", ")))
    }
}

/// Draws one chart of the explanation of a table.
///
/// # Errors
/// An explanation of images; a row, a target, a feature or a column that is not there; values that this kind cannot
/// show.
pub fn chart(explanation: &Explanation, kind: PlotKind, options: &PlotOptions) -> Result<Chart, Error> {
    let n_rows = explanation.n_rows();
    for (name, index, count) in
        [("row", options.row, n_rows), ("target", options.target, explanation.n_targets())]
    {
        if index >= count {
            return Err(Error::request(
                name,
                format!("{index} is out of range; there are 0 to {}", count - 1),
            ));
        }
    }
    let of_row = matches!(kind, PlotKind::Waterfall | PlotKind::Force);
    let rows: Vec<usize> = if of_row { vec![options.row] } else { (0..n_rows).collect() };
    let drawing = Drawing::new(explanation, &rows, options.target)?;
    let table = drawing.table();
    let shown = Options {
        title: options.title.clone(),
        caption: drawing.caption(explanation),
        max_features: options.max_features,
    };
    Ok(match kind {
        PlotKind::Waterfall => tabular::waterfall(&table, 0, &shown)?,
        PlotKind::Force => tabular::force(&table, 0, &shown)?,
        PlotKind::Bar => tabular::bar(&table, &shown)?,
        PlotKind::Beeswarm => tabular::beeswarm(&table, &shown)?,
        PlotKind::Dependence => {
            let feature = drawing.feature(options.feature.as_deref())?;
            tabular::dependence(&table, feature, Coloring::Strongest, &shown)?
        }
        PlotKind::Decision => tabular::decision(&table, &rows, &shown)?,
        PlotKind::Heatmap => tabular::heatmap(&table, RowOrder::Cluster, &shown)?,
        PlotKind::Interactions => drawing.interactions(explanation, options.target, &shown)?,
        PlotKind::Cohorts => {
            let column = options.cohort.as_deref();
            let column =
                column.ok_or_else(|| Error::request("cohort", "name the column that makes the cohorts"))?;
            let cohorts: Vec<Cohort> = cohorts(explanation, column)?
                .into_iter()
                .map(|(name, rows)| Cohort { name: format!("{column} = {name}"), rows })
                .collect();
            tabular::cohorts(&table, &cohorts, &shown)?
        }
    })
}

/// The rows of an explanation by what they hold in a column: a feature, or a column kept beside the features.
pub(crate) fn cohorts(
    explanation: &Explanation,
    column: &str,
) -> Result<BTreeMap<String, Vec<usize>>, Error> {
    let about = &explanation.about;
    let feature = about.feature_names.iter().flatten().position(|name| name == column);
    let text = |row: usize| match (about.other_columns.get(column), feature) {
        (Some(texts), _) => texts.get(row).cloned(),
        (None, Some(feature)) => Some(explanation.shown(row, feature)),
        (None, None) => None,
    };
    let mut cohorts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..explanation.n_rows() {
        let missing = || Error::request("cohort", format!("no feature and no column `{column}`"));
        cohorts.entry(text(row).ok_or_else(missing)?).or_default().push(row);
    }
    Ok(cohorts)
}

/// Some rows and one target, in the form that charts take.
pub(crate) struct Drawing {
    values: Array2<f64>,
    data: Option<Array2<f64>>,
    features: Vec<Feature>,
    base_value: f64,
    outputs: Array1<f64>,
    output: Output,
}

impl Drawing {
    pub(crate) fn new(explanation: &Explanation, rows: &[usize], target: usize) -> Result<Self, Error> {
        let about = &explanation.about;
        let data = explanation.data.clone().into_dimensionality::<Ix2>();
        let (Some(names), Ok(data)) = (&about.feature_names, data) else {
            return Err(Error::request("explanation", "is not of a table; charts are of tables"));
        };
        let of_row = |row: &usize| match explanation.values_of(*row, target) {
            // The values of a feature's pairs and its own make up its value.
            pairs if pairs.ndim() == 2 => pairs.sum_axis(Axis(1)),
            values => values.to_owned(),
        };
        let values: Vec<f64> =
            rows.iter().flat_map(|row| of_row(row).into_iter().collect::<Vec<_>>()).collect();
        let n_values = values.len() / rows.len().max(1);
        let values = Array2::from_shape_vec((rows.len(), n_values), values)
            .map_err(|error| Error::request("explanation", error.to_string()))?;
        let numbers = |array: &ndarray::ArrayD<f64>| -> Vec<f64> {
            rows.iter().map(|&row| explanation.number_of(array, row, target)).collect()
        };
        let outputs = numbers(&explanation.outputs);
        let base_values = explanation.base_values.as_ref().map_or_else(|| outputs.clone(), numbers);
        let (features, data) = match &about.feature_sets {
            Some(sets) => (sets.iter().map(|set| set_name(names, set)).map(plain).collect(), None),
            None => (
                features(explanation, names),
                Some(known_categories(explanation, data.select(Axis(0), rows))),
            ),
        };
        Ok(Self {
            values,
            data,
            features,
            base_value: base_values.iter().sum::<f64>() / base_values.len().max(1) as f64,
            outputs: outputs.into(),
            output: output(explanation, rows, target),
        })
    }

    pub(crate) fn table(&self) -> Table<'_> {
        Table {
            values: self.values.view(),
            data: self.data.as_ref().map(|data| data.view()),
            features: &self.features,
            base_value: self.base_value,
            outputs: Some(self.outputs.view()),
            output: &self.output,
        }
    }

    /// The index of a feature by its name, or of the one with the largest values.
    fn feature(&self, name: Option<&str>) -> Result<usize, Error> {
        match name {
            None => Ok(self.ranked().first().copied().unwrap_or(0)),
            Some(name) => self.features.iter().position(|feature| feature.name == name).ok_or_else(|| {
                let names: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
                Error::request("feature", format!("no feature `{name}`; there are: {}", names.join(", ")))
            }),
        }
    }

    /// The features by the mean size of their values, the largest first.
    pub(crate) fn ranked(&self) -> Vec<usize> {
        let sizes = self.values.mapv(f64::abs).sum_axis(Axis(0));
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
        order
    }

    pub(crate) fn features(&self) -> &[Feature] {
        &self.features
    }

    pub(crate) fn outputs(&self) -> &Array1<f64> {
        &self.outputs
    }

    fn caption(&self, explanation: &Explanation) -> String {
        let about = &explanation.about;
        let sample = about.warnings.iter().find(|warning| warning.starts_with("these are ")).cloned();
        format!("{}{}", sample.map(|text| format!("{text}. ")).unwrap_or_default(), about.model.name)
    }

    fn interactions(
        &self,
        explanation: &Explanation,
        target: usize,
        options: &Options,
    ) -> Result<Chart, Error> {
        let n_rows = explanation.n_rows();
        let views: Vec<_> =
            (0..n_rows).map(|row| explanation.values_of(row, target).insert_axis(Axis(0))).collect();
        let values =
            ndarray::concatenate(Axis(0), &views).ok().and_then(|all| all.into_dimensionality::<Ix3>().ok());
        let values = values.ok_or_else(|| {
            Error::request("kind", "the explanation has no interactions; explain with --interactions")
        })?;
        let sizes = interaction_sizes(values.view());
        let interactions =
            Interactions { sizes: sizes.view(), n_rows, features: &self.features, output: &self.output };
        Ok(tabular::interaction_matrix(&interactions, options)?)
    }
}

fn plain(name: String) -> Feature {
    Feature { name, ..Feature::default() }
}

fn set_name(names: &[String], set: &[usize]) -> String {
    set.iter().map(|&index| names[index].as_str()).collect::<Vec<_>>().join(" × ")
}

fn features(explanation: &Explanation, names: &[String]) -> Vec<Feature> {
    let categories = explanation.about.feature_categories.as_ref();
    let of_feature =
        |index: usize| categories.and_then(|lists| lists.get(index).cloned()).unwrap_or_default();
    let feature = |(index, name): (usize, &String)| Feature {
        name: name.clone(),
        unit: String::new(),
        categories: of_feature(index),
    };
    names.iter().enumerate().map(feature).collect()
}

/// Codes that stand for no category are drawn as missing.
fn known_categories(explanation: &Explanation, mut data: Array2<f64>) -> Array2<f64> {
    for (list, mut column) in explanation.about.feature_categories.iter().flatten().zip(data.columns_mut()) {
        if !list.is_empty() {
            column.mapv_inplace(|x| match x.fract() == 0.0 && (0.0..list.len() as f64).contains(&x) {
                true => x,
                false => f64::NAN,
            });
        }
    }
    data
}

fn output(explanation: &Explanation, rows: &[usize], target: usize) -> Output {
    let about = &explanation.about;
    let label = |row: usize| explanation.target_label(row, target);
    let first = rows.first().map(|&row| label(row)).unwrap_or_default();
    let same = rows.iter().all(|&row| label(row) == first);
    let single = about.predictions.iter().all(|row| row.len() == 1 && row[0].probability.is_some());
    let unit = match about.output_space {
        OutputSpace::Margin if single => "log-odds",
        OutputSpace::Value => "",
        space => space.name(),
    };
    let value_name = match about.method.as_str() {
        "tree_shap" => "SHAP value",
        "banzhaf" => "Banzhaf value",
        "saabas" => "Saabas value",
        "shapley_interactions" => "interaction",
        _ => "attribution",
    };
    let unnamed = single && about.output_names.is_none();
    Output {
        name: match (unnamed, same) {
            (true, _) => String::new(),
            (false, true) => first,
            (false, false) => "each row's own target".to_owned(),
        },
        unit: unit.to_owned(),
        value_name: value_name.to_owned(),
    }
}
