//! The headers that vrchats' server was seen to send.

use super::*;

#[test]
fn an_allowed_origin_is_repeated_and_the_answer_varies() {
    let mut headers = HeaderMap::new();
    decorate(&mut headers, Some(HeaderValue::from_static("https://example.com")));
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://example.com");
    assert_eq!(headers[VARY], "Origin");
    assert!(!headers.contains_key("access-control-allow-credentials"));
}

#[test]
fn a_compressed_answer_varies_by_its_encoding_too() {
    let mut headers = HeaderMap::new();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    decorate(&mut headers, None);
    assert_eq!(headers.get_all(VARY).iter().collect::<Vec<_>>(), ["accept-encoding", "Origin"]);
}

#[test]
fn a_preflight_names_methods_and_the_headers_asked_for() {
    let mut asked = HeaderMap::new();
    asked.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("x-test"));
    let mut headers = HeaderMap::new();
    preflight(&mut headers, &asked);
    decorate(&mut headers, None);
    assert_eq!(headers[VARY], "Origin, Access-Control-Request-Headers");
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "x-test");
    assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
}
