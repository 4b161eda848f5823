//! The path split into panels until completeness holds: the gap of each panel is known, since its sum of gradients must
//! equal the difference of the output between its ends. The panels with the largest gaps are split.

use ndarray::{Array1, ArrayD, Axis};
use pellucid_core::{Work, gauss_legendre};

use super::{BodyEnds, Ends};
use crate::error::Error;
use crate::path::Points;

/// Gauss–Legendre points in a panel; one more evaluation gives the output at its right end.
const POINTS: usize = 3;

/// Panels at the beginning.
const FIRST_PANELS: usize = 8;

/// Guards the relative tolerance where the output hardly differs between the ends.
const MIN_SCALE: f64 = 1e-6;

/// A piece of the path.
#[derive(Clone)]
struct Panel {
    from: f64,
    to: f64,
    output_from: f64,
    /// `Σ weight · gradient` at the start of the body.
    gradient: Vec<f64>,
    /// What the panel's attributions miss of the difference of its ends' outputs.
    gap: f64,
}

/// Attributions `[rows, features…]` and the evaluations that each row took; a warning for each row whose gap stays above
/// the tolerance.
pub(super) fn refined(
    ends: &Ends<'_>,
    tolerance: f64,
    max_evaluations: usize,
    work: &Work,
    warnings: &mut Vec<String>,
) -> Result<(ArrayD<f64>, Array1<usize>), Error> {
    let mut parts = Vec::new();
    let mut evaluations = Vec::new();
    for row in 0..ends.n_rows() {
        let body = ends.at_body(row..row + 1, work)?;
        let mut refinement = Refinement::new(ends, &body, row)?;
        let gap = refinement.run(tolerance, max_evaluations, work)?;
        if let Some(gap) = gap {
            warnings.push(format!(
                "row {row}: the completeness gap is {:.2} % after {} evaluations, above the tolerance of {:.2} %",
                100.0 * gap,
                refinement.evaluations,
                100.0 * tolerance
            ));
        }
        evaluations.push(refinement.evaluations);
        let total = refinement.total();
        parts.push(ends.attribution(row..row + 1, &[total], body.start.shape(), work)?);
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let values = ndarray::concatenate(Axis(0), &views).map_err(|error| Error::network(error.to_string()))?;
    Ok((values, Array1::from(evaluations)))
}

struct Refinement<'a> {
    ends: &'a Ends<'a>,
    body: &'a BodyEnds,
    difference: Vec<f64>,
    output_at: [f64; 2],
    panels: Vec<Panel>,
    evaluations: usize,
}

impl<'a> Refinement<'a> {
    fn new(ends: &'a Ends<'a>, body: &'a BodyEnds, row: usize) -> Result<Self, Error> {
        let explained = |outputs: &ndarray::Array2<f64>| {
            outputs.row(row).iter().zip(ends.weights.row(row)).map(|(y, w)| y * f64::from(*w)).sum()
        };
        Ok(Self {
            ends,
            body,
            difference: body.difference.iter().map(|&d| f64::from(d)).collect(),
            output_at: [explained(ends.at_baseline), explained(ends.outputs)],
            panels: Vec::new(),
            evaluations: 0,
        })
    }

    /// Splits panels until the gap is below the tolerance (`None`) or no evaluations are left (the gap).
    fn run(&mut self, tolerance: f64, max_evaluations: usize, work: &Work) -> Result<Option<f64>, Error> {
        let cuts: Vec<f64> = (0..=FIRST_PANELS).map(|i| i as f64 / FIRST_PANELS as f64).collect();
        let pieces: Vec<(f64, f64)> = cuts.windows(2).map(|ends| (ends[0], ends[1])).collect();
        self.panels = self.measured(&pieces, self.output_at[0], work)?;
        let scale = (self.output_at[1] - self.output_at[0]).abs().max(MIN_SCALE);
        loop {
            let gap = self.panels.iter().map(|panel| panel.gap).sum::<f64>().abs() / scale;
            if gap <= tolerance {
                return Ok(None);
            }
            if self.evaluations + 2 * (POINTS + 1) > max_evaluations {
                return Ok(Some(gap));
            }
            self.split_largest(work)?;
        }
    }

    fn split_largest(&mut self, work: &Work) -> Result<(), Error> {
        let largest = (0..self.panels.len())
            .max_by(|&a, &b| self.panels[a].gap.abs().total_cmp(&self.panels[b].gap.abs()))
            .unwrap_or(0);
        let panel = self.panels[largest].clone();
        let middle = (panel.from + panel.to) / 2.0;
        let halves = self.measured(&[(panel.from, middle), (middle, panel.to)], panel.output_from, work)?;
        self.panels.splice(largest..=largest, halves);
        Ok(())
    }

    /// Evaluates neighboring pieces of the path; the output at the left end of the first is known.
    fn measured(
        &mut self,
        pieces: &[(f64, f64)],
        output_from: f64,
        work: &Work,
    ) -> Result<Vec<Panel>, Error> {
        let points: Vec<Points> = pieces.iter().map(|&(from, to)| panel_points(from, to)).collect();
        let repeat = |array: &ArrayD<f32>| {
            let views = vec![array.index_axis(Axis(0), 0); pieces.len()];
            ndarray::stack(Axis(0), &views).map_err(|error| Error::network(error.to_string()))
        };
        let (start, difference, weights) =
            (repeat(&self.body.start)?, repeat(&self.body.difference)?, repeat(&self.body.weights)?);
        let per_run = self.ends.path.points_per_run(pieces.len() * (POINTS + 1), work)?;
        let rows_per_run = (per_run / (POINTS + 1)).max(1);
        let along =
            self.ends.path.run(&start, &difference, &weights, &points, POINTS + 1, rows_per_run, work)?;
        self.evaluations += pieces.len() * (POINTS + 1);
        let mut left = output_from;
        let mut panels = Vec::with_capacity(pieces.len());
        for (&(from, to), along) in pieces.iter().zip(along) {
            let right = along.outputs[POINTS];
            let sum: f64 = along.gradient.iter().zip(&self.difference).map(|(g, d)| g * d).sum();
            panels.push(Panel {
                from,
                to,
                output_from: left,
                gap: sum - (right - left),
                gradient: along.gradient,
            });
            left = right;
        }
        Ok(panels)
    }

    fn total(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.difference.len()];
        for panel in &self.panels {
            total.iter_mut().zip(&panel.gradient).for_each(|(sum, g)| *sum += g);
        }
        total
    }
}

/// The panel's points with their weights, and its right end with weight 0.
fn panel_points(from: f64, to: f64) -> Points {
    let length = to - from;
    let mut points: Points =
        gauss_legendre(POINTS).into_iter().map(|(x, w)| (from + length * x, length * w)).collect();
    points.push((to, 0.0));
    points
}
