//! A progress bar for long work, on a terminal only.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use pellucid_engine::{NoProgress, Progress};

/// A bar on standard error that counts `unit`, where that is a terminal and nobody asked for quiet.
pub(crate) fn progress(quiet: bool, unit: &'static str) -> Arc<dyn Progress> {
    match quiet || !std::io::stderr().is_terminal() {
        true => Arc::new(NoProgress),
        false => Arc::new(Bar { unit, shown: Mutex::default() }),
    }
}

struct Bar {
    unit: &'static str,
    shown: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn begin(&self, total: usize) {
        self.with(|bar| {
            let template = format!("{{bar:40}} {{pos}}/{{len}} {}, {{eta}} left", self.unit);
            let style =
                ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let new = ProgressBar::new(total as u64).with_style(style);
            new.enable_steady_tick(Duration::from_millis(200));
            *bar = Some(new);
        });
    }

    fn advance(&self, n: usize) {
        self.with(|bar| {
            if let Some(bar) = bar {
                // Refinement may take more than was foreseen.
                if bar.position() + n as u64 > bar.length().unwrap_or(0) {
                    bar.set_length(bar.position() + n as u64);
                }
                bar.inc(n as u64);
            }
        });
    }

    fn end(&self) {
        self.with(|bar| {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        });
    }
}
