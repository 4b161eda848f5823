//! Methods that draw: their errors, their seeds, and what they refuse.

use ndarray::{ArrayD, Axis};
use pellucid_core::{Baseline, Target, Work};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::gradient_shap::{self, gradient_shap};
use pellucid_explain::input_x_gradient::input_x_gradient;
use pellucid_explain::integrated_gradients::{self};
use pellucid_explain::smoothgrad::{self, Noise, Statistic, smoothgrad};

use super::{CURVED, ig, largest, network, rows};

#[test]
fn smoothgrad_repeats_from_its_seed_and_knows_its_error() {
    let network = network(CURVED);
    let x = rows(2, &[3], 6);
    let run = |seed: u64, n_samples: usize, statistic: Statistic| {
        let options = smoothgrad::Options { seed, n_samples, statistic, noise: Noise::Absolute(0.5) };
        smoothgrad(&network, &x, &Target::Index(0), &options, &Work::default(), |rows, target| {
            input_x_gradient(&network, rows, target, &Work::default())
        })
        .expect("runs")
    };
    for statistic in [Statistic::Mean, Statistic::MeanSquare, Statistic::Variance] {
        assert_eq!(run(1, 10, statistic), run(1, 10, statistic));
        let (many, few) = (run(2, 4000, statistic), run(3, 100, statistic));
        let error = few.standard_error.expect("sampled");
        let z = (few.values - many.values) / error;
        // 5 standard errors: one in a million by chance, and the seeds are fixed.
        assert!(largest(&z) < 5.0, "{statistic:?}: {z:?}");
    }
}

#[test]
fn gradient_shap_draws_until_its_error_is_small_and_repeats_from_its_seed() {
    let network = network(CURVED);
    let (x, background) = (rows(3, &[3], 61), rows(5, &[3], 62));
    let run = |options: &gradient_shap::Options| {
        gradient_shap(&network, &x, &Target::Index(0), options, &Work::default()).expect("runs")
    };
    let few =
        gradient_shap::Options { n_samples: 20, seed: 3, ..gradient_shap::Options::new(background.clone()) };
    assert_eq!(run(&few), run(&few));
    assert_ne!(run(&few).values, run(&gradient_shap::Options { seed: 4, ..few.clone() }).values);
    let refined = run(&gradient_shap::Options { tolerance: Some(0.05), ..few.clone() });
    let norm = |values: ArrayD<f64>| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    for row in 0..3 {
        let errors = refined.standard_error.as_ref().expect("sampled").index_axis(Axis(0), row).to_owned();
        assert!(norm(errors) <= 0.05 * norm(refined.row(row, 0)), "row {row}");
        assert!(refined.evaluations[row] > 20 && refined.evaluations[row] % 20 == 0);
    }
    // Expected gradients are the mean of integrated gradients over the background.
    let expected = background.axis_iter(Axis(0)).fold(
        ArrayD::zeros(refined.values.raw_dim()),
        |sum: ArrayD<f64>, row| {
            let options = integrated_gradients::Options {
                baseline: Baseline::Array(row.to_owned()),
                n_steps: 100,
                ..Default::default()
            };
            sum + ig(&network, &x, &Target::Index(0), &options).values
        },
    ) / 5.0;
    let z = (&refined.values - &expected) / refined.standard_error.as_ref().expect("sampled");
    assert!(largest(&z) < 5.0, "{z:?}");
    let stopped = run(&gradient_shap::Options { tolerance: Some(1e-9), max_evaluations: 50, ..few });
    assert!(stopped.warnings.len() == 3 && stopped.warnings[0].contains("above the tolerance"));
    assert!(stopped.evaluations.iter().all(|&n| n == 40));
}

#[test]
fn backgrounds_and_draws_that_cannot_be_are_refused_by_name() {
    let network = network(CURVED);
    let x = rows(1, &[3], 1);
    let shap = |background: ArrayD<f32>| {
        let options = deep_shap::Options::new(background);
        deep_shap(&network, &x, &Target::Index(0), &options, &Work::default())
            .expect_err("refused")
            .to_string()
    };
    assert!(shap(rows(2, &[4], 1)).contains("background"));
    assert!(shap(rows(0, &[3], 1)).contains("no rows"));
    let mut broken = rows(2, &[3], 1);
    broken[[1, 2]] = f32::INFINITY;
    assert!(shap(broken).contains("[1, 2]"));
    let sampled = |change: fn(&mut gradient_shap::Options)| {
        let mut options = gradient_shap::Options::new(rows(2, &[3], 1));
        change(&mut options);
        gradient_shap(&network, &x, &Target::Index(0), &options, &Work::default())
            .expect_err("refused")
            .to_string()
    };
    assert!(sampled(|options| options.n_samples = 1).contains("n_samples"));
    assert!(sampled(|options| options.noise = Noise::Absolute(f64::NAN)).contains("noise"));
    assert!(sampled(|options| options.tolerance = Some(0.0)).contains("tolerance"));
}
