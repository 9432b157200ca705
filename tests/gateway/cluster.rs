//! Two workers behind the same ports: connections spread over both, and every publish reaches everybody once.

use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;

use crate::harness::Gateway;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;
use crate::harness::process::Process;

const TWO: [(&str, &str); 2] = [("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")];
const JSON: &str = "POST /publish\nContent-Type: application/json";

/// A free port outside the range from which the system hands out ports by itself.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Has 40 subscribers of one room and 20 of rooms of their own hear what 8 publishers send over connections of theirs.
async fn everybody_hears_everything_once(gateway: &Gateway) {
    let mut together = Vec::new();
    for _ in 0..40 {
        together.push(gateway.subscribe("all").await);
    }
    let mut alone = Vec::new();
    for index in 0..20 {
        alone.push(gateway.subscribe(&format!("own-{index}")).await);
    }
    let mut publishers = Vec::new();
    for _ in 0..8 {
        publishers.push(Connection::open(gateway.producer()).await);
    }
    for number in 0..10 {
        for (from, publisher) in publishers.iter_mut().enumerate() {
            let body = json!({ "target_id": "all", "from": from, "number": number }).to_string();
            assert_eq!(publisher.request(JSON, body).await.status, 200);
        }
    }
    for (index, publisher) in (0..20).zip((0..8).cycle()) {
        let body = json!({ "target_id": format!("own-{index}"), "number": index }).to_string();
        assert_eq!(publishers[publisher].request(JSON, body).await.status, 200);
    }
    for subscriber in &mut together {
        let mut next = HashMap::new();
        for _ in 0..80 {
            let (_, message) = subscriber.event().await;
            let expected = next.entry(message["from"].as_u64().unwrap()).or_insert(0);
            assert_eq!(message["number"], *expected, "once, and in the publisher's order");
            *expected += 1;
        }
    }
    for (index, subscriber) in alone.iter_mut().enumerate() {
        let room = format!("own-{index}");
        assert_eq!(subscriber.event().await, (room.clone(), json!({ "number": index })));
        gateway.expect_silence(subscriber, &room).await;
    }
    gateway.publish("all", &json!({ "last": true })).await;
    for subscriber in &mut together {
        assert_eq!(subscriber.event().await.1, json!({ "last": true }), "nothing was left to hear");
    }
    assert_eq!(gateway.stats().undelivered.get(), 0);
}

#[tokio::test]
async fn each_publish_reaches_each_subscriber_once_whichever_workers_they_meet() {
    let gateway = Gateway::start(&TWO).await;
    everybody_hears_everything_once(&gateway).await;
    assert!(gateway.drain().await.clean);
}

#[tokio::test]
async fn one_port_may_serve_both_sides() {
    for workers in ["1", "2"] {
        let port = free_port().to_string();
        let one_port = [("HTTP_PORT", port.as_str()), ("WEBSOCKET_PORT", &port)];
        let settings = [("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", workers)];
        let gateway = Gateway::start(&[settings, one_port].concat()).await;
        assert_eq!(gateway.producer(), gateway.consumer());
        everybody_hears_everything_once(&gateway).await;
        let mut connection = Connection::open(gateway.consumer()).await;
        for (line, status) in [
            ("GET /status", 200),
            ("GET /socket.io/?EIO=4&transport=polling", 200),
            ("POST /Publish/\nContent-Type: application/json", 400),
            ("GET /socket.io/", 400),
            ("GET /publish", 404),
            ("GET /", 404),
        ] {
            assert_eq!(connection.request(line, "").await.status, status, "{line}");
        }
        drop(connection);
        assert!(gateway.drain().await.clean);
    }
}

#[tokio::test]
async fn on_one_port_strangers_may_listen_and_not_publish() {
    let port = free_port().to_string();
    let settings = [("HTTP_PORT", port.as_str()), ("WEBSOCKET_PORT", &port), ("TRUST_CIDR_LIST", "10.0.0.0/8")];
    let gateway = Gateway::start(&[&TWO[..], &settings].concat()).await;
    assert!(Polling::open(gateway.consumer(), "").await.is_ok());
    let answer = gateway.ask_producer(JSON, r#"{"target_id":"a"}"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "FORBIDDEN"));
}

/// How often each worker's thread has slept and woken.
fn wakes(pid: u32) -> [u64; 2] {
    let mut wakes = [0; 2];
    for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        for (index, wakes) in wakes.iter_mut().enumerate() {
            if value("Name:") == format!("worker-{index}") {
                *wakes = value("voluntary_ctxt_switches:").parse().unwrap();
            }
        }
    }
    wakes
}

#[tokio::test]
async fn connections_spread_over_both_workers_on_both_ports() {
    let mut process = Process::start(&TWO);
    let producer = process.listening("producer").await;
    let consumer = process.listening("consumer").await;
    let ask = async |addr: SocketAddr, line: &str| Connection::open(addr).await.request(line, "").await.status;
    for (addr, line) in [(producer, "GET /status"), (consumer, "GET /socket.io/?EIO=4&transport=polling")] {
        let before = wakes(process.pid());
        for _ in 0..200 {
            assert_eq!(ask(addr, line).await, 200);
        }
        let after = wakes(process.pid());
        for worker in 0..2 {
            assert!(after[worker] - before[worker] > 50, "worker {worker} of {line}: {before:?} {after:?}");
        }
    }
}
