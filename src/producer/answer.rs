//! Answers, byte for byte as Express words them, because that is what vrchats' publishers have learnt to read.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, StreamBody};

use crate::types::{KEEP_ALIVE, KEEP_ALIVE_TIMEOUT, not_found_headers, not_found_page};

/// What an answer is made of: a text, or nothing of a length that is not told.
pub type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

/// An answer of the API.
pub(super) type Response = http::Response<Body>;

/// Headers that an answer has at most, those of the connection among them.
const HEADERS: usize = 10;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const X_RECEIVERS: HeaderName = HeaderName::from_static("x-receivers");

/// A body and its entity tag: `W/"<length in hex>-<the first 27 characters of its SHA-1 in base64>"`.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) body: &'static str,
    pub(super) etag: &'static str,
}

/// Every plain body there is.
pub(super) mod text {
    use super::Text;

    pub(in crate::producer) const OK: Text = Text { body: "OK", etag: r#"W/"2-nOO9QiTIwXgNtWtBJezz8kv3SLc""# };
    pub(in crate::producer) const POST: Text = Text { body: "POST", etag: r#"W/"4-Yf+Bwwqjx254r+pisuO9HfpJ6FQ""# };
    pub(in crate::producer) const GET_HEAD: Text =
        Text { body: "GET,HEAD", etag: r#"W/"8-ZRAf8oNBS3Bjb/SU2GYZCmbtmXg""# };
    pub(in crate::producer) const GET_HEAD_POST: Text =
        Text { body: "GET,HEAD,POST", etag: r#"W/"d-bMedpZYGrVt1nR4x+qdNZ2GqyRo""# };
    pub(in crate::producer) const BAD_REQUEST: Text =
        Text { body: "BAD REQUEST", etag: r#"W/"b-ueOQZvhJfbG5KRy8qPHbB9z4L9I""# };
    pub(in crate::producer) const FORBIDDEN: Text =
        Text { body: "FORBIDDEN", etag: r#"W/"9-pM/WUZBosidgidXDj9h+v093/Vs""# };
    pub(in crate::producer) const REQUEST_TIMEOUT: Text =
        Text { body: "REQUEST TIMEOUT", etag: r#"W/"f-hxoW97yq2FJXPlDBPNPScSBxh6E""# };
    pub(in crate::producer) const PAYLOAD_TOO_LARGE: Text =
        Text { body: "PAYLOAD TOO LARGE", etag: r#"W/"11-MJalwVJtOSr6wbBAjS+6roIhJmk""# };
    pub(in crate::producer) const UNSUPPORTED_MEDIA_TYPE: Text =
        Text { body: "UNSUPPORTED MEDIA TYPE", etag: r#"W/"16-CL+W64UjkSVmnyUOj5MNzZwmb4Q""# };
    pub(in crate::producer) const TOO_MANY_REQUESTS: Text =
        Text { body: "TOO MANY REQUESTS", etag: r#"W/"11-T8+h1lCR4Ow9lyWbZQ/2qIel1LY""# };
    pub(in crate::producer) const SERVICE_UNAVAILABLE: Text =
        Text { body: "SERVICE UNAVAILABLE", etag: r#"W/"13-NZ3Swgh+YNp6TbkwuTzUBEK0qQ4""# };
    pub(in crate::producer) const INTERNAL_SERVER_ERROR: Text =
        Text { body: "INTERNAL SERVER ERROR", etag: r#"W/"15-vuWIZDC/qEBXXsOYai2QOmayB8w""# };
}

/// `200 OK` to a publish, and how many members the room had at that moment.
pub(super) fn published(receivers: usize) -> Response {
    let mut answer = plain(StatusCode::OK, &text::OK);
    answer.headers_mut().insert(X_RECEIVERS, receivers.into());
    answer
}

/// A status and its text.
pub(super) fn plain(status: StatusCode, text: &Text) -> Response {
    let mut answer = with_body(Bytes::from_static(text.body.as_bytes()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HTML);
    headers.insert(header::CONTENT_LENGTH, text.body.len().into());
    headers.insert(header::ETAG, HeaderValue::from_static(text.etag));
    answer
}

fn with_body(text: Bytes) -> Response {
    let mut answer = Response::new(Either::Left(Full::new(text)));
    *answer.headers_mut() = HeaderMap::with_capacity(HEADERS);
    answer
}

/// The verbs that a path knows, in the header and in the body.
pub(super) fn allowed(verbs: &Text) -> Response {
    let mut answer = plain(StatusCode::OK, verbs);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(verbs.body));
    answer
}

/// The answer to `/status`: nothing new for who has it already, no body for `HEAD`.
pub(super) fn status(head: &Parts) -> Response {
    if has_already(&head.headers, &text::OK) {
        // A body of unknown length: of a known one, even 0, hyper would send a `Content-Length`.
        let nothing = StreamBody::new(futures_util::stream::empty());
        let mut answer = Response::new(Either::Right(nothing.boxed_unsync()));
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer.headers_mut().insert(header::ETAG, HeaderValue::from_static(text::OK.etag));
        return answer;
    }
    without_body_for_head(plain(StatusCode::OK, &text::OK), &head.method)
}

/// Express' page for a path or verb that is not there.
pub(super) fn page(status: StatusCode, head: &Parts) -> Response {
    let page = not_found_page(head.method.as_str(), head.uri.path());
    let length = page.len();
    let mut answer = with_body(page.into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.extend(not_found_headers());
    headers.insert(header::CONTENT_LENGTH, length.into());
    without_body_for_head(answer, &head.method)
}

/// Says what becomes of the connection: it is kept if the client wants that and its request is `reusable`, read to the
/// end.
pub(super) fn on_connection(mut answer: Response, head: &Parts, reusable: bool) -> Response {
    let headers = answer.headers_mut();
    if reusable && wants_keep_alive(head) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.insert(KEEP_ALIVE, KEEP_ALIVE_TIMEOUT);
    } else {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

fn wants_keep_alive(head: &Parts) -> bool {
    let says = |token: &str| list(&head.headers, &header::CONNECTION).any(|item| item.eq_ignore_ascii_case(token));
    match head.version {
        Version::HTTP_11 => !says("close"),
        Version::HTTP_10 => says("keep-alive"),
        _ => false,
    }
}

/// Whether `If-None-Match` holds the text's tag. Weak and strong tags are compared alike.
fn has_already(headers: &HeaderMap, text: &Text) -> bool {
    let opaque = |tag| str::trim_start_matches(tag, "W/");
    list(headers, &header::IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == opaque(text.etag))
}

/// The items of a header that is a list, over all of its lines.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

fn without_body_for_head(mut answer: Response, method: &Method) -> Response {
    if method == Method::HEAD {
        *answer.body_mut() = Either::Left(Full::default());
    }
    answer
}

#[cfg(test)]
mod tests;
