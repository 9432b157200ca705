//! `roomcast bench`: subscribers, publishers and a stopwatch, so that every figure can be measured by its reader.
//!
//! A run connects all subscribers, lets memory settle, publishes, waits for what is still on its way, and reports.
//! Publishes carry a stamp by which each subscriber checks, by set and by order, that it hears every one of them once.

mod check;
mod conductor;
mod generator;
mod limits;
mod pacer;
mod plan;
mod process;
mod progress;
mod publisher;
mod recorder;
mod report;
mod run;
mod stamp;
mod subscriber;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use super::client::credential::CredentialArgs;
use super::client::session::Transport;
use super::client::tls::TlsArgs;
use super::client::{Dialer, Endpoint, complain};
use super::{EXIT_FAULT, EXIT_OK, EXIT_USAGE};
use conductor::{Conductor, Limits};
use plan::Plan;
use report::Report;
use run::Run;

/// Load a gateway with subscribers and publishers, and report what it cost and whether anything was lost
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The producer port, as https://host:port
    #[arg(long, value_name = "URL", default_value = "https://localhost:2053")]
    producer: Endpoint,
    /// The consumer port, as https://host:port
    #[arg(long, value_name = "URL", default_value = "https://localhost:8443")]
    consumer: Endpoint,
    /// Subscribers to connect
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    subscribers: u32,
    /// Rooms that the subscribers are spread over; 0: one for each subscriber
    #[arg(long, value_name = "N", default_value_t = 0)]
    rooms: u32,
    /// Publishers, each with a connection and one request at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    publishers: u32,
    /// Publishes a second, of all publishers together; 0: as fast as the answers come
    #[arg(long, value_name = "PER_SECOND", default_value_t = 0.0, value_parser = rate)]
    rate: f64,
    /// Seconds to publish for; 0: only connect
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    duration: Duration,
    /// Bytes of an event's data; a stamp of about 60 is the least
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    payload: usize,
    /// How the subscribers connect
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Transport,
    /// Connects a second; 0: as many as 64 at a time allow
    #[arg(long, value_name = "PER_SECOND", default_value_t = 0.0, value_parser = rate)]
    connect_rate: f64,
    /// Seconds after which a subscriber that is not connected has failed
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    connect_timeout: Duration,
    /// Seconds between the last connect and the first publish, for memory to settle
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    settle: Duration,
    /// Seconds to wait, after the last publish, for deliveries that are still on their way
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    drain: Duration,
    /// Loopback addresses (127.0.0.2 and on) to connect from: one address has about 28,000 ports
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=250))]
    sources: u32,
    /// Threads that make the load
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    /// Process of the server, whose CPU time and memory are reported; may be given several times
    #[arg(long, value_name = "PID", value_delimiter = ',')]
    pid: Vec<u32>,
    /// Write the report as JSON to a file, or with - to standard output in place of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    credential: CredentialArgs,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Runs the load and prints the report. A fault when anything was lost, duplicated, reordered or not connected.
///
/// # Errors
/// When the load cannot start, or the report cannot be written.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    if let Err(unfit) = limits::check(args.subscribers, args.publishers, args.sources, args.threads) {
        complain(unfit);
        return Ok(EXIT_USAGE);
    }
    let (threads, pids, json) = (args.threads, args.pid.clone(), args.json.clone());
    let limits = Limits { connect: args.connect_timeout, settle: args.settle, drain: args.drain };
    let run = prepare(args).await?;
    let report = Conductor::new(run, pids)?.conduct(threads, limits).await?;
    write_report(&report, json)?;
    Ok(if report.pass { EXIT_OK } else { EXIT_FAULT })
}

/// Everything that the generator's tasks share. Fails before any load when a port does not answer, or not in
/// a TLS that the options trust.
async fn prepare(args: Args) -> anyhow::Result<Run> {
    let credential = args.credential.read(|name| std::env::var(name).ok())?;
    let tls = if args.producer.tls || args.consumer.tls { Some(args.tls.config()?) } else { None };
    let tls = || tls.clone().context("an endpoint speaks TLS without a configuration");
    let mut producer = Dialer::resolve(args.producer, tls).await?;
    let mut consumer = Dialer::resolve(args.consumer, tls).await?;
    producer.pin().await.context("producer port")?;
    let addr = consumer.pin().await.context("consumer port")?;
    let consumers = match (args.sources, addr.ip()) {
        (1, _) => vec![consumer],
        (sources, IpAddr::V4(_)) => (0..sources)
            .map(|n| consumer.with_source(Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 0, 2).to_bits() + n)))
            .collect(),
        (_, IpAddr::V6(_)) => anyhow::bail!("--sources needs a consumer port on IPv4, such as https://127.0.0.1:8443"),
    };
    let plan = Plan::new(rand::random(), args.subscribers, args.rooms, args.publishers);
    let load = run::Load {
        rate: args.rate,
        duration: args.duration,
        payload_bytes: args.payload,
        transport: args.transport,
        connect_rate: args.connect_rate,
    };
    Ok(Run::new(plan, load, producer, consumers, credential))
}

fn write_report(report: &Report, json: Option<PathBuf>) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    match json {
        Some(file) if file.as_os_str() == "-" => writeln!(io::stdout(), "{text}").context("standard output")?,
        Some(file) => {
            std::fs::write(&file, text + "\n").with_context(|| format!("--json {}", file.display()))?;
            write!(io::stdout(), "{report}").context("standard output")?;
        }
        None => write!(io::stdout(), "{report}").context("standard output")?,
    }
    Ok(())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.0..=1e7).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("a number from 0 to 10000000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        Ok(_) | Err(_) => Err("a number of seconds, at most 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests;
