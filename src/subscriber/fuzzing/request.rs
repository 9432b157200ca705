//! Requests of Engine.IO.

use std::collections::HashSet;

use http::{Method, Request, Uri};

use crate::subscriber::engine_error::EngineError;
use crate::subscriber::handshake::{EngineRequest, ROOMS_READ};
use crate::subscriber::session_id::SessionId;

/// A request asks for what a naive reader finds in its query. A session's id is written in one way only.
///
/// The input's first byte chooses the method, and whether it is a websocket's; the rest is the query.
pub fn query(input: &[u8]) {
    let Some((&choice, query)) = input.split_first() else { return };
    let Ok(uri) = Uri::try_from([b"/socket.io/?", query].concat()) else { return };
    let method = [Method::GET, Method::POST, Method::DELETE][usize::from(choice % 4).min(2)].clone();
    let upgrades = choice >= 0x80;
    let request = request(uri, method.clone(), upgrades);
    let found = parameters(request.uri().query().unwrap_or_default());
    let read = EngineRequest::read(&request);
    assert_eq!(read, naive(&found, &method, upgrades));
    if let Some((text, id)) =
        read.ok().and_then(|read| read.session).and_then(|text| SessionId::read(&text).map(|id| (text, id)))
    {
        assert_eq!(id.to_string(), text);
    }
}

fn request(uri: Uri, method: Method, upgrades: bool) -> Request<()> {
    let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
    if upgrades {
        let headers = request.headers_mut();
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let upgrade = hyper::upgrade::on(&mut request);
        request.extensions_mut().insert(upgrade);
    }
    request
}

/// Judges in the order of Node's engine.io.
fn naive(found: &[(String, String)], method: &Method, upgrades: bool) -> Result<EngineRequest, EngineError> {
    let values = |name: &str| -> Vec<String> {
        found.iter().filter(|(found, _)| found == name).map(|(_, value)| value.clone()).collect()
    };
    let (transport, sessions, is_get) = (values("transport"), values("sid"), method == Method::GET);
    if transport != ["polling"] && transport != ["websocket"] {
        return Err(EngineError::TransportUnknown);
    }
    let websocket = transport == ["websocket"];
    if sessions.len() > 1 {
        return Err(EngineError::SessionUnknown);
    }
    let session = sessions.into_iter().find(|session| !session.is_empty());
    if session.is_none() && !is_get {
        return Err(EngineError::BadHandshakeMethod);
    }
    if websocket && !(upgrades && is_get) {
        return Err(EngineError::BadRequest);
    }
    if values("EIO") != ["4"] {
        return Err(EngineError::UnsupportedVersion);
    }
    if !is_get && method != Method::POST {
        return Err(EngineError::BadRequest);
    }
    let mut named = HashSet::new();
    let different = values("uniqueUserId").into_iter().filter(|room| named.insert(room.clone()));
    Ok(EngineRequest { websocket, session, rooms: different.take(ROOMS_READ).collect() })
}

/// The names and values of a query, as the URL standard says forms are read.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match (bytes[at], escape) {
            (b'%', Some(digits)) => {
                decoded.push(u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap());
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
