//! One wheel of deadlines a worker. A deadline that has moved is found out when its old place comes round.

use std::mem;
use std::time::Duration;

use tokio::time::Instant;

/// How exact a deadline is kept: it comes up to this much late.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// Places of the wheel: 51.2 s. A deadline beyond is put in the last one, and again when that comes round.
const PLACES: usize = 1024;

/// Which sessions to look at, and when.
#[derive(Debug)]
pub(super) struct Timers {
    places: Vec<Vec<u32>>,
    start: Instant,
    /// Ticks since `start` that were looked at.
    ticks: u64,
    waiting: usize,
}

impl Timers {
    pub(super) fn new(start: Instant) -> Self {
        Self { places: vec![Vec::new(); PLACES], start, ticks: 0, waiting: 0 }
    }

    /// Puts a session's slot where it comes up at `deadline`, and says when that is: up to a tick later, or earlier if
    /// the deadline lies beyond the wheel.
    pub(super) fn set(&mut self, slot: u32, deadline: Instant) -> Instant {
        let after = deadline.saturating_duration_since(self.start).as_millis().div_ceil(TICK.as_millis());
        let after = u64::try_from(after).unwrap_or(u64::MAX).saturating_sub(self.ticks);
        let ahead = after.clamp(1, PLACES as u64 - 1);
        if let Some(place) = self.places.get_mut(((self.ticks + ahead) % PLACES as u64) as usize) {
            place.push(slot);
            self.waiting += 1;
        }
        self.at(ahead)
    }

    fn at(&self, ahead: u64) -> Instant {
        self.start + TICK * u32::try_from(self.ticks + ahead).unwrap_or(u32::MAX)
    }

    /// The next moment at which something may come up; none while nothing is set.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.waiting == 0 {
            return None;
        }
        let ahead = (1..PLACES as u64).find(|ahead| {
            self.places.get(((self.ticks + ahead) % PLACES as u64) as usize).is_some_and(|p| !p.is_empty())
        });
        ahead.map(|ahead| self.at(ahead))
    }

    /// Takes every slot that has come up. One comes up as often as it was set.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<u32> {
        let ticks = now.saturating_duration_since(self.start).as_millis() / TICK.as_millis();
        let ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
        let mut due = Vec::new();
        while self.ticks < ticks {
            if self.waiting == 0 {
                self.ticks = ticks;
                break;
            }
            self.ticks += 1;
            if let Some(place) = self.places.get_mut((self.ticks % PLACES as u64) as usize) {
                let slots = mem::take(place);
                self.waiting -= slots.len();
                due.extend(slots);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests;
