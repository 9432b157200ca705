//! Those of the process: its settings, its log and its end.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::harness::http::Connection;
use crate::harness::process::{Process, roomcast};
use crate::harness::socket::Socket;
use crate::harness::{SECRET, environment};
use chrono::Utc;
use roomcast::admission::token::daily_token;
use roomcast::types::Secret;

/// What `roomcast check` says of an environment.
async fn check(environment: &BTreeMap<String, String>) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let Output { status, stdout, stderr } =
        roomcast(&folder, &["check"], environment).output().await.expect("the binary");
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (status.code().unwrap(), text)
}

fn token() -> String {
    daily_token(&Secret::new(SECRET), Utc::now().date_naive())
}

#[tokio::test]
async fn v_15_no_token_and_no_secret_reaches_the_log_and_no_line_is_long() {
    let mut process = Process::start(&[("LOG_LEVEL", "debug"), ("ENABLE_DEBUG", "1")]);
    let consumer = process.listening("consumer").await;
    let wrong = "f00d".repeat(32);
    for auth in [json!({ "token": wrong }), json!({ "token": wrong.repeat(5_000) }), json!({ "token": [wrong] })] {
        let (_, answer) = Socket::connect(consumer, "&uniqueUserId=room-1", auth).await;
        assert_eq!(answer, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#);
        let line = process.line(|line| line["message"] == "auth token error").await;
        assert_eq!(line["uniqueUserId"], "room-1", "{line}");
    }
    let query = format!("&uniqueUserId={}", "x".repeat(5_000));
    let (_, answer) = Socket::connect(consumer, &query, json!({ "token": token() })).await;
    assert_eq!(answer, r#"44{"message":"invalid room","data":{"code":"invalid_room"}}"#);
    let (_good, answer) = Socket::connect(consumer, "&uniqueUserId=room-1", json!({ "token": token() })).await;
    assert!(answer.starts_with("40{"), "{answer}");
    process.line(|line| line["message"] == "connected").await;
    process.signal(Signal::TERM);
    process.end().await;
    for line in process.lines.iter().map(ToString::to_string) {
        for secret in [SECRET, &wrong[..16], &token()[..16]] {
            assert!(!line.contains(secret), "{line}");
        }
        assert!(line.len() <= 1024, "{line}");
    }
}

#[tokio::test]
async fn v_15_a_body_cannot_shape_a_log_line() {
    let mut process = Process::start(&[("LOG_LEVEL", "trace")]);
    let producer = process.listening("producer").await;
    let body = r#"{"level":"error","message":"made up","target_id":["x\n{\"message\":\"made up\"}"]}"#;
    let mut connection = Connection::open(producer).await;
    connection.request("POST /publish\nContent-Type: application/json", body).await;
    process.line(|line| line["message"] == "Invalid req.body.id").await;
    assert!(process.lines.iter().all(|line| line["message"] != "made up"), "{:#?}", process.lines);
}

#[tokio::test]
async fn v_22_proxies_without_a_list_are_a_named_fault_and_lists_are_trimmed() {
    let (code, text) = check(&environment(&[("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "")])).await;
    assert_eq!(code, 64, "{text}");
    assert!(text.contains("TRUST_PROXY_LIST"), "{text}");
    let (code, text) = check(&environment(&[("TRUST_CIDR_LIST", " 127.0.0.1 , 10.0.0.0/8 ,")])).await;
    assert_eq!(code, 0, "no proxies are needed where none is used: {text}");
    let mut process = Process::start(&[("TRUST_CIDR_LIST", "10.0.0.1, 127.0.0.1")]);
    let producer = process.listening("producer").await;
    let answer = Connection::open(producer).await.request("GET /status", "").await;
    assert_eq!(answer.status, 200, "the entry after the blank counts");
}

/// That each port may ask for certificates alone is tested with TLS.
#[tokio::test]
async fn v_23_the_example_trusts_private_addresses_only_and_asks_browsers_for_no_certificate() {
    let example = include_str!("../../../.env_example");
    for setting in example.lines().filter(|line| !line.trim_start().starts_with('#')) {
        assert!(!setting.contains("172.0.0.1/8"), "{setting}");
        assert!(!setting.starts_with("VERIFY_ORIGIN=1"), "{setting}");
    }
    let folder = tempfile::tempdir().unwrap();
    let certificates = roomcast(&folder, &["cert", "--out", "."], &BTreeMap::new()).output().await.unwrap();
    assert!(certificates.status.success(), "{certificates:?}");
    std::fs::write(folder.path().join("example.env"), example).unwrap();
    let own = [("PUB_KEY_PATH", "cert.pem"), ("PRIV_KEY_PATH", "key.pem"), ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET)];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let checked = roomcast(&folder, &["check", "--env-file", "example.env"], &own).output().await.unwrap();
    let text = [checked.stdout, checked.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert_eq!(checked.status.code(), Some(0), "{text}");
    assert!(!text.contains("covers public addresses"), "{text}");
}

#[tokio::test]
async fn v_32_authentication_is_on_with_a_secret_and_what_is_not_understood_starts_nothing() {
    for (settings, said) in [
        ([("WEBSOCKET_AUTH", "yes"), ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET)], "WEBSOCKET_AUTH"),
        ([("WEBSOCKET_AUTH", "1"), ("WEBSOCKET_AUTH_TOKEN_SECRET", "")], "WEBSOCKET_AUTH_TOKEN_SECRET"),
    ] {
        let (code, text) = check(&environment(&settings)).await;
        assert_eq!(code, 64, "{text}");
        assert!(text.contains(said), "{text}");
    }
    let (_, text) = check(&environment(&[("WEBSOCKET_AUTH_TOKEN_SECRET", "short")])).await;
    assert!(text.contains("is shorter than 16 bytes"), "{text}");
    for (auth, expected) in [("", "44"), ("true", "44"), ("on", "44"), ("1", "44"), ("0", "40"), ("false", "40")] {
        let mut process = Process::start(&[("WEBSOCKET_AUTH", auth)]);
        let consumer = process.listening("consumer").await;
        let (_, answer) = Socket::connect(consumer, "", json!({})).await;
        assert_eq!(&answer[..2], expected, "WEBSOCKET_AUTH={auth}");
    }
}

#[tokio::test]
async fn v_34_sigterm_answers_what_is_under_way_closes_transports_and_exits_0() {
    let mut process = Process::start(&[]);
    let producer = process.listening("producer").await;
    let consumer = process.listening("consumer").await;
    let query = "&uniqueUserId=room-1";
    let (mut subscriber, answer) = Socket::connect(consumer, query, json!({ "token": token() })).await;
    assert!(answer.starts_with("40{"), "{answer}");
    let body = r#"{"target_id":"room-1","last":true}"#;
    let mut publisher = Connection::open(producer).await;
    let head = "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n";
    publisher.send(format!("{head}Content-Length: {}\r\n\r\n", body.len())).await;
    assert_eq!(publisher.answer(false).await.unwrap().status, 100, "the request is under way");
    process.signal(Signal::TERM);
    tokio::time::sleep(Duration::from_millis(100)).await;
    publisher.send(body).await;
    assert_eq!(publisher.answer(false).await.unwrap().status, 200);
    assert_eq!(subscriber.event().await, ("room-1".to_owned(), json!({ "last": true })));
    assert_eq!(subscriber.packet().await, None);
    assert_eq!(process.end().await.code(), Some(0));
}

#[tokio::test]
async fn v_35_the_variables_of_the_units_start_a_cluster_on_the_ports_they_name() {
    let mut settings = environment(&[]);
    for key in ["HTTP_PORT", "WEBSOCKET_PORT"] {
        settings.remove(key);
    }
    for (key, value) in [
        ("CLUSTER_MODE", "1"),
        ("CLUSTER_INSTANCES", "2"),
        ("PRODUCER_PORT", "12053"),
        ("CONSUMER_PORT", "18443"),
        ("STANDALONE_PORT", "18444"),
        ("TRSUT_CIDR_LIST", "10.0.0.0/8"),
    ] {
        settings.insert(key.to_owned(), value.to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["check", "--json"];
    let checked = roomcast(&folder, &arguments, &settings).output().await.unwrap();
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let text = String::from_utf8(checked.stdout).unwrap();
    for said in ["12053", "18443", "PRODUCER_PORT", "CONSUMER_PORT", "STANDALONE_PORT", "TRSUT_CIDR_LIST"] {
        assert!(text.contains(said), "{said} is missing: {text}");
    }
    for (name, value) in [("PRODUCER_PORT", "0"), ("CONSUMER_PORT", "0"), ("STANDALONE_PORT", "0")] {
        settings.insert(name.to_owned(), value.to_owned());
    }
    let pairs: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut process = Process::start(&pairs);
    let producer = process.listening("producer").await;
    let consumer = process.listening("consumer").await;
    let (mut subscriber, _) = Socket::connect(consumer, "&uniqueUserId=a", json!({ "token": token() })).await;
    let head = "POST /publish\nContent-Type: application/json";
    let answer = Connection::open(producer).await.request(head, r#"{"target_id":"a"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(subscriber.event().await, ("a".to_owned(), json!({})));
}
