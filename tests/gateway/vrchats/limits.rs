//! Those of what vrchats leaves to Node: how many may come, how long they may take, and what is answered elsewhere.

use std::time::Instant;

use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::Gateway;
use crate::harness::dial::dial;
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::process::{Process, Shell, as_texts, tls};

#[tokio::test]
async fn v_37_a_port_that_is_taken_ends_the_start_with_its_setting_and_the_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap();
    for key in ["HTTP_PORT", "WEBSOCKET_PORT"] {
        let mut process = Process::start(&[(key, &addr.port().to_string())]);
        let line = process.message("cannot start").await;
        let message = line["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("cannot start: {key}: cannot listen on {addr}")), "{message}");
        assert_eq!(process.end().await.code(), Some(1));
    }
}

#[tokio::test]
async fn v_37_connections_are_capped_and_publishers_are_served_all_the_same() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS", "1")]).await;
    let mut idle = Vec::new();
    let closed = loop {
        let mut connection = Connection::open(gateway.consumer()).await;
        if connection.try_request("GET /", "").await.is_none() {
            break connection;
        }
        idle.push(connection);
        assert!(idle.len() < 100, "there is no cap");
    };
    drop(closed);
    assert_eq!(gateway.post(r#"{"target_id":"a"}"#).await.status, 200);
    idle.clear();
    gateway.until(|stats| stats.sockets.get() == 0).await;
    assert!(Connection::open(gateway.consumer()).await.try_request("GET /", "").await.is_some());
}

/// vrchats gives a handshake two minutes and a request five.
#[tokio::test]
async fn v_37_handshakes_and_requests_have_ten_seconds() {
    let shell = Shell::new(&[]);
    let certificates = tls(&shell.certificates("certs").await);
    let (secure, open) = (Gateway::start(&as_texts(&certificates)).await, Gateway::start(&[]).await);
    let silent = async |addr, sent: &str| {
        let mut connection = Connection::over(dial(addr).await);
        connection.send(sent).await;
        let begun = Instant::now();
        assert!(connection.closed().await);
        begun.elapsed().as_secs()
    };
    let times = tokio::join!(
        silent(secure.producer(), ""),
        silent(secure.consumer(), ""),
        silent(open.producer(), "POST /publish HTTP/1.1\r\n"),
        silent(open.consumer(), "GET /socket.io/ HTTP/1.1\r\n"),
    );
    for seconds in <[u64; 4]>::from(times) {
        assert!((9..18).contains(&seconds), "{times:?}");
    }
}

#[tokio::test]
async fn v_38_the_404_of_health_tests_stays_and_names_no_framework() {
    let gateway = Gateway::start(&[]).await;
    for answer in [gateway.ask_consumer("GET /", "").await, gateway.ask_producer("GET /", "").await] {
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("<pre>Cannot GET /</pre>"), "{}", answer.body);
        for header in ["x-powered-by", "server", "via"] {
            assert_eq!(answer.header(header), "");
        }
    }
}

/// V-25 is the same client: its pongs do not keep it.
#[tokio::test]
async fn v_24_who_reads_nothing_and_answers_pings_blindly_is_closed_by_its_write_deadline() {
    let gateway = Gateway::start(&[("CLIENT_WRITE_TIMEOUT_MS", "500")]).await;
    let mut reader = gateway.subscribe("room-1").await;
    let mut stalled = gateway.subscribe("room-2").await;
    let body = json!({ "target_id": "room-2", "text": "x".repeat(100_000) }).to_string();
    let mut publisher = Connection::open(gateway.producer()).await;
    let begun = Instant::now();
    let mut last_pong = begun;
    while gateway.stats().subscribers.get() == 2 {
        assert!(begun.elapsed() < 3 * PATIENCE, "it is still there");
        let answer = publisher.request("POST /publish\nContent-Type: application/json", &body).await;
        assert_eq!(answer.status, 200, "the others are published to");
        if last_pong.elapsed().as_millis() > 200 {
            stalled.send_what_is_taken(Message::text("3")).await;
            last_pong = Instant::now();
        }
    }
    gateway.expect_silence(&mut reader, "room-1").await;
}
