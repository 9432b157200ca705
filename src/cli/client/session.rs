//! A Socket.IO subscriber: handshake, CONNECT, heartbeat, events.

use std::pin::Pin;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::time::{Instant, Sleep, sleep, timeout};

pub(crate) use super::link::Transport;
use super::link::{Link, encode_query};
use super::packet::{Handshake, Packet, refusal};
use super::{Dialer, Error};

/// How long a gateway may take from the first byte to its answer to CONNECT; it may hold that one back for 10 s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A subscriber that is connected to the default namespace.
pub(crate) struct Session {
    link: Link,
    silence_max: Duration,
    silence: Pin<Box<Sleep>>,
}

impl Session {
    /// Connects a subscriber to `rooms`. `auth` is the JSON of the CONNECT packet, or empty.
    ///
    /// # Errors
    /// Names the step that failed; [`Error::Refused`] carries the CONNECT_ERROR's message.
    pub(crate) async fn connect(
        dialer: &Dialer,
        transport: Transport,
        rooms: &[String],
        auth: &str,
    ) -> Result<Self, Error> {
        let connected = timeout(CONNECT_TIMEOUT, Self::shake_hands(dialer, transport, rooms, auth)).await;
        match connected {
            Ok(Err(Error::Refused(reason))) if auth.is_empty() && reason.starts_with("invalid token") => {
                Err(Error::Refused(format!("{reason}; no token was given: --token, --secret-file or --secret-env")))
            }
            Ok(connected) => connected,
            Err(_) => Err(Error::Timeout { step: "the answer to CONNECT", limit: CONNECT_TIMEOUT }),
        }
    }

    async fn shake_hands(dialer: &Dialer, transport: Transport, rooms: &[String], auth: &str) -> Result<Self, Error> {
        let query: String = rooms.iter().map(|room| format!("&uniqueUserId={}", encode_query(room))).collect();
        let path = format!("/socket.io/?EIO=4&transport={}{query}", transport.name());
        let mut link = Link::open(dialer, transport, &dialer.endpoint().path(&path)).await?;
        let open = link.receive().await?;
        let Ok(Packet::Open(json)) = Packet::decode(&open) else {
            return Err(Error::Protocol("the first packet does not open a session"));
        };
        let handshake = Handshake::parse(json).map_err(|_| Error::Protocol("the open packet cannot be read"))?;
        link.set_sid(&handshake.sid);
        link.send(format!("40{auth}")).await?;
        let silence_max = handshake.silence_max();
        let mut session = Self { link, silence_max, silence: Box::pin(sleep(silence_max)) };
        session.receive_until(|packet| matches!(packet, Packet::Connected)).await?;
        Ok(session)
    }

    /// The next event: the JSON array of its name and arguments. Pings are answered on the way.
    ///
    /// # Errors
    /// When the session has ended, and why.
    pub(crate) async fn next(&mut self) -> Result<Bytes, Error> {
        let packet = self.receive_until(|packet| matches!(packet, Packet::Event(_))).await?;
        match Packet::decode(&packet) {
            Ok(Packet::Event(json)) => Ok(packet.slice_ref(json)),
            Ok(_) | Err(_) => Err(Error::Protocol("an event cannot be read")),
        }
    }

    /// Says goodbye, without waiting long for an answer.
    pub(crate) async fn close(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, self.link.close()).await;
    }

    async fn receive_until(&mut self, wanted: impl Fn(&Packet<'_>) -> bool) -> Result<Bytes, Error> {
        loop {
            let text = tokio::select! {
                biased;
                received = self.link.receive() => received?,
                () = self.silence.as_mut() => return Err(Error::Silent),
            };
            let packet = Packet::decode(&text).map_err(|_| Error::Protocol("a packet cannot be read"))?;
            match packet {
                packet if wanted(&packet) => return Ok(text),
                Packet::Ping(probe) => {
                    let pong = format!("3{}", String::from_utf8_lossy(probe));
                    self.silence.as_mut().reset(Instant::now() + self.silence_max);
                    self.link.send(pong).await?;
                }
                Packet::ConnectError(json) => return Err(Error::Refused(refusal(json))),
                Packet::Disconnected => return Err(Error::Disconnected),
                Packet::Close => return Err(Error::Closed { reason: String::new() }),
                Packet::Open(_) | Packet::Connected | Packet::Event(_) | Packet::Other => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
