//! Packets as a gateway sends them: Engine.IO 4 with Socket.IO 5 inside. No IO, no JSON tree.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::excerpt;

/// A packet for the default namespace, its payload still in the bytes that it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// Engine.IO open: JSON of the [`Handshake`].
    Open(&'a [u8]),
    /// Engine.IO close.
    Close,
    /// Engine.IO ping, with what the pong must repeat.
    Ping(&'a [u8]),
    /// Socket.IO CONNECT: the subscriber is in.
    Connected,
    /// Socket.IO DISCONNECT.
    Disconnected,
    /// Socket.IO EVENT: the JSON array of name and arguments.
    Event(&'a [u8]),
    /// Socket.IO CONNECT_ERROR: JSON with a message.
    ConnectError(&'a [u8]),
    /// A packet that a subscriber has no use for: pong, noop, ack, or another namespace's.
    Other,
}

/// The bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Engine.IO packet")]
pub(crate) struct PacketError;

impl<'a> Packet<'a> {
    /// Reads one packet.
    ///
    /// # Errors
    /// When the first bytes name no packet.
    pub(crate) fn decode(text: &'a [u8]) -> Result<Self, PacketError> {
        Ok(match text {
            [b'0', json @ ..] => Self::Open(json),
            [b'1'] => Self::Close,
            [b'2', probe @ ..] => Self::Ping(probe),
            [b'3' | b'5' | b'6', ..] => Self::Other,
            [b'4', kind @ b'0'..=b'6', rest @ ..] => Self::message(*kind, rest),
            _ => return Err(PacketError),
        })
    }

    fn message(kind: u8, rest: &'a [u8]) -> Self {
        // A binary event names the number of its attachments first; they follow in packets of their own.
        let rest = if kind == b'5' { after_digits(rest).strip_prefix(b"-").unwrap_or(rest) } else { rest };
        if rest.first() == Some(&b'/') {
            return Self::Other;
        }
        match kind {
            b'0' => Self::Connected,
            b'1' => Self::Disconnected,
            b'2' | b'5' => Self::Event(after_digits(rest)),
            b'4' => Self::ConnectError(rest),
            _ => Self::Other,
        }
    }
}

/// What follows a number: of attachments, or the identifier of an ack, which a subscriber does not send.
fn after_digits(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..).unwrap_or_default()
}

/// What the open packet says.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handshake {
    /// The session's identifier, which each polling request carries.
    pub(crate) sid: String,
    /// Milliseconds between pings.
    ping_interval: u64,
    /// Milliseconds that a pong may take.
    ping_timeout: u64,
}

impl Handshake {
    /// Reads an open packet's JSON.
    ///
    /// # Errors
    /// When a field is missing or of another type.
    pub(crate) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// The longest silence of a gateway that lives; a day at most, so that no server can overflow a clock.
    pub(crate) fn silence_max(&self) -> Duration {
        const DAY_MS: u64 = 86_400_000;
        Duration::from_millis(self.ping_interval.saturating_add(self.ping_timeout).min(DAY_MS))
    }
}

/// The text of a CONNECT_ERROR: its message, and its data if there is any.
pub(crate) fn refusal(json: &[u8]) -> String {
    #[derive(Deserialize)]
    struct ConnectError<'a> {
        message: String,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    match serde_json::from_slice::<ConnectError<'_>>(json) {
        Ok(ConnectError { message, data: None }) => excerpt(message.as_bytes()),
        Ok(ConnectError { message, data: Some(data) }) => excerpt(format!("{message} {}", data.get()).as_bytes()),
        Err(_) => excerpt(json),
    }
}

#[cfg(test)]
mod tests;
