//! Predictions that are kept, so that work which dies half-way goes on where it stopped.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, ArrayViewD};
use pellucid_core::row_digest_f64;

use crate::error::Error;
use crate::predictor::Predictor;

/// A predictor that answers what it was asked before from its journal, and writes down what is new.
///
/// Methods repeat from their seed, so that asking again after a failure asks for the same batches in the same order: those
/// that were finished cost nothing. An entry is the batch's digest (32 bytes), the number of values as little-endian u64, and the
/// values as little-endian f64; a last entry that was cut off is dropped.
pub struct Journal<P, W> {
    predictor: P,
    kept: Mutex<Kept<W>>,
}

struct Kept<W> {
    answers: HashMap<[u8; 32], Vec<f64>>,
    write: W,
}

impl<P: Predictor, W: Write + Send> Journal<P, W> {
    /// What `read` holds is known; what is new goes to `write`, which stands behind the last whole entry of `read`.
    ///
    /// # Errors
    /// What reading reports.
    pub fn new(predictor: P, mut read: impl Read, write: W) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        read.read_to_end(&mut bytes)?;
        let (answers, _) = entries(&bytes);
        Ok(Self { predictor, kept: Mutex::new(Kept { answers, write }) })
    }
}

/// The bytes of a journal that are whole entries: what a file is cut to before more is written behind.
pub fn whole_bytes(journal: &[u8]) -> usize {
    entries(journal).1
}

/// The whole entries, and how many bytes they take.
fn entries(bytes: &[u8]) -> (HashMap<[u8; 32], Vec<f64>>, usize) {
    let (mut answers, mut rest) = (HashMap::new(), bytes);
    while let Some((digest, values, behind)) = entry(rest) {
        answers.insert(digest, values);
        rest = behind;
    }
    (answers, bytes.len() - rest.len())
}

fn entry(bytes: &[u8]) -> Option<([u8; 32], Vec<f64>, &[u8])> {
    let (digest, rest) = bytes.split_first_chunk::<32>()?;
    let (n_values, rest) = rest.split_first_chunk::<8>()?;
    let n_bytes = usize::try_from(u64::from_le_bytes(*n_values)).ok()?.checked_mul(8)?;
    let (values, rest) = rest.split_at_checked(n_bytes)?;
    let values = values.as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    Some((*digest, values, rest))
}

impl<P: Predictor, W: Write + Send> Predictor for Journal<P, W> {
    fn row_shape(&self) -> &[usize] {
        self.predictor.row_shape()
    }

    fn n_outputs(&self) -> usize {
        self.predictor.n_outputs()
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> {
        let digest = row_digest_f64(rows.view());
        let shape = (rows.shape()[0], self.n_outputs());
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().answers.get(&digest).cloned();
        if let Some(Ok(known)) = known.map(|known| Array2::from_shape_vec(shape, known)) {
            return Ok(known);
        }
        let outputs = self.predictor.predict_batch(rows)?;
        // An answer that is none is reported by whoever asked; it is not kept.
        if outputs.dim() == shape && outputs.iter().all(|value| value.is_finite()) {
            let values: Vec<f64> = outputs.iter().copied().collect();
            let mut bytes = digest.to_vec();
            bytes.extend((values.len() as u64).to_le_bytes());
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let mut kept = lock();
            kept.write
                .write_all(&bytes)
                .and_then(|()| kept.write.flush())
                .map_err(|error| Error::setting("journal", format!("cannot be written: {error}")))?;
            kept.answers.insert(digest, values);
        }
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::predictor::{Function, predict};
    use crate::testing::work;
    use ndarray::{ArrayD, Axis};

    #[test]
    fn what_was_finished_is_not_asked_again() {
        let rows = ArrayD::from_shape_fn(vec![6, 1], |index| index[0] as f64);
        let asked = AtomicUsize::new(0);
        let dying = Function {
            row_shape: vec![1],
            n_outputs: 1,
            predict: |rows: ArrayViewD<'_, f64>| match asked.fetch_add(1, Ordering::Relaxed) {
                2 => Err(pellucid_core::Error::Model { reason: "gone".to_owned() }.into()),
                _ => {
                    Ok(rows.to_owned().into_shape_with_order((rows.len_of(Axis(0)), 1)).expect("a column")
                        * 2.0)
                }
            },
        };
        let mut file = Vec::new();
        let journal = Journal::new(&dying, &[][..], &mut file).expect("an empty journal");
        assert!(predict(&journal, rows.view(), &work(2)).is_err());
        drop(journal);
        file.extend([1, 2, 3]);
        let read = file.clone();
        let whole = whole_bytes(&read);
        assert_eq!(whole, read.len() - 3);
        let journal = Journal::new(&dying, &read[..whole], Vec::new()).expect("a journal");
        let outputs = predict(&journal, rows.view(), &work(2)).expect("the rest");
        assert_eq!(outputs.column(0).to_vec(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(asked.load(Ordering::Relaxed), 4, "two batches, the failure, and the third once more");
    }
}
