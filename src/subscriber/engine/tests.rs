//! The fan-out over the real engine: what a websocket client reads, byte for byte.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use socketioxide::extract::SocketRef;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::types::{EventName, RoomName};

const CONFIG: Config = Config {
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(20),
    payload_bytes_max: 1_000_000,
};

async fn next_text(client: &mut WebSocketStream<DuplexStream>) -> String {
    loop {
        let text = client.next().await.unwrap().unwrap().into_text().unwrap().to_string();
        if text != "2" {
            return text;
        }
    }
}

#[tokio::test]
async fn a_payload_is_sent_as_it_was_published() {
    let engine = Engine::new(&CONFIG);
    let (joined, mut members) = mpsc::unbounded_channel();
    engine.io.ns("/", async move |socket: SocketRef| {
        socket.join("room");
        joined.send(()).unwrap();
    });
    let (server, client) = tokio::io::duplex(64 * 1024);
    let request = Request::get("/socket.io/?EIO=4&transport=websocket").body(()).unwrap();
    tower::Service::call(&mut engine.service.clone(), (server, request)).await.unwrap();
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    assert!(next_text(&mut client).await.starts_with("0{"));
    client.send(Message::text("40")).await.unwrap();
    assert!(next_text(&mut client).await.starts_with("40{"));
    members.recv().await.unwrap();

    let json = r#"{ "b":9007199254740993, "a":1e400,"a":1.0,"_placeholder":true,"num":0,"s":"\u00e9é" }"#;
    let room = RoomName::new("room").unwrap();
    let payload = RawValue::from_string(json.to_owned()).unwrap().into();
    let undelivered = engine.fanout().emit(&Publication { event: EventName::from(&room), room, payload });
    assert_eq!(undelivered, 0);
    assert_eq!(next_text(&mut client).await, format!(r#"42["room",{json}]"#));
}
