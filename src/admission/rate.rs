//! Token buckets by address and by user, in tables that are bounded and swept.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::{Quota, RateLimiter};

use super::pace::Pace;

/// Buckets that a table holds. One takes 16 bytes for hash and state and one of control, in a table that is between
/// 7/16 and 7/8 full: 19 to 39 MiB for a million. A bucket is full again, and can be forgotten, within two seconds for
/// an address and five for a user, so filling the table takes 200,000 new keys each second.
const BUCKETS_MAX: usize = 1_000_000;

/// How often a full table is swept out of turn.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// The bucket that newcomers share while the table is full.
const SHARED_BUCKET: u64 = 0;

/// A token bucket for each key.
pub(super) struct Limiter<C: Clock> {
    limiter: RateLimiter<u64, Table, C, NoOpMiddleware<C::Instant>>,
    table: Table,
    buckets_max: usize,
    hasher: RandomState,
    sweeps: Pace<C>,
}

impl<C: Clock + Clone> Limiter<C> {
    /// Lets `per_second` through for each key, and `bursts` times that at once.
    pub(super) fn new(per_second: NonZeroU32, bursts: NonZeroU32, clock: C) -> Self {
        Self::with_buckets_max(per_second, bursts, BUCKETS_MAX, clock)
    }

    fn with_buckets_max(per_second: NonZeroU32, bursts: NonZeroU32, buckets_max: usize, clock: C) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(bursts));
        let table = Table::default();
        Self {
            limiter: RateLimiter::new(quota, table.clone(), clock.clone()),
            table,
            buckets_max,
            hasher: RandomState::new(),
            sweeps: Pace::new(SWEEP_PERIOD, clock),
        }
    }

    /// Takes one from the key's bucket, or tells how long until there is one.
    ///
    /// A full table is swept first; if it stays full, keys that it does not hold share one bucket. The keys that it
    /// holds are not disturbed.
    pub(super) fn check(&self, key: &impl Hash) -> Result<(), Duration> {
        // A keyed hash stands for the key, so that a long name takes no more room than a short one; that two of a
        // million share a bucket has a chance of 1 to 37 million.
        let mut bucket = self.hasher.hash_one(key);
        if !self.has_room_for(bucket) {
            if self.sweeps.is_due() {
                self.sweep();
            }
            if !self.has_room_for(bucket) {
                bucket = SHARED_BUCKET;
            }
        }
        self.limiter.check_key(&bucket).map_err(|until| until.wait_time_from(self.limiter.clock().now()))
    }

    /// Forgets the buckets that are full, which say no more than none.
    pub(super) fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    fn has_room_for(&self, bucket: u64) -> bool {
        self.table.0.contains_key(&bucket) || self.table.0.len() < self.buckets_max
    }
}

/// The buckets by hash. Shared, because the limiter does not lend its own.
#[derive(Clone, Default)]
struct Table(Arc<DashMapStateStore<u64>>);

impl StateStore for Table {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, f)
    }
}

impl ShrinkableKeyedStateStore<u64> for Table {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.retain_recent(drop_below);
    }

    fn shrink_to_fit(&self) {
        ShrinkableKeyedStateStore::shrink_to_fit(&*self.0);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
