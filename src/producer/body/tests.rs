//! Bodies are limited in bytes and in time, and what is left of a refused one is read only so far.

use axum::body::Body;
use futures_util::{StreamExt, stream};

use super::*;

type Chunk = Result<Bytes, io::Error>;

/// A body of unknown length, as a chunked request has.
fn chunked(chunks: impl futures_util::Stream<Item = Chunk> + Send + 'static) -> Inbound<Body> {
    Inbound::new(&HeaderMap::new(), Body::from_stream(chunks))
}

fn zeros(count: usize, size: usize) -> impl futures_util::Stream<Item = Chunk> + Send {
    stream::iter(0..count).map(move |_| Ok(Bytes::from(vec![0; size])))
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes() {
    for (count, size) in [(1, 100), (100, 1), (20, 5)] {
        let mut body = chunked(zeros(count, size));
        assert_eq!(body.read(100).await.unwrap().len(), 100);
        assert!(body.is_read());
    }
    let mut body = Inbound::new(&HeaderMap::new(), Body::from(vec![0; 100]));
    assert_eq!(body.read(100).await.unwrap().len(), 100);
    assert!(body.is_read());
}

#[tokio::test]
async fn one_byte_more_does_not_and_the_rest_is_thrown_away() {
    let mut body = chunked(zeros(101, 1));
    assert!(matches!(body.read(100).await, Err(BodyError::TooLarge { bytes_max: 100 })));
    assert!(!body.is_read());
    assert!(body.drain().await);

    let mut body = Inbound::new(&HeaderMap::new(), Body::from(vec![0; 101]));
    assert!(matches!(body.read(100).await, Err(BodyError::TooLarge { bytes_max: 100 })));
    assert!(body.drain().await);
}

#[tokio::test]
async fn no_more_than_a_mebibyte_is_thrown_away() {
    let mut body = chunked(zeros(16, DRAIN_BYTES_MAX / 16));
    assert!(body.drain().await);
    let mut body = chunked(zeros(17, DRAIN_BYTES_MAX / 16));
    assert!(!body.drain().await);
    let mut body = Inbound::new(&HeaderMap::new(), Body::from(vec![0; DRAIN_BYTES_MAX + 1]));
    assert!(!body.drain().await);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    let started = tokio::time::Instant::now();
    let mut body = chunked(zeros(1, 1).chain(stream::pending()));
    assert!(matches!(body.read(100).await, Err(BodyError::Timeout)));
    assert_eq!(started.elapsed(), BODY_TIME_MAX);

    let started = tokio::time::Instant::now();
    assert!(!body.drain().await);
    assert_eq!(started.elapsed(), DRAIN_TIME_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_given_up_too() {
    let started = tokio::time::Instant::now();
    let trickle = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Some((Ok(Bytes::from_static(b"x")), ()))
    });
    let mut body = chunked(trickle);
    assert!(matches!(body.read(100_000).await, Err(BodyError::Timeout)));
    assert_eq!(started.elapsed(), BODY_TIME_MAX);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told() {
    let cut = stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    let mut body = chunked(zeros(1, 1).chain(cut));
    assert!(matches!(body.read(100).await, Err(BodyError::Broken(_))));
    assert!(!body.is_read());
}

#[tokio::test]
async fn who_waits_for_a_continue_is_not_asked_for_a_body_that_nobody_wants() {
    let headers = HeaderMap::from_iter([(header::EXPECT, http::HeaderValue::from_static("100-continue"))]);
    let mut body = Inbound::new(&headers, Body::from("body"));
    assert!(!body.drain().await);
    assert_eq!(body.read(100).await.unwrap(), b"body");
    assert!(body.drain().await);
}
