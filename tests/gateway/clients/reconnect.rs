//! How stock clients come back: over the rate of an address, after a restart on the same port, after midnight.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::VERSIONS;
use crate::harness::node::StockClients;
use crate::harness::process::{Process, free_port, post, token_now};
use crate::harness::{Gateway, TODAY, token, token_of};
use roomcast::types::Cause;

async fn comes_back_after_a_429(client: &str) {
    let gateway = Gateway::start(&[("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_IP", "1")]).await;
    for transport in ["polling", "websocket"] {
        let before = gateway.stats().refusals(Cause::AddressRate).get();
        let mut tabs = StockClients::start(&json!({
            "client": client, "url": gateway.consumer_url(), "rooms": ["a", "b", "c"], "token": token(),
            "transports": [transport],
        }));
        for index in 0..3 {
            tabs.connected(index).await;
        }
        let refused: Vec<_> = tabs.unread().iter().filter(|line| line.get("refused").is_some()).collect();
        assert!(!refused.is_empty(), "{client}: three sessions at once are over a burst of two");
        assert!(refused.iter().all(|line| line["active"] == true), "{client}: {refused:?}");
        let counted = gateway.stats().refusals(Cause::AddressRate).get() - before;
        assert!(counted > 0, "{client} over {transport}: it was refused for another reason: {refused:?}");
    }
}

#[tokio::test]
async fn after_a_429_a_client_of_each_version_comes_back_over_each_transport() {
    futures_util::future::join_all(VERSIONS.map(comes_back_after_a_429)).await;
}

/// Whether the gateway closes its connections before it goes, or is killed.
async fn comes_back_after(signal: Signal) {
    let [producer, consumer] = [free_port(), free_port()].map(|port| port.to_string());
    let settings = [("HTTP_PORT", producer.as_str()), ("WEBSOCKET_PORT", &consumer)];
    let (mut process, ports) = Process::serving(&settings).await;
    let mut clients: Vec<_> = [&["polling"][..], &["websocket"], &["polling", "websocket"]]
        .iter()
        .map(|transports| StockClients::one(&format!("http://{}", ports.consumer), "room-1", &token_now(), transports))
        .collect();
    for client in &mut clients {
        client.connected(0).await;
    }
    clients[2].line(|line| line["upgraded"] == "websocket").await;

    process.signal(signal);
    process.end().await;
    for client in &mut clients {
        let lost = client.line(|line| line.get("disconnected").is_some()).await;
        assert_eq!(lost["active"], true, "{lost}");
        let refused = client.line(|line| line.get("refused").is_some()).await;
        assert_eq!(refused["active"], true, "nobody listens, and it goes on asking: {refused}");
    }
    let (mut process, ports) = Process::serving(&settings).await;
    for client in &mut clients {
        client.connected(0).await;
    }
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1","n":1}"#).await.status, 200);
    for client in &mut clients {
        assert_eq!(client.event(0).await.1, json!([{ "n": 1 }]));
    }
    process.stop().await;
}

#[tokio::test]
async fn after_a_restart_on_the_same_port_clients_of_every_transport_come_back() {
    comes_back_after(Signal::TERM).await;
}

#[tokio::test]
async fn after_a_kill_and_a_new_start_clients_of_every_transport_come_back() {
    comes_back_after(Signal::KILL).await;
}

#[tokio::test]
async fn after_midnight_who_asks_for_its_token_comes_back_and_who_kept_it_stays_out() {
    let port = free_port().to_string();
    let settings = [("WEBSOCKET_PORT", port.as_str())];
    let gateway = Gateway::start_at("2026-11-21T23:58:00Z", &settings).await;
    let url = gateway.consumer_url();
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, token()).unwrap();
    let start = |more: Value| {
        let mut options = json!({ "url": url, "rooms": ["room-1"], "transports": ["polling", "websocket"] });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        StockClients::start(&options)
    };
    let mut asks = start(json!({ "tokenFile": token_file }));
    let mut kept = start(json!({ "token": token() }));
    for client in [&mut asks, &mut kept] {
        client.connected(0).await;
        client.line(|line| line["upgraded"] == "websocket").await;
    }
    gateway.set_clock("2026-11-22T00:05:01Z".parse().unwrap());
    gateway.publish("room-1", &json!({ "day": 22 })).await;
    for client in [&mut asks, &mut kept] {
        assert_eq!(client.event(0).await.1, json!([{ "day": 22 }]), "who is connected stays so");
    }

    std::fs::write(&token_file, token_of((TODAY.0, TODAY.1, TODAY.2 + 1))).unwrap();
    assert!(gateway.drain().await.clean);
    let gateway = Gateway::start_at("2026-11-22T00:05:01Z", &settings).await;
    asks.connected(0).await;
    let refused = kept.line(|line| line["active"] == false).await;
    assert_eq!(refused["refused"], "invalid token");

    // The one comes back a second time; the other, whose delays are the same, never asked again.
    assert!(gateway.drain().await.clean);
    let gateway = Gateway::start_at("2026-11-22T00:05:02Z", &settings).await;
    asks.connected(0).await;
    gateway.publish("room-1", &json!({ "again": true })).await;
    assert_eq!(asks.event(0).await.1, json!([{ "again": true }]));
    assert_eq!(gateway.stats().refusals(Cause::InvalidToken).get(), 0);
    assert_eq!(gateway.stats().sessions.get(), 1);
}
