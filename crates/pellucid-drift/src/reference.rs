//! A reference, made ready once, and the windows that are compared with it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::calibration::{Threshold, Thresholds, calibrate};
use crate::false_discovery::false_discovery_rate;
use crate::finding::{BeforeAfter, Evidence, FeatureDrift, Measure, Verdict, WindowDrift};
use crate::options::Options;
use crate::prepared::{Prepared, Present};
use crate::ranking::ranking;
use crate::sample::{Part, Sample, Values};
use crate::share::{shares, total_variation};

/// A sample from when all was well, with bins, units and thresholds taken from it.
///
/// ```
/// use pellucid_drift::{Column, Options, Part, Reference, Sample, Verdict};
///
/// let sample = |shift: f64| Sample {
///     comparability_key: "saliency of model 3".to_owned(),
///     attributions: vec![
///         Column::numeric("income", (0..1_000).map(|i| f64::from(i * 37 % 1_000) / 1_000.0 + shift).collect::<Vec<_>>()),
///         Column::numeric("age", (0..1_000).map(|i| f64::from(i * 11 % 1_000) / 1_000.0).collect::<Vec<_>>()),
///     ],
///     ..Sample::default()
/// };
/// let reference = Reference::new(sample(0.0), Options::default())?;
/// let drift = reference.compare(&sample(0.2))?;
/// let verdicts: Vec<Verdict> = drift.of(Part::Attribution).map(|feature| feature.verdict).collect();
/// assert_eq!(verdicts, [Verdict::Drifted, Verdict::NotShown]);
/// // The deviation of evenly spread numbers is 1/√12, so 0.2 is 0.69 of it.
/// assert!((drift.features[0].effect - 0.2 * 12.0_f64.sqrt()).abs() < 1e-3);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
#[derive(Debug)]
pub struct Reference {
    comparability_key: String,
    options: Options,
    /// Columns that have a value, with their thresholds.
    prepared: BTreeMap<(Part, String), (Prepared, Option<Threshold>)>,
    /// All columns in their order, with those of missing values.
    order: Vec<(Part, String)>,
    share_threshold: Option<Threshold>,
}

impl Reference {
    /// Takes bins, units and thresholds from a sample. Costs about one pass over all values for each resample, so a reference of some ten thousand rows is plenty.
    ///
    /// # Errors
    /// The sample or an option is not as it should be, or the reference has too few consecutive windows.
    pub fn new(sample: Sample, options: Options) -> Result<Self, Error> {
        options.check()?;
        sample.check()?;
        let weights = sample.weights();
        let present = |values: &Values| Present::new(values, &weights, sample.groups.as_deref());
        let mass: f64 = sample.attributions.iter().map(|column| mean_size(&column.values, &weights)).sum();
        let mut columns = Vec::new();
        let mut order = Vec::new();
        for (part, name, values) in columns_of(&sample, |_, _| true) {
            let mass = (part == Part::Attribution).then_some(mass);
            columns.extend(Prepared::new(part, &name, &values, present(&values), mass, options.n_bins)?);
            order.push((part, name));
        }
        let Thresholds { columns: thresholds, shares } = calibrate(&sample, &columns, &options)?;
        let keyed = columns.into_iter().zip(thresholds).map(|(column, threshold)| {
            // Where nothing was ever missing, any threshold would do; the effect's floor decides.
            let never = column.part == Part::Missing && column.is("present");
            let threshold = if never { Some(Threshold::NONE) } else { threshold };
            ((column.part, column.name.clone()), (column, threshold))
        });
        Ok(Self {
            comparability_key: sample.comparability_key.clone(),
            prepared: keyed.collect(),
            order,
            share_threshold: shares.filter(|_| !sample.attributions.is_empty()),
            options,
        })
    }

    /// The key that windows must have.
    pub fn comparability_key(&self) -> &str {
        &self.comparability_key
    }

    /// Its effective size, by the column that is missing least.
    pub(crate) fn n_effective(&self) -> f64 {
        self.prepared.values().map(|(column, _)| column.effective).fold(0.0, f64::max)
    }

    /// Compares a window with the reference.
    ///
    /// # Errors
    /// - The window is of another comparability key.
    /// - It has other columns than the reference, or of another kind.
    /// - It is not as a [`Sample`] should be.
    pub fn compare(&self, window: &Sample) -> Result<WindowDrift, Error> {
        if window.comparability_key != self.comparability_key {
            let (expected, found) = (self.comparability_key.clone(), window.comparability_key.clone());
            return Err(Error::NotComparable { expected, found });
        }
        window.check()?;
        self.check_columns(window)?;
        let weights = window.weights();
        let mut features = Vec::new();
        // What is missing nowhere is no finding.
        let never_missing = |name: &str| {
            let prepared = self.prepared.get(&(Part::Missing, name.to_owned()));
            prepared.is_none_or(|(column, _)| column.is("present"))
        };
        let missing = |name: &str, values: &[f64]| {
            !never_missing(name) || values.iter().any(|value| !value.is_finite())
        };
        for (part, name, values) in columns_of(window, missing) {
            let present = Present::new(&values, &weights, window.groups.as_deref());
            let Some((column, threshold)) = self.prepared.get(&(part, name.clone())) else {
                features.push(FeatureDrift::blank(
                    part,
                    &name,
                    Measure::of(&values),
                    self.options.effect_floor,
                ));
                continue;
            };
            let Some(finding) = column.compare(&values, &present, threshold.as_ref(), &self.options)? else {
                let reason = "it holds numbers on one side and categories on the other; bring the window's to the reference's kind";
                return Err(Error::sample(name, reason));
            };
            features.push(finding);
        }
        self.adjust(&mut features);
        let ranking = self.rank(&mut features);
        features.iter_mut().for_each(|finding| finding.verdict = self.verdict(finding));
        let comparability_key = self.comparability_key.clone();
        Ok(WindowDrift { comparability_key, n_rows: window.n_rows(), features, ranking })
    }

    fn check_columns(&self, window: &Sample) -> Result<(), Error> {
        let found: Vec<(Part, &str)> =
            window.columns().map(|(part, column)| (part, column.name.as_str())).collect();
        let expected = || {
            self.order
                .iter()
                .map(|(part, name)| (*part, name.as_str()))
                .filter(|(part, _)| *part != Part::Missing)
        };
        if let Some((part, name)) = expected().find(|column| !found.contains(column)) {
            return Err(Error::sample(
                name,
                format!("the window has no such {part:?} column; the reference has"),
            ));
        }
        let known: BTreeSet<(Part, &str)> = expected().collect();
        match found.iter().find(|column| !known.contains(*column)) {
            Some((part, name)) => Err(Error::sample(
                *name,
                format!("the reference has no such {part:?} column; take a new reference"),
            )),
            None => Ok(()),
        }
    }

    /// Adjusts p-values over the features of each part.
    fn adjust(&self, features: &mut [FeatureDrift]) {
        for part in [Part::Attribution, Part::Input, Part::Missing, Part::Prediction] {
            let mut tested: Vec<&mut FeatureDrift> = features
                .iter_mut()
                .filter(|finding| finding.part == part && finding.p_value.is_some())
                .collect();
            let p_values: Vec<f64> = tested.iter().filter_map(|finding| finding.p_value).collect();
            for (finding, q) in tested.iter_mut().zip(false_discovery_rate(&p_values)) {
                finding.q_value = Some(q);
            }
        }
    }

    /// Adds what is known of the attributions together: each one's share, a finding about all shares, and gives the order.
    fn rank(&self, features: &mut Vec<FeatureDrift>) -> Option<crate::Ranking> {
        let attributions: Vec<usize> =
            (0..features.len()).filter(|i| features[*i].part == Part::Attribution).collect();
        let sizes: Vec<BeforeAfter> =
            attributions.iter().filter_map(|i| Some(features[*i].numbers?.mean_size)).collect();
        if sizes.is_empty() {
            return None;
        }
        let before: Vec<f64> = sizes.iter().map(|size| size.reference).collect();
        let after: Vec<f64> = sizes.iter().map(|size| size.window).collect();
        let (before_shares, after_shares) = (shares(&before), shares(&after));
        for (place, i) in attributions.iter().enumerate() {
            features[*i].share =
                Some(BeforeAfter { reference: before_shares[place], window: after_shares[place] });
        }
        let mut together = FeatureDrift::blank(
            Part::AttributionShare,
            "all",
            Measure::TotalVariation,
            self.options.effect_floor,
        );
        together.effect = total_variation(&before_shares, &after_shares);
        together.evidence = least(attributions.iter().map(|i| features[*i].evidence));
        together.threshold = self.share_threshold.map(|threshold| threshold.at(together.evidence.variance()));
        features.push(together);
        Some(ranking(&before, &after, self.options.top_k))
    }

    fn verdict(&self, finding: &FeatureDrift) -> Verdict {
        let evidence = &finding.evidence;
        let least = evidence.reference_effective.min(evidence.window_effective);
        let Some(threshold) = finding.threshold.filter(|_| least >= self.options.min_effective_rows) else {
            return Verdict::InsufficientEvidence;
        };
        let matters = finding.effect >= finding.effect_floor && finding.effect > threshold;
        let significant = finding.q_value.is_none_or(|q| q <= self.options.false_discovery_rate);
        if matters && significant { Verdict::Drifted } else { Verdict::NotShown }
    }
}

/// The smallest evidence of several, in each respect.
fn least(evidence: impl Iterator<Item = Evidence>) -> Evidence {
    let start = Evidence {
        reference_rows: usize::MAX,
        window_rows: usize::MAX,
        reference_effective: f64::INFINITY,
        window_effective: f64::INFINITY,
    };
    evidence.fold(start, |least, next| Evidence {
        reference_rows: least.reference_rows.min(next.reference_rows),
        window_rows: least.window_rows.min(next.window_rows),
        reference_effective: least.reference_effective.min(next.reference_effective),
        window_effective: least.window_effective.min(next.window_effective),
    })
}

/// All columns, and for the numeric inputs that `missing` is true of, whether they are missing.
fn columns_of(
    sample: &Sample,
    missing: impl Fn(&str, &[f64]) -> bool,
) -> Vec<(Part, String, Cow<'_, Values>)> {
    let mut columns = Vec::new();
    for (part, column) in sample.columns() {
        columns.push((part, column.name.clone(), Cow::Borrowed(&column.values)));
        let Values::Numeric(values) = &column.values else { continue };
        if part == Part::Input && missing(&column.name, values) {
            let word = |value: &f64| if value.is_finite() { "present" } else { "missing" }.to_owned();
            let missing = Values::Categorical(values.iter().map(word).collect());
            columns.push((Part::Missing, column.name.clone(), Cow::Owned(missing)));
        }
    }
    columns
}

fn mean_size(values: &Values, weights: &[f64]) -> f64 {
    match values {
        Values::Numeric(values) => {
            let sum: f64 = values.iter().zip(weights).map(|(value, weight)| weight * value.abs()).sum();
            sum / weights.iter().sum::<f64>()
        }
        Values::Categorical(_) => 0.0,
    }
}
