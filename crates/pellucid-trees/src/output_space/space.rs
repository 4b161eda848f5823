//! From margins to the outputs that are explained.

use pellucid_core::OutputSpace;

use crate::ensemble::{Link, TreeEnsemble};
use crate::error::Error;

/// Probabilities are taken to be at least this, as scikit-learn's log-loss takes them: a forest may give 0.
const LEAST_PROBABILITY: f64 = f64::EPSILON;

/// A space that the model has.
pub(crate) struct Space<'a> {
    link: Link,
    kind: Kind<'a>,
    n_outputs: usize,
}

enum Kind<'a> {
    Margin,
    /// What the link gives.
    Prediction,
    /// The loss at each row's label.
    LogLoss(&'a [usize]),
}

impl<'a> Space<'a> {
    /// A space for this many rows, with labels where it is the log-loss.
    pub(crate) fn new(
        ensemble: &TreeEnsemble,
        space: OutputSpace,
        labels: Option<&'a [usize]>,
        n_rows: usize,
    ) -> Result<Self, Error> {
        let (link, n_margins) = (ensemble.link, ensemble.n_outputs());
        let is_probability = matches!(link, Link::Sigmoid { .. } | Link::Softmax | Link::Probability);
        let of = |kind, n_outputs| Ok(Self { link, kind, n_outputs });
        match space {
            OutputSpace::Margin => of(Kind::Margin, n_margins),
            // These links change nothing, so that the fast way is exact.
            OutputSpace::Value if link == Link::Identity => of(Kind::Margin, n_margins),
            OutputSpace::Probability if link == Link::Probability => of(Kind::Margin, n_margins),
            OutputSpace::Value if !is_probability => of(Kind::Prediction, n_margins),
            OutputSpace::Probability if is_probability => of(Kind::Prediction, n_margins),
            OutputSpace::LogLoss if is_probability => {
                let labels = checked(labels, link, n_margins, n_rows)?;
                of(Kind::LogLoss(labels), 1)
            }
            space => Err(Error::Unsupported {
                what: format!("the output space {} of a model whose link is {link:?}", space.name()),
                hint: match is_probability {
                    true => "take margin, probability or log_loss".to_owned(),
                    false => "take margin or value".to_owned(),
                },
            }),
        }
    }

    pub(crate) fn is_margin(&self) -> bool {
        matches!(self.kind, Kind::Margin)
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Writes the outputs of the row `row` for these margins, which it may overwrite.
    pub(crate) fn value(&self, row: usize, margins: &mut [f64], into: &mut [f64]) {
        if let Kind::LogLoss(labels) = self.kind {
            into[0] = log_loss(self.link, margins, labels[row]);
            return;
        }
        if let Kind::Prediction = self.kind {
            self.link.apply(margins);
        }
        into.copy_from_slice(margins);
    }
}

/// The labels, where they fit.
fn checked(labels: Option<&[usize]>, link: Link, n_margins: usize, n_rows: usize) -> Result<&[usize], Error> {
    let fault = |reason: String| Err(Error::Setting { option: "labels", reason });
    let Some(labels) = labels else {
        return fault("log_loss needs the label of each row".to_owned());
    };
    if matches!(link, Link::Sigmoid { .. }) && n_margins > 1 {
        return Err(Error::Unsupported {
            what: "log_loss of outputs that are probabilities each for itself".to_owned(),
            hint: "take probability".to_owned(),
        });
    }
    if labels.len() != n_rows {
        return fault(format!("{} labels for {n_rows} rows", labels.len()));
    }
    let n_classes = n_margins.max(2);
    match labels.iter().find(|&&label| label >= n_classes) {
        Some(label) => fault(format!("{label} is not a class; the model has 0 to {}", n_classes - 1)),
        None => Ok(labels),
    }
}

/// `−ln p(label)`, from the margins, so that nothing is lost where p is near 0 or 1.
fn log_loss(link: Link, margins: &[f64], label: usize) -> f64 {
    match link {
        Link::Sigmoid { slope } => {
            let away = if label == 1 { -slope } else { slope } * margins[0];
            away.max(0.0) + (-away.abs()).exp().ln_1p()
        }
        Link::Softmax => {
            let highest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = margins.iter().map(|m| (m - highest).exp()).sum();
            highest - margins[label] + sum.ln()
        }
        _ => {
            let probability = match (margins, label) {
                ([p], 0) => 1.0 - p,
                ([p], _) => *p,
                _ => margins[label],
            };
            -probability.clamp(LEAST_PROBABILITY, 1.0).ln()
        }
    }
}
