//! Windows in order of time, each by itself and small ones taken together → findings and alarms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Error;
use crate::alarm::{Alarm, AlarmRule, AlarmState, Monitor};
use crate::finding::WindowDrift;
use crate::options::{Options, ReferenceWindows};
use crate::reference::Reference;
use crate::sample::{Part, Sample};
use crate::window::Window;

/// Which part of the reference a group of windows is at the most. Groups of a quarter find the reference's own error too often: in 1 of 140 simulated weeks
/// three of five did.
const GROUP_OF_REFERENCE: f64 = 0.125;

/// Compares windows with a reference and raises alarms.
///
/// What a small window cannot tell from chance, several can. So windows are judged each by itself, and those of fewer than
/// [`pooled_rows`](AlarmRule::pooled_rows) rows also together, as many in a row as make so many, against thresholds that are calibrated for that size. No window is
/// in two such groups, and the same rule of so many in so many holds for groups as for windows. A feature's alarm is the windows' where they raise one, else the
/// groups'.
///
/// ```
/// use pellucid_drift::{AlarmRule, Column, Options, Sample, Verdict, Watch, Window};
///
/// let sample = |from: u32, n: u32, shift: f64| Sample {
///     attributions: vec![Column::numeric("income", (from..from + n).map(|i| f64::from(i * 619 % 1_000) / 1_000.0 + shift).collect::<Vec<_>>())],
///     ..Sample::default()
/// };
/// let options = Options { window_rows: 50, ..Options::default() };
/// let mut watch = Watch::new(&sample(0, 2_000, 0.0), options, AlarmRule::default())?;
/// let mut alarms = Vec::new();
/// for place in 0..30 {
///     let start_micros = i64::from(place);
///     let window = Window { rows: 0..50, start_micros, end_micros: start_micros + 1 };
///     let observed = watch.observe(&window, &sample(50 * place, 50, 0.2))?;
///     // Fifty rows by themselves say nothing …
///     assert_eq!(observed.drift.features[0].verdict, Verdict::InsufficientEvidence);
///     alarms.extend(observed.changed);
/// }
/// // … but three groups of five such windows do.
/// assert!(alarms[0].pooled && alarms[0].raised_micros == 15);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Watch {
    reference: Arc<Reference>,
    monitor: Monitor,
    pool: Option<Pool>,
}

/// What came of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// What was found in it alone.
    pub drift: WindowDrift,
    /// The alarms that it raised or cleared.
    pub changed: Vec<Alarm>,
}

/// Windows that wait until they are enough.
#[derive(Clone, Debug)]
struct Pool {
    /// Calibrated for groups.
    reference: Arc<Reference>,
    monitor: Monitor,
    /// So many effective rows are enough.
    wanted: f64,
    waiting: Vec<(Window, Sample)>,
    n_effective: f64,
}

impl Watch {
    /// A watch that has seen no window.
    ///
    /// # Errors
    /// Sample, options or rule are not as they should be.
    pub fn new(reference: &Sample, options: Options, rule: AlarmRule) -> Result<Self, Error> {
        let made = Arc::new(Reference::new(reference.clone(), options.clone())?);
        let monitor = Monitor::new(made.comparability_key(), rule)?;
        let wanted = (GROUP_OF_REFERENCE * made.n_effective()).min(rule.pooled_rows as f64);
        let pooled_rows = wanted as usize;
        let pool = (pooled_rows > options.window_rows).then(|| {
            let calibrated = match options.calibration.windows {
                ReferenceWindows::Resampled(_) => {
                    let options = Options { window_rows: pooled_rows, ..options };
                    Arc::new(Reference::new(reference.clone(), options)?)
                }
                // Groups that followed each other would be too few; a window's threshold is wider than theirs.
                ReferenceWindows::Consecutive => Arc::clone(&made),
            };
            let monitor = Monitor::of_groups(made.comparability_key(), rule)?;
            Ok(Pool { reference: calibrated, monitor, wanted, waiting: Vec::new(), n_effective: 0.0 })
        });
        Ok(Self { reference: made, monitor, pool: pool.transpose()? })
    }

    /// The reference that windows are compared with.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The alarms that stand, by part and name; one a feature.
    #[must_use]
    pub fn standing(&self) -> Vec<&Alarm> {
        let of_groups = self.pool.iter().flat_map(|pool| pool.monitor.standing());
        let mut by_feature = BTreeMap::new();
        for alarm in self.monitor.standing().chain(of_groups) {
            by_feature.entry((alarm.part, &alarm.name)).or_insert(alarm);
        }
        by_feature.into_values().collect()
    }

    /// Compares the next window.
    ///
    /// # Errors
    /// It cannot be compared with the reference, or begins before the one in front of it.
    pub fn observe(&mut self, window: &Window, sample: &Sample) -> Result<Observed, Error> {
        let before = self.standing_keys();
        let drift = self.reference.compare(sample)?;
        let mut events = self.monitor.observe(window, &drift)?;
        if let Some(pool) = &mut self.pool {
            events.extend(pool.add(window, sample, &drift)?);
        }
        let after = self.standing_keys();
        let mut told = BTreeSet::new();
        // What the other one raised before is no news, nor is that one of the two is quiet again.
        events.retain(|alarm| {
            let key = (alarm.part, alarm.name.clone());
            let news = match alarm.state {
                AlarmState::Raised => !before.contains(&key) && after.contains(&key),
                AlarmState::Cleared => before.contains(&key) && !after.contains(&key),
            };
            news && told.insert(key)
        });
        Ok(Observed { drift, changed: events })
    }

    fn standing_keys(&self) -> BTreeSet<(Part, String)> {
        self.standing().into_iter().map(|alarm| (alarm.part, alarm.name.clone())).collect()
    }
}

impl Pool {
    /// Takes a window in; when the group is full, what came of it.
    fn add(&mut self, window: &Window, sample: &Sample, drift: &WindowDrift) -> Result<Vec<Alarm>, Error> {
        let n_effective = drift.n_effective();
        if self.waiting.is_empty() && n_effective >= self.wanted {
            return Ok(Vec::new());
        }
        self.waiting.push((window.clone(), sample.clone()));
        self.n_effective += n_effective;
        if self.n_effective < self.wanted {
            return Ok(Vec::new());
        }
        self.n_effective = 0.0;
        let (windows, samples): (Vec<Window>, Vec<Sample>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        let joined = Sample::joined(&samples)?;
        let together = Window {
            rows: 0..joined.n_rows(),
            start_micros: windows.first().map_or(window.start_micros, |it| it.start_micros),
            end_micros: window.end_micros,
        };
        self.monitor.observe(&together, &self.reference.compare(&joined)?)
    }
}
