//! What is compressed, and that it is the same text when it is read.

use std::io::Read;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};

use super::*;

async fn answer(body: &str, accepted: Option<&'static str>) -> (Response<()>, Bytes) {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    let answer = compressed(answer, accepted.map(HeaderValue::from_static)).await;
    let (parts, body) = answer.into_parts();
    let Ok(body) = body.collect().await;
    (Response::from_parts(parts, ()), body.to_bytes())
}

#[tokio::test]
async fn a_long_body_is_compressed_and_reads_the_same() {
    let long = "42[\"room\",{}]".repeat(500);
    let (head, body) = answer(&long, Some("gzip, deflate, br")).await;
    assert_eq!(head.headers()[CONTENT_ENCODING], "gzip");
    assert!(head.headers().get_all(VARY).iter().any(|value| value == "accept-encoding"), "{:?}", head.headers());
    assert!(body.len() < long.len() / 5, "{}", body.len());
    let mut text = String::new();
    flate2::read::GzDecoder::new(body.as_ref()).read_to_string(&mut text).unwrap();
    assert_eq!(text, long);
}

#[tokio::test]
async fn a_short_body_or_a_client_that_cannot_read_it_gets_plain_text() {
    let long = "x".repeat(2000);
    for (body, accepted) in [("2", Some("gzip")), (long.as_str(), None), (long.as_str(), Some("br"))] {
        let (head, plain) = answer(body, accepted).await;
        assert!(!head.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(plain, body.as_bytes());
    }
}
