//! What is counted, in Prometheus' text form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histograms, in seconds.
const BOUNDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// All counters of a server.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    predict: Histogram,
    explain: Mutex<BTreeMap<String, Histogram>>,
    outcomes: Mutex<BTreeMap<&'static str, u64>>,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
    unrecorded: AtomicUsize,
}

#[derive(Default)]
struct Histogram {
    counts: [AtomicU64; BOUNDS.len()],
    n: AtomicU64,
    sum_micros: AtomicU64,
}

/// What is so now, read when somebody asks.
pub(crate) struct Now {
    pub(crate) n_waiting: usize,
    pub(crate) n_running: usize,
    pub(crate) n_models: usize,
    pub(crate) n_broken_models: usize,
    pub(crate) log_writable: bool,
    pub(crate) n_unpaired_events: u64,
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let secs = took.as_secs_f64();
        if let Some(place) = BOUNDS.iter().position(|bound| secs <= *bound) {
            self.counts[place].fetch_add(1, Ordering::Relaxed);
        }
        self.n.fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn write(&self, to: &mut String, name: &str, label: &str) {
        let separator = if label.is_empty() { "" } else { "," };
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(&self.counts) {
            below += count.load(Ordering::Relaxed);
            let _ = writeln!(to, "{name}_bucket{{{label}{separator}le=\"{bound}\"}} {below}");
        }
        let (n, sum) = (self.n.load(Ordering::Relaxed), self.sum_micros.load(Ordering::Relaxed));
        let braces = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        let _ = writeln!(to, "{name}_bucket{{{label}{separator}le=\"+Inf\"}} {n}");
        let _ = writeln!(to, "{name}_sum{braces} {}\n{name}_count{braces} {n}", sum as f64 / 1e6);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// A request of a route was answered.
    pub(crate) fn request(&self, route: &str, status: u16) {
        *locked(&self.requests).entry((route.to_owned(), status)).or_default() += 1;
    }

    pub(crate) fn predicted(&self, took: Duration) {
        self.predict.observe(took);
    }

    /// One call of a method.
    pub(crate) fn explained(&self, method: &str, took: Duration) {
        locked(&self.explain).entry(method.to_owned()).or_default().observe(took);
    }

    /// What became of a row: `recorded`, `failed`, `refused`, `canceled`, `dropped` …
    pub(crate) fn outcome(&self, outcome: &'static str) {
        *locked(&self.outcomes).entry(outcome).or_default() += 1;
    }

    pub(crate) fn cache(&self, n_hits: usize, n_misses: usize) {
        self.cache_hits.fetch_add(n_hits as u64, Ordering::Relaxed);
        self.cache_misses.fetch_add(n_misses as u64, Ordering::Relaxed);
    }

    /// Explanations that are made and not on the disk.
    pub(crate) fn unrecorded(&self, n: usize) {
        self.unrecorded.store(n, Ordering::Relaxed);
    }

    pub(crate) fn text(&self, now: &Now) -> String {
        let mut text = String::new();
        let head =
            |name: &str, kind: &str, help: &str| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        text += &head("pellucid_requests_total", "counter", "Requests by route and status.");
        for ((route, status), n) in &*locked(&self.requests) {
            let _ = writeln!(text, "pellucid_requests_total{{route=\"{route}\",status=\"{status}\"}} {n}");
        }
        text += &head("request_predict_seconds", "histogram", "From a request's rows to its predictions.");
        self.predict.write(&mut text, "request_predict_seconds", "");
        text +=
            &head("request_explain_seconds", "histogram", "One call of a method, which explains a batch.");
        for (method, histogram) in &*locked(&self.explain) {
            histogram.write(&mut text, "request_explain_seconds", &format!("method=\"{method}\""));
        }
        text += &head("pellucid_explanations_total", "counter", "Rows by what became of them.");
        for (outcome, n) in &*locked(&self.outcomes) {
            let _ = writeln!(text, "pellucid_explanations_total{{outcome=\"{outcome}\"}} {n}");
        }
        let gauges = [
            ("pellucid_queue_rows", "Rows that wait to be explained.", now.n_waiting),
            ("pellucid_running_rows", "Rows that are being explained.", now.n_running),
            (
                "pellucid_unrecorded_rows",
                "Explanations that the log has not taken yet.",
                self.unrecorded.load(Ordering::Relaxed),
            ),
            ("pellucid_models", "Models that are served.", now.n_models),
            ("pellucid_broken_models", "Models that cannot be served.", now.n_broken_models),
            ("pellucid_log_writable", "1 where the log takes entries.", usize::from(now.log_writable)),
        ];
        for (name, help, value) in gauges {
            text += &head(name, "gauge", help);
            let _ = writeln!(text, "{name} {value}");
        }
        for (name, help, value) in [
            ("pellucid_cache_hits_total", "Explanations that were known.", &self.cache_hits),
            ("pellucid_cache_misses_total", "Explanations that had to be made.", &self.cache_misses),
        ] {
            text += &head(name, "counter", help);
            let _ = writeln!(text, "{name} {}", value.load(Ordering::Relaxed));
        }
        text += &head(
            "pellucid_unpaired_events_total",
            "counter",
            "Halves of predictions whose other half never came.",
        );
        let _ = writeln!(text, "pellucid_unpaired_events_total {}", now.n_unpaired_events);
        text
    }
}
