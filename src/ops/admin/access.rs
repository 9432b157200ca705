//! Who may ask the admin listener: the bearer of the token, or, without a token, this machine's own programs.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::types::{PeerAddr, Secret};

/// Probes hold no secret, and these paths tell no more than a connection attempt does.
const OPEN_PATHS: [&str; 3] = ["/livez", "/health", "/readyz"];

/// The digest of a token. Digests are compared rather than tokens, so that not even the length can be measured.
type TokenDigest = [u8; 32];

/// The rule in force.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// The bearer of this token.
    Token(TokenDigest),
    /// Whoever reaches the listener, which is on loopback then, under its address or as `localhost`. A web page may
    /// bind a name of its own to 127.0.0.1 and have a browser on this machine fetch from it as same-origin (DNS
    /// rebinding); such a request carries the page's name in `Host`.
    Local,
}

impl Access {
    pub(super) fn new(token: Option<&Secret>) -> Self {
        token.map_or(Self::Local, |token| Self::Token(digest(token.expose().as_bytes())))
    }
}

/// Answers for those who may not ask.
pub(super) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    if OPEN_PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let refusal = match &access {
        Access::Token(expected) if !bears(request.headers(), expected) => {
            let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
            (StatusCode::UNAUTHORIZED, challenge, "a bearer token is required").into_response()
        }
        Access::Local if !is_local(&request) => {
            (StatusCode::FORBIDDEN, "use an IP address or localhost in the URL").into_response()
        }
        Access::Token(_) | Access::Local => return next.run(request).await,
    };
    let remote_ip = request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| PeerAddr::new(*peer));
    tracing::warn!(
        remoteIp = remote_ip.map(tracing::field::display),
        path = request.uri().path(),
        status = refusal.status().as_u16(),
        "admin request refused"
    );
    refusal
}

/// Whether the request bears the token. Two `Authorization` headers are one too many.
fn bears(headers: &HeaderMap, expected: &TokenDigest) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Some((scheme, token)) = value.as_bytes().split_at_checked("Bearer ".len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"Bearer ") && digest(token.trim_ascii()).ct_eq(expected).into()
}

fn digest(token: &[u8]) -> TokenDigest {
    Sha256::digest(token).into()
}

/// Whether every host that the request names is an address or `localhost`. Clients that name none are no browsers.
fn is_local(request: &Request) -> bool {
    let headers = request.headers().get_all(HOST).iter();
    headers
        .map(HeaderValue::as_bytes)
        .chain(request.uri().authority().map(|a| a.as_str().as_bytes()))
        .all(is_local_host)
}

/// An address or `localhost`, with a port or without.
fn is_local_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    let is_address = |text: &str| text.parse::<SocketAddr>().is_ok();
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    is_address(host)
        || is_address(&format!("{host}:0"))
        || (name.eq_ignore_ascii_case("localhost") && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests;
