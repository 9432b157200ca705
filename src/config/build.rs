//! From texts to the modules' settings. Each is read before any is given up, so that no fault hides another.

mod admission;
mod auth;
mod listen;

use std::time::Duration;

use super::Config;
use super::parse::{self, bytes, milliseconds};
use super::pattern;
use super::raw::Raw;
use super::reader::{Noted, Reader};
use super::report::Notes;
use super::settings::Settings;
use super::sources::Machine;
use tracing::level_filters::LevelFilter;

use crate::ops::{LogConfig, LogFormat};
use crate::{cluster, lifecycle, ops, producer, publish, subscriber};

/// An hour: no end of a process takes longer.
const DRAIN_MILLIS_MAX: u64 = 3_600_000;
/// A day: the time of two pings together must stay below the 2^31 ms of a JavaScript timer.
const PING_MILLIS_MAX: u64 = 86_400_000;
/// 64 MiB: a publish body is held in memory, once for each request at work.
const PUBLISH_BYTES_MAX: u64 = 64 << 20;
/// 64 MiB: what a client may send is held in memory, once for each session.
const PAYLOAD_BYTES_MAX: u64 = 64 << 20;
/// A queue holds an answer to CONNECT and a small event at least; more than a gibibyte for one subscriber is a slip.
const QUEUE_BYTES_MIN: u64 = 1 << 10;
const QUEUE_BYTES_MAX: u64 = 1 << 30;
/// All queues together may hold a quarter of the memory. 600,000 subscribers take 13.6 KiB each, with the kernel's side
/// 7.8 GiB of 16; a quarter is 4 GiB for 4,096 of them that stall with a full queue, and the last quarter is for the
/// kernel's buffers and all else.
const NODE_QUEUE_SHARE: u64 = 4;
/// A secret that is shorter can be guessed.
const SECRET_BYTES_MIN: usize = 16;

/// All settings, or none if one of them has a fault; the faults are noted.
pub(super) fn config(settings: &mut Settings, machine: &Machine, notes: &mut Notes) -> Option<Config> {
    let raw: Raw = match envy::from_iter(settings.texts()) {
        Ok(raw) => raw,
        Err(error) => {
            notes.fault(None, None, error.to_string());
            return None;
        }
    };
    let reader = &mut Reader::new(settings, notes);
    let connections = listen::connections(reader, &raw, machine);
    let ports = listen::config(reader, &raw);
    let ops = ops(reader, &raw);
    let legacy_quirks = reader.required("LEGACY_QUIRKS", raw.legacy_quirks.as_deref(), parse::switch);
    let admission = admission::config(reader, &raw, legacy_quirks);
    let legacy_publish = reader.required("LEGACY_PUBLISH", raw.legacy_publish.as_deref(), parse::switch);
    let producer = producer(reader, &raw, legacy_publish, legacy_quirks);
    let publish = publish(reader, &raw, legacy_publish);
    let write_timeout = ports.as_ref().map(|ports| ports.write_timeout).unwrap_or_default();
    let subscriber = subscriber(reader, &raw, machine, write_timeout);
    let cluster = cluster(reader, &raw, machine);
    let log = log(reader, &raw, machine);
    let lifecycle = lifecycle(reader, &raw);
    if let (Ok(ports), Ok(ops)) = (&ports, &ops) {
        admin_port(reader, ports, ops);
    }
    let connections = connections.ok()?;
    Some(Config {
        listen: crate::listen::Config {
            sockets_max: connections.sockets_max,
            publisher_sockets_max: listen::publisher_sockets_of(machine.files_max),
            ..ports.ok()?
        },
        admission: crate::admission::Config { sessions_max: connections.sessions_max, ..admission.ok()? },
        producer: producer.ok()?,
        publish: publish.ok()?,
        subscriber: subscriber::Config { tells_codes: !legacy_quirks.ok()?, ..subscriber.ok()? },
        cluster: cluster.ok()?,
        ops: ops.ok()?,
        log: log.ok()?,
        lifecycle: lifecycle.ok()?,
    })
}

fn producer(
    reader: &mut Reader<'_>,
    raw: &Raw,
    legacy_publish: Result<bool, Noted>,
    legacy_quirks: Result<bool, Noted>,
) -> Result<producer::Config, Noted> {
    let bytes =
        reader.required("PUBLISH_BODY_LIMIT", raw.publish_body_limit.as_deref(), bytes(1..=PUBLISH_BYTES_MAX))?;
    Ok(producer::Config {
        body_bytes_max: to_usize(bytes),
        has_legacy_route: legacy_publish?,
        has_legacy_statuses: legacy_quirks?,
    })
}

fn publish(reader: &mut Reader<'_>, raw: &Raw, legacy_publish: Result<bool, Noted>) -> Result<publish::Config, Noted> {
    let text = raw.event_id_regex_validation_pattern.as_deref();
    let target_pattern = reader.optional("EVENT_ID_REGEX_VALIDATION_PATTERN", text, pattern::compile)?;
    Ok(publish::Config { target_pattern, takes_uuid: legacy_publish? })
}

fn subscriber(
    reader: &mut Reader<'_>,
    raw: &Raw,
    machine: &Machine,
    write_timeout: Duration,
) -> Result<subscriber::Config, Noted> {
    let ping = || milliseconds(1..=PING_MILLIS_MAX);
    let ping_interval = reader.required("PING_INTERVAL", raw.ping_interval.as_deref(), ping());
    let ping_timeout = reader.required("PING_TIMEOUT", raw.ping_timeout.as_deref(), ping());
    let size = raw.max_http_buffer_size.as_deref();
    let payload = reader.required("MAX_HTTP_BUFFER_SIZE", size, bytes(1..=PAYLOAD_BYTES_MAX));
    let queue = raw.client_queue_max_bytes.as_deref();
    let queue = reader.required("CLIENT_QUEUE_MAX_BYTES", queue, bytes(QUEUE_BYTES_MIN..=QUEUE_BYTES_MAX));
    let policy = reader.required("CLIENT_QUEUE_POLICY", raw.client_queue_policy.as_deref(), parse::queue_policy);
    Ok(subscriber::Config {
        ping_interval: ping_interval?,
        ping_timeout: ping_timeout?,
        connect_timeout: subscriber::config::CONNECT_TIMEOUT,
        payload_bytes_max: to_usize(payload?),
        queue_bytes_max: to_usize(queue?),
        queue_policy: policy?,
        write_timeout,
        tells_codes: true,
        slice: subscriber::config::SLICE,
        node_queue_bytes_max: machine.memory_bytes / NODE_QUEUE_SHARE,
    })
}

/// `CLUSTER_MODE=0` is one worker; else as many as `CLUSTER_INSTANCES` says, or one a core.
fn cluster(reader: &mut Reader<'_>, raw: &Raw, machine: &Machine) -> Result<cluster::Config, Noted> {
    let mode = reader.optional("CLUSTER_MODE", raw.cluster_mode.as_deref(), parse::switch);
    let instances = raw.cluster_instances.as_deref();
    let instances = reader.optional("CLUSTER_INSTANCES", instances, parse::instances(machine.cores));
    let is_cluster = mode?.unwrap_or(true);
    let instances = instances?;
    if !is_cluster && instances.is_some() {
        reader.warn("CLUSTER_INSTANCES", "has no effect with CLUSTER_MODE=0");
    }
    let workers = if is_cluster { instances.unwrap_or(machine.cores) } else { 1 };
    reader.settings.resolve("CLUSTER_MODE", "1".to_owned());
    reader.settings.resolve("CLUSTER_INSTANCES", workers.to_string());
    Ok(cluster::Config { workers })
}

fn ops(reader: &mut Reader<'_>, raw: &Raw) -> Result<ops::Config, Noted> {
    let admin_addr = reader.required("ADMIN_ADDR", raw.admin_addr.as_deref(), parse::listener)?;
    let admin_token = auth::secret(reader, "ADMIN_TOKEN", raw.admin_token.as_deref());
    match admin_addr {
        Some(addr) if admin_token.is_none() && !addr.ip().to_canonical().is_loopback() => {
            Err(reader.fault("ADMIN_TOKEN", format!("is required, as ADMIN_ADDR={addr} is not loopback; set a token")))
        }
        _ => Ok(ops::Config { admin_addr, admin_token }),
    }
}

/// The admin listener must not take the port of another.
fn admin_port(reader: &mut Reader<'_>, listen: &crate::listen::Config, ops: &ops::Config) {
    let port = ops.admin_addr.map_or(0, |addr| addr.port());
    for (key, other) in [("HTTP_PORT", listen.producer_port), ("WEBSOCKET_PORT", listen.consumer_port)] {
        if port != 0 && port == other {
            reader.fault("ADMIN_ADDR", format!("its port {port} is that of {key}; give it another"));
        }
    }
}

fn log(reader: &mut Reader<'_>, raw: &Raw, machine: &Machine) -> Result<LogConfig, Noted> {
    let level = reader.optional("LOG_LEVEL", raw.log_level.as_deref(), parse::log_level);
    let format = reader.optional("LOG_FORMAT", raw.log_format.as_deref(), parse::log_format);
    let debug = reader.required("ENABLE_DEBUG", raw.enable_debug.as_deref(), parse::switch)?;
    if debug {
        reader.warn("ENABLE_DEBUG", "is on; LOG_LEVEL=debug says the same, and debug is not meant for production");
    }
    let (level, format) = (level?, format?);
    let level = level.unwrap_or(if debug { LevelFilter::DEBUG } else { LevelFilter::INFO });
    let format = format.unwrap_or(if machine.stdout_is_terminal { LogFormat::Pretty } else { LogFormat::Json });
    reader.settings.resolve("LOG_LEVEL", level.to_string());
    let word = match format {
        LogFormat::Json => "json",
        LogFormat::Pretty => "pretty",
    };
    reader.settings.resolve("LOG_FORMAT", word.to_owned());
    Ok(LogConfig { level, format })
}

fn lifecycle(reader: &mut Reader<'_>, raw: &Raw) -> Result<lifecycle::Config, Noted> {
    let text = raw.drain_timeout_ms.as_deref();
    let drain_timeout = reader.required("DRAIN_TIMEOUT_MS", text, milliseconds(0..=DRAIN_MILLIS_MAX))?;
    Ok(lifecycle::Config { drain_timeout })
}

/// The ranges above end far below what any `usize` holds.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
