//! The flood limit: how often one place in the code may log, and how many of its lines were held back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing::callsite::Identifier;

/// A bucket of lines: `burst` at once, then one in each `period`.
#[derive(Clone, Copy, Debug)]
struct Rate {
    period: Duration,
    burst: u32,
}

/// 50 lines a second: no person reads faster, and six places that flood at once still stay under the 10,000 lines in
/// 30 s at which journald begins to drop lines of the service, important ones too. The burst is two seconds' worth, for
/// the moment in which all clients come back.
const RATE: Rate = Rate { period: Duration::from_millis(20), burst: 100 };

/// Debug and trace are switched on to see more, so ten times as many.
const VERBOSE_RATE: Rate = Rate { period: Duration::from_millis(2), burst: 1000 };

impl Rate {
    fn of(level: Level) -> Self {
        if level > Level::INFO { VERBOSE_RATE } else { RATE }
    }
}

/// The state of one place in the code. The bucket is a point in time rather than a count that a timer would refill.
#[derive(Debug)]
struct Bucket {
    full_at: Instant,
    suppressed: u64,
}

/// Limits each callsite by itself. Its memory is bounded because the callsites are part of the program's text.
#[derive(Debug, Default)]
pub(super) struct FloodLimit {
    buckets: Mutex<HashMap<Identifier, Bucket>>,
}

impl FloodLimit {
    /// Whether `callsite` may log at `now`: if so, how many of its lines were held back since its last one.
    pub(super) fn admit(&self, callsite: Identifier, level: Level, now: Instant) -> Option<u64> {
        let rate = Rate::of(level);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(callsite).or_insert(Bucket { full_at: now, suppressed: 0 });
        let full_at = bucket.full_at.max(now);
        if full_at - now > rate.period * (rate.burst - 1) {
            bucket.suppressed = bucket.suppressed.saturating_add(1);
            return None;
        }
        bucket.full_at = full_at + rate.period;
        Some(std::mem::take(&mut bucket.suppressed))
    }
}

#[cfg(test)]
mod tests;
