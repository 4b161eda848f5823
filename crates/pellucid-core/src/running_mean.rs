//! A mean that knows its standard error, over many draws.

use ndarray::{Array, ArrayView, Dimension, ShapeBuilder, Zip};

/// Mean and sum of squared deviations of each element, updated draw by draw (Welford 1962).
#[derive(Clone, Debug)]
pub struct RunningMean<D: Dimension> {
    n_draws: usize,
    mean: Array<f64, D>,
    squares: Array<f64, D>,
}

impl<D: Dimension> RunningMean<D> {
    /// Of no draws yet, for values of a shape.
    pub fn new(shape: impl ShapeBuilder<Dim = D>) -> Self {
        let mean = Array::zeros(shape);
        Self { n_draws: 0, squares: mean.clone(), mean }
    }

    /// One more draw, of the shape of the mean.
    pub fn add(&mut self, draw: ArrayView<'_, f64, D>) {
        self.n_draws += 1;
        let n = self.n_draws as f64;
        Zip::from(&mut self.mean).and(&mut self.squares).and(draw).for_each(|mean, squares, &value| {
            let delta = value - *mean;
            *mean += delta / n;
            *squares += delta * (value - *mean);
        });
    }

    /// Draws so far.
    pub fn n_draws(&self) -> usize {
        self.n_draws
    }

    /// The mean; 0 of no draws.
    pub fn mean(&self) -> &Array<f64, D> {
        &self.mean
    }

    /// `√(Σ (a − mean)² / (n − 1) / n)`; 0 for a single draw, which has no spread.
    pub fn standard_error(&self) -> Array<f64, D> {
        let n = self.n_draws as f64;
        self.squares.mapv(|squares| (squares / (n - 1.0).max(1.0) / n.max(1.0)).sqrt())
    }

    /// The standard error of all elements together as a share of the mean's size, by Euclidean norms; 0 where both are 0.
    pub fn relative_error(&self) -> f64 {
        let norm = |array: &Array<f64, D>| array.iter().map(|x| x * x).sum::<f64>().sqrt();
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
        let mut running = RunningMean::new(2);
        for draw in draws {
            running.add(array![draw[0], draw[1]].view());
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
