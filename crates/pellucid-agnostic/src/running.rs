//! Mean and standard error of what is drawn, one draw after the other.

use ndarray::{Array2, ArrayView2, Zip};

/// Over draws of `[players, targets]` (Welford 1962).
pub(crate) struct RunningMean {
    pub(crate) n_draws: usize,
    pub(crate) mean: Array2<f64>,
    squares: Array2<f64>,
}

impl RunningMean {
    pub(crate) fn new(shape: (usize, usize)) -> Self {
        Self { n_draws: 0, mean: Array2::zeros(shape), squares: Array2::zeros(shape) }
    }

    pub(crate) fn add(&mut self, draw: ArrayView2<'_, f64>) {
        self.n_draws += 1;
        let n = self.n_draws as f64;
        Zip::from(&mut self.mean).and(&mut self.squares).and(draw).for_each(|mean, squares, &draw| {
            let deviation = draw - *mean;
            *mean += deviation / n;
            *squares += deviation * (draw - *mean);
        });
    }

    /// The standard error of the mean, of two draws or more.
    pub(crate) fn standard_error(&self) -> Array2<f64> {
        let n = self.n_draws as f64;
        self.squares.mapv(|squares| (squares / (n - 1.0) / n).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn mean_and_error_are_those_of_the_formulas() {
        let mut running = RunningMean::new((1, 2));
        for draw in [[1.0, 2.0], [4.0, 2.0], [1.0, 5.0]] {
            running.add(array![[draw[0], draw[1]]].view());
        }
        assert!((&running.mean - &array![[2.0, 3.0]]).iter().all(|gap| gap.abs() < 1e-15));
        // Variance 3 of three draws: 3 / 3 of their mean.
        assert!((running.standard_error() - 1.0).iter().all(|gap| gap.abs() < 1e-15));
    }
}
