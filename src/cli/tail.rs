//! `roomcast tail`: a subscriber that prints its events as JSON lines, and comes back as the stock client does.

use std::borrow::Cow;
use std::io::{self, Write};

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use hyper::body::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::client::backoff::Backoff;
use super::client::credential::CredentialArgs;
use super::client::session::Transport;
use super::client::tls::TlsArgs;
use super::client::{Credential, Dialer, Endpoint, Error, Session, complain};
use super::{EXIT_FAULT, EXIT_OK};

/// Print a room's events as JSON lines
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The consumer port, as https://host:port
    #[arg(long, value_name = "URL", default_value = "https://localhost:8443")]
    url: Endpoint,
    /// The room to listen to (uniqueUserId); may be given several times
    #[arg(long = "user", value_name = "ID", required = true)]
    users: Vec<String>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    credential: CredentialArgs,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Prints events until there are enough, the process is interrupted, or coming back would change nothing.
///
/// # Errors
/// When the subscriber cannot even try to connect.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let credential = args.credential.read(|name| std::env::var(name).ok())?;
    let dialer = Dialer::resolve(args.url, || args.tls.config()).await?;
    let mut tail = Tail { dialer, users: args.users, credential, left: args.count, out: io::stdout() };
    tokio::select! {
        code = tail.run() => Ok(code),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("cannot wait for an interrupt")?;
            Ok(EXIT_OK)
        }
    }
}

/// One tail, over all of its connections.
struct Tail<W> {
    dialer: Dialer,
    users: Vec<String>,
    credential: Credential,
    left: Option<u64>,
    out: W,
}

/// Why a tail ends.
enum End {
    /// There were as many events as were asked for, or nobody reads on.
    Enough,
    /// The session ended.
    Session(Error),
}

impl<W: Write> Tail<W> {
    async fn run(&mut self) -> u8 {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.connect_and_print(&mut backoff).await {
                End::Enough => return EXIT_OK,
                End::Session(error) => error,
            };
            if error.is_final() {
                complain(error);
                return EXIT_FAULT;
            }
            let delay = backoff.next();
            complain(format_args!("{error}; coming back in {:.1} s", delay.as_secs_f64()));
            tokio::time::sleep(delay).await;
        }
    }

    async fn connect_and_print(&mut self, backoff: &mut Backoff) -> End {
        let auth = self.credential.auth(Utc::now());
        let mut session = match Session::connect(&self.dialer, Transport::Websocket, &self.users, &auth).await {
            Ok(session) => session,
            Err(error) => return End::Session(error),
        };
        complain(format_args!("listening to {}", self.users.join(", ")));
        backoff.reset();
        loop {
            match session.next().await {
                Ok(event) => {
                    if !self.print(&event) {
                        session.close().await;
                        return End::Enough;
                    }
                }
                Err(error) => return End::Session(error),
            }
        }
    }

    /// Prints an event; false when no more are wanted, or standard output is closed.
    fn print(&mut self, event: &Bytes) -> bool {
        let Ok(line) = line(event, Utc::now()) else {
            complain("an event that is not JSON was left out");
            return true;
        };
        if self.out.write_all(&line).and_then(|()| self.out.flush()).is_err() {
            return false;
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.left != Some(0)
    }
}

/// An event as one line of JSON. The gateway's argument keeps its bytes, except that line breaks become spaces.
fn line(event: &[u8], now: DateTime<Utc>) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Line<'a> {
        time: String,
        event: &'a RawValue,
        data: Cow<'a, RawValue>,
    }
    let parts: Vec<&RawValue> = serde_json::from_slice(event)?;
    let (event, data) = match parts.as_slice() {
        [] => (RawValue::NULL, Cow::Borrowed(RawValue::NULL)),
        [event] => (*event, Cow::Borrowed(RawValue::NULL)),
        [event, data] => (*event, Cow::Borrowed(*data)),
        [event, several @ ..] => (*event, Cow::Owned(serde_json::value::to_raw_value(several)?)),
    };
    let time = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut line = serde_json::to_vec(&Line { time, event, data })?;
    for byte in &mut line {
        // Outside of strings a line break is white space, and inside of them JSON allows none.
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests;
