//! The metrics: the numbers of [`Stats`] and of the process, as OpenMetrics text. They are read when asked for; nothing
//! is counted here.

mod process;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::types::{Cause, CloseReason, Stats};

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The names of the families, as OpenMetrics has them: a counter's samples end in `_total`, build info's in `_info`,
/// and a unit, where there is one, follows the name.
pub mod names {
    /// Open sockets of the consumer port.
    pub const SOCKETS: &str = "roomcast_sockets";
    /// Engine.IO sessions.
    pub const SESSIONS: &str = "roomcast_sessions";
    /// Subscribers in the Socket.IO namespace.
    pub const SUBSCRIBERS: &str = "roomcast_subscribers";
    /// The same number, under the name that operators of Node servers graph.
    pub const CONNECTED_CLIENTS: &str = "ws_connected_clients";
    /// Bytes owed to subscribers.
    pub const QUEUED: &str = "roomcast_queued";
    /// Publishes taken.
    pub const PUBLISHES: &str = "roomcast_publishes";
    /// Events queued for a subscriber.
    pub const DELIVERIES: &str = "roomcast_deliveries";
    /// Events that a full queue did not take.
    pub const UNDELIVERED: &str = "roomcast_undelivered";
    /// Refusals, by `cause`.
    pub const REFUSALS: &str = "roomcast_refusals";
    /// Sessions closed, by `reason`.
    pub const SESSION_CLOSES: &str = "roomcast_session_closes";
    /// Failures of `accept`.
    pub const ACCEPT_ERRORS: &str = "roomcast_accept_errors";
    /// Log lines held back or lost.
    pub const LOG_LINES_DROPPED: &str = "roomcast_log_lines_dropped";
    /// The version, as a label.
    pub const BUILD: &str = "roomcast_build";
    /// When the process started; seconds since 1970.
    pub const START_TIME: &str = "roomcast_start_time";
    /// Open file descriptors.
    pub const OPEN_FDS: &str = "process_open_fds";
    /// The soft limit of file descriptors.
    pub const MAX_FDS: &str = "process_max_fds";
    /// Resident memory, in bytes.
    pub const RESIDENT_MEMORY: &str = "process_resident_memory";
    /// Processor time, in seconds.
    pub const CPU: &str = "process_cpu";
}

/// Everything that `/metrics` tells. Clones share it.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Registry>);

impl Metrics {
    /// The metrics of a process that counts in `stats` and started at `started`.
    pub fn new(stats: Arc<Stats>, started: DateTime<Utc>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Gateway { stats, started }));
        Self(Arc::new(registry))
    }

    /// The numbers now, as OpenMetrics text of the type [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// When a number cannot be written, which a `String` never refuses.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut body = String::new();
        text::encode(&mut body, &self.0)?;
        Ok(body)
    }
}

/// Reads the gateway's numbers at each scrape.
#[derive(Debug)]
struct Gateway {
    stats: Arc<Stats>,
    started: DateTime<Utc>,
}

impl Collector for Gateway {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_clients(&mut encoder)?;
        self.encode_events(&mut encoder)?;
        self.encode_refusals(&mut encoder)?;
        self.encode_faults(&mut encoder)?;
        self.encode_build(&mut encoder)?;
        encode_process(&mut encoder)
    }
}

impl Gateway {
    fn encode_clients(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Stats { sockets, sessions, subscribers, queues, .. } = &*self.stats;
        gauge(encoder, names::SOCKETS, "Open sockets of the consumer port.", sockets.get())?;
        gauge(encoder, names::SESSIONS, "Engine.IO sessions.", sessions.get())?;
        gauge(encoder, names::SUBSCRIBERS, "Subscribers that are connected to the namespace.", subscribers.get())?;
        gauge(encoder, names::CONNECTED_CLIENTS, "The same number as roomcast_subscribers.", subscribers.get())?;
        let help = "What subscribers are owed: an event counts once for each, and 64 bytes besides.";
        gauge_in(encoder, names::QUEUED, help, &Unit::Bytes, queues.bytes() as f64)
    }

    fn encode_events(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Stats { publishes, deliveries, undelivered, .. } = &*self.stats;
        counter(encoder, names::PUBLISHES, "Publishes that were taken.", publishes.get())?;
        counter(encoder, names::DELIVERIES, "Events handed to the queue of a subscriber.", deliveries.get())?;
        counter(
            encoder,
            names::UNDELIVERED,
            "Events that the full queue of a subscriber did not take.",
            undelivered.get(),
        )
    }

    fn encode_refusals(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let causes = Cause::ALL.map(|cause| (cause.label(), self.stats.refusals(cause).get()));
        counters(encoder, names::REFUSALS, "Refused requests, sessions and publishes.", "cause", &causes)?;
        let reasons = CloseReason::ALL.map(|reason| (reason.label(), self.stats.closes(reason).get()));
        counters(encoder, names::SESSION_CLOSES, "Sessions that ended.", "reason", &reasons)
    }

    fn encode_faults(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Stats { accept_errors, log_lines_dropped, .. } = &*self.stats;
        counter(encoder, names::ACCEPT_ERRORS, "Times that a connection could not be accepted.", accept_errors.get())?;
        let help = "Log lines held back by the flood limit, or lost because the reader was slow.";
        counter(encoder, names::LOG_LINES_DROPPED, help, log_lines_dropped.get())
    }

    fn encode_build(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        encoder
            .encode_descriptor(names::BUILD, "The version that runs.", None, MetricType::Info)?
            .encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        let started = self.started.timestamp_millis() as f64 / 1000.0;
        gauge_in(encoder, names::START_TIME, "When the process started, since 1970.", &Unit::Seconds, started)
    }
}

fn encode_process(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    if let Ok(open) = process::open_fds() {
        gauge(encoder, names::OPEN_FDS, "Open file descriptors.", open)?;
    }
    if let Some(max) = process::max_fds() {
        gauge(encoder, names::MAX_FDS, "File descriptors that may be open.", max)?;
    }
    if let Some(bytes) = process::resident_bytes() {
        gauge_in(encoder, names::RESIDENT_MEMORY, "Memory of the process in RAM.", &Unit::Bytes, bytes as f64)?;
    }
    let help = "Processor time of the process, user and system.";
    let cpu = encoder.encode_descriptor(names::CPU, help, Some(&Unit::Seconds), MetricType::Counter)?;
    ConstCounter::new(process::cpu_seconds()).encode(cpu)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn gauge_in(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, unit: &Unit, value: f64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, Some(unit), MetricType::Gauge)?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}

/// A counter for each value of `label`, the zeros too: a series that appears with its first event has no rate.
fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, u64)],
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (value, count) in values {
        ConstCounter::new(*count).encode(family.encode_family(&[(label, *value)])?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
