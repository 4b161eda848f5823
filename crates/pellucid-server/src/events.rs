//! Halves of predictions made elsewhere, which come in any order, twice, or never.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::Fault;
use crate::protocols::cloud_events::{Event, Half};

/// Pairs that are remembered, so that they are not made twice.
const N_REMEMBERED: usize = 100_000;

/// The halves that wait for their other halves.
pub(crate) struct Pairs {
    known: Mutex<Known>,
    timeout: Duration,
    max_bytes: usize,
}

#[derive(Default)]
struct Known {
    waiting: HashMap<String, (Instant, Event)>,
    arrivals: VecDeque<(Instant, String)>,
    bytes: usize,
    done: HashMap<String, ()>,
    done_order: VecDeque<String>,
    n_unpaired: u64,
}

/// What became of a half.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Paired {
    /// The other half is not here yet.
    Waiting,
    /// It was here before.
    Duplicate,
    /// Both are here.
    Both { id: String, models: Vec<String>, request: Bytes, response: Bytes, first: Event },
}

impl Pairs {
    pub(crate) fn new(timeout: Duration, max_bytes: usize) -> Self {
        Self { known: Mutex::default(), timeout, max_bytes }
    }

    /// Takes a half.
    ///
    /// # Errors
    /// [`Fault::TooMany`] where too much waits.
    pub(crate) fn add(&self, event: Event, now: Instant) -> Result<Paired, Fault> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget_late(now, self.timeout);
        if known.done.contains_key(&event.id) {
            return Ok(Paired::Duplicate);
        }
        match known.waiting.get(&event.id) {
            Some((_, other)) if other.half == event.half => Ok(Paired::Duplicate),
            Some(_) => Ok(known.pair(event)),
            None if known.bytes + event.data.len() > self.max_bytes => Err(Fault::TooMany {
                reason: "too many halves of predictions wait for the other".to_owned(),
                retry_after_secs: self.timeout.as_secs().max(1),
            }),
            None => {
                known.wait(event, now);
                Ok(Paired::Waiting)
            }
        }
    }

    /// Nothing was made of a pair: its second half is answered with a fault and may come again, so the first waits on.
    pub(crate) fn undo(&self, first: Event, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.done.remove(&first.id);
        if !known.waiting.contains_key(&first.id) {
            known.wait(first, now);
        }
    }

    /// Halves whose others never came.
    pub(crate) fn n_unpaired(&self) -> u64 {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).n_unpaired
    }
}

impl Known {
    fn forget_late(&mut self, now: Instant, timeout: Duration) {
        while let Some((arrived, id)) = self.arrivals.front() {
            if now.saturating_duration_since(*arrived) < timeout {
                break;
            }
            // A half that came again under the same id is younger.
            if self.waiting.get(id).is_some_and(|(since, _)| since == arrived)
                && let Some((_, event)) = self.waiting.remove(id)
            {
                self.bytes -= event.data.len();
                self.n_unpaired += 1;
            }
            self.arrivals.pop_front();
        }
    }

    fn wait(&mut self, event: Event, now: Instant) {
        self.bytes += event.data.len();
        self.arrivals.push_back((now, event.id.clone()));
        self.waiting.insert(event.id.clone(), (now, event));
    }

    fn pair(&mut self, event: Event) -> Paired {
        let Some((_, other)) = self.waiting.remove(&event.id) else { return Paired::Waiting };
        let first = other.clone();
        self.bytes -= other.data.len();
        self.done.insert(event.id.clone(), ());
        self.done_order.push_back(event.id.clone());
        if self.done_order.len() > N_REMEMBERED
            && let Some(oldest) = self.done_order.pop_front()
        {
            self.done.remove(&oldest);
        }
        let (request, response) = if event.half == Half::Request { (event, other) } else { (other, event) };
        let models = [request.models, response.models].concat();
        Paired::Both { id: request.id, models, request: request.data, response: response.data, first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, half: Half) -> Event {
        let data = Bytes::from(format!("{half:?}"));
        Event { id: id.into(), half, models: vec!["m".into()], data }
    }

    #[test]
    fn halves_come_in_any_order_twice_or_never() {
        let (pairs, start) = (Pairs::new(Duration::from_secs(10), 1_000), Instant::now());
        let add = |id, half, secs| pairs.add(event(id, half), start + Duration::from_secs(secs)).unwrap();
        for (id, first, second) in
            [("a", Half::Request, Half::Response), ("b", Half::Response, Half::Request)]
        {
            assert_eq!(add(id, first, 0), Paired::Waiting);
            assert_eq!(add(id, first, 1), Paired::Duplicate);
            let both = Paired::Both {
                first: event(id, first),
                id: id.into(),
                models: vec!["m".into(), "m".into()],
                request: "Request".into(),
                response: "Response".into(),
            };
            assert_eq!(add(id, second, 2), both);
            assert_eq!(add(id, second, 3), Paired::Duplicate);
        }
        assert_eq!(add("c", Half::Request, 4), Paired::Waiting);
        assert_eq!(add("d", Half::Request, 20), Paired::Waiting);
        assert_eq!(pairs.n_unpaired(), 1);
        assert_eq!(add("c", Half::Response, 20), Paired::Waiting);
    }

    #[test]
    fn the_first_half_waits_on_where_nothing_was_made_of_the_pair() {
        let (pairs, now) = (Pairs::new(Duration::from_secs(10), 1_000), Instant::now());
        pairs.add(event("a", Half::Request), now).unwrap();
        for _ in 0..2 {
            let Ok(Paired::Both { first, .. }) = pairs.add(event("a", Half::Response), now) else { panic!() };
            pairs.undo(first, now);
        }
        assert_eq!(pairs.add(event("a", Half::Request), now), Ok(Paired::Duplicate));
        assert!(matches!(pairs.add(event("a", Half::Response), now), Ok(Paired::Both { .. })));
    }

    #[test]
    fn what_waits_is_bounded() {
        let (pairs, now) = (Pairs::new(Duration::from_secs(10), 10), Instant::now());
        assert!(pairs.add(event("a", Half::Request), now).is_ok());
        assert!(matches!(pairs.add(event("b", Half::Request), now), Err(Fault::TooMany { .. })));
        assert!(matches!(pairs.add(event("a", Half::Response), now), Ok(Paired::Both { .. })));
        assert!(pairs.add(event("b", Half::Request), now).is_ok());
    }
}
