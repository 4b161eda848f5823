//! A column of the reference, made ready to be compared with windows.

use std::collections::BTreeSet;

use pellucid_core::Draws;

use crate::bins::Bins;
use crate::calibration::Threshold;
use crate::chi_square::chi_square_test;
use crate::finding::{BeforeAfter, Categories, Evidence, FeatureDrift, Measure, Numbers, Verdict};
use crate::gap::{Gap, Point, gap_between, gap_of};
use crate::groups::{Blocks, effective_rows};
use crate::kolmogorov_smirnov::p_value;
use crate::options::Options;
use crate::sample::{Part, Values};
use crate::share::shares;
use crate::stability::{jensen_shannon, stability_index};
use crate::wasserstein::SCALE_FLOOR;
use crate::{Error, Weighted, scale};

/// The rows of a sample that have a value in one column.
#[derive(Debug)]
pub(crate) struct Present {
    /// Their places in the sample.
    pub(crate) rows: Vec<usize>,
    weights: Vec<f64>,
    groups: Option<Vec<u64>>,
}

impl Present {
    pub(crate) fn new(values: &Values, weights: &[f64], groups: Option<&[u64]>) -> Self {
        let has_value = |row: &usize| match values {
            Values::Numeric(values) => values[*row].is_finite(),
            Values::Categorical(_) => true,
        };
        let rows: Vec<usize> = (0..values.len()).filter(has_value).collect();
        Self {
            weights: rows.iter().map(|&row| weights[row]).collect(),
            groups: groups.map(|groups| rows.iter().map(|&row| groups[row]).collect()),
            rows,
        }
    }

    fn blocks(&self) -> Result<&[u64], usize> {
        self.groups.as_deref().ok_or(self.rows.len())
    }

    /// Their weights.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn of<T: Clone>(&self, values: &[T]) -> Vec<T> {
        self.rows.iter().map(|&row| values[row].clone()).collect()
    }
}

/// A column of the reference.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) part: Part,
    pub(crate) name: String,
    pub(crate) present: Present,
    /// The bin or category of each row that is present.
    pub(crate) cells: Vec<usize>,
    shares: Vec<f64>,
    pub(crate) effective: f64,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Numeric(Numeric),
    /// The names of the categories, in order.
    Categorical(Vec<String>),
}

#[derive(Debug)]
pub(crate) struct Numeric {
    /// Of the rows that are present.
    pub(crate) values: Vec<f64>,
    sample: Weighted,
    bins: Bins,
    pub(crate) scale: f64,
}

impl Prepared {
    /// `None` where no row has a value. `mass` is what the unit of distances is held against: for attributions the mean of |attribution| over all features,
    /// else (`None`) the column's own mean size.
    pub(crate) fn new(
        part: Part,
        name: &str,
        values: &Values,
        present: Present,
        mass: Option<f64>,
        n_bins: usize,
    ) -> Result<Option<Self>, Error> {
        if present.rows.is_empty() {
            return Ok(None);
        }
        let (kind, cells) = match values {
            Values::Numeric(values) => {
                let values = present.of(values);
                let sample = Weighted::new(&values, &present.weights)?;
                let bins = Bins::new(&sample, n_bins);
                let cells: Vec<usize> = values.iter().map(|value| bins.of(*value)).collect();
                let scale = scale(&sample, mass.unwrap_or(sample.mean_size()));
                (Kind::Numeric(Numeric { values, sample, bins, scale }), cells)
            }
            Values::Categorical(values) => {
                let names: BTreeSet<&String> = values.iter().collect();
                let names: Vec<String> = names.into_iter().cloned().collect();
                let cells: Vec<usize> = values.iter().map(|value| cell(&names, value)).collect();
                (Kind::Categorical(names), cells)
            }
        };
        let n_cells = match &kind {
            Kind::Numeric(numeric) => numeric.bins.n_bins(),
            Kind::Categorical(names) => names.len(),
        };
        let shares = cell_shares(&cells, &present.weights, n_cells);
        let effective = effective_rows(&cells, &present.weights, present.groups.as_deref());
        Ok(Some(Self { part, name: name.to_owned(), present, cells, shares, effective, kind }))
    }

    /// Whether all its rows are of one category.
    pub(crate) fn is(&self, category: &str) -> bool {
        matches!(&self.kind, Kind::Categorical(names) if names.len() == 1 && names[0] == category)
    }

    /// How many bins or categories there are.
    pub(crate) fn n_cells(&self) -> usize {
        self.shares.len()
    }

    /// Compares a window's column; verdict, adjusted p-value and share come later. `None` where kinds differ.
    pub(crate) fn compare(
        &self,
        values: &Values,
        present: &Present,
        threshold: Option<&Threshold>,
        options: &Options,
    ) -> Result<Option<FeatureDrift>, Error> {
        let mut finding = self.blank(values, options);
        if present.rows.is_empty() {
            return Ok(Some(finding));
        }
        match (&self.kind, values) {
            (Kind::Numeric(numeric), Values::Numeric(values)) => {
                self.compare_numbers(numeric, &present.of(values), present, options, &mut finding)?;
            }
            (Kind::Categorical(names), Values::Categorical(values)) => {
                self.compare_categories(names, values, present, options, &mut finding);
            }
            _ => return Ok(None),
        }
        finding.threshold = threshold.map(|threshold| threshold.at(finding.evidence.variance()));
        Ok(Some(finding))
    }

    fn blank(&self, values: &Values, options: &Options) -> FeatureDrift {
        let mut finding =
            FeatureDrift::blank(self.part, &self.name, Measure::of(values), options.effect_floor);
        finding.evidence.reference_rows = self.present.rows.len();
        finding.evidence.reference_effective = self.effective;
        finding
    }

    fn compare_numbers(
        &self,
        numeric: &Numeric,
        values: &[f64],
        present: &Present,
        options: &Options,
        finding: &mut FeatureDrift,
    ) -> Result<(), Error> {
        let window = Weighted::new(values, &present.weights)?;
        let cells: Vec<usize> = values.iter().map(|value| numeric.bins.of(*value)).collect();
        self.compare_cells(&cells, present, finding);
        let gap = gap_between(&numeric.sample, &window);
        // A reference of zeros throughout has no unit of its own.
        let scale = if numeric.scale > 0.0 { numeric.scale } else { SCALE_FLOOR * window.mean_size() };
        let in_scale = |distance: f64| if distance == 0.0 { 0.0 } else { distance / scale };
        let mean = BeforeAfter { reference: numeric.sample.mean(), window: window.mean() };
        finding.effect = in_scale(gap.area);
        finding.numbers = Some(Numbers {
            mean,
            mean_size: BeforeAfter { reference: numeric.sample.mean_size(), window: window.mean_size() },
            scale,
            mean_shift: in_scale(mean.window - mean.reference),
            kolmogorov_smirnov: gap.height,
        });
        finding.p_value = Some(match self.blocks(present) {
            None => p_value(gap.height, &numeric.sample, &window, finding.evidence.counted()[1]),
            Some(blocks) => {
                let pooled = Pooled::new(&numeric.values, values, &self.present.weights, &present.weights);
                let height = |in_window: &[bool]| pooled.gap(in_window).height;
                blocks.p_value(options.n_permutations, &self.draws(options), height)
            }
        });
        Ok(())
    }

    fn compare_categories(
        &self,
        names: &[String],
        values: &[String],
        present: &Present,
        options: &Options,
        finding: &mut FeatureDrift,
    ) {
        let unseen: BTreeSet<&String> =
            values.iter().filter(|value| names.binary_search(value).is_err()).collect();
        let unseen: Vec<String> = unseen.into_iter().cloned().collect();
        let place = |value: &String| match names.binary_search(value) {
            Ok(cell) => cell,
            Err(_) => names.len() + cell(&unseen, value),
        };
        let cells: Vec<usize> = values.iter().map(place).collect();
        let (reference, window) = self.compare_cells(&cells, present, finding);
        finding.effect = finding.jensen_shannon.map_or(0.0, |distance| distance.value);
        let sizes = finding.evidence.counted();
        finding.p_value = Some(match self.blocks(present) {
            None => chi_square_test(&reference, &window, sizes),
            Some(blocks) => {
                let cells: Vec<usize> = self.cells.iter().chain(&cells).copied().collect();
                let weights: Vec<f64> =
                    self.present.weights.iter().chain(&present.weights).copied().collect();
                let distance =
                    |in_window: &[bool]| split_distance(&cells, &weights, in_window, reference.len());
                blocks.p_value(options.n_permutations, &self.draws(options), distance)
            }
        });
        let moved = |i: &usize| (window[*i] - reference[*i]).abs();
        let most = (0..reference.len()).max_by(|i, j| moved(i).total_cmp(&moved(j)).then(j.cmp(i)));
        finding.categories = most.map(|i| Categories {
            moved_most: names.iter().chain(&unseen).nth(i).cloned().unwrap_or_default(),
            share: BeforeAfter { reference: reference[i], window: window[i] },
            unseen: unseen.clone(),
        });
    }

    /// Stability index and Jensen–Shannon distance, with the evidence; gives both sides' shares.
    fn compare_cells(
        &self,
        cells: &[usize],
        present: &Present,
        finding: &mut FeatureDrift,
    ) -> (Vec<f64>, Vec<f64>) {
        let n_cells = cells.iter().map(|cell| cell + 1).max().unwrap_or(0).max(self.shares.len());
        let mut reference = self.shares.clone();
        reference.resize(n_cells, 0.0);
        let window = cell_shares(cells, &present.weights, n_cells);
        finding.evidence.window_rows = present.rows.len();
        finding.evidence.window_effective =
            effective_rows(cells, &present.weights, present.groups.as_deref());
        let sizes = [self.effective, finding.evidence.window_effective];
        finding.stability_index = Some(stability_index(&reference, &window, sizes));
        finding.jensen_shannon = Some(jensen_shannon(&reference, &window, sizes));
        (reference, window)
    }

    /// The blocks to permute, where either side has groups.
    fn blocks(&self, window: &Present) -> Option<Blocks> {
        let grouped = self.present.groups.is_some() || window.groups.is_some();
        grouped.then(|| Blocks::new(self.present.blocks(), window.blocks()))
    }

    fn draws(&self, options: &Options) -> Draws {
        Draws::new(options.seed, &[0; 32], &format!("drift permutation {:?} {}", self.part, self.name))
    }
}

impl FeatureDrift {
    /// Of no evidence.
    pub(crate) fn blank(part: Part, name: &str, measure: Measure, effect_floor: f64) -> Self {
        Self {
            part,
            name: name.to_owned(),
            verdict: Verdict::InsufficientEvidence,
            effect: 0.0,
            measure,
            effect_floor,
            threshold: None,
            p_value: None,
            q_value: None,
            evidence: Evidence {
                reference_rows: 0,
                window_rows: 0,
                reference_effective: 0.0,
                window_effective: 0.0,
            },
            numbers: None,
            categories: None,
            stability_index: None,
            jensen_shannon: None,
            share: None,
        }
    }
}

/// Rows of two samples in order of value, to be split anew again and again.
pub(crate) struct Pooled {
    /// Value, weight, and place in the list that says which side the row is on.
    rows: Vec<(f64, f64, usize)>,
}

impl Pooled {
    fn new(first: &[f64], second: &[f64], first_weights: &[f64], second_weights: &[f64]) -> Self {
        let values = first.iter().chain(second).copied();
        let weights = first_weights.iter().chain(second_weights).copied();
        Self::sorted(
            values.zip(weights).enumerate().map(|(row, (value, weight))| (value, weight, row)).collect(),
        )
    }

    /// Of one sample.
    pub(crate) fn of(numeric: &Numeric, present: &Present) -> Self {
        let rows = numeric.values.iter().zip(&present.weights).zip(&present.rows);
        Self::sorted(rows.map(|((value, weight), row)| (*value, *weight, *row)).collect())
    }

    fn sorted(mut rows: Vec<(f64, f64, usize)>) -> Self {
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        Self { rows }
    }

    /// The gap between the rows that are in the window and those that are not.
    pub(crate) fn gap(&self, in_window: &[bool]) -> Gap {
        let sides = |&(value, weight, row): &(f64, f64, usize)| Point {
            value,
            weights: if in_window[row] { [0.0, weight] } else { [weight, 0.0] },
        };
        let add = |sums: [f64; 2], point: Point| [sums[0] + point.weights[0], sums[1] + point.weights[1]];
        let totals = self.rows.iter().map(sides).fold([0.0; 2], add);
        if totals.contains(&0.0) {
            return Gap { area: 0.0, height: 0.0 };
        }
        gap_of(self.rows.iter().map(sides), totals)
    }
}

/// The Jensen–Shannon distance between the rows that are in the window and those that are not.
pub(crate) fn split_distance(cells: &[usize], weights: &[f64], in_window: &[bool], n_cells: usize) -> f64 {
    let mut sums = [vec![0.0; n_cells], vec![0.0; n_cells]];
    for ((cell, weight), inside) in cells.iter().zip(weights).zip(in_window) {
        sums[usize::from(*inside)][*cell] += weight;
    }
    let [outside, inside] = sums.map(|sums| shares(&sums));
    jensen_shannon(&outside, &inside, [1.0, 1.0]).value
}

fn cell_shares(cells: &[usize], weights: &[f64], n_cells: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n_cells];
    for (cell, weight) in cells.iter().zip(weights) {
        sums[*cell] += weight;
    }
    shares(&sums)
}

/// The place of a name that is among the names in order.
fn cell(names: &[String], name: &String) -> usize {
    names.partition_point(|other| other < name)
}
