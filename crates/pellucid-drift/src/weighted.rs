//! Numbers with weights, in order of size: what all statistics of a numeric column start from.

use crate::Error;

/// Values sorted by size, each with its weight. Of rows that were explained by chance, the weight is `1/inclusion probability`
/// (Horvitz and Thompson 1952), so that shares and means are those of all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted {
    values: Vec<f64>,
    weights: Vec<f64>,
    total: f64,
    alike: bool,
}

impl Weighted {
    /// Values with their weights, which are positive and finite.
    ///
    /// ```
    /// use pellucid_drift::Weighted;
    ///
    /// // One row in four was explained below 10, every one above: three rows stand for nine.
    /// let sample = Weighted::new(&[2.0, 4.0, 12.0], &[4.0, 4.0, 1.0])?;
    /// assert_eq!(sample.mean(), (4.0 * 2.0 + 4.0 * 4.0 + 12.0) / 9.0);
    /// assert_eq!(sample.effective_size(), 81.0 / 33.0);
    /// # Ok::<(), pellucid_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no value, lengths differ, a value is not finite, or a weight is not positive and finite.
    pub fn new(values: &[f64], weights: &[f64]) -> Result<Self, Error> {
        if values.is_empty() || values.len() != weights.len() {
            let reason = format!(
                "{} values and {} weights; give one value at least, each with a weight",
                values.len(),
                weights.len()
            );
            return Err(Error::sample("weighted values", reason));
        }
        let odd = |(value, weight): (&f64, &f64)| !value.is_finite() || !weight.is_finite() || *weight <= 0.0;
        if let Some(row) = values.iter().zip(weights).position(odd) {
            let reason = format!(
                "row {row} is {} with weight {}; both are finite, weights positive",
                values[row], weights[row]
            );
            return Err(Error::sample("weighted values", reason));
        }
        let alike = weights.iter().all(|weight| *weight == weights[0]);
        let mut pairs: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // Counts add up without rounding, other weights need not.
        let weight = |weight: f64| if alike { 1.0 } else { weight };
        let (values, weights): (Vec<f64>, Vec<f64>) =
            pairs.into_iter().map(|(value, w)| (value, weight(w))).unzip();
        let total = weights.iter().sum();
        Ok(Self { values, weights, total, alike })
    }

    /// Values that all weigh the same.
    ///
    /// # Errors
    /// There is no value, or one is not finite.
    pub fn alike(values: &[f64]) -> Result<Self, Error> {
        Self::new(values, &vec![1.0; values.len()])
    }

    /// How many values there are.
    pub fn n_rows(&self) -> usize {
        self.values.len()
    }

    /// Whether all weigh the same: then the total weight is the count.
    pub fn weighs_alike(&self) -> bool {
        self.alike
    }

    /// Value and weight, smallest value first.
    pub fn iter(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.values.iter().copied().zip(self.weights.iter().copied())
    }

    /// The sum of the weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// `(Σw)² / Σw²`: how many equally weighted rows would know the mean as well (Kish 1965); the count where all weigh the same.
    pub fn effective_size(&self) -> f64 {
        if self.alike { self.total } else { effective_size(&self.weights) }
    }

    /// `Σ w x / Σ w`.
    pub fn mean(&self) -> f64 {
        self.mean_of(|x| x)
    }

    /// `Σ w |x| / Σ w`.
    pub fn mean_size(&self) -> f64 {
        self.mean_of(f64::abs)
    }

    /// `√(Σ w (x − mean)² / Σ w)`: the deviation of the population, as NumPy's default.
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        self.mean_of(|x| (x - mean).powi(2)).sqrt()
    }

    fn mean_of(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.iter().map(|(x, weight)| weight * of(x)).sum::<f64>() / self.total
    }

    /// The smallest value that at least this share of the weight does not exceed (the inverse of the distribution function).
    ///
    /// ```
    /// let sample = pellucid_drift::Weighted::alike(&[1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!([0.0, 0.25, 0.26, 1.0].map(|share| sample.quantile(share)), [1.0, 1.0, 2.0, 4.0]);
    /// # Ok::<(), pellucid_drift::Error>(())
    /// ```
    pub fn quantile(&self, share: f64) -> f64 {
        // A share such as 0.3 of 10 rows is 3 rows, not the next above by rounding.
        let wanted = share * self.total * (1.0 - 1e-12);
        let mut below = 0.0;
        for (value, weight) in self.iter() {
            below += weight;
            if below >= wanted {
                return value;
            }
        }
        self.values[self.values.len() - 1]
    }
}

/// `(Σw)² / Σw²` (Kish 1965); 0 of no weights.
pub(crate) fn effective_size(weights: &[f64]) -> f64 {
    let (sum, squares) =
        weights.iter().fold((0.0, 0.0), |(sum, squares), weight| (sum + weight, squares + weight * weight));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}
