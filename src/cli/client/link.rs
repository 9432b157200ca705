//! One Engine.IO session's transport: it carries packets as text, and knows nothing of what they say.

use clap::ValueEnum;
use futures_util::{SinkExt, StreamExt};
use http::Uri;
use hyper::body::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::dial::Stream;
use super::polling::Polling;
use super::{Dialer, Error};

/// Bytes that a websocket reads at a time, and keeps: a client of thousands of sessions holds as many buffers.
const READ_BUFFER_BYTES: usize = 4096;

/// The transports of Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// A websocket from the first request on.
    Websocket,
    /// HTTP long-polling, never upgraded.
    Polling,
}

impl Transport {
    /// The transport's name, as the handshake's query has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::Polling => "polling",
        }
    }
}

/// An open transport.
pub(crate) enum Link {
    /// See [`Transport::Websocket`].
    Websocket(Box<WebSocketStream<Stream>>),
    /// See [`Transport::Polling`].
    Polling(Box<Polling>),
}

impl Link {
    /// Opens a transport on `path`, which holds the handshake's query.
    ///
    /// # Errors
    /// Names the step that failed; a status other than the transport's is one.
    pub(crate) async fn open(dialer: &Dialer, transport: Transport, path: &str) -> Result<Self, Error> {
        match transport {
            Transport::Websocket => websocket(dialer, path).await,
            Transport::Polling => Ok(Self::Polling(Box::new(Polling::open(dialer, path).await?))),
        }
    }

    /// The next packet. May be dropped and called again on a websocket; a polling link is spent by a drop.
    ///
    /// # Errors
    /// When the transport is closed or breaks.
    pub(crate) async fn receive(&mut self) -> Result<Bytes, Error> {
        let websocket = match self {
            Self::Websocket(websocket) => websocket,
            Self::Polling(polling) => return polling.receive().await,
        };
        loop {
            match websocket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.into()),
                Some(Ok(Message::Close(frame))) => {
                    let reason = frame.map(|frame| format!("{} {}", frame.code, frame.reason)).unwrap_or_default();
                    return Err(Error::Closed { reason: reason.trim_end().to_owned() });
                }
                // Attachments of binary events, and the websocket's own pings, which the library answers.
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Error::Closed { reason: String::new() }),
            }
        }
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the transport is closed or breaks.
    pub(crate) async fn send(&mut self, packet: String) -> Result<(), Error> {
        match self {
            Self::Websocket(websocket) => Ok(websocket.send(Message::text(packet)).await?),
            Self::Polling(polling) => polling.send(packet).await,
        }
    }

    /// Tells the polling transport its session, once the open packet has named it.
    pub(crate) fn set_sid(&mut self, sid: &str) {
        if let Self::Polling(polling) = self {
            polling.set_sid(sid);
        }
    }

    /// Says goodbye. A polling link is closed by dropping it.
    pub(crate) async fn close(&mut self) {
        if let Self::Websocket(websocket) = self {
            let _ = websocket.send(Message::Close(None)).await;
        }
    }
}

async fn websocket(dialer: &Dialer, path: &str) -> Result<Link, Error> {
    let endpoint = dialer.endpoint();
    let scheme = if endpoint.tls { "wss" } else { "ws" };
    let uri: Uri = format!("{scheme}://{}{path}", endpoint.authority())
        .parse()
        .map_err(|error: http::uri::InvalidUri| Error::http(&error))?;
    let stream = dialer.dial().await?;
    let config =
        WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0).max_frame_size(None);
    let (websocket, _) = client_async_with_config(ClientRequestBuilder::new(uri), stream, Some(config)).await?;
    Ok(Link::Websocket(Box::new(websocket)))
}

/// Percent-encodes a query's value.
pub(crate) fn encode_query(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
