//! What one column may become for one row: its constraints, and the values that are worth trying.

use super::table::{Column, Direction, number_text, round};
use crate::error::Error;

/// Values of the background that are tried where nothing is known about the model.
const BACKGROUND_VALUES: usize = 64;

/// Values of a ladder from a changed value back to the row's.
const LADDER: usize = 24;

/// Less than this share of a scale nearer is no step.
const LEAST_STEP: f64 = 5e-4;

/// The values of a column that a counterfactual may have, and what they cost.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    /// The row's value.
    pub(super) own: f64,
    /// The row's value, or the nearest one that the constraints admit.
    pub(super) base: f64,
    /// Values to try, other than the row's, ascending; all are admissible.
    pub(super) values: Vec<f64>,
    /// The change that counts as 1; for categories every change does.
    scale: f64,
    is_category: bool,
    /// Whether values between those to try may be better ones.
    is_fine: bool,
    low: f64,
    high: f64,
    column: Column,
}

/// What the background says of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Distinct values, ascending, without missing ones.
    pub(super) distinct: Vec<f64>,
    /// The median absolute deviation; the mean one where that is 0; 0 where all values are the same.
    pub(super) deviation: f64,
}

impl Seen {
    pub(super) fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let center = median(&sorted);
        let mut deviations: Vec<f64> = sorted.iter().map(|value| (value - center).abs()).collect();
        deviations.sort_by(f64::total_cmp);
        let mean = deviations.iter().sum::<f64>() / deviations.len().max(1) as f64;
        let deviation = Some(median(&deviations)).filter(|&median| median > 0.0).unwrap_or(mean);
        sorted.dedup();
        Self { distinct: sorted, deviation }
    }
}

/// The mean of both middle values; 0 of none.
fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Whether two values of a column are the same; a missing value equals itself.
pub(super) fn same(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan()
}

impl Domain {
    /// The domain of `column` for a row that has the value `own`.
    ///
    /// # Errors
    /// Constraints that contradict each other or the row, by name.
    pub(super) fn new(column: &Column, own: f64, seen: &Seen) -> Result<Self, Error> {
        check_settings(column)?;
        check_seen(column, own, seen)?;
        let hull = seen.distinct.iter().chain(Some(&own)).filter(|value| !value.is_nan());
        let (least, greatest) =
            hull.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
        let (mut low, mut high) = column.range.unwrap_or((least, greatest));
        // An end that is left open is the last value seen.
        if low == f64::NEG_INFINITY {
            low = least.min(high);
        }
        if high == f64::INFINITY {
            high = greatest.max(low);
        }
        match column.direction {
            Some(Direction::Up) => low = low.max(own),
            Some(Direction::Down) => high = high.min(own),
            None => {}
        }
        let mut domain = Self {
            own,
            base: own,
            values: Vec::new(),
            scale: 1.0,
            is_category: column.is_category(),
            is_fine: !column.is_category() && column.candidates.is_empty() && column.allowed.is_none(),
            low,
            high,
            column: column.clone(),
        };
        if !domain.is_category {
            let fallback = if high > low { high - low } else { 1.0 };
            let measured = Some(seen.deviation).filter(|&deviation| deviation > 0.0);
            domain.scale = column.scale.or(measured).unwrap_or(fallback);
        }
        if !column.immutable {
            domain.values = domain.worth_trying(seen);
        }
        domain.find_base()?;
        Ok(domain)
    }

    /// The row's value if it is admissible, else the nearest one, which is forced on every counterfactual.
    fn find_base(&mut self) -> Result<(), Error> {
        let Some(broken) = self.breaks(self.own) else { return Ok(()) };
        let own = self.column.text(self.own);
        if self.column.immutable {
            return Err(self.column.fault(format!("`immutable` keeps {own}, but {broken}")));
        }
        let nearest = self.values.iter().copied().min_by(|a, b| self.cost(*a).total_cmp(&self.cost(*b)));
        self.base = nearest.ok_or_else(|| {
            let direction =
                self.column.direction.map_or(String::new(), |way| format!(" and `direction` {way:?}"));
            self.column.fault(format!("nothing satisfies its constraints: from {own}, {broken}{direction}"))
        })?;
        Ok(())
    }

    /// Which constraint a value breaks, in words; [`None`] if it may stand in a counterfactual.
    pub(super) fn breaks(&self, value: f64) -> Option<String> {
        let column = &self.column;
        let text = || column.text(value);
        if !value.is_nan() {
            if let Some((low, high)) = column.range.filter(|(low, high)| !(*low..=*high).contains(&value)) {
                return Some(format!("{} is outside `range` {low} to {high}", text()));
            }
            if column.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&value)) {
                return Some(format!("{} is not in `allowed`", text()));
            }
        }
        if same(value, self.own) {
            return None;
        }
        match column.direction {
            _ if column.immutable => Some(format!("{} is not the row's value, which is `immutable`", text())),
            Some(Direction::Up) if value < self.own => {
                Some(format!("{} is not up, as `direction` says", text()))
            }
            Some(Direction::Down) if value > self.own => {
                Some(format!("{} is not down, as `direction` says", text()))
            }
            _ if column.decimals().is_some_and(|decimals| round(value, decimals) != value) => {
                Some(format!("{value} has too many decimals"))
            }
            _ => None,
        }
    }

    /// Whether anything but the base can be had.
    pub(super) fn is_free(&self) -> bool {
        self.values.iter().any(|&value| !same(value, self.base))
    }

    /// How far two values are from each other: in scales, or 1 between categories and from or to a missing value.
    pub(super) fn between(&self, a: f64, b: f64) -> f64 {
        if same(a, b) {
            0.0
        } else if self.is_category || a.is_nan() || b.is_nan() {
            1.0
        } else {
            (a - b).abs() / self.scale
        }
    }

    /// How far a value is from the row's.
    pub(super) fn cost(&self, value: f64) -> f64 {
        self.between(value, self.own)
    }

    /// The admissible value nearest to `value`, for numbers; a category that is not admissible gives way to the base.
    pub(super) fn project(&self, value: f64) -> f64 {
        if value.is_nan() || self.values.is_empty() {
            return self.base;
        }
        let value = if self.is_category { value } else { self.on_grid(value.clamp(self.low, self.high)) };
        if self.breaks(value).is_none() { value } else { self.base }
    }

    /// Values between a changed one and the row's, from the row's on: steps on which a search comes nearer.
    pub(super) fn ladder(&self, from: f64) -> Vec<f64> {
        if self.is_category || self.own.is_nan() || from.is_nan() {
            return Vec::new();
        }
        let reach = self.cost(from);
        let nearer = |value: &f64| {
            self.cost(*value) + LEAST_STEP <= reach && (value - self.own) * (from - self.own) > 0.0
        };
        let mut steps: Vec<f64> = self.values.iter().copied().filter(nearer).collect();
        if self.is_fine {
            let at = |share: f64| self.on_grid(self.own + share * (from - self.own));
            steps.extend((1..8).map(|eighth| at(f64::from(eighth) / 8.0)));
            steps.extend((4..15).map(|halving| at(1.0 - 0.5_f64.powi(halving))));
            steps.retain(|value| nearer(value) && self.breaks(*value).is_none());
        }
        steps.sort_by(|a, b| self.cost(*a).total_cmp(&self.cost(*b)));
        steps.dedup();
        // The last steps before `from` are always tried: a search that is near its end needs those.
        let last = steps.split_off(steps.len().saturating_sub(LADDER / 4));
        thin(&steps, LADDER - LADDER / 4).into_iter().chain(last).collect()
    }

    fn on_grid(&self, value: f64) -> f64 {
        let Some(decimals) = self.column.decimals() else { return value };
        let step = 0.1_f64.powi(decimals as i32);
        let near = round(value, decimals);
        if near < self.low {
            round(near + step, decimals)
        } else if near > self.high {
            round(near - step, decimals)
        } else {
            near
        }
    }

    fn worth_trying(&self, seen: &Seen) -> Vec<f64> {
        let column = &self.column;
        let mut values = match (&column.allowed, column.labels()) {
            (Some(allowed), _) => allowed.clone(),
            (None, Some([])) => seen.distinct.clone(),
            (None, Some(labels)) => (0..labels.len()).map(|code| code as f64).collect(),
            (None, None) if column.candidates.is_empty() => thin(&seen.distinct, BACKGROUND_VALUES),
            (None, None) => column.candidates.iter().flat_map(|&edge| self.both_sides(edge)).collect(),
        };
        if column.allowed.is_none() && !self.is_category {
            values.extend([self.low, self.high].map(|end| self.on_grid(end)));
            values.iter_mut().for_each(|value| *value = self.on_grid(*value));
            values.retain(|value| (self.low..=self.high).contains(value));
        }
        values.retain(|&value| !same(value, self.own) && self.breaks(value).is_none());
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    /// The last value up to `edge` and the first one behind it, also for a model that reads f32.
    fn both_sides(&self, edge: f64) -> Vec<f64> {
        let Some(decimals) = self.column.decimals() else {
            let short = edge as f32;
            return vec![edge, edge.next_up(), f64::from(short.next_up()), f64::from(short.next_down())];
        };
        let power = 10_f64.powi(decimals as i32);
        let below = (edge * power).floor();
        vec![below / power, (below + 1.0) / power]
    }
}

/// At most `n` of the values, evenly chosen, the ends among them.
pub(super) fn thin(values: &[f64], n: usize) -> Vec<f64> {
    if values.len() <= n || n < 2 {
        return values.to_vec();
    }
    (0..n).map(|place| values[place * (values.len() - 1) / (n - 1)]).collect()
}

/// What makes no sense whatever the row.
fn check_settings(column: &Column) -> Result<(), Error> {
    if let Some((low, high)) = column.range {
        if column.is_category() {
            return Err(column.fault("`range` is for numbers; `allowed` lists categories"));
        }
        if !(low <= high && low < f64::INFINITY && high > f64::NEG_INFINITY) {
            return Err(
                column.fault(format!("`range` goes from {low} to {high}: the first must not be greater"))
            );
        }
        let decimals = column.decimals().unwrap_or(0);
        let power = 10_f64.powi(decimals as i32);
        if column.decimals().is_some() && (low * power).ceil() > (high * power).floor() {
            let reason = format!("no number of {decimals} decimals lies in `range` {low} to {high}");
            return Err(column.fault(reason));
        }
    }
    if let Some(allowed) = &column.allowed {
        if allowed.is_empty() {
            return Err(column.fault("`allowed` is empty; leave it out, or make the column `immutable`"));
        }
        let labels = column.labels().unwrap_or_default();
        let is_unknown = |value: &&f64| {
            !labels.is_empty() && (value.fract() != 0.0 || !(0.0..labels.len() as f64).contains(*value))
        };
        if let Some(unknown) = allowed.iter().find(|value| !value.is_finite() || is_unknown(value)) {
            return Err(column.fault(format!("`allowed` names {unknown}, which is none of its values")));
        }
    }
    if let Some(edge) = column.candidates.iter().find(|edge| !edge.is_finite()) {
        return Err(column.fault(format!("`candidates` names {edge}, which is no finite number")));
    }
    match column.scale {
        Some(scale) if !(scale.is_finite() && scale > 0.0) => {
            Err(column.fault(format!("`scale` is {}; it must be above 0", number_text(scale))))
        }
        _ => Ok(()),
    }
}

/// What makes no sense for this row and background.
fn check_seen(column: &Column, own: f64, seen: &Seen) -> Result<(), Error> {
    if own.is_nan() && column.direction.is_some() {
        return Err(
            column.fault("its value is missing, so that nothing is up or down from it; drop `direction`")
        );
    }
    let without_labels = column.labels().is_some_and(<[String]>::is_empty);
    let allowed = column.allowed.as_deref().unwrap_or_default();
    if without_labels && !own.is_nan() && !seen.distinct.contains(&own) && !allowed.contains(&own) {
        let reason =
            format!("the row has the unseen category {own}; give the column labels, or a background with it");
        return Err(column.fault(reason));
    }
    Ok(())
}
