//! Answers: entity tags, Express' page, conditional requests, and what is said of the connection.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use http_body_util::BodyExt;
use sha1::{Digest, Sha1};

use super::*;
use crate::types::IDLE_TIMEOUT;

fn head(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

async fn body(answer: Response) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[test]
fn every_tag_is_the_one_that_express_computes() {
    for Text { body, etag } in [
        text::OK,
        text::POST,
        text::GET_HEAD,
        text::GET_HEAD_POST,
        text::BAD_REQUEST,
        text::FORBIDDEN,
        text::REQUEST_TIMEOUT,
        text::PAYLOAD_TOO_LARGE,
        text::UNSUPPORTED_MEDIA_TYPE,
        text::TOO_MANY_REQUESTS,
        text::SERVICE_UNAVAILABLE,
        text::INTERNAL_SERVER_ERROR,
    ] {
        let sum = BASE64_STANDARD.encode(Sha1::digest(body));
        assert_eq!(etag, format!("W/\"{:x}-{}\"", body.len(), &sum[..27]), "{body}");
    }
}

#[tokio::test]
async fn the_page_shows_the_path_and_not_the_query() {
    let answer = page(StatusCode::NOT_FOUND, &head("GET", "/a'b?secret=1", &[]));
    assert_eq!(answer.status(), 404);
    for (name, value) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "text/html; charset=utf-8"),
        ("content-length", "146"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    assert!(!answer.headers().contains_key("etag"));
    assert!(body(answer).await.contains("<pre>Cannot GET /a&#39;b</pre>"));
    assert_eq!(body(page(StatusCode::NOT_FOUND, &head("HEAD", "/", &[]))).await, "");
}

#[tokio::test]
async fn status_is_not_sent_to_who_has_it() {
    let etag = text::OK.etag;
    for known in [etag, &etag[2..], "*", &format!("\"x\", {etag}")] {
        let answer = status(&head("GET", "/status", &[("if-none-match", known)]));
        assert_eq!(answer.status(), 304, "{known}");
        assert_eq!(answer.headers()["etag"], etag);
        assert_eq!(answer.headers().len(), 1);
        assert_eq!(body(answer).await, "");
    }
    for unknown in ["\"x\"", "W/\"2-\"", "", "2-nOO9QiTIwXgNtWtBJezz8kv3SLc"] {
        let answer = status(&head("GET", "/status", &[("if-none-match", unknown)]));
        assert_eq!((answer.status(), body(answer).await.as_str()), (StatusCode::OK, "OK"), "{unknown}");
    }
}

#[test]
fn the_connection_is_kept_when_both_sides_can() {
    let said = |version, connection: Option<&str>, reusable| {
        let mut head = head("GET", "/", &connection.map_or(vec![], |value| vec![("connection", value)]));
        head.version = version;
        let answer = on_connection(published(1), &head, reusable);
        let text = |name| answer.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
        (text("connection").unwrap(), text("keep-alive"))
    };
    let kept = ("keep-alive".to_owned(), Some(format!("timeout={}", IDLE_TIMEOUT.as_secs())));
    let closed = ("close".to_owned(), None);
    assert_eq!(said(Version::HTTP_11, None, true), kept);
    assert_eq!(said(Version::HTTP_11, Some("upgrade"), true), kept);
    assert_eq!(said(Version::HTTP_10, Some("Keep-Alive"), true), kept);
    assert_eq!(said(Version::HTTP_11, None, false), closed);
    assert_eq!(said(Version::HTTP_11, Some("foo, CLOSE"), true), closed);
    assert_eq!(said(Version::HTTP_10, None, true), closed);
    assert_eq!(said(Version::HTTP_10, Some("keep-alive"), false), closed);
}
