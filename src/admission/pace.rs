//! Something that is done at most once in a while, by whichever thread comes first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, Reference};

/// Says yes once in a period.
pub(super) struct Pace<C: Clock> {
    clock: C,
    start: C::Instant,
    period: Duration,
    /// When the next yes is due, in nanoseconds since `start`.
    next: AtomicU64,
}

impl<C: Clock> Pace<C> {
    /// Due at once, and then once in each `period`.
    pub(super) fn new(period: Duration, clock: C) -> Self {
        Self { start: clock.now(), clock, period, next: AtomicU64::new(0) }
    }

    /// Whether it is time. One caller is told so, and the next period begins.
    pub(super) fn is_due(&self) -> bool {
        let now = self.clock.now().duration_since(self.start).as_u64();
        let period = u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX);
        let next = self.next.load(Ordering::Relaxed);
        let after = now.saturating_add(period);
        now >= next && self.next.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests;
