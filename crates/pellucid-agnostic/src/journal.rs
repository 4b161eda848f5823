//! Predictions that are kept, so that work which dies half-way goes on where it stopped.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, ArrayViewD};
use pellucid_core::row_digest_f64;

use crate::error::Error;
use crate::predictor::Predictor;

/// What a journal begins with.
const MAGIC: &[u8; 16] = b"pellucid journal";

/// What stands before the entries: the magic and 32 bytes that identify the model.
const HEADER_BYTES: usize = MAGIC.len() + 32;

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries {
    answers: HashMap<[u8; 32], Vec<f64>>,
    /// Bytes of the header and of whole entries: what a file is cut to before more is written behind; 0 for a new one.
    pub whole_bytes: usize,
}

impl Entries {
    /// What the first bytes of a journal for a model are; `identity` is a digest of all that its predictions depend on.
    pub fn header(identity: &[u8; 32]) -> Vec<u8> {
        [&MAGIC[..], identity].concat()
    }

    /// Reads a journal of the model; no bytes at all are a new one, and a last entry that was cut off is left out.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is no journal, or one of another model: its answers would be wrong.
    pub fn read(journal: &[u8], identity: &[u8; 32]) -> Result<Self, Error> {
        let fault = |reason: &str| Err(Error::setting("journal", reason));
        if journal.is_empty() {
            return Ok(Self::default());
        }
        let Some((header, rest)) = journal.split_at_checked(HEADER_BYTES) else {
            return fault("the file is no journal; name one that is not there yet");
        };
        match header.split_at(MAGIC.len()) {
            (magic, _) if magic != MAGIC => fault("the file is no journal; name one that is not there yet"),
            (_, other) if other != identity => fault(
                "the file holds predictions of another model, or of another version of it; name another file",
            ),
            _ => {
                let (answers, n_bytes) = entries(rest);
                Ok(Self { answers, whole_bytes: HEADER_BYTES + n_bytes })
            }
        }
    }
}

/// A predictor that answers what it was asked before from its journal, and writes down what is new.
///
/// Methods repeat from their seed, so that asking again after a failure asks for the same batches in the same order: those
/// that were finished cost nothing. Behind the header, an entry is the batch's digest (32 bytes), the number of values as
/// little-endian u64, and the values as little-endian f64.
pub struct Journal<P, W> {
    predictor: P,
    kept: Mutex<Kept<W>>,
}

struct Kept<W> {
    answers: HashMap<[u8; 32], Vec<f64>>,
    write: W,
}

impl<P: Predictor, W: Write + Send> Journal<P, W> {
    /// What `entries` hold is known; what is new goes to `write`, which stands behind their last byte.
    pub fn new(predictor: P, entries: Entries, write: W) -> Self {
        Self { predictor, kept: Mutex::new(Kept { answers: entries.answers, write }) }
    }
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
        let mut file = Entries::header(&MODEL);
        let journal = Journal::new(&dying, Entries::default(), &mut file);
        assert!(predict(&journal, rows.view(), &work(2)).is_err());
        drop(journal);
        file.extend([1, 2, 3]);
        let known = Entries::read(&file, &MODEL).expect("a journal");
        assert_eq!(known.whole_bytes, file.len() - 3);
        let journal = Journal::new(&dying, known, Vec::new());
        let outputs = predict(&journal, rows.view(), &work(2)).expect("the rest");
        assert_eq!(outputs.column(0).to_vec(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(asked.load(Ordering::Relaxed), 4, "two batches, the failure, and the third once more");
    }

    const MODEL: [u8; 32] = [7; 32];

    #[test]
    fn what_is_no_journal_of_the_model_is_refused() {
        let say = |bytes: &[u8]| Entries::read(bytes, &MODEL).expect_err("a refusal").to_string();
        assert!(say(b"age,income").contains("is no journal"));
        assert!(say(&[b'x'; 100]).contains("is no journal"));
        assert!(say(&Entries::header(&[8; 32])).contains("another model"));
        assert_eq!(Entries::read(&[], &MODEL), Ok(Entries::default()));
    }
}
