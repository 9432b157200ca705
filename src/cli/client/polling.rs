//! Engine.IO over long-polling, on one HTTP connection: a client that only listens never needs to send while it waits.

use std::time::Duration;

use hyper::body::Bytes;

use super::http::Connection;
use super::{Dialer, Error};

/// What stands between two packets of one answer.
const SEPARATOR: u8 = 0x1e;
/// How long a gateway may hold a poll: it answers one with a ping at the latest, and the session watches over those.
const POLL_TIMEOUT: Duration = Duration::from_secs(86_400);
/// How long a gateway may take to accept a packet.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// An open polling transport.
pub(crate) struct Polling {
    connection: Connection,
    path: String,
    unread: Bytes,
}

impl Polling {
    /// Connects. The first [`receive`](Self::receive) is the handshake.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub(crate) async fn open(dialer: &Dialer, path: &str) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(dialer).await?, path: path.to_owned(), unread: Bytes::new() })
    }

    /// Names the session in all requests from here on.
    pub(crate) fn set_sid(&mut self, sid: &str) {
        self.path.push_str("&sid=");
        self.path.push_str(&super::link::encode_query(sid));
    }

    /// The next packet: of the last answer, or of a new one. Attachments of binary events are left out.
    ///
    /// # Errors
    /// When the exchange breaks, or its status is not 200.
    pub(crate) async fn receive(&mut self) -> Result<Bytes, Error> {
        loop {
            while self.unread.is_empty() {
                self.unread = self.connection.get(&self.path, POLL_TIMEOUT).await?.ok("consumer")?;
            }
            let packet = next_packet(&mut self.unread);
            if packet.first() != Some(&b'b') {
                return Ok(packet);
            }
        }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the exchange breaks, or its status is not 200.
    pub(crate) async fn send(&mut self, packet: String) -> Result<(), Error> {
        let sent = self.connection.post(&self.path, "text/plain;charset=UTF-8", packet.into(), SEND_TIMEOUT).await?;
        sent.ok("consumer").map(|_| ())
    }
}

/// Cuts the first packet off an answer.
fn next_packet(answer: &mut Bytes) -> Bytes {
    let end = answer.iter().position(|&byte| byte == SEPARATOR);
    let packet = answer.split_to(end.unwrap_or(answer.len()));
    let _separator = answer.split_to(answer.len().min(1));
    packet
}

#[cfg(test)]
mod tests;
