//! How often one caller may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::error::Fault;

/// Callers that are remembered; callers are tokens, so there are no more than those.
const MAX_CALLERS: usize = 10_000;

/// A bucket of tokens for each caller, which fills up with time.
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Rate {
    pub(crate) fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst: burst.max(1.0), buckets: Mutex::default() }
    }

    /// Takes one out of a caller's bucket.
    ///
    /// # Errors
    /// [`Fault::TooMany`] where it is empty.
    pub(crate) fn take(&self, caller: &str, now: Instant) -> Result<(), Fault> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CALLERS {
            buckets.clear();
        }
        let (left, since) = buckets.entry(caller.to_owned()).or_insert((self.burst, now));
        *left =
            (*left + now.saturating_duration_since(*since).as_secs_f64() * self.per_second).min(self.burst);
        *since = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return Ok(());
        }
        let secs = ((1.0 - *left) / self.per_second).ceil().clamp(1.0, 3_600.0);
        Err(Fault::TooMany { reason: format!("`{caller}` asks too often"), retry_after_secs: secs as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn buckets_fill_with_time_and_are_apart() {
        let (rate, start) = (Rate::new(2.0, 3.0), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        assert!((0..3).all(|_| rate.take("a", start).is_ok()));
        let fault = rate.take("a", start).unwrap_err();
        assert_eq!(fault, Fault::TooMany { reason: "`a` asks too often".into(), retry_after_secs: 1 });
        assert!(rate.take("b", start).is_ok());
        assert!(rate.take("a", after(400)).is_err());
        assert!(rate.take("a", after(500)).is_ok() && rate.take("a", after(500)).is_err());
        assert!(
            (0..3).all(|_| rate.take("a", after(60_000)).is_ok()) && rate.take("a", after(60_000)).is_err()
        );
    }
}
