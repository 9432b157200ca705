//! The admin listener over HTTP: health, version, and numbers that move when something happens.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::http::{Connection, PATIENCE};
use crate::harness::process::{Ports, Process, ask_admin, get, post, token_now};
use crate::harness::socket::Socket;

/// A metric's value, by its name and labels.
async fn metric(ports: Ports, name: &str) -> u64 {
    let text = ask_admin(ports.admin, "/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {text}")).parse().unwrap()
}

/// Waits until a metric has a value: what the gateway does after an answer takes a moment.
async fn becomes(ports: Ports, name: &str, value: u64) {
    let began = Instant::now();
    loop {
        let now = metric(ports, name).await;
        if now == value {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{name} is {now}, not {value}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn subscribe(ports: Ports, room: &str) -> Socket {
    let query = format!("&uniqueUserId={room}");
    let (socket, answer) = Socket::connect(ports.consumer, &query, json!({ "token": token_now() })).await;
    assert!(answer.starts_with("40{"), "{answer}");
    socket
}

fn refusals(cause: &str) -> String {
    format!(r#"roomcast_refusals_total{{cause="{cause}"}}"#)
}

fn closes(reason: &str) -> String {
    format!(r#"roomcast_session_closes_total{{reason="{reason}"}}"#)
}

#[tokio::test]
async fn health_and_version_are_told_to_everybody_on_the_machine() {
    let (mut process, ports) = Process::serving(&[]).await;
    for path in ["/livez", "/health", "/readyz"] {
        let answer = ask_admin(ports.admin, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{path}");
    }
    let answer = ask_admin(ports.admin, "/version").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let version: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(version["name"], "roomcast");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(ask_admin(ports.admin, "/nothing").await.status, 404);
    // Nothing of it is served where the world listens.
    assert_eq!(get(ports.consumer, "/metrics").await.status, 404);
    assert_eq!(get(ports.producer, "/metrics").await.status, 404);
    process.stop().await;
}

#[tokio::test]
async fn connections_publishes_and_deliveries_are_counted() {
    let (mut process, ports) = Process::serving(&[("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")]).await;
    let answer = ask_admin(ports.admin, "/metrics").await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    assert!(answer.body.contains("process_resident_memory_bytes "), "{}", answer.body);
    assert_eq!(metric(ports, "roomcast_subscribers").await, 0);

    let mut subscribers = Vec::new();
    for _ in 0..6 {
        subscribers.push(subscribe(ports, "room-1").await);
    }
    let silent = Connection::open(ports.consumer).await;
    for name in ["roomcast_subscribers", "ws_connected_clients", "roomcast_sessions"] {
        becomes(ports, name, 6).await;
    }
    becomes(ports, "roomcast_sockets", 7).await;
    drop(silent);
    becomes(ports, "roomcast_sockets", 6).await;

    for _ in 0..4 {
        assert_eq!(post(ports.producer, r#"{"target_id":"room-1"}"#).await.status, 200);
    }
    assert_eq!(post(ports.producer, r#"{"target_id":"nobody-there"}"#).await.status, 200);
    becomes(ports, "roomcast_publishes_total", 5).await;
    becomes(ports, "roomcast_deliveries_total", 24).await;
    becomes(ports, "roomcast_undelivered_total", 0).await;

    subscribers.pop().unwrap().send("1").await;
    subscribers.pop().unwrap().send("41").await;
    subscribers.pop().unwrap().send("no packet").await;
    subscribers.truncate(2);
    becomes(ports, "roomcast_subscribers", 2).await;
    becomes(ports, &closes("protocol_error"), 1).await;
    drop(subscribers);
    becomes(ports, "roomcast_subscribers", 0).await;
    becomes(ports, "roomcast_sessions", 0).await;
    process.stop().await;
}

#[tokio::test]
async fn refusals_are_counted_by_cause() {
    let settings = [("PUBLISH_BODY_LIMIT", "64"), ("MAX_CONNECTIONS", "2")];
    let (mut process, ports) = Process::serving(&settings).await;
    let publish =
        async |head: &str, body: &str| Connection::open(ports.producer).await.request(head, body).await.status;
    let json_head = "POST /publish\nContent-Type: application/json";
    let foreign = format!("{json_head}\nOrigin: https://evil.test");
    let large = format!(r#"{{"target_id":"{}"}}"#, "x".repeat(64));
    for (head, body, status, cause) in [
        (json_head, "[]", 400, "invalid_body"),
        (json_head, r#"{"target_id":["a"]}"#, 400, "invalid_target"),
        (json_head, large.as_str(), 413, "body_too_large"),
        ("POST /publish\nContent-Type: text/plain", "{}", 415, "unsupported_media"),
        ("GET /publish", "", 404, "not_found"),
        (foreign.as_str(), "{}", 403, "foreign_origin"),
    ] {
        assert_eq!(metric(ports, &refusals(cause)).await, 0, "{cause}");
        assert_eq!(publish(head, body).await, status, "{cause}");
        becomes(ports, &refusals(cause), 1).await;
    }
    assert_eq!(get(ports.consumer, "/socket.io/?EIO=4").await.status, 400);
    becomes(ports, &refusals("bad_request"), 1).await;

    // Refused, and still a session as far as Engine.IO is concerned.
    let (_wrong, _) = Socket::connect(ports.consumer, "", json!({ "token": "wrong" })).await;
    becomes(ports, &refusals("invalid_token"), 1).await;
    let subscriber = subscribe(ports, "room-1").await;
    assert_eq!(get(ports.consumer, "/socket.io/?EIO=4&transport=polling").await.status, 503);
    becomes(ports, &refusals("sessions_full"), 1).await;
    assert_eq!(metric(ports, "roomcast_publishes_total").await, 0);
    drop(subscriber);
    process.stop().await;
}

#[tokio::test]
async fn a_token_guards_all_but_health() {
    let token = "a-token-for-the-operators";
    let (mut process, ports) = Process::serving(&[("ADMIN_TOKEN", token)]).await;
    for path in ["/livez", "/health", "/readyz"] {
        assert_eq!(get(ports.admin, path).await.status, 200, "{path}");
    }
    for path in ["/metrics", "/version", "/nothing"] {
        let refused = get(ports.admin, path).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"), "{path}");
        for wrong in ["Bearer wrong", "Basic YTpi", "Bearer", ""] {
            let head = format!("GET {path}\nAuthorization: {wrong}");
            assert_eq!(Connection::open(ports.admin).await.request(&head, "").await.status, 401, "{wrong}");
        }
    }
    let head = format!("GET /metrics\nAuthorization: Bearer {token}");
    assert_eq!(Connection::open(ports.admin).await.request(&head, "").await.status, 200);
    process.stop().await;
}

#[tokio::test]
async fn without_a_token_only_this_machines_own_names_are_answered() {
    let (mut process, ports) = Process::serving(&[]).await;
    // What a web page can have a browser send that runs on this machine.
    let answer = get(ports.admin, "/metrics").await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "use an IP address or localhost in the URL"));
    process.stop().await;
}
