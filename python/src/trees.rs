//! The arrays of scikit-learn's trees → a tree model.

use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pellucid_engine::{
    Arithmetic, Error, Link, Precision, Provenance, TreeArrays, TreeEnsemble, TreeModel, tree_of_arrays,
};
use pyo3::prelude::*;

use crate::errors::of_option;

/// One tree.
#[derive(FromPyObject)]
pub(crate) struct PythonTree<'py> {
    #[pyo3(item)]
    left: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    right: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    feature: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    threshold: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    missing_left: PyReadonlyArray1<'py, bool>,
    #[pyo3(item)]
    cover: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    values: PyReadonlyArray2<'py, f64>,
    #[pyo3(item)]
    first_output: usize,
}

/// What the trees add up to.
#[derive(FromPyObject)]
pub(crate) struct Description {
    #[pyo3(item)]
    name: String,
    #[pyo3(item)]
    digest: String,
    #[pyo3(item)]
    version: String,
    #[pyo3(item)]
    objective: String,
    #[pyo3(item)]
    n_features: usize,
    #[pyo3(item)]
    base_scores: Vec<f64>,
    #[pyo3(item)]
    scale: f64,
    /// Whether the leaves are averaged: `scale` is one over their number.
    #[pyo3(item)]
    is_mean: bool,
    #[pyo3(item)]
    link: String,
    /// Whether values are rounded to f32 before they are compared.
    #[pyo3(item)]
    rounds_to_f32: bool,
    #[pyo3(item)]
    feature_names: Option<Vec<String>>,
    #[pyo3(item)]
    output_names: Option<Vec<String>>,
}

/// The model that trees and description make.
pub(crate) fn model(
    trees: &[PythonTree<'_>],
    description: Description,
) -> PyResult<Result<TreeModel, Error>> {
    let link = link(&description.link)?;
    let trees = trees.iter().map(read).collect::<PyResult<Result<Vec<_>, _>>>()?;
    Ok(trees.and_then(|trees| {
        let n_outputs = description.base_scores.len();
        let ensemble = TreeEnsemble {
            base_scores: description.base_scores,
            scale: description.scale,
            link,
            precision: if description.rounds_to_f32 { Precision::F32 } else { Precision::F64 },
            arithmetic: if description.is_mean { Arithmetic::F64Mean } else { Arithmetic::F64 },
            absent: 0.0,
            feature_names: description.feature_names,
            output_names: description.output_names,
            has_covers: true,
            provenance: Provenance {
                library: "scikit-learn".to_owned(),
                version: description.version,
                objective: description.objective,
                warnings: Vec::new(),
            },
            ..TreeEnsemble::new(trees, description.n_features, n_outputs)
        };
        TreeModel::from_ensemble(&description.name, "scikit-learn", description.digest, ensemble)
    }))
}

fn read(tree: &PythonTree<'_>) -> PyResult<Result<pellucid_engine::Tree, Error>> {
    let arrays = TreeArrays {
        left: tree.left.as_slice()?,
        right: tree.right.as_slice()?,
        feature: tree.feature.as_slice()?,
        threshold: tree.threshold.as_slice()?,
        missing_left: tree.missing_left.as_slice()?,
        cover: tree.cover.as_slice()?,
        values: tree.values.as_array(),
        first_output: tree.first_output,
    };
    Ok(tree_of_arrays(&arrays).map_err(Error::from))
}

fn link(name: &str) -> PyResult<Link> {
    match name {
        "identity" => Ok(Link::Identity),
        "sigmoid" => Ok(Link::Sigmoid { slope: 1.0 }),
        "sigmoid_of_twice" => Ok(Link::Sigmoid { slope: 2.0 }),
        "softmax" => Ok(Link::Softmax),
        "exp" => Ok(Link::Exp),
        "probability" => Ok(Link::Probability),
        _ => Err(of_option("link", "is unknown")),
    }
}
