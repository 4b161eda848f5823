//! Windows over rows in order of time: by count, or by time that is told from outside.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Rows that lie together, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Which rows.
    pub rows: Range<usize>,
    /// When it begins, in microseconds since 1970 (UTC).
    pub start_micros: i64,
    /// When it ends: the first moment after it.
    pub end_micros: i64,
}

/// Windows of `size` rows each; a remainder of fewer rows waits for more. Times tell when windows begin and end.
///
/// ```
/// let windows = pellucid_drift::windows_by_count(&[10, 20, 30, 40, 50], 2)?;
/// assert_eq!(windows.len(), 2);
/// assert_eq!((windows[1].rows.clone(), windows[1].start_micros, windows[1].end_micros), (2..4, 30, 41));
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
///
/// # Errors
/// `size` is 0, or a time lies before the one in front of it.
pub fn windows_by_count(times_micros: &[i64], size: usize) -> Result<Vec<Window>, Error> {
    check_sorted(times_micros)?;
    if size == 0 {
        return Err(Error::Option { name: "size", value: 0.0, reason: "a window holds one row at least" });
    }
    let window = |(index, times): (usize, &[i64])| Window {
        rows: index * size..(index + 1) * size,
        start_micros: times[0],
        end_micros: times[size - 1].saturating_add(1),
    };
    Ok(times_micros.chunks_exact(size).enumerate().map(window).collect())
}

/// Windows of `width_micros` each, the first beginning at `origin_micros` or a whole number of widths away from it. Empty ones are left out; the last may still fill.
///
/// ```
/// let windows = pellucid_drift::windows_by_time(&[1, 4, 12, 31], 0, 10)?;
/// let of = |i: usize| (windows[i].rows.clone(), windows[i].start_micros);
/// assert_eq!([of(0), of(1), of(2)], [(0..2, 0), (2..3, 10), (3..4, 30)]);
/// # Ok::<(), pellucid_drift::Error>(())
/// ```
///
/// # Errors
/// The width is not positive, or a time lies before the one in front of it.
pub fn windows_by_time(
    times_micros: &[i64],
    origin_micros: i64,
    width_micros: i64,
) -> Result<Vec<Window>, Error> {
    check_sorted(times_micros)?;
    if width_micros <= 0 {
        let value = width_micros as f64;
        return Err(Error::Option { name: "width_micros", value, reason: "a window is longer than 0" });
    }
    let place =
        |time: i64| (i128::from(time) - i128::from(origin_micros)).div_euclid(i128::from(width_micros));
    let clamped = |time: i128| time.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
    let mut windows = Vec::new();
    let mut first = 0;
    for together in times_micros.chunk_by(|a, b| place(*a) == place(*b)) {
        let start = i128::from(origin_micros) + place(together[0]) * i128::from(width_micros);
        windows.push(Window {
            rows: first..first + together.len(),
            start_micros: clamped(start),
            end_micros: clamped(start + i128::from(width_micros)),
        });
        first += together.len();
    }
    Ok(windows)
}

fn check_sorted(times_micros: &[i64]) -> Result<(), Error> {
    match times_micros.windows(2).position(|pair| pair[0] > pair[1]) {
        Some(row) => Err(Error::sample(
            "times_micros",
            format!("row {} lies before row {row}; sort rows by time", row + 1),
        )),
        None => Ok(()),
    }
}
