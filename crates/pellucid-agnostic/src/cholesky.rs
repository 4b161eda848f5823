//! Symmetric systems of equations: `A x = b` of a positive semidefinite A.

use ndarray::{Array1, Array2, ArrayView1};

/// A pivot below this share of its variable's own square is rounding: the equations do not determine that variable.
const SMALLEST_PIVOT: f64 = 1e-11;

/// `A = L Lᵀ`; a variable that the others determine takes no part, and is 0.
pub(crate) struct Cholesky {
    /// The rows of L, row i of length i + 1.
    rows: Vec<Vec<f64>>,
    /// Variables that took part.
    pub(crate) rank: usize,
}

impl Cholesky {
    /// Of the matrix whose lower triangle stands in `matrix`.
    pub(crate) fn new(matrix: &Array2<f64>) -> Self {
        let (mut rows, mut rank): (Vec<Vec<f64>>, _) = (Vec::with_capacity(matrix.nrows()), 0);
        for (i, given) in matrix.outer_iter().enumerate() {
            let mut row = Vec::with_capacity(i + 1);
            for (j, above) in rows.iter().enumerate() {
                let rest = given[j] - dot(&row, &above[..j]);
                row.push(if above[j] > 0.0 { rest / above[j] } else { 0.0 });
            }
            let pivot = given[i] - dot(&row, &row);
            let root = if pivot > SMALLEST_PIVOT * given[i] { pivot.sqrt() } else { 0.0 };
            rank += usize::from(root > 0.0);
            row.push(root);
            rows.push(row);
        }
        Self { rows, rank }
    }

    /// `x` for `b`.
    pub(crate) fn solve(&self, b: ArrayView1<'_, f64>) -> Array1<f64> {
        let mut x = b.to_vec();
        self.solve_in_place(&mut x);
        Array1::from_vec(x)
    }

    /// `x` in the place of `b`.
    pub(crate) fn solve_in_place(&self, x: &mut [f64]) {
        let over_pivot = |x: f64, pivot: f64| if pivot > 0.0 { x / pivot } else { 0.0 };
        for (i, row) in self.rows.iter().enumerate() {
            x[i] = over_pivot(x[i] - dot(&row[..i], &x[..i]), row[i]);
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            x[i] = over_pivot(x[i], row[i]);
            let value = x[i];
            x.iter_mut().zip(&row[..i]).for_each(|(x, l)| *x -= value * l);
        }
    }

    /// `A⁻¹`, 0 for variables that take no part.
    pub(crate) fn inverse(&self) -> Array2<f64> {
        let n = self.rows.len();
        let mut inverse = vec![0.0; n * n];
        for (i, column) in inverse.chunks_mut(n.max(1)).enumerate() {
            column[i] = 1.0;
            self.solve_in_place(column);
        }
        // The inverse is symmetric: its columns are its rows.
        Array2::from_shape_vec((n, n), inverse).unwrap_or_else(|_| Array2::zeros((n, n)))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_is_solved_fulfills_its_equations() {
        let root = array![[2.0, -1.0, 0.5], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [0.5, -2.0, 1.0]];
        let matrix = root.t().dot(&root);
        let expected = array![1.0, -2.0, 3.0];
        let cholesky = Cholesky::new(&matrix);
        let x = cholesky.solve(matrix.dot(&expected).view());
        assert_eq!(cholesky.rank, 3);
        assert!(
            (matrix.dot(&cholesky.inverse()) - Array2::<f64>::eye(3)).iter().all(|gap| gap.abs() < 1e-12)
        );
        assert!((x - expected).iter().all(|gap| gap.abs() < 1e-12));
    }

    #[test]
    fn a_variable_that_others_determine_is_0() {
        // The second is the first once more, the third stands alone.
        let matrix = array![[4.0, 4.0, 0.0], [4.0, 4.0, 0.0], [0.0, 0.0, 9.0]];
        let cholesky = Cholesky::new(&matrix);
        let mut x = [12.0, 12.0, 18.0];
        cholesky.solve_in_place(&mut x);
        assert_eq!(cholesky.rank, 2);
        assert_eq!(x, [3.0, 0.0, 2.0]);
    }
}
