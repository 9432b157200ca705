//! Each version over each transport: a token, an event, a refusal, and back after a lost connection.

use serde_json::{Value, json};

use super::VERSIONS;
use crate::harness::node::StockClients;
use crate::harness::process::free_port;
use crate::harness::{Gateway, token};

/// What is easily lost on the way: signs of every length, control characters, and numbers that a double holds.
const EVENT: &str = r#"{"text":"é ☃ 😀 \u0000 \u2028 \" \\ </script>","numbers":[0,-0.5,1e21,9007199254740991,-7],
    "null":null,"":{"nested":[[],{}]}}"#;

async fn publish_event(gateway: &Gateway) {
    let body = EVENT.replacen('{', r#"{"target_id":"room-1","#, 1);
    assert_eq!(gateway.post(body).await.status, 200);
}

async fn is_served(client: &str, transports: &[&str]) {
    let port = free_port().to_string();
    let settings = [("WEBSOCKET_PORT", port.as_str())];
    let gateway = Gateway::start(&settings).await;
    let options = |token: &str| {
        json!({
            "client": client, "url": gateway.consumer_url(), "rooms": ["room-1"], "token": token,
            "transports": transports,
        })
    };
    let mut stranger = StockClients::start(&options("wrong"));
    let mut subscriber = StockClients::start(&options(&token()));
    let refusal = stranger.line(|line| line.get("refused").is_some()).await;
    assert_eq!((&refusal["refused"], &refusal["data"]), (&json!("invalid token"), &json!({ "code": "invalid_token" })));
    drop(stranger);

    let expected: Value = serde_json::from_str(&format!("[{EVENT}]")).unwrap();
    subscriber.connected(0).await;
    if transports.len() > 1 {
        subscriber.line(|line| line["upgraded"] == "websocket").await;
    }
    publish_event(&gateway).await;
    assert_eq!(subscriber.event(0).await, ("room-1".to_owned(), expected.clone()));

    assert!(gateway.drain().await.clean);
    let lost = subscriber.line(|line| line.get("disconnected").is_some()).await;
    assert_eq!(lost["active"], true, "the client must come back by itself: {lost}");
    let gateway = Gateway::start(&settings).await;
    subscriber.connected(0).await;
    publish_event(&gateway).await;
    assert_eq!(subscriber.event(0).await, ("room-1".to_owned(), expected));
    assert!(gateway.drain().await.clean);
}

async fn is_served_over_each_transport(client: &str) {
    for transports in [&["polling"][..], &["websocket"], &["polling", "websocket"]] {
        is_served(client, transports).await;
    }
}

#[tokio::test]
async fn socket_io_client_4_8_over_polling_websocket_and_upgrade() {
    is_served_over_each_transport("socket.io-client").await;
}

#[tokio::test]
async fn socket_io_client_4_0_over_polling_websocket_and_upgrade() {
    is_served_over_each_transport("socket.io-client-4.0").await;
}

#[tokio::test]
async fn socket_io_client_3_1_over_polling_websocket_and_upgrade() {
    is_served_over_each_transport("socket.io-client-3.1").await;
}

/// Whoever has such clients sees them ask again every ten seconds, which is what the gateway gives to who is not let in.
#[tokio::test]
async fn after_invalid_token_4_8_stays_away_and_the_older_ones_ask_again_by_themselves() {
    let gateway = Gateway::start(&[]).await;
    let mut clients = VERSIONS.map(|client| {
        StockClients::start(&json!({
            "client": client, "url": gateway.consumer_url(), "rooms": ["room-1"], "token": "wrong",
            "transports": ["websocket"],
        }))
    });
    let refused = |line: &Value| line["refused"] == "invalid token";
    for (client, is_active) in clients.iter_mut().zip([false, true, true]) {
        assert_eq!(client.line(refused).await["active"], is_active);
    }
    for older in &mut clients[1..] {
        older.line(refused).await;
    }
}
