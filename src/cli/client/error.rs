//! What can go wrong between a client and a gateway, each saying which step failed.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

/// Characters of an answer that an error repeats.
const EXCERPT_CHARS_MAX: usize = 200;
/// What the parser of answers says when the first byte is none of HTTP's: the libraries around it tell this fault from
/// others by its text alone.
const NOT_HTTP: &str = "invalid HTTP version";

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
    #[error("TLS with {host} failed: {cause}{}", advice(tls_cause(cause)))]
    Tls {
        /// The name that the certificate must carry.
        host: String,
        /// Why.
        cause: io::Error,
    },
    /// The TLS session broke after its handshake: in TLS 1.3 a gateway refuses a client only then.
    #[error("TLS failed: {cause}{}", advice(Some(cause)))]
    TlsBroken {
        /// Why.
        cause: rustls::Error,
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
    /// What answered a request in plain text is not HTTP, as the alert of a TLS server is not.
    #[error("the answer is not HTTP; the port speaks TLS: use https://")]
    NotHttp,
    /// The path is unknown, as it is on the gateway's other port and on most other servers.
    #[error("the gateway answered 404 Not Found; is this the {port} port?")]
    NotFound {
        /// The port that was meant.
        port: &'static str,
    },
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
    /// Whether coming back would change nothing: where the stock client gives up, and where an option must change first.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Disconnected | Self::NotFound { .. } | Self::NotHttp => true,
            Self::Tls { cause, .. } => tls_cause(cause).and_then(remedy).is_some(),
            Self::TlsBroken { cause } => remedy(cause).is_some(),
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Http(_)
            | Self::Status { .. }
            | Self::WebSocket(_)
            | Self::Protocol(_)
            | Self::Closed { .. }
            | Self::Silent => false,
        }
    }

    /// A broken exchange, with the whole chain of causes: its first link often says no more than that there is one.
    pub(crate) fn http(error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
        Self::Http(causes.collect::<Vec<_>>().join(": "))
    }

    /// An unexpected status, with the beginning of its body; of a page for browsers no line is worth reading.
    pub(crate) fn status(status: StatusCode, body: &[u8]) -> Self {
        let body = if body.trim_ascii_start().starts_with(b"<") { String::new() } else { excerpt(body) };
        Self::Status { status, body }
    }

    /// An unexpected status of the gateway's `port`: "producer" or "consumer".
    pub(crate) fn status_of(port: &'static str, status: StatusCode, body: &[u8]) -> Self {
        if status == StatusCode::NOT_FOUND { Self::NotFound { port } } else { Self::status(status, body) }
    }
}

impl From<hyper::Error> for Error {
    fn from(error: hyper::Error) -> Self {
        let cause = std::error::Error::source(&error).and_then(<dyn std::error::Error>::downcast_ref);
        if let Some(tls) = cause.and_then(tls_cause) {
            return Self::TlsBroken { cause: tls.clone() };
        }
        if error.is_parse() && error.to_string().starts_with(NOT_HTTP) {
            return Self::NotHttp;
        }
        Self::http(&error)
    }
}

impl From<tungstenite::Error> for Error {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(answer) => {
                Self::status_of("consumer", answer.status(), answer.body().as_deref().unwrap_or_default())
            }
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
                Self::Closed { reason: String::new() }
            }
            tungstenite::Error::Protocol(ProtocolError::HttparseError(error)) if error.to_string() == NOT_HTTP => {
                Self::NotHttp
            }
            tungstenite::Error::Io(cause) => match tls_cause(&cause) {
                Some(tls) => Self::TlsBroken { cause: tls.clone() },
                None => Self::WebSocket(Box::new(tungstenite::Error::Io(cause))),
            },
            other => Self::WebSocket(Box::new(other)),
        }
    }
}

/// The TLS library's word in a failed read or write.
fn tls_cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What to change, after the cause.
fn advice(cause: Option<&rustls::Error>) -> String {
    cause.and_then(remedy).map(|remedy| format!("; {remedy}")).unwrap_or_default()
}

/// What mends a TLS failure that time does not.
fn remedy(cause: &rustls::Error) -> Option<&'static str> {
    match cause {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => Some("use a name of the certificate in the URL, or --insecure to trust anybody"),
        rustls::Error::InvalidCertificate(_) => {
            Some("whom to trust? give --cacert FILE of its authority, or --insecure to trust anybody")
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            Some("the gateway asks for a client certificate: give --cert and --key")
        }
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => Some("the gateway does not accept the client certificate: give another with --cert and --key"),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("the port does not speak TLS: use http://")
        }
        _ => None,
    }
}

/// The beginning of what a server sent, safe to print: control characters could steer a terminal.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let printable = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(EXCERPT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
