//! Simulates weeks of hourly windows with and without drift, and prints the tables of `docs/drift.md`.
//!
//!     cargo run --release -p pellucid-drift --example drift_simulation [WEEKS] [RUNS]

#![allow(clippy::print_stdout, reason = "it is a program that prints tables")]

mod simulated;

use pellucid_drift::{AlarmRule, Error, Options};
use simulated::{World, first_true};

const HOURS: usize = 168;

fn world(reference_rows: usize, window_rows: usize) -> World {
    World {
        weights: vec![1.2, -1.0, 0.8, 0.8, -0.6, 0.4, 0.2, 0.05],
        bias: -0.5,
        reference_rows,
        window_rows,
        watch_all: true,
        options: Options { window_rows, ..Options::default() },
        rule: AlarmRule::default(),
    }
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().ok());
    let n_weeks = arguments.next().flatten().unwrap_or(300);
    let n_runs = arguments.next().flatten().unwrap_or(20);
    false_alarms(n_weeks)?;
    steps(n_runs)?;
    ramps(n_runs)
}

/// Weeks without drift in which any alarm was raised.
fn false_alarms(n_weeks: u64) -> Result<(), Error> {
    println!("| rows of the reference | rows of a window | weeks | weeks with a false alarm |");
    println!("|---|---|---|---|");
    // Large samples take long; fewer weeks of them.
    for (reference_rows, window_rows, fewer) in [
        (500, 100, 1),
        (2_000, 30, 1),
        (2_000, 100, 1),
        (1_000, 250, 1),
        (1_000, 500, 2),
        (5_000, 500, 4),
        (10_000, 2_000, 16),
    ] {
        let n_weeks = n_weeks / fewer;
        let world = world(reference_rows, window_rows);
        let mut n_false = 0;
        for week in 0..n_weeks {
            n_false += usize::from(!world.run(week, HOURS, |_| 0.0)?.is_empty());
        }
        println!(
            "| {reference_rows} | {window_rows} | {n_weeks} | {n_false} ({:.2} %) |",
            100.0 * n_false as f64 / n_weeks as f64
        );
    }
    Ok(())
}

/// A step of a quarter of a deviation at hour 24: how many windows until the alarm.
fn steps(n_runs: u64) -> Result<(), Error> {
    const STEP_AT: usize = 24;
    println!(
        "\n| rows of the reference | rows of a window | runs | found within a week | windows until the alarm: median | 95 % |"
    );
    println!("|---|---|---|---|---|---|");
    for (reference_rows, window_rows) in
        [(2_000, 30), (2_000, 100), (1_000, 250), (2_000, 200), (5_000, 500), (10_000, 2_000)]
    {
        let world = world(reference_rows, window_rows);
        let mut waits = Vec::new();
        for run in 0..n_runs {
            let alarms = world.run(run, STEP_AT + HOURS, |hour| if hour < STEP_AT { 0.0 } else { 0.25 })?;
            waits.extend(first_true(&alarms, STEP_AT).map(|place| place - STEP_AT + 1));
        }
        waits.sort_unstable();
        let quantile = |share: f64| match waits.get((share * n_runs as f64) as usize) {
            Some(wait) => wait.to_string(),
            None => "more than a week".to_owned(),
        };
        println!(
            "| {reference_rows} | {window_rows} | {n_runs} | {} | {} | {} |",
            waits.len(),
            quantile(0.5),
            quantile(0.95)
        );
    }
    Ok(())
}

/// A shift that grows by one deviation in four weeks: the shift when it was found, against the shift that costs a point of accuracy.
fn ramps(n_runs: u64) -> Result<(), Error> {
    const WEEKS: usize = 4;
    println!(
        "\n| rows of the reference | rows of a window | runs | found before accuracy fell by a point | shift when found: median | largest | shift that costs a point |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (reference_rows, window_rows) in [(2_000, 30), (2_000, 100), (1_000, 250), (2_000, 200), (5_000, 500)]
    {
        let world = world(reference_rows, window_rows);
        let shift = |hour: usize| hour as f64 / (WEEKS * HOURS) as f64;
        let costly = world.costly_shift();
        let last = (costly * (WEEKS * HOURS) as f64) as usize;
        let mut shifts = Vec::new();
        for run in 0..n_runs {
            shifts.extend(first_true(&world.run(run, last, shift)?, 0).map(shift));
        }
        shifts.sort_by(f64::total_cmp);
        let at = |share: f64| {
            shifts.get((share * (shifts.len().max(1) - 1) as f64) as usize).copied().unwrap_or(f64::NAN)
        };
        println!(
            "| {reference_rows} | {window_rows} | {n_runs} | {} | {:.3} σ | {:.3} σ | {costly:.3} σ |",
            shifts.len(),
            at(0.5),
            at(1.0)
        );
    }
    Ok(())
}
