//! The stock socket.io client over each transport.

use serde_json::json;

use crate::harness::node::StockClients;
use crate::harness::{Gateway, token};

async fn receives_over(transports: &[&str], last: &str) {
    let gateway = Gateway::start(&[]).await;
    let mut client = StockClients::one(&gateway.consumer_url(), "room-1", &token(), transports);
    client.connected(0).await;
    if transports.len() > 1 {
        client.line(|line| line["upgraded"] == last).await;
    }
    for number in 0..20 {
        gateway.publish("room-1", &json!({ "number": number })).await;
    }
    for number in 0..20 {
        assert_eq!(client.event(0).await, ("room-1".to_owned(), json!([{ "number": number }])));
    }
    assert!(gateway.drain().await.clean);
    let line = client.line(|line| line.get("disconnected").is_some()).await;
    assert_eq!(line["active"], json!(true), "the client must come back by itself: {line}");
}

#[tokio::test]
async fn websocket() {
    receives_over(&["websocket"], "websocket").await;
}

#[tokio::test]
async fn polling() {
    receives_over(&["polling"], "polling").await;
}

#[tokio::test]
async fn polling_and_its_upgrade() {
    receives_over(&["polling", "websocket"], "websocket").await;
}

#[tokio::test]
async fn two_workers_and_400_polling_clients_on_a_connection_a_request() {
    let gateway = Gateway::start(&[("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")]).await;
    let rooms: Vec<_> = (0..400).map(|index| format!("room-{index}")).collect();
    let mut clients = StockClients::start(&json!({
        "url": gateway.consumer_url(), "rooms": rooms, "token": token(), "transports": ["polling"],
        "closeEachRequest": true,
    }));
    for index in 0..400 {
        assert_eq!(clients.connected(index).await, "polling");
    }
    for round in 0..3 {
        for (index, room) in rooms.iter().enumerate() {
            gateway.publish(room, &json!({ "round": round, "index": index })).await;
        }
    }
    for round in 0..3 {
        for (index, room) in rooms.iter().enumerate() {
            let (event, data) = clients.event(index).await;
            assert_eq!((&event, data), (room, json!([{ "round": round, "index": index }])));
        }
    }
    assert_eq!(clients.unread(), [] as [serde_json::Value; 0], "nothing lost, doubled or disconnected");
    assert!(gateway.drain().await.clean);
}
