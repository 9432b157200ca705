//! The cases that are Engine.IO's, and that Socket.IO's suite has too: handshake, heartbeat and close.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

/// An engine pings up to a tenth of its interval early, so nobody is given up before this.
const PING_TIMEOUT_MIN: Duration = Duration::from_millis(270 + 200);

/// What both transports tell in the open packet.
fn is_open_packet(open: &Value, upgrades: &[&str]) {
    let names: Vec<_> = open.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "{open}");
    assert!(open["sid"].is_string(), "{open}");
    assert_eq!(open["upgrades"], json!(upgrades));
    assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&json!(300), &json!(200)));
    assert_eq!(open["maxPayload"], 1_000_000);
}

/// Asserts that each of the requests is refused, as it stands or as a websocket's handshake.
async fn are_refused(server: &Gateway, requests: &[&str], headers: &str) {
    for request in requests {
        assert_eq!(server.ask_consumer(&format!("{request}{headers}"), "").await.status, 400, "{request}");
    }
}

pub async fn opens_over_polling(server: &Gateway) {
    let (_, open) = Polling::open(server.consumer(), "").await.ok().unwrap();
    is_open_packet(&open, &["websocket"]);
}

pub async fn opens_over_websocket(server: &Gateway) {
    is_open_packet(&websocket(server).await.1, &[]);
}

pub async fn refuses_versions_over_polling(server: &Gateway) {
    let requests = ["GET /socket.io/?transport=polling", "GET /socket.io/?EIO=abc&transport=polling"];
    are_refused(server, &requests, "").await;
}

pub async fn refuses_versions_over_websocket(server: &Gateway) {
    let requests = ["GET /socket.io/?transport=websocket", "GET /socket.io/?EIO=abc&transport=websocket"];
    are_refused(server, &requests, UPGRADE).await;
}

pub async fn refuses_transports_over_polling(server: &Gateway) {
    are_refused(server, &["GET /socket.io/?EIO=4", "GET /socket.io/?EIO=4&transport=abc"], "").await;
}

pub async fn refuses_transports_over_websocket(server: &Gateway) {
    are_refused(server, &["GET /socket.io/?EIO=4", "GET /socket.io/?EIO=4&transport=abc"], UPGRADE).await;
}

pub async fn refuses_methods(server: &Gateway) {
    let requests = ["POST /socket.io/?EIO=4&transport=polling", "PUT /socket.io/?EIO=4&transport=polling"];
    are_refused(server, &requests, "").await;
}

pub async fn pings_over_polling(server: &Gateway) {
    let mut session = polling(server).await;
    for _ in 0..3 {
        let answer = session.poll().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "2"));
        assert_eq!(session.post("3").await.status, 200);
    }
}

pub async fn pings_over_websocket(server: &Gateway) {
    let (mut socket, _) = websocket(server).await;
    for _ in 0..3 {
        assert_eq!(socket.next().await.as_deref(), Some("2"));
        socket.send("3").await;
    }
}

pub async fn gives_up_the_silent_over_polling(server: &Gateway) {
    let begun = Instant::now();
    let mut session = polling(server).await;
    server.emptied().await;
    assert!(begun.elapsed() >= PING_TIMEOUT_MIN, "{:?}", begun.elapsed());
    assert_eq!(session.poll().await.status, 400);
}

pub async fn gives_up_the_silent_over_websocket(server: &Gateway) {
    let begun = Instant::now();
    let (mut socket, _) = websocket(server).await;
    socket.closed().await;
    assert!(begun.elapsed() >= PING_TIMEOUT_MIN, "{:?}", begun.elapsed());
}

pub async fn closes_over_polling(server: &Gateway) {
    let mut session = polling(server).await;
    let mut waiting = session.poll_elsewhere(server.consumer()).await;
    assert_eq!(session.post("1").await.status, 200);
    let answer = waiting.answer(false).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "6"));
    assert_eq!(session.poll().await.status, 400);
}

pub async fn closes_over_websocket(server: &Gateway) {
    let (mut socket, _) = websocket(server).await;
    socket.send("1").await;
    assert_eq!(socket.packet().await, None);
}
