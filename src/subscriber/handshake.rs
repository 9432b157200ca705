//! What an Engine.IO request asks for, read from its head, and what of it is kept with the session.

use std::cell::Cell;
use std::collections::HashSet;

use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, Method, Request, Uri};
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;

use super::engine_error::EngineError;
use crate::admission::{Client, ROOMS_MAX, Seat};

/// Different `uniqueUserId` values that are read: as many as a subscriber may have rooms, an empty one, which says
/// nothing, and one too many, for which it is refused.
pub(super) const ROOMS_READ: usize = ROOMS_MAX + 2;

/// An Engine.IO request that the protocol allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EngineRequest {
    /// Whether it asks for a websocket.
    pub(super) websocket: bool,
    /// The session it belongs to; none opens one.
    pub(super) session: Option<String>,
    /// The different `uniqueUserId` values of the query, decoded, in order, up to [`ROOMS_READ`].
    pub(super) rooms: Vec<String>,
}

impl EngineRequest {
    /// Reads the query and the headers in the order in which Node's engine.io judges them.
    ///
    /// # Errors
    /// The error that engine.io answers.
    pub(super) fn read<B>(request: &Request<B>) -> Result<Self, EngineError> {
        let query = Query::read(request.uri());
        let websocket = match query.transport.as_single() {
            Some("polling") => false,
            Some("websocket") => true,
            _ => return Err(EngineError::TransportUnknown),
        };
        let session = match query.session {
            Values::Many => return Err(EngineError::SessionUnknown),
            Values::One(session) if !session.is_empty() => Some(session),
            Values::None | Values::One(_) => None,
        };
        if session.is_none() && request.method() != Method::GET {
            return Err(EngineError::BadHandshakeMethod);
        }
        if websocket && !is_websocket_upgrade(request) {
            return Err(EngineError::BadRequest);
        }
        if query.version.as_single() != Some("4") {
            return Err(EngineError::UnsupportedVersion);
        }
        if request.method() != Method::GET && request.method() != Method::POST {
            return Err(EngineError::BadRequest);
        }
        Ok(Self { websocket, session, rooms: query.rooms })
    }
}

/// The values of one query parameter.
#[derive(Debug, Default)]
enum Values {
    #[default]
    None,
    One(String),
    Many,
}

impl Values {
    fn push(&mut self, value: String) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(_) | Self::Many => Self::Many,
        };
    }

    fn as_single(&self) -> Option<&str> {
        match self {
            Self::One(value) => Some(value),
            Self::None | Self::Many => None,
        }
    }
}

#[derive(Debug, Default)]
struct Query {
    transport: Values,
    session: Values,
    version: Values,
    rooms: Vec<String>,
}

impl Query {
    fn read(uri: &Uri) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "transport" => query.transport.push(value.into_owned()),
                "sid" => query.session.push(value.into_owned()),
                "EIO" => query.version.push(value.into_owned()),
                "uniqueUserId" if query.rooms.len() < ROOMS_READ && !query.rooms.iter().any(|room| *room == value) => {
                    query.rooms.push(value.into_owned());
                }
                _ => {}
            }
        }
        query
    }
}

/// RFC 6455, 4.2.1, as strictly as ws. hyper puts [`OnUpgrade`] into every request that asks for an upgrade.
fn is_websocket_upgrade<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::GET
        && request.extensions().get::<OnUpgrade>().is_some()
        && has_token(headers, &CONNECTION, "upgrade")
        && single(headers, &UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
        && single(headers, &SEC_WEBSOCKET_VERSION).is_some_and(|version| version == b"13")
        && single(headers, &SEC_WEBSOCKET_KEY).is_some_and(is_key)
        && subprotocol(headers).is_ok()
}

/// The value of a header that stands there once.
fn single<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).map(http::HeaderValue::as_bytes)
}

/// Sixteen bytes in base64.
fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_base64))
}

/// The first of the subprotocols that a client offers; none if it offers none. A client that offers some gives up a
/// websocket whose answer names none of them, so the answer names this one, as ws does. What it is means nothing here.
///
/// # Errors
/// When the offer is no list of different names.
pub(super) fn subprotocol(headers: &HeaderMap) -> Result<Option<&str>, EngineError> {
    let (mut first, mut offered) = (None, HashSet::new());
    for line in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let line = line.to_str().map_err(|_| EngineError::BadRequest)?;
        for name in line.split(',').map(|name| name.trim_matches([' ', '\t'])) {
            if name.is_empty() || !name.bytes().all(is_token_byte) || !offered.insert(name) {
                return Err(EngineError::BadRequest);
            }
            first = first.or(Some(name));
        }
    }
    Ok(first)
}

/// RFC 9110, 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

pub(super) fn has_token(headers: &HeaderMap, name: &http::HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// What is kept of a session's first request, for as long as the session lives.
pub(super) struct Handshake {
    pub(super) client: Client,
    pub(super) rooms: Box<[String]>,
    pub(super) origin: Option<String>,
    pub(super) opened: Instant,
    /// Whether a CONNECT was answered, after which the time for it is over.
    pub(super) was_let_in: Cell<bool>,
    /// Given back when the session is closed.
    pub(super) _seat: Seat,
}

#[cfg(test)]
mod tests;
