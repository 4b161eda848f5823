//! Explanations that were made before, by what they depend on: model, plan and row.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::explained::Explained;
use crate::models::plan::Plan;
use crate::models::rows::Rows;

/// A digest of all that an explanation depends on.
pub(crate) type Key = [u8; 32];

/// The newest explanations, within a number of bytes.
pub(crate) struct Cache {
    kept: Mutex<Kept>,
    max_bytes: usize,
}

#[derive(Default)]
struct Kept {
    by_key: HashMap<Key, Arc<Explained>>,
    order: VecDeque<Key>,
    bytes: usize,
}

/// The key of a row by a plan, which knows the model's files, method, parameters and seed.
pub(crate) fn key(plan: &Plan, row: &Rows) -> Key {
    let mut hash = Sha256::new();
    hash.update(plan.call.as_bytes());
    row.hash(&mut hash);
    hash.finalize().into()
}

impl Cache {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { kept: Mutex::default(), max_bytes }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Explained>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_key.get(key).cloned()
    }

    pub(crate) fn keep(&self, key: Key, explained: Arc<Explained>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = bytes_of(&explained);
        if bytes > self.max_bytes || kept.by_key.contains_key(&key) {
            return;
        }
        kept.bytes += bytes;
        kept.by_key.insert(key, explained);
        kept.order.push_back(key);
        while kept.bytes > self.max_bytes {
            let Some(oldest) = kept.order.pop_front() else { break };
            kept.bytes -= kept.by_key.remove(&oldest).map_or(0, |explained| bytes_of(&explained));
        }
    }
}

fn bytes_of(explained: &Explained) -> usize {
    let explanation = explained.made.explanation();
    let numbers = explanation.values.len() * 2 + explanation.data.len() * 2;
    let outputs = explained.outputs.as_ref().map_or(0, Vec::len);
    // Names of features and outputs are held once a row.
    let names = [&explanation.about.feature_names, &explanation.about.output_names];
    let names: usize =
        names.into_iter().flatten().map(|list| list.iter().map(|name| name.len() + 24).sum::<usize>()).sum();
    8 * (numbers + outputs) + names + 2_048
}
