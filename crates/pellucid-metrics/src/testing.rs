//! Small models and attributions for the tests of this crate.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, ArrayD, ArrayView1, Axis};
use pellucid_core::{Attribution, Error, Model, OutputSpace, ResolvedTarget, Target};

type Function = fn(ArrayView1<'_, f32>) -> Vec<f64>;

/// A model of one function, row by row; remembers how many rows the largest batch had.
pub(crate) struct Rowwise {
    shape: Vec<usize>,
    n_outputs: usize,
    function: Function,
    pub(crate) largest_batch: AtomicUsize,
    pub(crate) n_evaluations: AtomicUsize,
}

impl Rowwise {
    pub(crate) fn new(shape: &[usize], n_outputs: usize, function: Function) -> Self {
        let (largest_batch, n_evaluations) = Default::default();
        Self { shape: shape.to_vec(), n_outputs, function, largest_batch, n_evaluations }
    }
}

impl Model for Rowwise {
    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict(&self, rows: &ArrayD<f32>, _space: OutputSpace) -> Result<Array2<f64>, Error> {
        let n_rows = rows.len_of(Axis(0));
        self.largest_batch.fetch_max(n_rows, Ordering::Relaxed);
        self.n_evaluations.fetch_add(n_rows, Ordering::Relaxed);
        let n_features: usize = self.shape.iter().product();
        let flat = rows.to_shape((n_rows, n_features)).expect("rows of the model's shape");
        let outputs: Vec<f64> = flat.rows().into_iter().flat_map(self.function).collect();
        Ok(Array2::from_shape_vec((n_rows, self.n_outputs), outputs).expect("as many outputs as stated"))
    }
}

/// Output 0 of each row.
pub(crate) fn first_output(model: &dyn Model, n_rows: usize) -> ResolvedTarget {
    Target::Index(0).resolve(Array2::zeros((n_rows, model.n_outputs())).view(), None).expect("an output 0")
}

/// An attribution `[rows, K, features…]` whose outputs no metric reads.
pub(crate) fn attribution(shape: &[usize], values: &[f64]) -> Attribution {
    let values = ArrayD::from_shape_vec(shape, values.to_vec()).expect("as many values as the shape says");
    Attribution::new(values, ArrayD::zeros(&shape[..2]))
}

/// Rows of this shape.
pub(crate) fn rows(shape: &[usize], values: &[f32]) -> ArrayD<f32> {
    ArrayD::from_shape_vec(shape, values.to_vec()).expect("as many values as the shape says")
}
