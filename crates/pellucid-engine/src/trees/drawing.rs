//! Some rows and one target of an explanation, in the form that charts take.

use ndarray::{Array1, Array2, Axis, Ix2, Ix3};
use pellucid_core::OutputSpace;
use pellucid_plot::Chart;
use pellucid_plot::tabular::{self, Feature, Interactions, Options, Output, Table, interaction_sizes};

use crate::error::Error;
use crate::explanation::Explanation;

/// Some rows and one target, in the form that charts take.
pub(crate) struct Drawing {
    values: Array2<f64>,
    data: Option<Array2<f64>>,
    features: Vec<Feature>,
    base_values: Array1<f64>,
    outputs: Array1<f64>,
    row_names: Vec<String>,
    output: Output,
    mixes_targets: bool,
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
            base_values: base_values.into(),
            outputs: outputs.into(),
            row_names: rows.iter().map(|&row| row_name(explanation, row)).collect(),
            output: output(explanation, rows, target),
            mixes_targets: !same_target(explanation, rows, target),
        })
    }

    pub(crate) fn table(&self) -> Table<'_> {
        Table {
            values: self.values.view(),
            data: self.data.as_ref().map(|data| data.view()),
            features: &self.features,
            base_values: self.base_values.view(),
            outputs: Some(self.outputs.view()),
            row_names: Some(&self.row_names),
            output: &self.output,
        }
    }

    /// The index of a feature by its name, or of the one with the largest values.
    pub(super) fn feature(&self, option: &str, name: Option<&str>) -> Result<usize, Error> {
        match name {
            None => Ok(self.ranked().first().copied().unwrap_or(0)),
            Some(name) => self.features.iter().position(|feature| feature.name == name).ok_or_else(|| {
                let names: Vec<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
                Error::request(option, format!("no feature `{name}`; there are: {}", names.join(", ")))
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

    /// Whether rows have targets of their own.
    pub(crate) fn mixes_targets(&self) -> bool {
        self.mixes_targets
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn outputs(&self) -> &Array1<f64> {
        &self.outputs
    }

    /// The feature with the largest interactions with `feature`, where the explanation holds interactions.
    pub(super) fn strongest_interaction(
        &self,
        explanation: &Explanation,
        feature: usize,
        target: usize,
    ) -> Option<usize> {
        let mut sizes = vec![0.0; self.features.len()];
        for row in 0..explanation.n_rows() {
            let pairs = explanation.values_of(row, target).into_dimensionality::<Ix2>().ok()?;
            for (size, value) in sizes.iter_mut().zip(pairs.row(feature)) {
                *size += value.abs();
            }
        }
        let others = (0..sizes.len()).filter(|&other| other != feature && sizes[other] > 0.0);
        others.max_by(|&a, &b| sizes[a].total_cmp(&sizes[b]).then(b.cmp(&a)))
    }

    pub(super) fn interactions(
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
            Error::request("kind", "the explanation has no interactions; explain with --interactions, or by pairwise-interactions")
        })?;
        let sizes = interaction_sizes(values.view());
        let interactions =
            Interactions { sizes: sizes.view(), n_rows, features: &self.features, output: &self.output };
        Ok(tabular::interaction_matrix(&interactions, options)?)
    }
}

/// `row 48`, with its file where there are several.
fn row_name(explanation: &Explanation, row: usize) -> String {
    let inputs = &explanation.about.inputs;
    let source = &inputs[row].source;
    match inputs.iter().all(|input| input.source.file == source.file) {
        true => format!("row {}", source.row_index),
        false => format!("{}, row {}", source.file, source.row_index),
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

fn same_target(explanation: &Explanation, rows: &[usize], target: usize) -> bool {
    rows.windows(2)
        .all(|pair| explanation.target_label(pair[0], target) == explanation.target_label(pair[1], target))
}

fn output(explanation: &Explanation, rows: &[usize], target: usize) -> Output {
    let about = &explanation.about;
    let single = about.predictions.iter().all(|row| row.len() == 1);
    let classifies = about.predictions.iter().flatten().all(|prediction| prediction.probability.is_some());
    let unit = match about.output_space {
        OutputSpace::Margin if single && classifies => "log-odds".to_owned(),
        OutputSpace::Value => String::new(),
        space => space.name().replace('_', "-"),
    };
    let value_name = match about.method.as_str() {
        "tree_shap" | "exact_shap" | "kernel_shap" | "permutation_shap" | "sampling_shap" => "SHAP value",
        "owen" => "Owen value",
        "banzhaf" => "Banzhaf value",
        "saabas" => "Saabas value",
        "shapley_interactions" | "pairwise_interactions" => "interaction",
        _ => "attribution",
    };
    let unnamed = single && about.output_names.is_none();
    Output {
        name: match (unnamed, rows.first()) {
            (false, Some(&row)) if same_target(explanation, rows, target) => {
                explanation.target_label(row, target)
            }
            (false, Some(_)) => "each row's own target".to_owned(),
            _ => String::new(),
        },
        unit,
        value_name: value_name.to_owned(),
    }
}
