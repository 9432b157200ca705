//! CORS as vrchats answers it: the allowed origin is repeated, GET and POST, no credentials; on refusals too.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, VARY,
};
use http::{HeaderMap, HeaderValue};

/// Adds what every answer carries. `origin` is the request's, when it is allowed.
pub(super) fn decorate(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    let names_origin = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("Origin"));
    if !headers.get_all(VARY).iter().any(names_origin) {
        headers.append(VARY, HeaderValue::from_static("Origin")); // a compressed answer varies by its encoding too
    }
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

/// Adds what the answer to a preflight carries besides. vrchats sends `Content-Length: 0` too, which RFC 9110 (8.6)
/// forbids in a 204, and which hyper takes out.
pub(super) fn preflight(headers: &mut HeaderMap, asked: &HeaderMap) {
    headers.insert(VARY, HeaderValue::from_static("Origin, Access-Control-Request-Headers"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET,POST"));
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
}

#[cfg(test)]
mod tests;
