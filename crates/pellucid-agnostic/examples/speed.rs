//! Seconds that one row takes by each method, and its values: Pellucid's side of `bench/any_model.py`, which says what the model is.
//!
//!     speed METHOD REPEATS [TIMES]
//!
//! All explain both outputs, `lime` one of them. TIMES multiplies the model calls that methods have by default.

#![allow(clippy::print_stdout, reason = "its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run has nothing to say")]

use std::error::Error;
use std::time::Instant;

use ndarray::{Array2, ArrayViewD, Axis, Ix2, array};
use pellucid_agnostic::lime::{Column, Discretization, Table, TabularOptions, lime_tabular};
use pellucid_agnostic::{Function, Groups, MaskedRow, Masker, Predictor, kernel_shap, permutation_shap};
use pellucid_core::Work;
use rayon::prelude::*;

const N_FEATURES: usize = 30;
const N_BACKGROUND: usize = 100;

/// Rows of a batch that a core takes at a time.
const PIECE: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (method, repeats, times) = match arguments.as_slice() {
        [method, repeats] => (method, repeats.parse::<usize>()?, 1),
        [method, repeats, times] => (method, repeats.parse()?, times.parse()?),
        _ => return Err("usage: speed METHOD REPEATS [TIMES]".into()),
    };
    let rows =
        Array2::from_shape_fn((1000, N_FEATURES), |(i, j)| ((i * 13 + j * 7) as f64 * 0.37).sin() * 2.0);
    let model = network();
    let background = rows.slice_axis(Axis(0), ndarray::Slice::from(..N_BACKGROUND)).to_owned().into_dyn();
    let masker = Masker::background(background, None, Groups::single(&[N_FEATURES]))?;
    let table = Table::new(rows.view(), &[Column::Number; N_FEATURES], &Discretization::Quartile)?;
    let (mut seconds, mut values) = (Vec::new(), Vec::new());
    for index in 0..=repeats {
        let row = rows.row(N_BACKGROUND + index).to_owned().into_dyn();
        let start = Instant::now();
        let targets = if method == "lime" { array![[0.0], [1.0]] } else { Array2::eye(2) };
        let game = MaskedRow::new(&model, &masker, row.view(), targets)?;
        values.push(explain(method, &game, &table, times)?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    // The first one warms up.
    println!("{{\"seconds\": {:?}, \"values\": {:?}}}", &seconds[1..], &values[1..]);
    Ok(())
}

/// The values of all features, one target after the other.
fn explain(
    method: &str,
    game: &MaskedRow<'_>,
    table: &Table,
    times: usize,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let work = Work::default();
    let estimate = match method {
        "kernel" => {
            let max_evaluations = Some(times * kernel_shap::default_evaluations(N_FEATURES));
            let options = kernel_shap::Options { max_evaluations, ..Default::default() };
            kernel_shap::kernel_shap(game, &options, &work)?
        }
        "permutation" => {
            let max_evaluations = Some(times * permutation_shap::default_evaluations(N_FEATURES));
            let options = permutation_shap::Options { max_evaluations, ..Default::default() };
            permutation_shap::permutation_shap(game, &options, &work)?
        }
        "lime" | "lime-two-targets" => lime_tabular(game, table, &TabularOptions::default(), &work)?.estimate,
        unknown => return Err(format!("no method `{unknown}`").into()),
    };
    Ok(estimate.values.t().iter().copied().collect())
}

/// 30-64-64-2 in f32, on all cores, as NumPy runs it on the other side.
fn network() -> impl Predictor {
    let weights = |n: usize, m: usize, step: f64| {
        Array2::from_shape_fn((n, m), |(i, j)| (((i * 31 + j * 17) as f64 * step).sin() * 0.3) as f32)
    };
    let layers = [weights(N_FEATURES, 64, 0.7), weights(64, 64, 1.3), weights(64, 2, 0.9)];
    let predict = move |rows: ArrayViewD<'_, f64>| {
        let rows = rows.into_dimensionality::<Ix2>().expect("a table");
        let pieces: Vec<_> = rows.axis_chunks_iter(Axis(0), PIECE).collect();
        let of_pieces: Vec<Array2<f64>> = pieces
            .into_par_iter()
            .map(|piece| {
                let [first, second, last] = &layers;
                let hidden = piece.mapv(|x| x as f32).dot(first).mapv(|x| x.max(0.0));
                hidden.dot(second).mapv(|x| x.max(0.0)).dot(last).mapv(f64::from)
            })
            .collect();
        let views: Vec<_> = of_pieces.iter().map(|piece| piece.view()).collect();
        Ok(ndarray::concatenate(Axis(0), &views).expect("pieces of one width"))
    };
    Function { row_shape: vec![N_FEATURES], n_outputs: 2, predict }
}
