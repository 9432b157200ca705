//! `roomcast publish`: one event to one room.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::Duration;

use http::StatusCode;
use hyper::body::Bytes;
use serde::de::IgnoredAny;

use super::client::http::{Answer, Connection};
use super::client::tls::TlsArgs;
use super::client::{Dialer, Endpoint, Error, complain};
use super::{EXIT_FAULT, EXIT_OK, EXIT_USAGE};

/// How long the gateway may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Publish one event to one room
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The producer port, as https://host:port
    #[arg(long, value_name = "URL", default_value = "https://localhost:2053")]
    url: Endpoint,
    /// The room, which is also the event's name
    #[arg(long, value_name = "ID")]
    target: String,
    /// The event's argument: a JSON object, @FILE to read one from a file, or - for standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    data: String,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Publishes, and prints the gateway's answer.
///
/// # Errors
/// When the gateway cannot be reached.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    publish(args, &mut io::stdout()).await
}

async fn publish(args: Args, out: &mut impl Write) -> anyhow::Result<u8> {
    let body = match read_data(&args.data).map_err(DataError::Unreadable).and_then(|data| body(&args.target, &data)) {
        Ok(body) => body,
        Err(error) => {
            complain(format_args!("--data: {error}"));
            return Ok(EXIT_USAGE);
        }
    };
    let dialer = Dialer::resolve(args.url, || args.tls.config()).await?;
    let path = dialer.endpoint().path("/publish");
    let mut connection = Connection::open(&dialer).await?;
    let answer = connection.post(&path, "application/json", body, ANSWER_TIMEOUT).await?;
    Ok(report(&answer, out))
}

/// Why the data cannot be published.
#[derive(Debug, thiserror::Error)]
enum DataError {
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("is not a JSON object: {0}")]
    NotAnObject(serde_json::Error),
    #[error("already holds a target_id; --target names the room")]
    HasTarget,
}

fn read_data(data: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match (data, data.strip_prefix('@')) {
        ("-", _) => {
            io::stdin().read_to_end(&mut bytes)?;
        }
        (_, Some(file)) => bytes = std::fs::read(file)?,
        (_, None) => bytes.extend_from_slice(data.as_bytes()),
    }
    Ok(bytes)
}

/// Puts `target_id` in front of the object's own members, whose bytes stay as they are.
fn body(target: &str, data: &[u8]) -> Result<Bytes, DataError> {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_slice(data).map_err(DataError::NotAnObject)?;
    if members.contains_key("target_id") {
        return Err(DataError::HasTarget);
    }
    let inside = data.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    let separator = if members.is_empty() { "" } else { "," };
    let mut body = format!("{{\"target_id\":{}{separator}", serde_json::Value::from(target)).into_bytes();
    body.extend_from_slice(inside);
    Ok(body.into())
}

fn report(answer: &Answer, out: &mut impl Write) -> u8 {
    if answer.head.status != StatusCode::OK {
        complain(Error::status_of("producer", answer.head.status, &answer.body));
        return EXIT_FAULT;
    }
    // The event is out, whether or not anybody reads this.
    let _ = writeln!(out, "OK");
    EXIT_OK
}

#[cfg(test)]
mod tests;
