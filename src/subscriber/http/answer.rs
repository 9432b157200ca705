//! How the consumer port words its answers.

use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;

use super::Body;
use crate::admission::Refusal;
use crate::subscriber::cors;
use crate::subscriber::engine_error::EngineError;
use crate::subscriber::handshake::has_token;
use crate::types::{KEEP_ALIVE, KEEP_ALIVE_TIMEOUT, not_found_headers, not_found_page};

/// Packets, or word that some were taken.
pub(super) fn text(text: String, media_type: &'static str) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// More than a session may bring at once.
pub(super) fn too_large() -> Response<Body> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

/// Whether the client may ask again on its connection.
pub(super) fn keeps_alive<B>(request: &Request<B>) -> bool {
    request.version() == Version::HTTP_11 && !has_token(request.headers(), &CONNECTION, "close")
}

/// How long the connection is kept, as Node's server says it.
pub(super) fn say_keep_alive(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(KEEP_ALIVE, KEEP_ALIVE_TIMEOUT);
}

/// An error in the JSON of engine.io.
pub(super) fn engine_error(error: EngineError) -> Response<Body> {
    let mut response = Response::new(Full::new(error.json().into()));
    *response.status_mut() = error.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The rest of the request is not read, so no other is read after it.
pub(super) fn abandoned(error: EngineError) -> Response<Body> {
    let mut response = engine_error(error);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What admission refuses.
pub(super) fn refused(refusal: Refusal) -> Response<Body> {
    let reason = refusal.status().canonical_reason().unwrap_or_default();
    let json = serde_json::json!({ "message": reason }).to_string();
    let mut response = Response::new(Full::new(json.into()));
    *response.status_mut() = refusal.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(secs) = refusal.retry_after_secs() {
        response.headers_mut().insert(RETRY_AFTER, secs.into());
    }
    response
}

/// The answer to a preflight.
pub(super) fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    cors::preflight(response.headers_mut(), asked);
    response
}

/// Express' page for a path that is not there.
pub(super) fn not_found(method: &Method, path: &str) -> Response<Body> {
    let mut response = Response::new(Full::new(not_found_page(method.as_str(), path).into()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().extend(not_found_headers());
    response
}
