//! Who may not publish, or not now: by address, origin and rate, before a byte of the body is read.

use crate::harness::dial::dial_from;
use crate::harness::http::Connection;
use crate::harness::{Gateway, ORIGIN};
use roomcast::types::Cause;

use super::JSON;

const BODY: &str = r#"{"target_id":"room-1","x":1}"#;

#[tokio::test]
async fn a_stranger_is_refused_on_every_path_before_its_body() {
    let gateway = Gateway::start(&[("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    for line in ["POST /publish", "GET /status", "OPTIONS /publish", "GET /nothing"] {
        let mut stranger = Connection::over(dial_from([127, 0, 0, 2].into(), gateway.producer()).await);
        stranger.send(format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")).await;
        let answer = stranger.answer(false).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (403, "FORBIDDEN"), "{line}");
        assert_eq!(answer.header("connection"), "close", "{line}");
        assert!(stranger.closed().await, "the body is not waited for");
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
    assert_eq!(gateway.stats().refusals(Cause::UntrustedAddress).get(), 4);
}

#[tokio::test]
async fn a_stranger_that_expects_to_continue_is_not_told_to() {
    let gateway = Gateway::start(&[("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let head = "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\
                Expect: 100-continue\r\n\r\n";
    let mut stranger = Connection::over(dial_from([127, 0, 0, 2].into(), gateway.producer()).await);
    stranger.send(head).await;
    assert_eq!(stranger.answer(false).await.unwrap().status, 403);
    assert!(stranger.closed().await);

    let mut subscriber = gateway.subscribe("room-1").await;
    let mut friend = Connection::open(gateway.producer()).await;
    friend.send(head).await;
    assert_eq!(friend.answer(false).await.unwrap().status, 100);
    friend.send(BODY).await;
    assert_eq!(friend.answer(false).await.unwrap().status, 200);
    assert!(subscriber.packet().await.is_some());
}

#[tokio::test]
async fn a_page_may_publish_only_from_a_listed_origin() {
    let gateway = Gateway::start(&[("TRUST_ORIGIN_LIST", "https://app.test,https://*.example.com")]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    for (origin, status) in [
        ("https://evil.example", 403),
        ("https://app.test.evil.example", 403),
        ("https://example.com", 403),
        ("null", 403),
        ("https://app.test\nOrigin: https://app.test", 403),
        (ORIGIN, 200),
        ("https://a.example.com", 200),
    ] {
        let answer = gateway.ask_producer(&format!("{JSON}\nOrigin: {origin}"), BODY).await;
        assert_eq!(answer.status, status, "{origin}");
        if status == 200 {
            assert!(subscriber.packet().await.is_some());
        } else {
            assert_eq!(answer.body, "FORBIDDEN", "{origin}");
        }
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn publishes_over_the_rate_of_an_address_are_429_and_say_when_to_come_back() {
    let gateway = Gateway::start(&[("PUBLISH_RATE_LIMIT", "2")]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut connection = Connection::open(gateway.producer()).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = connection.request(JSON, BODY).await;
        if answer.status == 429 {
            assert_eq!((answer.body.as_str(), answer.header("retry-after")), ("TOO MANY REQUESTS", "1"));
            assert_eq!(answer.header("connection"), "keep-alive");
        } else {
            assert!(subscriber.packet().await.is_some());
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..2], [200, 200], "the burst");
    assert!(statuses[2..].contains(&429), "{statuses:?}");
    let mut other = Connection::over(dial_from([127, 0, 0, 2].into(), gateway.producer()).await);
    assert_eq!(other.request(JSON, r#"{"target_id":"room-1","other":1}"#).await.status, 200, "each has its own");
    assert_eq!(subscriber.event().await.1["other"], 1, "what was refused was not emitted");
    assert_eq!(gateway.stats().publishes.get(), gateway.stats().deliveries.get());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_published() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut connection = Connection::open(gateway.producer()).await;
    let head = "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n";
    connection.send(format!("{head}{BODY}")).await;
    drop(connection);
    gateway.expect_silence(&mut subscriber, "room-1").await;
}
