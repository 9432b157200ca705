//! What can go wrong between a client and a gateway, each saying which step failed.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use tokio_tungstenite::tungstenite;

/// Characters of an answer that an error repeats.
const EXCERPT_CHARS_MAX: usize = 200;

/// A failed step of a conversation with a gateway. No variant holds a token. Each text tells its cause, so none has a
/// `source` that a chain would tell again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The host's name has no address.
    #[error("cannot resolve {host}: {cause}")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        cause: io::Error,
    },
    /// No TCP connection.
    #[error("cannot connect to {addr}: {cause}")]
    Connect {
        /// The address that was tried last.
        addr: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// No TLS session.
    #[error("TLS with {host} failed: {cause}")]
    Tls {
        /// The name that the certificate must carry.
        host: String,
        /// Why.
        cause: io::Error,
    },
    /// A step took too long.
    #[error("{step} took longer than {} s", limit.as_secs())]
    Timeout {
        /// The step.
        step: &'static str,
        /// How long it may take.
        limit: Duration,
    },
    /// The HTTP exchange broke.
    #[error("HTTP failed: {0}")]
    Http(String),
    /// An HTTP status other than the one that the step needs.
    #[error("the gateway answered {status}{}{body}", if body.is_empty() { "" } else { ": " })]
    Status {
        /// The status.
        status: StatusCode,
        /// The beginning of the answer's body.
        body: String,
    },
    /// The websocket broke.
    #[error("websocket failed: {0}")]
    WebSocket(Box<tungstenite::Error>),
    /// The gateway sent something that Engine.IO or Socket.IO does not allow.
    #[error("the gateway broke the protocol: {0}")]
    Protocol(&'static str),
    /// The gateway answered CONNECT with a CONNECT_ERROR packet, after which the stock client gives up.
    #[error("the gateway refused the subscriber: {0}")]
    Refused(String),
    /// The gateway ended the session with a DISCONNECT packet, after which the stock client gives up.
    #[error("the gateway disconnected the subscriber")]
    Disconnected,
    /// The transport was closed.
    #[error("the connection was closed{}{reason}", if reason.is_empty() { "" } else { ": " })]
    Closed {
        /// What the close frame says; may be empty.
        reason: String,
    },
    /// No ping came for the interval and the timeout that the gateway announced.
    #[error("the gateway fell silent")]
    Silent,
}

impl Error {
    /// Whether the stock client would give up rather than come back.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Disconnected)
    }

    /// A broken exchange, with the whole chain of causes: its first link often says no more than that there is one.
    pub(crate) fn http(error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
        Self::Http(causes.collect::<Vec<_>>().join(": "))
    }

    /// An unexpected status, with the beginning of its body.
    pub(crate) fn status(status: StatusCode, body: &[u8]) -> Self {
        Self::Status { status, body: excerpt(body) }
    }
}

impl From<hyper::Error> for Error {
    fn from(error: hyper::Error) -> Self {
        Self::http(&error)
    }
}

impl From<tungstenite::Error> for Error {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(answer) => {
                Self::status(answer.status(), answer.body().as_deref().unwrap_or_default())
            }
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
                Self::Closed { reason: String::new() }
            }
            other => Self::WebSocket(Box::new(other)),
        }
    }
}

/// The beginning of what a server sent, safe to print: control characters could steer a terminal.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let printable = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(EXCERPT_CHARS_MAX).collect()
}
