//! The listeners: addresses, certificates, and how many connections the files allow.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::parse::{self, milliseconds, number};
use crate::config::raw::Raw;
use crate::config::reader::{Noted, Reader};
use crate::config::sources::Machine;
use crate::listen::{ClientCertificates, Config, TlsConfig};

/// Files that are no connections: listeners, logs, the admin's, the runtime's own. The admin listener takes 64 at most.
const FILES_RESERVED: u64 = 128;
/// One file in so many is a publisher's connection. Publishers are few, and keep theirs.
const PUBLISHERS_SHARE: u64 = 16;
/// Below this hard limit of files a warning says so.
const FILES_ADVISED: u64 = 1024;
/// Even on a machine that allows next to no files somebody can connect.
const SOCKETS_MIN: u64 = 16;
/// One socket in so many is for those that have no session: handshakes, requests that are refused.
const SPARE_SHARE: u64 = 16;
/// Far above what one machine holds: 2^32 sessions.
const CONNECTIONS_MAX: u64 = 1 << 32;
/// A day.
const WRITE_TIMEOUT_MILLIS_MAX: u64 = 86_400_000;

/// How many sockets and sessions there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connections {
    pub(super) sockets_max: u64,
    pub(super) sessions_max: u64,
}

/// The listeners' settings; the numbers of sockets are not yet known.
pub(super) fn config(reader: &mut Reader<'_>, raw: &Raw) -> Result<Config, Noted> {
    let host = reader.required("HOST", raw.host.as_deref(), parse::ip);
    let producer_port = reader.required("HTTP_PORT", raw.http_port.as_deref(), parse::port);
    let consumer_port = reader.required("WEBSOCKET_PORT", raw.websocket_port.as_deref(), parse::port);
    let timeout = milliseconds(1..=WRITE_TIMEOUT_MILLIS_MAX);
    let write_timeout = reader.required("CLIENT_WRITE_TIMEOUT_MS", raw.client_write_timeout_ms.as_deref(), timeout);
    let tls = tls(reader, raw);
    let config = Config {
        host: host?,
        producer_port: producer_port?,
        consumer_port: consumer_port?,
        tls: tls?,
        write_timeout: write_timeout?,
        sockets_max: 0,
        publisher_sockets_max: 0,
    };
    one_port(reader, &config)?;
    Ok(config)
}

/// A port that serves both sides cannot ask one of them for a certificate.
fn one_port(reader: &mut Reader<'_>, config: &Config) -> Result<(), Noted> {
    let Some(tls) = &config.tls else { return Ok(()) };
    let asked = tls.client_certificates;
    let is_shared = config.producer_port == config.consumer_port && config.producer_port != 0;
    if is_shared && asked.producer != asked.consumer {
        let problem =
            "one port serves both sides, and cannot ask one of them for a certificate; use 0 or 1, or two ports";
        return Err(reader.fault("VERIFY_ORIGIN", problem));
    }
    Ok(())
}

fn tls(reader: &mut Reader<'_>, raw: &Raw) -> Result<Option<TlsConfig>, Noted> {
    let is_on = reader.required("TLS", raw.tls.as_deref(), parse::switch);
    let asked = reader.required("VERIFY_ORIGIN", raw.verify_origin.as_deref(), parse::client_certificates);
    let is_on = is_on?;
    if !is_on {
        let asked = asked?;
        if asked != ClientCertificates::default() {
            return Err(reader.fault("VERIFY_ORIGIN", "needs TLS=1: without TLS there are no client certificates"));
        }
        return Ok(None);
    }
    let certificates = pem(reader, "PUB_KEY_PATH", raw.pub_key_path.as_deref(), "with TLS=1");
    let private_key = pem(reader, "PRIV_KEY_PATH", raw.priv_key_path.as_deref(), "with TLS=1");
    let client_certificates = asked?;
    let client_ca = if client_certificates == ClientCertificates::default() {
        Ok(None)
    } else {
        pem(reader, "CA_PATH", raw.ca_path.as_deref(), "with VERIFY_ORIGIN").map(Some)
    };
    let private_key = private_key?;
    warn_if_others_read(reader, &private_key);
    Ok(Some(TlsConfig { certificates: certificates?, private_key, client_ca: client_ca?, client_certificates }))
}

/// The path of a file that must be there and readable.
fn pem(reader: &mut Reader<'_>, key: &str, path: Option<&str>, when: &str) -> Result<PathBuf, Noted> {
    let Some(text) = path else {
        let problem = format!("is required {when}; give the path of a PEM file (\"roomcast cert\" makes one)");
        return Err(reader.fault(key, problem));
    };
    match File::open(text).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_dir() => {
            Err(reader.fault(key, format!("{} is a folder; give the path of a PEM file", parse::shown(text))))
        }
        Ok(_) => Ok(PathBuf::from(text)),
        Err(error) => {
            let problem =
                format!("cannot read {text:?}: {error}; give the path of a PEM file (\"roomcast cert\" makes one)");
            Err(reader.fault(key, problem))
        }
    }
}

fn warn_if_others_read(reader: &mut Reader<'_>, path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o007 != 0 {
        let text = format!("everybody on this machine may use {path:?} (mode {:03o}); chmod o= it", mode & 0o777);
        reader.warn("PRIV_KEY_PATH", text);
    }
}

/// `MAX_CONNECTIONS`, and the sockets that go with it, within what the hard limit of files allows.
pub(super) fn connections(reader: &mut Reader<'_>, raw: &Raw, machine: &Machine) -> Result<Connections, Noted> {
    let key = "MAX_CONNECTIONS";
    let asked = reader.optional(key, raw.max_connections.as_deref(), number(1..=CONNECTIONS_MAX))?;
    let files_max = machine.files_max;
    if files_max < FILES_ADVISED {
        reader.warn(key, format!("only {files_max} files may be open; raise the hard limit (LimitNOFILE, ulimit -Hn)"));
    }
    let allowed = sockets_of(files_max);
    let connections = match asked {
        None => allowed,
        Some(sessions_max) => {
            let sockets_max = sessions_max + sessions_max / SPARE_SHARE + SPARE_SHARE;
            if sockets_max <= allowed.sockets_max {
                Connections { sockets_max, sessions_max }
            } else {
                let sessions_max = sessions_max.min(allowed.sessions_max);
                let text = format!(
                    "does not fit {files_max} open files, {sessions_max} does; raise the hard limit (LimitNOFILE, ulimit -Hn)"
                );
                reader.warn(key, text);
                Connections { sessions_max, ..allowed }
            }
        }
    };
    reader.settings.resolve(key, connections.sessions_max.to_string());
    Ok(connections)
}

/// Sockets of the producer port.
pub(super) fn publisher_sockets_of(files_max: u64) -> u64 {
    (files_max / PUBLISHERS_SHARE).max(SOCKETS_MIN)
}

fn sockets_of(files_max: u64) -> Connections {
    let taken = FILES_RESERVED + publisher_sockets_of(files_max);
    let sockets_max = files_max.saturating_sub(taken).max(SOCKETS_MIN);
    Connections { sockets_max, sessions_max: sockets_max - sockets_max / SPARE_SHARE }
}
