//! The bearer's rule and the rule of names, on headers that are right, wrong and odd.

use axum::body::Body;

use super::*;

fn headers(values: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

#[test]
fn only_the_token_itself_opens() {
    let expected = digest(b"s3cret");
    for good in [&b"Bearer s3cret"[..], b"bearer s3cret", b"BEARER  s3cret"] {
        assert!(bears(&headers(&[good]), &expected), "{}", good.escape_ascii());
    }
    let bad = ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Bearer S3CRET", "Basic s3cret", "s3cret"];
    for bad in bad {
        assert!(!bears(&headers(&[bad.as_bytes()]), &expected), "{bad:?}");
    }
    assert!(!bears(&headers(&[]), &expected));
    assert!(!bears(&headers(&[b"Bearer s3cret", b"Bearer s3cret"]), &expected));
    assert!(!bears(&headers(&[b"Bearer \xff\xfe"]), &expected));
}

#[test]
fn a_token_beyond_ascii_opens_too() {
    assert!(bears(&headers(&["Bearer schlüssel".as_bytes()]), &digest("schlüssel".as_bytes())));
}

#[test]
fn addresses_and_localhost_are_local_names_are_not() {
    for good in ["127.0.0.1", "127.0.0.1:18190", "localhost", "LocalHost:18190", "[::1]", "[::1]:18190", "192.0.2.1"] {
        assert!(is_local_host(good.as_bytes()), "{good}");
    }
    let bad = [
        "",
        "evil.example",
        "evil.example:18190",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.1",
        "0x7f000001",
        "[::1].evil.example",
        "[localhost]",
        "localhost@evil.example",
        "a b",
        "localhost/",
    ];
    for bad in bad {
        assert!(!is_local_host(bad.as_bytes()), "{bad}");
    }
}

#[test]
fn every_host_of_a_request_counts() {
    let request = |uri: &str, hosts: &[&str]| {
        let builder = Request::builder().uri(uri);
        hosts.iter().fold(builder, |builder, host| builder.header(HOST, *host)).body(Body::empty()).unwrap()
    };
    assert!(is_local(&request("/metrics", &["localhost"])));
    assert!(is_local(&request("/metrics", &[])), "HTTP/1.0");
    assert!(!is_local(&request("/metrics", &["localhost", "evil.example"])));
    assert!(!is_local(&request("http://evil.example/metrics", &["localhost"])));
}
