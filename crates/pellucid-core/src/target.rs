//! Which output is explained.

use ndarray::{Array2, ArrayD, ArrayView1, ArrayView2};

use crate::error::Error;

/// Which output of a row is explained; for all rows alike, or by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One output by its index.
    Index(usize),
    /// One output by its label.
    Label(String),
    /// The highest outputs of each row, highest first; `Top(1)` is the predicted class.
    Top(usize),
    /// One index a row.
    PerRow(Vec<usize>),
    /// Any scalar of the output: `Σ weight · output`. A difference of two logits is `[(a, 1), (b, −1)]`.
    Weighted(Vec<(usize, f64)>),
    /// Of a model that classifies every place of an image: what `class` (an index, a label or the highest) has over the
    /// places of a mask, `[height, width]` for all rows or `[rows, height, width]`, weights of the places. Without a
    /// mask, indices, labels and the highest classes are taken over the places where they are predicted.
    Masked {
        /// Which class.
        class: Box<Target>,
        /// Where.
        mask: ArrayD<f32>,
    },
    /// How alike the outputs of an embedding model are to others.
    Similar {
        /// By which measure.
        measure: Similarity,
        /// An embedding `[outputs]`, or an input row `[features…]` whose embedding it is.
        to: ArrayD<f32>,
        /// What it was read from, as a person wrote it.
        name: String,
    },
    /// A target that is resolved already: its weights of the outputs for each row.
    Resolved(ResolvedTarget),
}

/// How alike two embeddings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Similarity {
    /// `y · v / (|y| |v|)`
    Cosine,
    /// `y · v`
    Dot,
}

impl Similarity {
    /// All of them with their names.
    pub const NAMES: [(&'static str, Self); 2] = [("cosine", Self::Cosine), ("dot", Self::Dot)];

    /// The name: `cosine`, `dot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
        }
    }
}

/// A target turned into numbers: for each row, each of its `K` targets as weights of the outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedTarget {
    /// `K` matrices `[rows, outputs]`.
    pub weights: Vec<Array2<f32>>,
    /// For each row, the explained output indices, where each target is one output.
    pub indices: Option<Vec<Vec<usize>>>,
}

impl Target {
    /// The number of targets of each row.
    pub fn n_targets(&self) -> usize {
        match self {
            Self::Top(k) => *k,
            Self::Masked { class, .. } => class.n_targets(),
            Self::Resolved(resolved) => resolved.weights.len(),
            _ => 1,
        }
    }

    /// Turns the target into weights for rows with these outputs, `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::Target`] for an index out of range, an unknown label, more targets than outputs.
    pub fn resolve(
        &self,
        outputs: ArrayView2<'_, f64>,
        labels: Option<&[String]>,
    ) -> Result<ResolvedTarget, Error> {
        let (n_rows, n_outputs) = outputs.dim();
        let indices: Vec<Vec<usize>> = match self {
            Self::Index(index) => vec![vec![*index]; n_rows],
            Self::Label(label) => vec![vec![index_of_label(label, labels)?]; n_rows],
            Self::PerRow(indices) if indices.len() == n_rows => indices.iter().map(|&i| vec![i]).collect(),
            Self::PerRow(indices) => {
                return Err(self.fault(format!("{} indices for {n_rows} rows", indices.len())));
            }
            Self::Top(k) if (1..=n_outputs).contains(k) => {
                outputs.rows().into_iter().map(|row| top_outputs(row, *k)).collect()
            }
            Self::Top(_) => return Err(self.fault(format!("the model has {n_outputs} outputs"))),
            Self::Weighted(weights) => return self.weighted(weights, n_rows, n_outputs),
            Self::Resolved(resolved) => return self.fitting(resolved, n_rows, n_outputs),
            Self::Masked { .. } => {
                return Err(
                    self.fault("masks are of models that classify every place of an image".to_owned())
                );
            }
            Self::Similar { .. } => {
                return Err(
                    self.fault("similarity is no single output: the model has to end in it".to_owned())
                );
            }
        };
        if let Some(index) = indices.iter().flatten().find(|&&index| index >= n_outputs) {
            let last = n_outputs.saturating_sub(1);
            return Err(
                self.fault(format!("output {index} is out of range; the model has outputs 0 to {last}"))
            );
        }
        let one_hot = |k: usize| {
            let mut weights = Array2::zeros((n_rows, n_outputs));
            for (row, targets) in indices.iter().enumerate() {
                weights[[row, targets[k]]] = 1.0;
            }
            weights
        };
        let weights = (0..self.n_targets()).map(one_hot).collect();
        Ok(ResolvedTarget { weights, indices: Some(indices) })
    }

    fn weighted(
        &self,
        weights: &[(usize, f64)],
        n_rows: usize,
        n_outputs: usize,
    ) -> Result<ResolvedTarget, Error> {
        let mut matrix = Array2::zeros((n_rows, n_outputs));
        for &(index, weight) in weights {
            if index >= n_outputs || !weight.is_finite() {
                return Err(
                    self.fault(format!("the model has {n_outputs} outputs, and weights are finite numbers"))
                );
            }
            matrix.column_mut(index).fill(weight as f32);
        }
        Ok(ResolvedTarget { weights: vec![matrix], indices: None })
    }

    fn fitting(
        &self,
        resolved: &ResolvedTarget,
        n_rows: usize,
        n_outputs: usize,
    ) -> Result<ResolvedTarget, Error> {
        // A check before there are rows.
        let fits = |weights: &Array2<f32>| {
            weights.ncols() == n_outputs && (weights.nrows() == n_rows || n_rows == 0)
        };
        match resolved.weights.iter().all(fits) {
            true => Ok(resolved.clone()),
            false => Err(self.fault(format!("its weights are not of {n_rows} rows and {n_outputs} outputs"))),
        }
    }

    fn fault(&self, reason: String) -> Error {
        Error::Target { target: self.to_string(), reason }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Label(label) => write!(f, "{label:?}"),
            Self::Top(k) => write!(f, "top-{k}"),
            Self::PerRow(indices) => write!(f, "per row ({} indices)", indices.len()),
            Self::Weighted(weights) => {
                let terms: Vec<String> =
                    weights.iter().map(|(index, weight)| format!("{weight:+}*{index}")).collect();
                f.write_str(&terms.join(""))
            }
            Self::Masked { class, .. } => write!(f, "{class} over a mask"),
            Self::Similar { measure, name, .. } => write!(f, "{}:{name}", measure.name()),
            Self::Resolved(resolved) => write!(f, "weights of {} targets", resolved.weights.len()),
        }
    }
}

/// The indices of the `k` highest outputs, highest first; of equal ones the first.
pub fn top_outputs(outputs: ArrayView1<'_, f64>, k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..outputs.len()).collect();
    order.sort_by(|&a, &b| outputs[b].total_cmp(&outputs[a]).then(a.cmp(&b)));
    order.truncate(k);
    order
}

fn index_of_label(label: &str, labels: Option<&[String]>) -> Result<usize, Error> {
    let fault = |reason: String| Error::Target { target: format!("{label:?}"), reason };
    let labels =
        labels.ok_or_else(|| fault("the model has no labels; give --labels FILE or an index".to_owned()))?;
    if let Some(index) = labels.iter().position(|known| known == label) {
        return Ok(index);
    }
    let wanted = label.to_lowercase();
    let near: Vec<&str> = labels
        .iter()
        .filter(|known| known.to_lowercase().contains(&wanted))
        .map(String::as_str)
        .take(5)
        .collect();
    match near.as_slice() {
        [] => Err(fault(format!("no such label among {}", labels.len()))),
        near => Err(fault(format!("no such label; near: {}", near.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn check(target: &Target, expected: Result<Vec<Array2<f32>>, &str>) {
        let outputs = array![[0.1, 0.7, 0.7], [3.0, 2.0, -1.0]];
        let labels = ["cat", "dog", "football"].map(str::to_owned);
        match (target.resolve(outputs.view(), Some(&labels)), expected) {
            (Ok(resolved), Ok(weights)) => assert_eq!(resolved.weights, weights),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (resolved, expected) => panic!("{resolved:?} against {expected:?}"),
        }
    }

    #[test]
    fn targets_become_weights() {
        check(&Target::Index(2), Ok(vec![array![[0., 0., 1.], [0., 0., 1.]]]));
        check(&Target::Label("dog".into()), Ok(vec![array![[0., 1., 0.], [0., 1., 0.]]]));
        check(&Target::PerRow(vec![1, 0]), Ok(vec![array![[0., 1., 0.], [1., 0., 0.]]]));
        check(&Target::Weighted(vec![(0, 1.0), (2, -1.0)]), Ok(vec![array![[1., 0., -1.], [1., 0., -1.]]]));
    }

    #[test]
    fn top_takes_the_first_of_equal_outputs() {
        check(
            &Target::Top(2),
            Ok(vec![array![[0., 1., 0.], [1., 0., 0.]], array![[0., 0., 1.], [0., 1., 0.]]]),
        );
    }

    #[test]
    fn what_the_model_does_not_have_is_refused() {
        check(&Target::Index(3), Err("outputs 0 to 2"));
        check(&Target::Label("foot".into()), Err("near: football"));
        check(&Target::Top(4), Err("3 outputs"));
        check(&Target::PerRow(vec![0]), Err("1 indices for 2 rows"));
        let mask = ArrayD::zeros(vec![2, 2]);
        check(&Target::Masked { class: Box::new(Target::Index(0)), mask }, Err("every place"));
        let weights = vec![array![[1.0f32, 0.0]]];
        check(&Target::Resolved(ResolvedTarget { weights, indices: None }), Err("2 rows and 3 outputs"));
    }
}
