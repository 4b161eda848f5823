//! The simulation of `examples/drift_simulation.rs`, small enough for every day.

#![allow(clippy::unwrap_used, reason = "a broken expectation is what a test reports")]

#[path = "../examples/simulated/mod.rs"]
mod simulated;

use pellucid_drift::{AlarmRule, AlarmState, Options};
use simulated::{World, first_true};

/// A week of windows of four hours each.
const WEEK: usize = 42;

fn world(reference_rows: usize, window_rows: usize) -> World {
    World {
        weights: vec![1.2, -1.0, 0.8],
        bias: -0.5,
        reference_rows,
        window_rows,
        watch_all: false,
        options: Options { window_rows, ..Options::default() },
        rule: AlarmRule::default(),
    }
}

/// At most 1 % of weeks: none of 100, with a small reference and small windows, where chance is strongest.
#[test]
fn without_drift_at_most_one_week_in_a_hundred_alarms() {
    let world = world(1_000, 150);
    let n_false = (0..100).filter(|week| !world.run(*week, WEEK, |_| 0.0).unwrap().is_empty()).count();
    assert!(n_false <= 1, "{n_false} of 100 weeks");
}

/// A shift that grows by a quarter of a deviation in a week and goes on is found while accuracy has fallen by less than a point.
#[test]
fn a_growing_shift_is_found_before_it_costs_a_point_of_accuracy() {
    let world = world(4_000, 500);
    let costly = world.costly_shift();
    assert!(costly > 0.25, "{costly}");
    let shift = |place: usize| 0.25 * place as f64 / WEEK as f64;
    let last = (costly / 0.25 * WEEK as f64) as usize;
    for run in 0..10 {
        let alarms = world.run(run, last, shift).unwrap();
        let found = first_true(&alarms, 0).unwrap();
        assert!(world.accuracy(0.0) - world.accuracy(shift(found)) < 0.01, "run {run}: window {found}");
    }
}

/// A step of a quarter of a deviation is found within two days, costs less than a point, and is cleared when it is over.
#[test]
fn a_step_of_a_quarter_deviation_is_found_and_cleared() {
    let world = world(4_000, 500);
    assert!(world.accuracy(0.0) - world.accuracy(0.25) < 0.01);
    for run in 0..10 {
        let shift = |place: usize| if (10..30).contains(&place) { 0.25 } else { 0.0 };
        let alarms = world.run(run, WEEK, shift).unwrap();
        let found = first_true(&alarms, 10).unwrap();
        assert!(found < 10 + 12, "run {run}: window {found}");
        let (cleared_at, cleared) =
            alarms.iter().find(|(_, alarm)| alarm.state == AlarmState::Cleared).unwrap();
        assert!(*cleared_at >= 34 && cleared.name == "x0", "run {run}: {cleared:?}");
        assert!(alarms.iter().all(|(_, alarm)| alarm.name == "x0"), "run {run}");
    }
}

/// Windows too small to tell a quarter of a deviation from chance find it together, and nothing else.
#[test]
fn small_windows_find_a_quarter_deviation_together() {
    for (window_rows, n_windows) in [(100, 100), (40, 210)] {
        let world = world(2_000, window_rows);
        for run in 0..5 {
            let alarms = world.run(run, n_windows, |place| if place < 5 { 0.0 } else { 0.25 }).unwrap();
            assert!(first_true(&alarms, 5).is_some(), "{window_rows} rows, run {run}");
            assert!(alarms.iter().all(|(_, alarm)| alarm.name == "x0"), "{window_rows} rows, run {run}");
        }
    }
}

/// The accuracy that is summed over margins is the one that is counted over rows.
#[test]
fn accuracy_is_what_counting_gives() {
    use pellucid_core::Draws;
    use rand_distr::{Distribution, StandardNormal, StandardUniform};
    let world = world(1, 1);
    let mut generator = Draws::new(1, &[0; 32], "accuracy").draw(0);
    let n_rows = 200_000;
    let mut n_right = 0;
    for _ in 0..n_rows {
        let x: Vec<f64> = (0..3).map(|_| StandardNormal.sample(&mut generator)).collect();
        let margin = world.bias + x.iter().zip(&world.weights).map(|(x, w)| x * w).sum::<f64>();
        let uniform: f64 = StandardUniform.sample(&mut generator);
        let label = uniform < 1.0 / (1.0 + (-margin).exp());
        n_right += usize::from(label == (margin + 1.2 * 0.5 > 0.0));
    }
    let counted = n_right as f64 / f64::from(n_rows);
    // Three standard errors.
    assert!((counted - world.accuracy(0.5)).abs() < 3.0 * (0.25 / f64::from(n_rows)).sqrt(), "{counted}");
}
