//! The producer port's: what is refused emits nothing, keeps the connection, and says why by its status.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write as _;

use super::with_pattern;
use crate::harness::Gateway;
use crate::harness::dial::dial_from;
use crate::harness::http::Connection;
use crate::harness::process::Process;

const JSON: &str = "POST /publish\nContent-Type: application/json";

/// Publishes bodies that must be refused with `status` and reach nobody, neither those whom they name nor those who
/// named no room; then one that is taken, on the same connection.
async fn refuses(gateway: &Gateway, status: u16, text: &str, bodies: &[&str]) {
    let mut named = gateway.subscribe_all(&["connect", "5", "undefined", "null", "Room%201", "room-1"]).await;
    let mut roomless = gateway.subscribe_all(&[]).await;
    let mut publisher = Connection::open(gateway.producer()).await;
    for body in bodies {
        let answer = publisher.request(JSON, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, text), "{body:.80}");
        assert_eq!(answer.header("connection"), "keep-alive", "{body:.80}");
    }
    let answer = publisher.request(JSON, r#"{"target_id":"room-1","last":true}"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    assert_eq!(named.packet().await.unwrap(), r#"42["room-1",{"last":true}]"#);
    assert_eq!(gateway.stats().deliveries.get(), 1, "nothing else was handed to anybody");
    roomless.send("1").await;
    assert_eq!(roomless.packet().await, None, "a subscriber without a room hears nothing");
}

#[tokio::test]
async fn v_01_a_refused_target_is_not_emitted_and_a_missing_one_is_no_event_without_a_name() {
    let gateway = with_pattern("^room-[0-9]+$").await;
    refuses(&gateway, 400, "BAD REQUEST", &[r#"{"target_id":"Room 1"}"#, r#"{"a":1}"#, "{}", "[]"]).await;
}

#[tokio::test]
async fn v_02_the_connection_survives_a_400_and_what_was_pipelined_behind_it() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut publisher = Connection::open(gateway.producer()).await;
    for number in 0..3 {
        publisher.send_request(JSON, "{}").await;
        publisher.send_request(JSON, format!(r#"{{"target_id":"room-1","number":{number}}}"#)).await;
    }
    for number in 0..3 {
        assert_eq!(publisher.answer(false).await.unwrap().status, 400);
        assert_eq!(publisher.answer(false).await.unwrap().status, 200);
        assert_eq!(subscriber.event().await, ("room-1".to_owned(), json!({ "number": number })));
    }
}

#[tokio::test]
async fn v_03_a_target_in_an_array_is_no_target() {
    let gateway = with_pattern("room").await;
    refuses(&gateway, 400, "BAD REQUEST", &[r#"{"target_id":["room-1"]}"#, r#"{"target_id":["room-1","room-2"]}"#])
        .await;
}

#[tokio::test]
async fn v_04_a_number_is_no_target() {
    let gateway = with_pattern(".").await;
    let bodies = [r#"{"target_id":5}"#, r#"{"target_id":null}"#, r#"{"target_id":true}"#, r#"{"target_id":{"a":1}}"#];
    refuses(&gateway, 400, "BAD REQUEST", &bodies).await;
}

#[tokio::test]
async fn v_05_reserved_names_are_refused_whatever_the_pattern_says() {
    let gateway = with_pattern(".*").await;
    let names = [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
        "roomcast:gap",
        "roomcast:",
    ];
    let bodies: Vec<_> = names.iter().map(|name| json!({ "target_id": name }).to_string()).collect();
    refuses(&gateway, 400, "BAD REQUEST", &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn v_06_without_a_pattern_a_target_is_1_to_255_bytes_without_control_characters() {
    let gateway = Gateway::start(&[]).await;
    let long = json!({ "target_id": "x".repeat(256) }).to_string();
    let bodies = ["{}", r#"{"target_id":""}"#, r#"{"target_id":"a\u0000"}"#, r#"{"target_id":"a\nb"}"#, &long];
    refuses(&gateway, 400, "BAD REQUEST", &bodies).await;
    let answer = gateway.post(json!({ "target_id": "x".repeat(255) }).to_string()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn v_07_a_body_that_cannot_be_read_is_400_413_or_415_in_the_same_style() {
    let gateway = Gateway::start(&[]).await;
    refuses(&gateway, 400, "BAD REQUEST", &["{", "null", "5", "", r#"{"target_id":"room-1"}}"#]).await;
    let large = format!(r#"{{"target_id":"room-1","x":"{}"}}"#, "x".repeat(102_400));
    let answer = gateway.post(large).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, "PAYLOAD TOO LARGE"));
    for head in ["application/json; charset=latin1", "application/json\nContent-Encoding: br"] {
        let head = format!("POST /publish\nContent-Type: {head}");
        let answer = gateway.ask_producer(&head, r#"{"target_id":"room-1"}"#).await;
        assert_eq!((answer.status, answer.body.as_str()), (415, "UNSUPPORTED MEDIA TYPE"), "{head}");
    }
    assert_eq!(gateway.stats().publishes.get(), 1, "only the one that shows that the connection is kept");
}

#[tokio::test]
async fn v_08_a_body_of_another_type_is_415_and_not_emitted() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    for kind in ["", "\nContent-Type: text/plain", "\nContent-Type: application/vnd.api+json"] {
        let answer = gateway.ask_producer(&format!("POST /publish{kind}"), r#"{"target_id":"room-1"}"#).await;
        assert_eq!((answer.status, answer.body.as_str()), (415, "UNSUPPORTED MEDIA TYPE"), "{kind}");
    }
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn v_09_a_stranger_gets_403_before_its_body_is_read() {
    let gateway = Gateway::start(&[("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let stranger = || dial_from([127, 0, 0, 2].into(), gateway.producer());
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 10 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let gzip = format!("{JSON}\nContent-Encoding: gzip");
    for (head, body) in [(JSON, b"{".as_slice()), (&gzip, &bomb), ("POST /publish", b"x")] {
        let answer = Connection::over(stranger().await).request(head, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (403, "FORBIDDEN"), "{head}");
    }
    let mut silent = Connection::over(stranger().await);
    silent
        .send("POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n")
        .await;
    assert_eq!(silent.answer(false).await.unwrap().status, 403, "the answer does not wait for the body");
}

#[tokio::test]
async fn v_10_nesting_over_128_levels_is_400_and_harms_nobody() {
    let gateway = Gateway::start(&[]).await;
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"target_id":"room-1","x":{open}{close}}}"#)
    };
    refuses(&gateway, 400, "BAD REQUEST", &[&nested(128), &nested(40_000)]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    assert_eq!(gateway.post(nested(127)).await.status, 200);
    assert!(subscriber.packet().await.unwrap().contains(&"[".repeat(127)));
}

#[tokio::test]
async fn v_20_a_header_that_is_not_the_chosen_one_opens_nothing() {
    let settings = [("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "127.0.0.1"), ("TRUST_CIDR_LIST", "1.2.3.0/24")];
    let gateway = Gateway::start(&settings).await;
    for (headers, status) in [
        ("CF-Connecting-IP: 1.2.3.4\nX-Forwarded-For: 203.0.113.9", 403),
        ("CF-Connecting-IP: 1.2.3.4", 403),
        ("CF-Connecting-IP: 9.9.9.9\nX-Forwarded-For: 1.2.3.4", 200),
    ] {
        let answer = gateway.ask_producer(&format!("{JSON}\n{headers}"), r#"{"target_id":"a"}"#).await;
        assert_eq!(answer.status, status, "{headers}");
    }
}

#[tokio::test]
async fn v_21_a_chain_of_proxies_is_walked_from_the_right_and_mapped_addresses_are_unmapped() {
    let settings = [("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "127.0.0.0/8"), ("TRUST_CIDR_LIST", "1.2.3.0/24")];
    let gateway = Gateway::start(&settings).await;
    for (value, status) in [
        ("1.2.3.4, 127.0.0.1", 200),
        ("9.9.9.9, 1.2.3.4, 127.0.0.9,127.0.0.1", 200),
        ("1.2.3.4, 9.9.9.9", 403),
        ("::ffff:1.2.3.4", 200),
        ("16909060", 403),
        ("001.2.3.4", 403),
    ] {
        let head = format!("{JSON}\nX-Forwarded-For: {value}");
        assert_eq!(gateway.ask_producer(&head, r#"{"target_id":"a"}"#).await.status, status, "{value}");
    }
}

#[tokio::test]
async fn v_26_the_log_names_the_client_behind_the_proxy() {
    let settings = [("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "127.0.0.1"), ("TRUST_CIDR_LIST", "1.2.3.0/24")];
    let mut process = Process::start(&settings);
    let producer = process.listening("producer").await;
    for (client, body, message) in
        [("1.2.3.4", "{}", "Invalid req.body.id"), ("203.0.113.9", "{}", "untrusted proxy_ip or ip")]
    {
        let head = format!("{JSON}\nX-Forwarded-For: {client}");
        Connection::open(producer).await.request(&head, body).await;
        let line = process.line(|line| line["message"] == message).await;
        assert_eq!((&line["forwardedIp"], &line["remoteIp"]), (&json!(client), &json!("127.0.0.1")));
    }
}
