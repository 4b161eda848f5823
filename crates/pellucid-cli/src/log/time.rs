//! Times as people write them ⇄ microseconds since 1970-01-01 UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Self(self.0 - i64::from(days) * DAY)
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(micros) = text.parse() {
            return Ok(Self(micros));
        }
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
        let parsed = || {
            let [year, month, day] = numbers(date, '-')?;
            let time = time.strip_suffix('Z').unwrap_or(time);
            let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
            let [hour, minute, second] = numbers(whole, ':')?;
            let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
            let fits = fits && hour < 24 && minute < 60 && second < 60 && fraction.len() <= 6;
            let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
            let seconds = hour * 3_600 + minute * 60 + second;
            let days = days_of(year, month, day);
            (fits && civil_of(days) == [year, month, day])
                .then_some(Self(days * DAY + seconds * SECOND + micros))
        };
        parsed().ok_or_else(|| format!("`{text}` is no time; write 2026-11-29 or 2026-11-29T13:30:00Z"))
    }
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let numbers: Vec<i64> =
        text.split(separator).map(|part| part.parse().ok().filter(|n| *n >= 0)).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

impl fmt::Display for Time {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day] = civil_of(self.0.div_euclid(DAY));
        let rest = self.0.rem_euclid(DAY);
        let (seconds, micros) = (rest / SECOND, rest % SECOND);
        let [hour, minute, second] = [seconds / 3_600, seconds / 60 % 60, seconds % 60];
        write!(to, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Days since 1970-01-01 of the Gregorian calendar, in years that begin in March.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - DAYS_TO_1970
}

/// From the first of March of the year 0.
const DAYS_TO_1970: i64 = 719_468;

fn civil_of(days: i64) -> [i64; 3] {
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { [year, month + 3, day] } else { [year + 1, month - 9, day] }
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
            assert_eq!(text.parse(), Ok(Time(seconds * SECOND)), "{text}");
            assert_eq!(Time(seconds * SECOND).to_string(), text);
        }
        assert_eq!("2026-11-29".parse(), "2026-11-29 00:00:00.0".parse::<Time>());
        assert_eq!("17".parse(), Ok(Time(17)));
        assert_eq!("1970-01-01T00:00:00.25Z".parse(), Ok(Time(250_000)));
    }

    #[test]
    fn every_day_of_eight_hundred_years_comes_back() {
        for days in -146_097..146_097 {
            let [year, month, day] = civil_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in
            ["", "yesterday", "2026-13-01", "2026-02-30", "2026-11-29T25:00:00Z", "2026-11", "2026-1-1T1"]
        {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
