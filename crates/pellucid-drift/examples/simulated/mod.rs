//! A logistic model on rows that drift, window by window: how often alarms are false, and whether true ones come in time.

#![allow(dead_code, reason = "the test runs a smaller simulation than the example")]

use pellucid_core::Draws;
use pellucid_drift::{Alarm, AlarmRule, AlarmState, Column, Error, Options, Part, Sample, Watch, Window};
use rand_distr::{Distribution, StandardNormal};

/// What is simulated.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The model's weights, one a feature; features are independent and standard normal.
    pub(crate) weights: Vec<f64>,
    /// The model's bias.
    pub(crate) bias: f64,
    /// Rows of the reference.
    pub(crate) reference_rows: usize,
    /// Rows of a window.
    pub(crate) window_rows: usize,
    /// Whether inputs and predictions are watched beside the attributions.
    pub(crate) watch_all: bool,
    /// What counts as drift.
    pub(crate) options: Options,
    /// What makes an alarm.
    pub(crate) rule: AlarmRule,
}

impl World {
    /// Watches one run of windows. `shift` tells by how many deviations the first feature reads too high in a window.
    ///
    /// Gives each alarm with the place of the window that raised or cleared it.
    pub(crate) fn run(
        &self,
        run: u64,
        n_windows: usize,
        shift: impl Fn(usize) -> f64,
    ) -> Result<Vec<(usize, Alarm)>, Error> {
        let draws = Draws::new(run, &[0; 32], "drift simulation");
        let reference = self.sample(self.reference_rows, 0.0, &draws, 0);
        let mut watch = Watch::new(&reference, self.options.clone(), self.rule)?;
        let mut alarms = Vec::new();
        for place in 0..n_windows {
            let sample = self.sample(self.window_rows, shift(place), &draws, place as u64 + 1);
            let start_micros = place as i64 * 3_600_000_000;
            let window =
                Window { rows: 0..self.window_rows, start_micros, end_micros: start_micros + 3_600_000_000 };
            let observed = watch.observe(&window, &sample)?;
            alarms.extend(observed.changed.into_iter().map(|alarm| (place, alarm)));
        }
        Ok(alarms)
    }

    /// Rows of which the first feature reads `shift` deviations too high. A linear model's exact attributions are `w (x − mean x)` (Štrumbelj and Kononenko 2014).
    fn sample(&self, n_rows: usize, shift: f64, draws: &Draws, stream: u64) -> Sample {
        let mut generator = draws.draw(stream);
        let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
        let mut inputs: Vec<Vec<f64>> =
            self.weights.iter().map(|_| (0..n_rows).map(|_| normal()).collect()).collect();
        inputs.iter_mut().take(1).flatten().for_each(|x| *x += shift);
        let attributions: Vec<Vec<f64>> = inputs
            .iter()
            .zip(&self.weights)
            .map(|(x, weight)| x.iter().map(|x| weight * x).collect())
            .collect();
        let margin = |row: usize| self.bias + attributions.iter().map(|a| a[row]).sum::<f64>();
        let predictions = vec![Column::numeric(
            "probability",
            (0..n_rows).map(|row| sigmoid(margin(row))).collect::<Vec<f64>>(),
        )];
        let named = |columns: Vec<Vec<f64>>| -> Vec<Column> {
            columns
                .into_iter()
                .enumerate()
                .map(|(i, values)| Column::numeric(format!("x{i}"), values))
                .collect()
        };
        let mut sample = Sample {
            comparability_key: "linear attributions of the simulated model".to_owned(),
            attributions: named(attributions),
            ..Sample::default()
        };
        if self.watch_all {
            sample.inputs = named(inputs);
            sample.predictions = predictions;
        }
        sample
    }

    /// The model's accuracy where the first feature reads `shift` too high: labels come from the true margin `L`, predictions from `L + w₁ shift`. Summed over the
    /// margin's normal distribution in small steps.
    pub(crate) fn accuracy(&self, shift: f64) -> f64 {
        const STEP: f64 = 1e-3;
        let deviation = self.weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        let error = self.weights.first().map_or(0.0, |weight| weight * shift);
        let right = |z: f64| {
            let margin = self.bias + deviation * z;
            let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
            density * if margin + error > 0.0 { sigmoid(margin) } else { sigmoid(-margin) }
        };
        (-8_000..8_000).map(|i| right((f64::from(i) + 0.5) * STEP) * STEP).sum()
    }

    /// The shift at which accuracy has fallen by one point, by bisection.
    pub(crate) fn costly_shift(&self) -> f64 {
        let wanted = self.accuracy(0.0) - 0.01;
        let (mut low, mut high) = (0.0, 8.0);
        for _ in 0..30 {
            let middle = f64::midpoint(low, high);
            if self.accuracy(middle) > wanted { low = middle } else { high = middle }
        }
        high
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The place of the window that first raised an alarm about the feature that drifts, at or after `from`.
pub(crate) fn first_true(alarms: &[(usize, Alarm)], from: usize) -> Option<usize> {
    let about = |alarm: &Alarm| alarm.part == Part::Attribution && alarm.name == "x0";
    let mut raised = alarms
        .iter()
        .filter(|(place, alarm)| *place >= from && alarm.state == AlarmState::Raised && about(alarm));
    raised.next().map(|(place, _)| *place)
}
