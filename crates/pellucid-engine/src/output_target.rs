//! Which outputs are explained of a model whose outputs may all be.

use ndarray::{Array2, ArrayView2};
use pellucid_core::{ResolvedTarget, Target};

use crate::error::Error;
use crate::target::parse_target;

/// What is explained of a tree model, or of any model by its predictions alone.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputTarget {
    /// Every output.
    All,
    /// One output, the highest ones, or a weighted sum.
    Of(Target),
}

impl OutputTarget {
    /// The target that `text` names: `all`, or as [`parse_target`] reads it.
    ///
    /// # Errors
    /// Those of [`parse_target`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(if text.trim() == "all" { Self::All } else { Self::Of(parse_target(text)?) })
    }

    /// Weights of the outputs `[rows, outputs]` for each row.
    ///
    /// # Errors
    /// Those of [`Target::resolve`].
    pub(crate) fn resolve(
        &self,
        outputs: ArrayView2<'_, f64>,
        labels: Option<&[String]>,
    ) -> Result<ResolvedTarget, Error> {
        let (n_rows, n_outputs) = outputs.dim();
        let one_hot =
            |k| Array2::from_shape_fn((n_rows, n_outputs), |(_, output)| f32::from(u8::from(output == k)));
        match self {
            Self::Of(target) => Ok(target.resolve(outputs, labels)?),
            Self::All => Ok(ResolvedTarget {
                weights: (0..n_outputs).map(one_hot).collect(),
                indices: self.indices(outputs, labels)?,
            }),
        }
    }

    /// The explained outputs of rows, by index where each target is one output.
    pub(crate) fn indices(
        &self,
        outputs: ArrayView2<'_, f64>,
        labels: Option<&[String]>,
    ) -> Result<Option<Vec<Vec<usize>>>, Error> {
        match self {
            Self::All => Ok(Some(vec![(0..outputs.ncols()).collect(); outputs.nrows()])),
            Self::Of(target) => Ok(target.resolve(outputs, labels)?.indices),
        }
    }
}

impl std::fmt::Display for OutputTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Of(target) => target.fmt(f),
        }
    }
}
