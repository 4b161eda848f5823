//! The list of traps: what readers and explainers of tree models get wrong, each a test that names it. Readers are judged by what
//! the source library itself predicts (`fixtures/trees`), attributions by all coalitions of features.

mod catboost;
mod lightgbm;
mod methods;
mod scikit_learn;
mod xgboost;

use ndarray::{Array2, Axis};
use pellucid_core::Work;

use crate::ensemble::*;
use crate::interventional::{interventional, interventional_interactions};
use crate::path_dependent::{path_dependent, path_dependent_interactions};
use crate::readers::testing::*;
use crate::rows::Rows;
use crate::testing::*;

/// Sums against the library's own margins for all rows, values and interactions of some against all coalitions.
#[track_caller]
fn check_values(model: &Recorded, raw: &Array2<f64>) {
    assert_values_add_up(model, raw);
    let (ensemble, n) = (&model.ensemble, model.rows.nrows());
    let some = model.rows.select(Axis(0), &[0, 1, n / 2, n - 1]);
    let background = model.rows.select(Axis(0), &[2, 3, 4]);
    let (rows, reference, work) = (Rows::F64(some.view()), Rows::F64(background.view()), Work::default());
    let by_path = ensemble.has_covers.then(|| {
        let pairs = path_dependent_interactions(ensemble, rows, &work).expect("covers");
        (path_dependent(ensemble, rows, &work).expect("covers"), pairs)
    });
    let by_background = interventional(ensemble, rows, reference, &work).expect("rows fit");
    let pairs = interventional_interactions(ensemble, rows, reference, &work).expect("rows fit");
    let (some, background) = (compared(ensemble, &some), compared(ensemble, &background));
    for (index, row) in some.iter().enumerate() {
        for output in 0..ensemble.n_outputs() {
            let what = format!("{}, row {index}, output {output}", model.name);
            if let Some((values, pairs)) = &by_path {
                let game = path_dependent_game(ensemble, row, output);
                assert_of_game(&what, &values.row(index, output), &game, &shapley_values(&game));
                assert_of_game(&what, &pairs.row(index, output), &game, &interaction_values(&game));
            }
            let game = interventional_game(ensemble, row, &background, |margins| margins[output]);
            assert_of_game(&what, &by_background.row(index, output), &game, &shapley_values(&game));
            assert_of_game(&what, &pairs.row(index, output), &game, &interaction_values(&game));
        }
    }
}

/// The library's margins, and values that add up to them.
#[track_caller]
fn check(model: Recorded) -> Recorded {
    let model = model.with_own_margins();
    check_values(&model, &model.expected("raw"));
    model
}

fn category_sets(model: &Recorded) -> Vec<&CategorySet> {
    let splits = model.splits();
    splits.filter_map(|split| if let Test::In(set) = &split.test { Some(set) } else { None }).collect()
}
