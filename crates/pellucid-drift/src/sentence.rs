//! Alarms in plain words.

use chrono::DateTime;

use crate::alarm::{Alarm, AlarmState};
use crate::finding::{FeatureDrift, Measure};
use crate::sample::Part;

/// Which feature, how much, since when, on what evidence.
pub(crate) fn of_alarm(alarm: &Alarm) -> String {
    let finding = &alarm.finding;
    let since = time_text(alarm.since_micros);
    let what = if alarm.pooled { "groups of windows" } else { "windows" };
    let windows = format!("{} of {} {what}", alarm.n_drifted, alarm.n_windows);
    match (alarm.state, alarm.cleared_micros) {
        (AlarmState::Cleared, Some(cleared)) => format!(
            "{} is back to what the reference shows since {}. It had drifted since {since}, in {windows}, at most by {}.",
            subject(finding),
            time_text(cleared),
            amount(finding, alarm.largest_effect),
        ),
        _ => format!(
            "{} has drifted by {} since {since}{}: {windows} since then are drifted. {}",
            subject(finding),
            amount(finding, finding.effect),
            direction(finding),
            evidence(finding, alarm.pooled),
        ),
    }
}

fn subject(finding: &FeatureDrift) -> String {
    match finding.part {
        Part::Attribution => format!("The attribution of `{}`", finding.name),
        Part::AttributionShare => "How the features share the attribution".to_owned(),
        Part::Input => format!("The input `{}`", finding.name),
        Part::Missing => format!("Whether the input `{}` is missing", finding.name),
        Part::Prediction => format!("The prediction `{}`", finding.name),
    }
}

fn amount(finding: &FeatureDrift, effect: f64) -> String {
    match finding.measure {
        Measure::WassersteinInDeviations => format!("{effect:.2} standard deviations of the reference"),
        Measure::JensenShannon => format!("a Jensen–Shannon distance of {effect:.2}"),
        Measure::TotalVariation => format!("{:.0} % of the total", 100.0 * effect),
    }
}

/// Where to: which way the mean went, or which category's share.
fn direction(finding: &FeatureDrift) -> String {
    if let Some(numbers) = &finding.numbers {
        let way = if numbers.mean_shift < 0.0 { "down" } else { "up" };
        let (from, to) = (number(numbers.mean.reference), number(numbers.mean.window));
        return format!(" (its mean went {way} from {from} to {to})");
    }
    if let Some(categories) = &finding.categories {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let (from, to) = (percent(categories.share.reference), percent(categories.share.window));
        let unseen = match categories.unseen.len() {
            0 => String::new(),
            n => format!("; {n} unseen in the reference, `{}` first", categories.unseen[0]),
        };
        return format!(" (`{}` went from {from} of rows to {to}{unseen})", categories.moved_most);
    }
    String::new()
}

fn evidence(finding: &FeatureDrift, pooled: bool) -> String {
    let what = if pooled { "group" } else { "window" };
    let rows = format!(
        "Evidence: {} rows of the last drifted {what} against {} of the reference",
        thousands(finding.evidence.window_rows),
        thousands(finding.evidence.reference_rows),
    );
    let least = finding.threshold.unwrap_or(0.0).max(finding.effect_floor);
    let bar = format!("an effect of {least:.2} or more counts");
    match finding.q_value {
        Some(q) if q < 1e-4 => format!("{rows}; adjusted p-value below 0.0001; {bar}."),
        Some(q) => format!("{rows}; adjusted p-value {q:.4}; {bar}."),
        None => format!("{rows}; {bar}."),
    }
}

/// Three significant digits.
fn number(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(1e-3..1e5).contains(&size) {
        return format!("{value:.2e}");
    }
    let digits = if size >= 100.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}

fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let rest =
        digits.as_bytes()[first..].chunks(3).map(|three| format!(",{}", String::from_utf8_lossy(three)));
    digits[..first].to_owned() + &rest.collect::<String>()
}

/// `2026-11-05 13:00 UTC` of microseconds since 1970.
pub(crate) fn time_text(micros: i64) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) => time.format("%Y-%m-%d %H:%M UTC").to_string(),
        // No calendar goes so far.
        None => format!("{micros} µs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let minute = 60_000_000;
        let cases = [
            (0, "1970-01-01 00:00 UTC"),
            (-minute, "1969-12-31 23:59 UTC"),
            (951_782_400_000_000, "2000-02-29 00:00 UTC"),
            (951_868_800_000_000, "2000-03-01 00:00 UTC"),
            (1_793_883_600_000_000, "2026-11-05 13:00 UTC"),
            (4_107_542_399_000_000, "2100-02-28 23:59 UTC"),
            (4_107_542_400_000_000, "2100-03-01 00:00 UTC"),
        ];
        for (micros, text) in cases {
            assert_eq!(time_text(micros), text);
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0, 12, 123, 1_234, 1_234_567].map(thousands), ["0", "12", "123", "1,234", "1,234,567"]);
        let numbers = [0.0, 0.123_456, -1.234_56, 12.34, 1_234.5, 1.5e-7].map(number);
        assert_eq!(numbers, ["0.000", "0.123", "-1.23", "12.3", "1234", "1.50e-7"]);
    }
}
