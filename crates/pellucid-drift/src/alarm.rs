//! Alarms over a series of windows: raised and cleared, each with a sentence for people.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::finding::{FeatureDrift, Verdict, WindowDrift};
use crate::sample::Part;
use crate::sentence;
use crate::window::Window;

/// How many windows make an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlarmRule {
    /// Raised when this many windows …
    pub drifted: usize,
    /// … of so many in a row are drifted. Windows without enough evidence do not count.
    pub of: usize,
    /// Cleared when so many in a row are not.
    pub clear_after: usize,
    /// A [`Watch`](crate::Watch) judges windows of fewer rows also together, so many rows at a time, but no more than an eighth of the reference; 0: never.
    pub pooled_rows: usize,
}

impl Default for AlarmRule {
    fn default() -> Self {
        Self { drifted: 3, of: 5, clear_after: 5, pooled_rows: 500 }
    }
}

/// A feature that drifted for long enough.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Whether it still stands.
    pub state: AlarmState,
    /// Whether its windows are groups of small ones taken together.
    pub pooled: bool,
    /// Which part of the rows.
    pub part: Part,
    /// Which feature.
    pub name: String,
    /// When the first drifted window that counted towards it begins.
    pub since_micros: i64,
    /// When the window ends that raised it.
    pub raised_micros: i64,
    /// When the window ends that cleared it.
    pub cleared_micros: Option<i64>,
    /// How many windows were drifted since then.
    pub n_drifted: usize,
    /// How many windows with enough evidence there were since then.
    pub n_windows: usize,
    /// The largest effect of them.
    pub largest_effect: f64,
    /// The newest window's finding when that was drifted, else the last drifted one's.
    pub finding: FeatureDrift,
    /// The same in plain words: which feature, how much, since when, on what evidence.
    pub sentence: String,
}

/// Whether an alarm still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// It does.
    Raised,
    /// It no longer does.
    Cleared,
}

/// Watches windows of one comparability key, in order of time.
///
/// An alarm is raised when `drifted` of the last `of` windows with enough evidence are drifted, and cleared when `clear_after` in a row are not.
#[derive(Clone, Debug)]
pub struct Monitor {
    comparability_key: String,
    rule: AlarmRule,
    pooled: bool,
    last_start_micros: i64,
    watched: BTreeMap<(Part, String), Watched>,
}

/// What is remembered of a feature.
#[derive(Clone, Debug, Default)]
struct Watched {
    /// The last windows with enough evidence, oldest first: when they begin, and what was found where they drifted.
    recent: VecDeque<(i64, Option<FeatureDrift>)>,
    alarm: Option<Alarm>,
}

impl Monitor {
    /// A monitor that has seen no window.
    ///
    /// # Errors
    /// The rule asks for no window, or for more than it looks at.
    pub fn new(comparability_key: impl Into<String>, rule: AlarmRule) -> Result<Self, Error> {
        if rule.drifted == 0 || rule.drifted > rule.of {
            let reason = "it is 1 at least and `of` at most";
            return Err(Error::Option { name: "drifted", value: rule.drifted as f64, reason });
        }
        if rule.clear_after == 0 {
            return Err(Error::Option { name: "clear_after", value: 0.0, reason: "it is 1 at least" });
        }
        let comparability_key = comparability_key.into();
        let (last_start_micros, watched) = (i64::MIN, BTreeMap::new());
        Ok(Self { comparability_key, rule, pooled: false, last_start_micros, watched })
    }

    /// One whose windows are groups of small ones.
    pub(crate) fn of_groups(comparability_key: impl Into<String>, rule: AlarmRule) -> Result<Self, Error> {
        Ok(Self { pooled: true, ..Self::new(comparability_key, rule)? })
    }

    /// The alarms that stand, by part and name.
    pub fn standing(&self) -> impl Iterator<Item = &Alarm> {
        self.watched.values().filter_map(|watched| watched.alarm.as_ref())
    }

    /// Takes in the next window and gives the alarms that it raised or cleared.
    ///
    /// # Errors
    /// The window is of another comparability key, or begins before the one in front of it.
    pub fn observe(&mut self, window: &Window, drift: &WindowDrift) -> Result<Vec<Alarm>, Error> {
        if drift.comparability_key != self.comparability_key {
            let (expected, found) = (self.comparability_key.clone(), drift.comparability_key.clone());
            return Err(Error::NotComparable { expected, found });
        }
        if window.start_micros < self.last_start_micros {
            return Err(Error::sample(
                "window",
                "it begins before the one in front of it; pass windows in order of time",
            ));
        }
        self.last_start_micros = window.start_micros;
        for finding in &drift.features {
            self.watched.entry((finding.part, finding.name.clone())).or_default();
        }
        let mut changed = Vec::new();
        for ((part, name), watched) in &mut self.watched {
            let finding =
                drift.features.iter().find(|finding| finding.part == *part && finding.name == *name);
            // What is no longer found at all (no value is missing any more) is not drifted.
            let verdict = finding.map_or(Verdict::NotShown, |finding| finding.verdict);
            if verdict != Verdict::InsufficientEvidence {
                let drifted = finding.filter(|_| verdict == Verdict::Drifted);
                changed.extend(watched.observe(&self.rule, self.pooled, window, drifted));
            }
        }
        Ok(changed)
    }
}

impl Watched {
    fn observe(
        &mut self,
        rule: &AlarmRule,
        pooled: bool,
        window: &Window,
        drifted: Option<&FeatureDrift>,
    ) -> Option<Alarm> {
        self.recent.push_back((window.start_micros, drifted.cloned()));
        while self.recent.len() > rule.of.max(rule.clear_after) {
            self.recent.pop_front();
        }
        match self.alarm.take() {
            Some(alarm) => self.go_on(rule, window, drifted, alarm),
            None => self.perhaps_raise(rule, pooled, window),
        }
    }

    fn perhaps_raise(&mut self, rule: &AlarmRule, pooled: bool, window: &Window) -> Option<Alarm> {
        let looked_at = self.recent.len().saturating_sub(rule.of);
        let drifted: Vec<(usize, i64, &FeatureDrift)> = self
            .recent
            .iter()
            .enumerate()
            .skip(looked_at)
            .filter_map(|(place, (start, finding))| Some((place, *start, finding.as_ref()?)))
            .collect();
        // An alarm is raised by a drifted window, not by one that lets an older one fall out of view.
        let newest = self.recent.back()?.1.as_ref()?;
        if drifted.len() < rule.drifted {
            return None;
        }
        let &(place, since_micros, _) = drifted.first()?;
        let mut alarm = Alarm {
            state: AlarmState::Raised,
            pooled,
            part: newest.part,
            name: newest.name.clone(),
            since_micros,
            raised_micros: window.end_micros,
            cleared_micros: None,
            n_drifted: drifted.len(),
            n_windows: self.recent.len() - place,
            largest_effect: drifted.iter().map(|(_, _, finding)| finding.effect).fold(0.0, f64::max),
            finding: newest.clone(),
            sentence: String::new(),
        };
        alarm.sentence = sentence::of_alarm(&alarm);
        self.alarm = Some(alarm.clone());
        Some(alarm)
    }

    fn go_on(
        &mut self,
        rule: &AlarmRule,
        window: &Window,
        drifted: Option<&FeatureDrift>,
        mut alarm: Alarm,
    ) -> Option<Alarm> {
        alarm.n_windows += 1;
        if let Some(finding) = drifted {
            alarm.n_drifted += 1;
            alarm.largest_effect = alarm.largest_effect.max(finding.effect);
            alarm.finding = finding.clone();
        }
        let quiet = self.recent.iter().rev().take_while(|(_, finding)| finding.is_none()).count();
        let cleared = quiet >= rule.clear_after;
        if cleared {
            alarm.state = AlarmState::Cleared;
            alarm.cleared_micros = Some(window.end_micros);
        }
        alarm.sentence = sentence::of_alarm(&alarm);
        if !cleared {
            self.alarm = Some(alarm);
            return None;
        }
        // What was told and cleared does not count towards the next alarm.
        self.recent.clear();
        Some(alarm)
    }
}
