//! Times as people write them ⇄ microseconds since 1970-01-01 UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

const DAY: i64 = 86_400_000_000;

/// Numbers below it (March 1973) are no microseconds that a log could have: a year, or seconds or milliseconds since 1970.
const LEAST_MICROS: u64 = 100_000_000_000_000;

/// A time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) struct Time(i64);

impl Time {
    pub(crate) fn now() -> Self {
        // Before 1970 no clock runs; after 285 years no log does.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    pub(crate) fn of_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub(crate) fn micros(self) -> i64 {
        self.0
    }

    pub(crate) fn days_ago(self, days: u32) -> Self {
        Self(self.0.saturating_sub(i64::from(days).saturating_mul(DAY)))
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(micros) = text.parse::<i64>() {
            return match micros.unsigned_abs() {
                0 | LEAST_MICROS.. => Ok(Self(micros)),
                _ => Err(format!(
                    "`{text}` may be a year, seconds or milliseconds; write 2026-11-29, or microseconds since 1970, which have \
                     at least 15 digits"
                )),
            };
        }
        let plain = text.strip_suffix('Z').unwrap_or(text).replacen(' ', "T", 1);
        let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
        let time = NaiveDateTime::parse_from_str(&plain, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDate::parse_from_str(&plain, "%Y-%m-%d").map(midnight));
        time.map(|time| Self(time.and_utc().timestamp_micros()))
            .map_err(|_| format!("`{text}` is no time; write 2026-11-29 or 2026-11-29T13:30:00Z"))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => write!(to, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            // No calendar goes so far; logs hold no such times.
            None => write!(to, "{} µs", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_other_clocks_tell() {
        // By `date -u +%s`.
        for (text, seconds) in [
            ("1970-01-01T00:00:00.000000Z", 0),
            ("2000-02-29T12:00:00.000000Z", 951_825_600),
            ("2026-11-29T13:30:10.000000Z", 1_795_959_010),
            ("2100-03-01T00:00:00.000000Z", 4_107_542_400),
            ("1969-12-31T23:59:59.000000Z", -1),
        ] {
            assert_eq!(text.parse(), Ok(Time(seconds * 1_000_000)), "{text}");
            assert_eq!(Time(seconds * 1_000_000).to_string(), text);
        }
        assert_eq!("2026-11-29".parse(), "2026-11-29 00:00:00.0".parse::<Time>());
        assert_eq!(
            ["0", "1795959010000000"].map(|text| text.parse()),
            [Ok(Time(0)), Ok(Time(1_795_959_010_000_000))]
        );
        assert_eq!("1970-01-01T00:00:00.25Z".parse(), Ok(Time(250_000)));
    }

    /// A time that wrapped into the future would erase what was to be kept for ever.
    #[test]
    fn no_number_of_days_ago_is_ahead() {
        let now = Time(1_795_959_010_000_000);
        assert_eq!(now.days_ago(1), Time(1_795_872_610_000_000));
        assert!([200_000_000, u32::MAX].iter().all(|&days| now.days_ago(days) < now));
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "2026",
            "-1",
            "1795959010",
            "1795959010000",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "2026-11-29T25:00:00Z",
            "2026-11",
            "2026-1-1T1",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
