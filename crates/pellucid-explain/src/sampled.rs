//! A mean that knows its standard error, over many draws.

use ndarray::{ArrayD, ArrayViewD, Zip};

/// Mean and sum of squared deviations of each element, updated draw by draw (Welford 1962).
#[derive(Clone, Debug)]
pub(crate) struct RunningMean {
    n: f64,
    mean: ArrayD<f64>,
    squares: ArrayD<f64>,
}

impl RunningMean {
    /// Of no draws yet, for values of a shape.
    pub(crate) fn new(shape: &[usize]) -> Self {
        Self { n: 0.0, mean: ArrayD::zeros(shape), squares: ArrayD::zeros(shape) }
    }

    /// One more draw.
    pub(crate) fn add(&mut self, values: ArrayViewD<'_, f64>) {
        self.n += 1.0;
        let n = self.n;
        Zip::from(&mut self.mean).and(&mut self.squares).and(values).for_each(|mean, squares, &value| {
            let delta = value - *mean;
            *mean += delta / n;
            *squares += delta * (value - *mean);
        });
    }

    pub(crate) fn mean(&self) -> &ArrayD<f64> {
        &self.mean
    }

    /// `√(Σ (a − mean)² / (n − 1) / n)`; 0 for a single draw, which has no spread.
    pub(crate) fn standard_error(&self) -> ArrayD<f64> {
        let n = self.n;
        self.squares.mapv(|squares| (squares / (n - 1.0).max(1.0) / n.max(1.0)).sqrt())
    }

    /// The standard error of all elements together as a share of the mean's size, by Euclidean norms; 0 where both are 0.
    pub(crate) fn relative_error(&self) -> f64 {
        let norm = |array: &ArrayD<f64>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
        let (error, size) = (norm(&self.standard_error()), norm(&self.mean));
        if error == 0.0 { 0.0 } else { error / size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn mean_and_error_are_those_of_the_formulas() {
        let draws = [[1.0, 2.0], [4.0, 2.0], [1.0, 5.0], [2.0, -1.0]];
        let mut running = RunningMean::new(&[2]);
        for draw in draws {
            running.add(array![draw[0], draw[1]].into_dyn().view());
        }
        let n = draws.len() as f64;
        for i in 0..2 {
            let mean = draws.iter().map(|draw| draw[i]).sum::<f64>() / n;
            let variance = draws.iter().map(|draw| (draw[i] - mean).powi(2)).sum::<f64>() / (n - 1.0);
            assert!((running.mean()[[i]] - mean).abs() < 1e-12);
            assert!((running.standard_error()[[i]] - (variance / n).sqrt()).abs() < 1e-12);
        }
    }
}
