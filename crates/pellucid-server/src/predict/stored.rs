//! Predictions that were answered, remembered so that they can be explained later.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::models::rows::Rows;

/// What was predicted of one row.
#[derive(Clone)]
pub(crate) struct Prediction {
    pub(crate) model: String,
    pub(crate) version: String,
    /// `[1, features…]`.
    pub(crate) row: Arc<Rows>,
}

/// The newest predictions, within a number of bytes; older ones are in the log if they were explained.
pub(crate) struct Predictions {
    kept: Mutex<Kept>,
    max_bytes: usize,
}

#[derive(Default)]
struct Kept {
    by_id: HashMap<String, Prediction>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Predictions {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { kept: Mutex::default(), max_bytes }
    }

    pub(crate) fn keep(&self, id: &str, prediction: Prediction) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += bytes_of(&prediction);
        match kept.by_id.insert(id.to_owned(), prediction) {
            Some(before) => kept.bytes -= bytes_of(&before),
            None => kept.order.push_back(id.to_owned()),
        }
        while kept.bytes > self.max_bytes {
            let Some(oldest) = kept.order.pop_front() else { break };
            kept.bytes -= kept.by_id.remove(&oldest).as_ref().map_or(0, bytes_of);
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Prediction> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }
}

fn bytes_of(prediction: &Prediction) -> usize {
    // The rest: id, names, the maps' own.
    prediction.row.n_bytes() + 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let predictions = Predictions::new(2 * (256 + 80));
        let of = |n: usize| Prediction {
            model: "m".into(),
            version: "1".into(),
            row: Arc::new(Rows::Numbers(ArrayD::zeros(vec![1, n]))),
        };
        for id in ["a", "b", "c"] {
            predictions.keep(id, of(10));
        }
        predictions.keep("c", of(10));
        assert!(
            predictions.get("a").is_none()
                && predictions.get("b").is_some()
                && predictions.get("c").is_some()
        );
    }
}
