//! What the tasks of a run share: the load that is asked for, the signals between its phases, and the counters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::plan::Plan;
use super::stamp::Stamper;
use crate::cli::client::session::Transport;
use crate::cli::client::{Credential, Dialer};
use crate::types::stats::{Counter, Gauge};

/// Handshakes at a time: enough to keep a server busy, few enough that none waits for long.
const DIALING_MAX: usize = 64;

/// The load, as the options ask for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Publishes a second of all publishers together; 0 for a closed loop.
    pub(crate) rate: f64,
    /// How long is published; zero only connects.
    pub(crate) duration: Duration,
    /// Bytes of an event's data.
    pub(crate) payload_bytes: usize,
    /// How subscribers connect.
    pub(crate) transport: Transport,
    /// Connects a second; 0 for no limit.
    pub(crate) connect_rate: f64,
}

/// What is counted while it happens, for the progress bar and the end of the drain.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Subscribers that are connected now.
    pub(crate) subscribers: Arc<Gauge>,
    /// Times that a connect failed in a way that another attempt would not change.
    pub(crate) refused: Counter,
    /// Publishers that are ready to begin.
    pub(crate) publishers_ready: Counter,
    /// Publishers that have sent their last.
    pub(crate) publishers_done: Counter,
    /// Publishes that were answered 200.
    pub(crate) accepted: Counter,
    /// Publishes that were sent and not answered 200.
    pub(crate) failed: Counter,
    /// Deliveries that the accepted publishes ask for.
    pub(crate) expected: Counter,
    /// Events heard for the first time.
    pub(crate) received: Counter,
}

/// One run of the load.
pub(crate) struct Run {
    /// Who listens to whom.
    pub(crate) plan: Plan,
    /// The load.
    pub(crate) load: Load,
    /// Writes and finds stamps.
    pub(crate) stamper: Stamper,
    /// The producer port.
    pub(crate) producer: Dialer,
    /// The consumer port, from each source address.
    consumers: Vec<Dialer>,
    /// What subscribers show.
    pub(crate) credential: Credential,
    /// The zero of all stamps.
    pub(crate) epoch: Instant,
    /// Places for handshakes.
    pub(crate) dialing: Semaphore,
    /// All subscribers are connected: publishers connect.
    pub(crate) subscribed: CancellationToken,
    /// When publishing begins, once that is known.
    pub(crate) start: watch::Sender<Option<Instant>>,
    /// Publishers send no more.
    pub(crate) enough: CancellationToken,
    /// Subscribers leave.
    pub(crate) over: CancellationToken,
    /// The counters.
    pub(crate) counts: Counts,
}

impl Run {
    /// A run whose first subscriber connects when its task begins. `consumers` holds at least one dialer.
    pub(crate) fn new(
        plan: Plan,
        load: Load,
        producer: Dialer,
        consumers: Vec<Dialer>,
        credential: Credential,
    ) -> Self {
        Self {
            plan,
            load,
            stamper: Stamper::new(plan.run),
            producer,
            consumers,
            credential,
            epoch: Instant::now(),
            dialing: Semaphore::new(DIALING_MAX),
            subscribed: CancellationToken::new(),
            start: watch::channel(None).0,
            enough: CancellationToken::new(),
            over: CancellationToken::new(),
            counts: Counts::default(),
        }
    }

    /// The consumer port's dialer for a subscriber: source addresses take turns.
    pub(crate) fn consumer(&self, subscriber: u32) -> Option<&Dialer> {
        self.consumers.get(subscriber as usize % self.consumers.len().max(1))
    }

    /// Nanoseconds since the epoch; enough for five centuries.
    pub(crate) fn elapsed_ns(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_nanos() as u64
    }

    /// Number of publishers that this run has: none when it only connects.
    pub(crate) fn publishers(&self) -> u32 {
        if self.load.duration.is_zero() { 0 } else { self.plan.publishers }
    }
}
