//! Feature color: from a feature's value to its place between low and high.

use crate::chart::Paint;
use crate::number::feature_value;
use crate::tabular::Feature;

/// Percent of the values beyond either end of the colors, so that a few far ones do not wash out the rest.
const BEYOND_PERCENT: f64 = 5.0;

/// Which feature value gets which color.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FeatureColor {
    /// Values up to here are low, from `high` on they are high.
    pub(crate) low: f64,
    pub(crate) high: f64,
    categorical: bool,
}

impl FeatureColor {
    /// From the 5th to the 95th percentile of the finite `values`; from end to end where those are equal.
    pub(crate) fn of(feature: &Feature, values: impl Iterator<Item = f64>) -> Self {
        let categorical = feature.is_categorical();
        let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let [Some(&first), Some(&last)] = [sorted.first(), sorted.last()] else {
            return Self { low: 0.0, high: 0.0, categorical };
        };
        let beyond = (BEYOND_PERCENT / 100.0 * (sorted.len() - 1) as f64) as usize;
        let (low, high) = (sorted[beyond], sorted[sorted.len() - 1 - beyond]);
        if low < high {
            Self { low, high, categorical }
        } else {
            Self { low: first, high: last, categorical }
        }
    }

    /// Gray for a missing value or a category, which has no order.
    pub(crate) fn paint(&self, value: f64) -> Paint {
        if value.is_nan() || self.categorical {
            return Paint::Missing;
        }
        // Halved before the difference, which may otherwise overflow.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        // A feature with one value only is neither low nor high.
        Paint::value(if share.is_nan() { 0.5 } else { share })
    }

    /// The numbers at the ends of the colors.
    pub(crate) fn ends(&self) -> [String; 2] {
        [feature_value(self.low), feature_value(self.high)]
    }
}
