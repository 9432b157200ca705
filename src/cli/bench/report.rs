//! What a run found: for programs as JSON with names that stay, and for people as a table.

mod table;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::conductor::{Course, ServerUsage};
use super::recorder::Recorder;
use super::run::Run;

/// Grows when a field changes its meaning.
const VERSION: u32 = 1;

/// A run's findings. Times are in the unit that a field's name ends with; rates are per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Of this format.
    version: u32,
    /// The run's number, in hex; its rooms begin with it.
    run: String,
    options: Options,
    connect: Connect,
    publish: Publish,
    delivery: Delivery,
    /// Present when the server's process was named.
    server: Option<Server>,
    generator: Generator,
    /// Whether the run was cut short by a signal.
    interrupted: bool,
    /// All were connected, publishes were accepted, and nothing was lost, duplicated or reordered.
    pub(crate) pass: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Options {
    subscribers: u32,
    rooms: u32,
    publishers: u32,
    /// 0 is a closed loop.
    rate: f64,
    duration_s: f64,
    payload_bytes: usize,
    transport: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Connect {
    connected: u64,
    duration_s: f64,
    rate: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Publish {
    sent: u64,
    /// Answered 200.
    accepted: u64,
    /// Answered otherwise or not at all; such publishes are not expected to arrive.
    failed: u64,
    /// Due, and not sent because the answers before took too long.
    unsent: u64,
    rate: f64,
    /// From when a publish was due to its answer.
    answer_ms: Option<Latency>,
    /// Causes, with how often.
    failures: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Delivery {
    /// Accepted publishes times the subscribers of their rooms.
    expected: u64,
    /// Different events heard.
    received: u64,
    rate: f64,
    lost: u64,
    duplicated: u64,
    reordered: u64,
    /// Events that no publisher of this run sent.
    foreign: u64,
    /// Times that a subscriber came back.
    reconnects: u64,
    /// From when a publish was due to its event being parsed.
    latency_ms: Option<Latency>,
    /// Why connects failed and sessions ended, with how often.
    disconnects: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Latency {
    /// Percentiles of nanoseconds, in milliseconds; none of nothing.
    fn of(nanoseconds: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| milliseconds(nanoseconds.value_at_quantile(quantile));
        (!nanoseconds.is_empty()).then(|| Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: milliseconds(nanoseconds.max()),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Server {
    /// While publishing and draining.
    cpu_s: f64,
    cpu_us_per_delivery: Option<f64>,
    cpu_us_per_publish: Option<f64>,
    cpu_ms_per_connect: Option<f64>,
    rss_before_kib: u64,
    rss_connected_kib: u64,
    rss_kib_per_connection: Option<f64>,
    rss_peak_kib: u64,
    rss_end_kib: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Generator {
    /// While publishing and draining.
    cpu_s: f64,
    /// In cores; close to the number of threads the generator is what limits the run.
    cores: f64,
}

impl Report {
    /// Draws up the findings of a run that has ended.
    pub(crate) fn new(run: &Run, course: &Course, recorder: &Recorder) -> Self {
        let (plan, load, counts) = (&run.plan, &run.load, &run.counts);
        let (accepted, failed, received) = (counts.accepted.get(), counts.failed.get(), counts.received.get());
        let seconds_until = |last_ns: u64| {
            let start_ns = course.start.map_or(last_ns, |start| run.elapsed_ns(start));
            last_ns.saturating_sub(start_ns) as f64 / 1e9
        };
        let delivery = Delivery {
            expected: counts.expected.get(),
            received,
            rate: rate(received, seconds_until(recorder.last_delivery_ns)),
            lost: recorder.lost(plan),
            duplicated: recorder.duplicated,
            reordered: recorder.reordered,
            foreign: recorder.foreign,
            reconnects: recorder.reconnects,
            latency_ms: Latency::of(&recorder.delivery_ns),
            disconnects: recorder.disconnects.clone(),
        };
        let connected = course.connected == u64::from(plan.subscribers) && course.start.is_some();
        let heard_all = delivery.lost == 0 && delivery.duplicated == 0 && delivery.reordered == 0;
        Self {
            version: VERSION,
            run: format!("{:08x}", plan.run),
            options: Options {
                subscribers: plan.subscribers,
                rooms: plan.rooms,
                publishers: plan.publishers,
                rate: load.rate,
                duration_s: rounded(load.duration.as_secs_f64()),
                payload_bytes: load.payload_bytes,
                transport: load.transport.name().to_owned(),
            },
            connect: Connect {
                connected: course.connected,
                duration_s: rounded(course.connect.as_secs_f64()),
                rate: rate(course.connected, course.connect.as_secs_f64()),
            },
            publish: Publish {
                sent: accepted + failed,
                accepted,
                failed,
                unsent: recorder.unsent,
                rate: rate(accepted, seconds_until(recorder.last_answer_ns)),
                answer_ms: Latency::of(&recorder.answer_ns),
                failures: recorder.publish_failures.clone(),
            },
            server: course.server.map(|server| Server::new(&server, course.connected, accepted, received)),
            generator: Generator {
                cpu_s: rounded(course.generator_cpu_s),
                cores: per(course.generator_cpu_s, course.publish.as_secs_f64()).unwrap_or_default(),
            },
            interrupted: course.interrupted,
            pass: connected && heard_all && (accepted > 0 || run.publishers() == 0),
            delivery,
        }
    }
}

impl Server {
    fn new(usage: &ServerUsage, connected: u64, accepted: u64, received: u64) -> Self {
        let ServerUsage { before, connected: at_connect, settled, end, rss_peak_kib } = usage;
        let cpu_s = (end.cpu_s - settled.cpu_s).max(0.0);
        let grown_kib = settled.rss_kib.saturating_sub(before.rss_kib);
        Self {
            cpu_s: rounded(cpu_s),
            cpu_us_per_delivery: per(cpu_s * 1e6, received as f64),
            cpu_us_per_publish: per(cpu_s * 1e6, accepted as f64),
            cpu_ms_per_connect: per((at_connect.cpu_s - before.cpu_s) * 1e3, connected as f64),
            rss_before_kib: before.rss_kib,
            rss_connected_kib: settled.rss_kib,
            rss_kib_per_connection: per(grown_kib as f64, connected as f64),
            rss_peak_kib: *rss_peak_kib,
            rss_end_kib: end.rss_kib,
        }
    }
}

fn milliseconds(nanoseconds: u64) -> f64 {
    rounded(nanoseconds as f64 / 1e6)
}

/// To three decimals: no measurement here is better than that.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

fn per(sum: f64, count: f64) -> Option<f64> {
    (count > 0.0).then(|| rounded(sum / count))
}

fn rate(count: u64, seconds: f64) -> f64 {
    per(count as f64, seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
