//! Packets of Engine.IO 4 and Socket.IO 5: what clients send is read and judged as Node's server 4.8 does.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};

use crate::types::nesting::is_too_deep;

/// Binary attachments of one packet; socket.io-parser's own bound since 4.2.6.
const ATTACHMENTS_MAX: u8 = 10;

/// A packet that Node's server would close the connection for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::subscriber) struct Malformed;

/// A text packet of Engine.IO, as a client sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::subscriber) enum EnginePacket<'a> {
    /// The client closes.
    Close,
    /// `2probe`: does this websocket work?
    Probe,
    /// The client's own ping, which version 4 leaves to the server. It is harmless.
    Ping,
    /// The answer to a ping.
    Pong,
    /// A Socket.IO packet.
    Message(&'a str),
    /// The websocket takes over from polling.
    Upgrade,
    /// Nothing.
    Noop,
}

impl<'a> EnginePacket<'a> {
    /// Reads one packet.
    ///
    /// # Errors
    /// When it is of no type that a client may send.
    pub(in crate::subscriber) fn read(text: &'a str) -> Result<Self, Malformed> {
        match text.as_bytes() {
            b"2probe" => Ok(Self::Probe),
            [b'2', ..] => Ok(Self::Ping),
            [b'1', ..] => Ok(Self::Close),
            [b'3', ..] => Ok(Self::Pong),
            [b'4', ..] => Ok(Self::Message(text.get(1..).unwrap_or_default())),
            [b'5', ..] => Ok(Self::Upgrade),
            [b'6', ..] => Ok(Self::Noop),
            _ => Err(Malformed),
        }
    }
}

/// A Socket.IO packet of a client: its namespace and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::subscriber) struct SocketPacket<'a> {
    /// `/` unless the packet names another.
    pub(in crate::subscriber) namespace: &'a str,
    /// What it says.
    pub(in crate::subscriber) kind: Kind<'a>,
    /// The event, if it is one; the answer to one is none.
    pub(in crate::subscriber) event: Option<Event<'a>>,
}

/// An event of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::subscriber) struct Event<'a> {
    /// Its name.
    pub(in crate::subscriber) name: String,
    /// The JSON array of its name and its arguments.
    pub(in crate::subscriber) array: &'a str,
    /// The number that its sender wants it acknowledged by; none that is beyond a client's own numbers.
    pub(in crate::subscriber) id: Option<u64>,
}

/// What a Socket.IO packet says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::subscriber) enum Kind<'a> {
    /// Asks to be let in, with the JSON of the client's `auth`.
    Connect(Option<&'a str>),
    /// Leaves the namespace.
    Disconnect,
    /// An event, or the answer to one, which nobody asks for.
    Event {
        /// Binary messages that belong to it and follow.
        attachments: u8,
    },
}

impl<'a> SocketPacket<'a> {
    /// Reads one packet.
    ///
    /// # Errors
    /// When socket.io-parser would refuse it, or it holds JSON that nests deeper than 128 levels.
    pub(in crate::subscriber) fn read(text: &'a str) -> Result<Self, Malformed> {
        let (digit, rest) = text.split_at_checked(1).ok_or(Malformed)?;
        let is_binary = matches!(digit, "5" | "6");
        let (attachments, rest) = if is_binary { read_attachments(rest)? } else { (0, rest) };
        let (namespace, rest) = read_namespace(rest);
        let body = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        let id = rest.strip_suffix(body).unwrap_or_default();
        if is_too_deep(body) {
            return Err(Malformed);
        }
        let mut event = None;
        let body = Some(body).filter(|body| !body.is_empty());
        let kind = match (digit, body) {
            ("0", body) => Kind::Connect(body),
            ("1", None) => Kind::Disconnect,
            ("2" | "5", Some(body)) => {
                let EventBody(name) = serde_json::from_str(body).map_err(|_| Malformed)?;
                event = Some(Event { name, array: body, id: id.parse().ok() });
                Kind::Event { attachments }
            }
            ("3" | "6", Some(body)) if !id.is_empty() => {
                serde_json::from_str::<Vec<IgnoredAny>>(body).map_err(|_| Malformed)?;
                Kind::Event { attachments }
            }
            _ => return Err(Malformed),
        };
        Ok(Self { namespace, kind, event })
    }
}

fn read_attachments(text: &str) -> Result<(u8, &str), Malformed> {
    let (count, rest) = text.split_once('-').ok_or(Malformed)?;
    let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|count| is_number && *count <= ATTACHMENTS_MAX);
    Ok((count.ok_or(Malformed)?, rest))
}

fn read_namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("/", text);
    }
    text.split_once(',').unwrap_or((text, ""))
}

/// An array whose first element can be an event's name, which is kept.
struct EventBody(String);

impl<'de> Deserialize<'de> for EventBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = EventBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let name = elements.next_element()?.ok_or_else(|| A::Error::custom("no name"))?;
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(EventBody(name))
    }
}

#[cfg(test)]
mod tests;
