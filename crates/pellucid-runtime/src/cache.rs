//! Sessions by the digest of their graph, least recently used ones dropped above a cap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pellucid_graph::{Error, Graph, Session, onnx};

/// Runtimes keep packed copies of weights beside the originals.
const COPIES_OF_CONSTANTS: usize = 2;
/// What a session takes beside its constants: nodes, plans, thread stacks that are touched.
const BYTES_BESIDE: usize = 64 << 10;

type Digest = [u8; 32];

/// A cache of sessions with a cap in bytes.
pub(crate) struct Cache {
    cap_bytes: usize,
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    digest: Digest,
    n_bytes: usize,
    session: Arc<dyn Session>,
}

impl Cache {
    pub(crate) fn new(cap_bytes: usize) -> Self {
        Self { cap_bytes, entries: Mutex::new(Vec::new()) }
    }

    /// The session of `graph`, made by `make` where there is none. Two threads may make the same one at the same
    /// time; the cache then keeps one of the two.
    pub(crate) fn get_or_make(
        &self,
        graph: &Graph,
        make: impl FnOnce() -> Result<Arc<dyn Session>, Error>,
    ) -> Result<Arc<dyn Session>, Error> {
        let digest = onnx::digest(graph)?;
        if let Some(session) = self.get(&digest) {
            return Ok(session);
        }
        let session = make()?;
        self.insert(Entry { digest, n_bytes: session_bytes(graph), session: session.clone() });
        Ok(session)
    }

    fn get(&self, digest: &Digest) -> Option<Arc<dyn Session>> {
        let mut entries = self.lock();
        let index = entries.iter().position(|entry| entry.digest == *digest)?;
        // The most recently used one stands last.
        let entry = entries.remove(index);
        let session = entry.session.clone();
        entries.push(entry);
        Some(session)
    }

    fn insert(&self, entry: Entry) {
        let mut entries = self.lock();
        entries.retain(|other| other.digest != entry.digest);
        if entry.n_bytes > self.cap_bytes {
            return;
        }
        let mut total: usize = entries.iter().map(|entry| entry.n_bytes).sum::<usize>() + entry.n_bytes;
        while total > self.cap_bytes {
            total -= entries.remove(0).n_bytes;
        }
        entries.push(entry);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        // A panic while the lock is held leaves whole entries behind.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session of `graph` counts as.
pub(crate) fn session_bytes(graph: &Graph) -> usize {
    let constants = graph.wires().filter_map(|wire| graph.constant(wire)).map(|tensor| tensor.n_bytes());
    COPIES_OF_CONSTANTS * constants.sum::<usize>() + BYTES_BESIDE
}

#[cfg(test)]
mod tests;
