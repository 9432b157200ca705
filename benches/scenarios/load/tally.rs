//! What all subscribers together have heard.

use std::time::Instant;

use hdrhistogram::Histogram;

/// Latencies are told apart from a microsecond to two minutes, in nanoseconds.
const LATENCY_NS: (u64, u64) = (1_000, 120_000_000_000);

/// Counts and latencies.
pub struct Tally {
    /// When the load began.
    pub epoch: Instant,
    /// Subscribers that got into their rooms.
    pub joined: usize,
    /// Events heard by those who read.
    pub delivered: u64,
    /// Events that they must hear for all publishes that were taken.
    pub expected: u64,
    /// Events that were passed over, as the next one of their stream told.
    pub skipped: u64,
    /// For each room, how many read.
    pub listeners: Vec<u64>,
    /// From when a publish was due, or written where there is no rate, to its event being parsed, in nanoseconds.
    pub latency_ns: Histogram<u64>,
    /// The first thing that went wrong.
    fault: Option<String>,
}

impl Tally {
    /// Nothing heard.
    ///
    /// # Errors
    /// When the histogram's bounds are refused, which they are not.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            epoch: Instant::now(),
            joined: 0,
            delivered: 0,
            expected: 0,
            skipped: 0,
            listeners: Vec::new(),
            latency_ns: Histogram::new_with_bounds(LATENCY_NS.0, LATENCY_NS.1, 3)?,
            fault: None,
        })
    }

    /// Nanoseconds since the load began.
    pub fn now_ns(&self) -> u64 {
        self.ns_at(Instant::now())
    }

    /// Nanoseconds from the beginning of the load to another time.
    pub fn ns_at(&self, time: Instant) -> u64 {
        time.saturating_duration_since(self.epoch).as_nanos() as u64
    }

    /// Notes a fault; the first one is kept.
    pub fn fail(&mut self, fault: impl FnOnce() -> String) {
        self.fault.get_or_insert_with(fault);
    }

    /// # Errors
    /// When something has gone wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        self.fault.as_ref().map_or(Ok(()), |fault| Err(anyhow::anyhow!("{fault}")))
    }
}
