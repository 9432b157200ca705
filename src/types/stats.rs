//! What the gateway counts. The modules count; `ops` reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Cause, CloseReason, Queues};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number of things that are there now. It is changed by guards alone, so that it cannot drift.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Counts one thing until the guard is dropped.
    pub fn enter(self: &Arc<Self>) -> GaugeGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        GaugeGuard(Arc::clone(self))
    }

    /// Counts one thing until the guard is dropped, unless there are `max` already.
    pub fn try_enter(self: &Arc<Self>, max: u64) -> Option<GaugeGuard> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < max).then_some(now + 1))
            .ok()
            .map(|_| GaugeGuard(Arc::clone(self)))
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One counted thing; dropping it counts it out.
#[derive(Debug)]
pub struct GaugeGuard(Arc<Gauge>);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Every number that the gateway keeps, shared by all of its workers.
#[derive(Debug, Default)]
pub struct Stats {
    /// Sockets that are accepted and open, on the consumer port.
    pub sockets: Arc<Gauge>,
    /// Sockets that are accepted and open, on the producer port.
    pub publisher_sockets: Arc<Gauge>,
    /// Engine.IO sessions.
    pub sessions: Arc<Gauge>,
    /// Subscribers that are connected to the Socket.IO namespace.
    pub subscribers: Arc<Gauge>,
    /// What subscribers are owed.
    pub queues: Queues,
    /// Publishes that were taken.
    pub publishes: Counter,
    /// Events handed to a subscriber's queue.
    pub deliveries: Counter,
    /// Events that were dropped from a subscriber's full queue, which was told how many.
    pub undelivered: Counter,
    /// Times that `accept` failed.
    pub accept_errors: Counter,
    /// Log lines held back by the flood limit, or because the sink was slow.
    pub log_lines_dropped: Counter,
    refusals: [Counter; Cause::ALL.len()],
    closes: [Counter; CloseReason::ALL.len()],
}

impl Stats {
    /// Refusals for `cause`.
    #[expect(clippy::indexing_slicing, reason = "there is a counter for each cause")]
    pub fn refusals(&self, cause: Cause) -> &Counter {
        &self.refusals[cause as usize]
    }

    /// Sessions closed for `reason`.
    #[expect(clippy::indexing_slicing, reason = "there is a counter for each reason")]
    pub fn closes(&self, reason: CloseReason) -> &Counter {
        &self.closes[reason as usize]
    }
}
