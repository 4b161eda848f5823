//! The words: `Attribution`, `Target`, `Baseline`, `Model`, progress and cancellation.
