//! More at once than a subscriber reads at once: nothing is lost, and the order stays.

use serde_json::{Value, json};

use crate::harness::http::Connection;
use crate::harness::node::StockClients;
use crate::harness::{Gateway, token};

const EVENTS: usize = 1000;

/// Publishes [`EVENTS`] numbered events without waiting for an answer in between.
async fn publish_at_once(gateway: &Gateway, room: &str) {
    let mut publisher = Connection::open(gateway.producer()).await;
    let head = "POST /publish\nContent-Type: application/json";
    for number in 0..EVENTS {
        publisher.send_request(head, json!({ "target_id": room, "number": number }).to_string()).await;
    }
    for _ in 0..EVENTS {
        assert_eq!(publisher.answer(false).await.map(|answer| answer.status), Some(200));
    }
}

#[tokio::test]
async fn a_websocket_receives_a_burst_whole() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    publish_at_once(&gateway, "room-1").await;
    for number in 0..EVENTS {
        assert_eq!(subscriber.event().await.1, json!({ "number": number }));
    }
    assert_eq!((gateway.stats().deliveries.get(), gateway.stats().undelivered.get()), (EVENTS as u64, 0));
}

#[tokio::test]
async fn the_stock_client_receives_a_burst_over_polling_whole() {
    let gateway = Gateway::start(&[]).await;
    let mut client = StockClients::one(&gateway.consumer_url(), "room-1", &token(), &["polling"]);
    client.connected(0).await;
    publish_at_once(&gateway, "room-1").await;
    for number in 0..EVENTS {
        assert_eq!(client.event(0).await.1, json!([{ "number": number }]));
    }
    assert_eq!(client.unread(), [] as [Value; 0]);
    assert_eq!(gateway.stats().undelivered.get(), 0);
}
