//! Cohorts side by side: how often they are selected, what the model gives them, how often it is wrong, and what it looks at.

use serde::{Deserialize, Serialize};

use crate::false_discovery::false_discovery_rate;
use crate::interval::{Contrast, Interval, compare_means, compare_shares, mean_interval, wilson};
use crate::sample::{Column, Values};
use crate::weighted::effective_size;
use crate::{Error, Weighted};

/// A group of explained rows. Outputs and attributions are those of one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cohort {
    /// Its name.
    pub name: String,
    /// How likely each row was to be explained, in (0, 1]; `None`: all alike.
    pub inclusion_probabilities: Option<Vec<f64>>,
    /// The explained output of each row; `None` where it is not to be compared.
    pub outputs: Option<Vec<f64>>,
    /// Whether the model decides for the target; `None` where it decides nothing (regression).
    pub selected: Option<Vec<bool>>,
    /// Whether the target is true, where it is known by now. Needs `selected`.
    pub labels: Option<Vec<Option<bool>>>,
    /// The attributions, a numeric column a feature, the same for all cohorts.
    pub attributions: Vec<Column>,
}

impl Cohort {
    /// How many rows it has, by the first list that it holds.
    fn n_rows(&self) -> usize {
        let lists = [
            self.outputs.as_ref().map(Vec::len),
            self.selected.as_ref().map(Vec::len),
            self.attributions.first().map(|column| column.values.len()),
        ];
        lists.into_iter().flatten().next().unwrap_or(0)
    }
}

/// What counts as a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CohortOptions {
    /// How sure the intervals are, each for itself.
    pub confidence: f64,
    /// The largest adjusted p-value that counts.
    pub false_discovery_rate: f64,
    /// The fewest positives, and the fewest negatives, to judge a rate by; the fewest effective rows to judge a mean by.
    pub min_each: usize,
}

impl Default for CohortOptions {
    fn default() -> Self {
        Self { confidence: 0.95, false_discovery_rate: 0.05, min_each: 30 }
    }
}

/// Cohorts compared with one of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CohortReport {
    /// The cohort that the others are compared with.
    pub against: String,
    /// The options that it was made with.
    pub options: CohortOptions,
    /// Whether the intervals are widened for the number of comparisons: they are not. The verdicts are (`q_value`).
    pub intervals_adjusted: bool,
    /// Each cohort, in the order given.
    pub cohorts: Vec<CohortSummary>,
    /// Each other cohort minus that one.
    pub differences: Vec<Difference>,
}

/// What is known of a cohort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CohortSummary {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub n_rows: usize,
    /// How many equally weighted rows would tell as much.
    pub effective_rows: f64,
    /// How many rows have a label by now.
    pub n_labelled: usize,
    /// Its rates and means.
    pub quantities: Vec<Quantity>,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// The share of rows that are selected.
    SelectionRate,
    /// The share of labelled rows that are wrong: selected though the target is not true, or not selected though it is.
    ErrorRate,
    /// The mean of the explained output.
    MeanOutput,
    /// The mean attribution of the feature of this name.
    MeanAttribution(String),
}

/// A rate or a mean of a cohort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantity {
    /// Which one.
    pub aspect: Aspect,
    /// The estimate with its interval; `None` where no row tells.
    pub estimate: Option<Interval>,
    /// How many rows tell.
    pub n_rows: usize,
    /// Of a rate: positives and negatives among them; selected ones for the selection rate, true ones for the error rate.
    pub positives_negatives: Option<[usize; 2]>,
    /// Whether they are enough to judge by.
    pub enough: bool,
}

/// How a cohort differs from the one it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The cohort.
    pub cohort: String,
    /// In which respect.
    pub aspect: Aspect,
    /// The cohort's estimate minus the other's; `None` where one has none.
    pub estimate: Option<Interval>,
    /// The probability of such a difference where there is none; only with enough evidence on both sides.
    pub p_value: Option<f64>,
    /// The p-value adjusted over all differences of the report (Benjamini and Hochberg).
    pub q_value: Option<f64>,
    /// What follows. There is no verdict that says "equal".
    pub verdict: DifferenceVerdict,
}

/// What follows from a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceVerdict {
    /// The cohorts differ.
    Different,
    /// No difference is shown. That is no proof that there is none.
    NotShown,
    /// Too few positives, negatives or rows to judge.
    InsufficientEvidence,
}

/// A cohort's rows of one aspect.
enum Data {
    Rate { share: f64, size: f64, counts: [usize; 2] },
    Mean(Weighted),
    Nothing,
}

/// Compares each cohort with the one at place `against`.
///
/// ```
/// use pellucid_drift::{Aspect, Cohort, CohortOptions, DifferenceVerdict, compare_cohorts};
///
/// let cohort = |name: &str, n: usize, n_selected: usize| Cohort {
///     name: name.to_owned(),
///     outputs: Some((0..n).map(|i| f64::from(u8::from(i < n_selected))).collect()),
///     selected: Some((0..n).map(|i| i < n_selected).collect()),
///     ..Cohort::default()
/// };
/// let cohorts = [cohort("others", 1_000, 500), cohort("north", 400, 120), cohort("islands", 9, 0)];
/// let report = compare_cohorts(&cohorts, 0, CohortOptions::default())?;
/// let rates: Vec<_> = report.differences.iter().filter(|d| d.aspect == Aspect::SelectionRate).map(|d| d.verdict).collect();
/// assert_eq!(rates, [DifferenceVerdict::Different, DifferenceVerdict::InsufficientEvidence]);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
///
/// # Errors
/// - There is no cohort at that place, or two have one name.
/// - A cohort has no rows, or lists differ in length, or a number is not finite.
/// - Attributions are not those of the same features.
pub fn compare_cohorts(
    cohorts: &[Cohort],
    against: usize,
    options: CohortOptions,
) -> Result<CohortReport, Error> {
    check_options(options)?;
    let Some(reference) = cohorts.get(against) else {
        return Err(Error::sample(
            "cohorts",
            format!("there is no cohort {against} among {}", cohorts.len()),
        ));
    };
    let mut names = std::collections::BTreeSet::new();
    for cohort in cohorts {
        check(cohort, reference)?;
        if !names.insert(&cohort.name) {
            return Err(Error::sample(&cohort.name, "two cohorts have this name; give each its own"));
        }
    }
    let aspects = aspects(cohorts);
    let data: Vec<Vec<Data>> = cohorts
        .iter()
        .map(|cohort| aspects.iter().map(|aspect| data(cohort, aspect)).collect())
        .collect::<Result<_, _>>()?;
    let others = (0..cohorts.len()).filter(|i| *i != against);
    let mut differences: Vec<Difference> = others
        .flat_map(|i| aspects.iter().enumerate().map(move |(a, aspect)| (i, a, aspect)))
        .map(|(i, a, aspect)| difference(&cohorts[i].name, aspect, &data[i][a], &data[against][a], options))
        .collect();
    adjust(&mut differences, options.false_discovery_rate);
    let summary = |(cohort, data): (&Cohort, &Vec<Data>)| summary(cohort, &aspects, data, options);
    Ok(CohortReport {
        against: reference.name.clone(),
        options,
        intervals_adjusted: false,
        cohorts: cohorts.iter().zip(&data).map(summary).collect(),
        differences,
    })
}

fn check_options(options: CohortOptions) -> Result<(), Error> {
    let inside = |rate: f64| rate > 0.0 && rate < 1.0;
    for (name, value) in
        [("confidence", options.confidence), ("false_discovery_rate", options.false_discovery_rate)]
    {
        if !inside(value) {
            return Err(Error::Option { name, value, reason: "it lies between 0 and 1" });
        }
    }
    if options.min_each < 2 {
        let value = options.min_each as f64;
        return Err(Error::Option { name: "min_each", value, reason: "fewer than 2 tell nothing" });
    }
    Ok(())
}

fn check(cohort: &Cohort, reference: &Cohort) -> Result<(), Error> {
    let n_rows = cohort.n_rows();
    let lengths = [
        ("outputs", cohort.outputs.as_ref().map(Vec::len)),
        ("inclusion_probabilities", cohort.inclusion_probabilities.as_ref().map(Vec::len)),
        ("selected", cohort.selected.as_ref().map(Vec::len)),
        ("labels", cohort.labels.as_ref().map(Vec::len)),
    ];
    let lengths = lengths
        .into_iter()
        .chain(cohort.attributions.iter().map(|column| (column.name.as_str(), Some(column.values.len()))));
    let fault = |reason: String| Err(Error::sample(format!("cohort `{}`", cohort.name), reason));
    if n_rows == 0 {
        return fault("it has no rows; leave it out".to_owned());
    }
    for (what, length) in lengths {
        if let Some(length) = length.filter(|length| *length != n_rows) {
            return fault(format!("`{what}` has {length} values for {n_rows} rows; give one a row"));
        }
    }
    if cohort.labels.is_some() && cohort.selected.is_none() {
        return fault("labels without `selected` tell no errors; give both or neither".to_owned());
    }
    let names = |cohort: &Cohort| -> Vec<String> {
        cohort.attributions.iter().map(|column| column.name.clone()).collect()
    };
    if names(cohort) != names(reference) {
        return fault(format!(
            "its features are not those of `{}`; give the same in the same order",
            reference.name
        ));
    }
    let improbable = |probability: &&f64| !(**probability > 0.0 && **probability <= 1.0);
    match cohort.inclusion_probabilities.iter().flatten().find(improbable) {
        Some(probability) => fault(format!("{probability} is no probability of being explained")),
        None => Ok(()),
    }
}

fn aspects(cohorts: &[Cohort]) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    if cohorts.iter().any(|cohort| cohort.selected.is_some()) {
        aspects.push(Aspect::SelectionRate);
    }
    if cohorts.iter().any(|cohort| cohort.labels.is_some()) {
        aspects.push(Aspect::ErrorRate);
    }
    if cohorts.iter().all(|cohort| cohort.outputs.is_some()) {
        aspects.push(Aspect::MeanOutput);
    }
    let features = cohorts.iter().take(1).flat_map(|cohort| &cohort.attributions);
    aspects.extend(features.map(|column| Aspect::MeanAttribution(column.name.clone())));
    aspects
}

fn data(cohort: &Cohort, aspect: &Aspect) -> Result<Data, Error> {
    let weights = match &cohort.inclusion_probabilities {
        Some(probabilities) => probabilities.iter().map(|probability| 1.0 / probability).collect(),
        None => vec![1.0; cohort.n_rows()],
    };
    match aspect {
        Aspect::SelectionRate => {
            let rows = cohort.selected.iter().flatten().zip(&weights);
            Ok(rate(rows.map(|(&selected, &weight)| (selected, selected, weight)).collect()))
        }
        Aspect::ErrorRate => {
            let labels = cohort.labels.iter().flatten().zip(cohort.selected.iter().flatten()).zip(&weights);
            let labelled =
                labels.filter_map(|((label, selected), weight)| Some((label.as_ref()?, selected, weight)));
            Ok(rate(
                labelled.map(|(&label, &selected, &weight)| (label != selected, label, weight)).collect(),
            ))
        }
        Aspect::MeanOutput => match &cohort.outputs {
            Some(outputs) => Ok(Data::Mean(Weighted::new(outputs, &weights)?)),
            None => Ok(Data::Nothing),
        },
        Aspect::MeanAttribution(name) => match cohort.attributions.iter().find(|column| column.name == *name)
        {
            Some(Column { values: Values::Numeric(values), .. }) => {
                Ok(Data::Mean(Weighted::new(values, &weights)?))
            }
            _ => Err(Error::sample(name, "attributions are numbers")),
        },
    }
}

/// Of rows: whether each counts, whether it is a positive, and its weight.
fn rate(rows: Vec<(bool, bool, f64)>) -> Data {
    if rows.is_empty() {
        return Data::Nothing;
    }
    let weights: Vec<f64> = rows.iter().map(|(_, _, weight)| *weight).collect();
    let counted: f64 = rows.iter().filter(|(counts, _, _)| *counts).map(|(_, _, weight)| weight).sum();
    let n_positive = rows.iter().filter(|(_, positive, _)| *positive).count();
    Data::Rate {
        share: counted / weights.iter().sum::<f64>(),
        size: effective_size(&weights),
        counts: [n_positive, rows.len() - n_positive],
    }
}

impl Data {
    fn enough(&self, min_each: usize) -> bool {
        match self {
            Self::Rate { counts, .. } => counts.iter().all(|count| *count >= min_each),
            Self::Mean(sample) => sample.effective_size() >= min_each as f64,
            Self::Nothing => false,
        }
    }
}

fn summary(cohort: &Cohort, aspects: &[Aspect], data: &[Data], options: CohortOptions) -> CohortSummary {
    let quantity = |(aspect, data): (&Aspect, &Data)| {
        let (estimate, n_rows, positives_negatives) = match data {
            Data::Rate { share, size, counts } => {
                (Some(wilson(*share, *size, options.confidence)), counts[0] + counts[1], Some(*counts))
            }
            Data::Mean(sample) => (mean_interval(sample, options.confidence), sample.n_rows(), None),
            Data::Nothing => (None, 0, None),
        };
        Quantity {
            aspect: aspect.clone(),
            estimate,
            n_rows,
            positives_negatives,
            enough: data.enough(options.min_each),
        }
    };
    let weights: Option<Vec<f64>> = cohort
        .inclusion_probabilities
        .as_ref()
        .map(|all| all.iter().map(|probability| 1.0 / probability).collect());
    CohortSummary {
        name: cohort.name.clone(),
        n_rows: cohort.n_rows(),
        effective_rows: weights.map_or(cohort.n_rows() as f64, |weights| effective_size(&weights)),
        n_labelled: cohort.labels.iter().flatten().flatten().count(),
        quantities: aspects.iter().zip(data).map(quantity).collect(),
    }
}

fn difference(cohort: &str, aspect: &Aspect, own: &Data, other: &Data, options: CohortOptions) -> Difference {
    let contrast: Option<Contrast> = match (own, other) {
        (Data::Rate { share, size, .. }, Data::Rate { share: other_share, size: other_size, .. }) => {
            Some(compare_shares((*share, *size), (*other_share, *other_size), options.confidence))
        }
        (Data::Mean(own), Data::Mean(other)) => compare_means(own, other, options.confidence),
        _ => None,
    };
    let enough = own.enough(options.min_each) && other.enough(options.min_each);
    Difference {
        cohort: cohort.to_owned(),
        aspect: aspect.clone(),
        estimate: contrast.map(|contrast| contrast.interval),
        p_value: contrast.filter(|_| enough).map(|contrast| contrast.p_value),
        q_value: None,
        verdict: DifferenceVerdict::InsufficientEvidence,
    }
}

fn adjust(differences: &mut [Difference], rate: f64) {
    let p_values: Vec<f64> = differences.iter().filter_map(|difference| difference.p_value).collect();
    let tested = differences.iter_mut().filter(|difference| difference.p_value.is_some());
    for (difference, q) in tested.zip(false_discovery_rate(&p_values)) {
        difference.q_value = Some(q);
        difference.verdict =
            if q <= rate { DifferenceVerdict::Different } else { DifferenceVerdict::NotShown };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cohort(name: &str, rows: &[(bool, Option<bool>)], output: f64) -> Cohort {
        let values = |n: usize| -> Vec<f64> { (0..n).map(|i| output + (i % 5) as f64 / 10.0).collect() };
        Cohort {
            name: name.to_owned(),
            outputs: Some(values(rows.len())),
            selected: Some(rows.iter().map(|row| row.0).collect()),
            labels: Some(rows.iter().map(|row| row.1).collect()),
            attributions: vec![Column::numeric("income", values(rows.len()))],
            ..Cohort::default()
        }
    }

    /// So many rows each: right positives, right negatives, falsely selected, falsely not, without a label.
    fn rows(counts: [usize; 5]) -> Vec<(bool, Option<bool>)> {
        let kinds = [
            (true, Some(true)),
            (false, Some(false)),
            (true, Some(false)),
            (false, Some(true)),
            (false, None),
        ];
        kinds.into_iter().zip(counts).flat_map(|(kind, count)| vec![kind; count]).collect()
    }

    fn of<'a>(report: &'a CohortReport, cohort: &str, aspect: &Aspect) -> &'a Difference {
        report.differences.iter().find(|d| d.cohort == cohort && d.aspect == *aspect).unwrap()
    }

    #[test]
    fn rates_and_means_are_compared_on_what_is_known() {
        let cohorts = [
            cohort("others", &rows([400, 400, 20, 20, 100]), 0.5),
            cohort("north", &rows([60, 60, 30, 10, 40]), 0.7),
        ];
        let report = compare_cohorts(&cohorts, 0, CohortOptions::default()).unwrap();
        let error = of(&report, "north", &Aspect::ErrorRate);
        // 40 of 160 labelled rows are wrong, against 40 of 840.
        assert!((error.estimate.unwrap().value - (40.0 / 160.0 - 40.0 / 840.0)).abs() < 1e-15);
        assert_eq!(error.verdict, DifferenceVerdict::Different);
        let selection = of(&report, "north", &Aspect::SelectionRate);
        assert!((selection.estimate.unwrap().value - (90.0 / 200.0 - 420.0 / 940.0)).abs() < 1e-15);
        assert_eq!(selection.verdict, DifferenceVerdict::NotShown);
        for aspect in [Aspect::MeanOutput, Aspect::MeanAttribution("income".to_owned())] {
            let mean = of(&report, "north", &aspect);
            assert!((mean.estimate.unwrap().value - 0.2).abs() < 1e-12);
            assert_eq!(mean.verdict, DifferenceVerdict::Different);
        }
        assert_eq!(report.cohorts[1].n_labelled, 160);
        assert_eq!(report.cohorts[1].quantities[1].positives_negatives, Some([70, 90]));
    }

    /// A group of 29 positives, or 29 negatives, is never judged, whatever its rates are.
    #[test]
    fn small_groups_are_never_judged() {
        let others = cohort("others", &rows([500, 500, 0, 0, 0]), 0.5);
        for (counts, enough) in [
            ([29, 500, 0, 0, 0], false),
            ([500, 29, 0, 0, 0], false),
            ([30, 30, 0, 0, 0], true),
            ([0, 0, 0, 0, 900], false),
        ] {
            let report = compare_cohorts(
                &[others.clone(), cohort("few", &rows(counts), 0.5)],
                0,
                CohortOptions::default(),
            )
            .unwrap();
            let verdict = of(&report, "few", &Aspect::ErrorRate).verdict;
            assert_eq!(verdict == DifferenceVerdict::InsufficientEvidence, !enough, "{counts:?}");
            assert_eq!(of(&report, "few", &Aspect::ErrorRate).p_value.is_some(), enough);
        }
        // An error rate of 0 in few rows has an interval that says so.
        let report = compare_cohorts(
            &[others, cohort("few", &rows([5, 5, 0, 0, 0]), 0.5)],
            0,
            CohortOptions::default(),
        )
        .unwrap();
        let estimate = report.cohorts[1].quantities[1].estimate.unwrap();
        assert!(estimate.value == 0.0 && estimate.high > 0.25, "{estimate:?}");
    }

    /// Rows that were explained one time in ten stand for ten.
    #[test]
    fn rates_are_weighted_by_inclusion() {
        let mut sampled = cohort("sampled", &rows([100, 100, 0, 0, 0]), 0.5);
        sampled.inclusion_probabilities = Some((0..200).map(|i| if i < 100 { 1.0 } else { 0.1 }).collect());
        let others = cohort("others", &rows([100, 1_000, 0, 0, 0]), 0.5);
        let report = compare_cohorts(&[others, sampled], 0, CohortOptions::default()).unwrap();
        let selection = of(&report, "sampled", &Aspect::SelectionRate);
        assert!(selection.estimate.unwrap().value.abs() < 1e-12);
        assert!((report.cohorts[1].effective_rows - 1_100.0 * 1_100.0 / 10_100.0).abs() < 1e-9);
    }

    #[test]
    fn faults_are_named() {
        let good = || cohort("a", &rows([40, 40, 0, 0, 0]), 0.5);
        let named = |name: &str, change: &dyn Fn(&mut Cohort)| {
            let mut other = Cohort { name: name.to_owned(), ..good() };
            change(&mut other);
            compare_cohorts(&[good(), other], 0, CohortOptions::default()).unwrap_err().to_string()
        };
        type Case<'a> = (&'a str, &'a dyn Fn(&mut Cohort), &'a str);
        let cases: [Case; 7] = [
            ("a", &|_| (), "two cohorts have this name"),
            (
                "b",
                &|c| *c = Cohort { name: "b".to_owned(), ..Cohort::default() },
                "cohort `b`: it has no rows",
            ),
            ("b", &|c| c.outputs = Some(Vec::new()), "cohort `b`: it has no rows"),
            ("b", &|c| c.selected = Some(vec![true]), "`selected` has 1 values for 80 rows"),
            ("b", &|c| c.selected = None, "labels without `selected`"),
            ("b", &|c| c.attributions.clear(), "features are not those of `a`"),
            ("b", &|c| c.inclusion_probabilities = Some(vec![2.0; 80]), "2 is no probability"),
        ];
        for (name, change, expected) in cases {
            let error = named(name, change);
            assert!(error.contains(expected), "{error}");
        }
        assert!(compare_cohorts(&[good()], 1, CohortOptions::default()).is_err());
        assert!(
            compare_cohorts(&[good()], 0, CohortOptions { confidence: 1.0, ..CohortOptions::default() })
                .is_err()
        );
    }
}
