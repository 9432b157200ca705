//! The change from polling to a websocket while events keep coming.

#![allow(clippy::disallowed_methods, reason = "a test's relay ends with its runtime")]

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::VERSIONS;
use crate::harness::dial::dial;
use crate::harness::http::Connection;
use crate::harness::node::StockClients;
use crate::harness::{Gateway, token};

const PROCESSES: usize = 4;
const CLIENTS_EACH: usize = 10;
/// How many events come between the last client's CONNECT and the first change, and after the last change.
const EVENTS_APART: u64 = 50;

/// By how much, at most, what a client sends over its websocket comes later than what it posts: first its handshake,
/// then its probe, then its change.
const LAG: Duration = Duration::from_millis(200);

/// Listens before `gateway`, and holds websockets up: all of them until `open`, and each by another part of [`LAG`]. On
/// loopback alone most clients have changed their transport before the first event.
async fn slow_websockets(gateway: SocketAddr, open: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut lags = (1..=8).map(|eighths| LAG * eighths / 8).cycle();
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(relay(client, dial(gateway).await, open.clone(), lags.next().unwrap()));
        }
    });
    addr
}

async fn relay(client: TcpStream, gateway: TcpStream, mut open: watch::Receiver<bool>, lag: Duration) {
    client.set_nodelay(true).unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_gateway, mut to_gateway) = gateway.into_split();
    tokio::spawn(async move { copy(&mut from_gateway, &mut to_client).await });
    let mut chunk = vec![0; 16 * 1024];
    let mut is_websocket = false;
    while let Ok(length @ 1..) = from_client.read(&mut chunk).await {
        is_websocket |= String::from_utf8_lossy(&chunk[..length]).contains("transport=websocket");
        if is_websocket {
            open.wait_for(|open| *open).await.unwrap();
            tokio::time::sleep(lag).await;
        }
        if to_gateway.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}

/// Publishes numbered events, one after the other, for as long as there is no `end` or it is not reached.
async fn keep_publishing(gateway: &Gateway, published: &Cell<u64>, end: &Cell<Option<u64>>) {
    let mut publisher = Connection::open(gateway.producer()).await;
    while end.get().is_none_or(|end| published.get() < end) {
        let body = json!({ "target_id": "room-1", "number": published.get() }).to_string();
        let answer = publisher.request("POST /publish\nContent-Type: application/json", body).await;
        assert_eq!(answer.status, 200);
        published.set(published.get() + 1);
    }
    gateway.publish("room-1", &json!({ "last": true })).await;
}

/// Waits until each client of a process is connected; for each, how many events were published when it said so.
async fn connected(clients: &mut StockClients, published: &Cell<u64>) -> Vec<u64> {
    let mut counts = vec![0; CLIENTS_EACH];
    for _ in 0..CLIENTS_EACH {
        let line = clients.line(|line| line["connected"] == "polling").await;
        counts[line["client"].as_u64().unwrap() as usize] = published.get();
    }
    counts
}

async fn loses_nothing(client: &str, workers: &str) {
    let gateway = Gateway::start(&[("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", workers)]).await;
    let (open_websockets, open) = watch::channel(false);
    let url = format!("http://{}", slow_websockets(gateway.consumer(), open).await);
    let options = json!({
        "client": client, "url": url, "rooms": vec!["room-1"; CLIENTS_EACH], "token": token(),
        "transports": ["polling", "websocket"], "collect": true,
    });
    let (published, end) = (Cell::new(0), Cell::new(None));
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| StockClients::start(&options)).collect();
    let upgraded = async {
        let counts = join_all(processes.iter_mut().map(|clients| connected(clients, &published))).await;
        let all_connected_at = published.get();
        while published.get() < all_connected_at + EVENTS_APART {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        open_websockets.send(true).unwrap();
        for clients in &mut processes {
            for index in 0..CLIENTS_EACH {
                let line = clients.line(|line| line["client"] == index && line["upgraded"] == "websocket").await;
                assert_ne!(line["after"], 0, "it heard events over polling before");
            }
        }
        end.set(Some(published.get() + EVENTS_APART));
        counts
    };
    let ((), counts) = tokio::join!(keep_publishing(&gateway, &published, &end), upgraded);

    for (clients, counts) in processes.iter_mut().zip(&counts) {
        for (index, connected_at) in counts.iter().enumerate() {
            let line = clients.line(|line| line["client"] == index && line.get("numbers").is_some()).await;
            let numbers: Vec<u64> = serde_json::from_value(line["numbers"].clone()).unwrap();
            let first = *numbers.first().expect("events");
            assert!(first <= *connected_at, "connected before {connected_at}, and hears nothing before {first}");
            let expected: Vec<_> = (first..published.get()).collect();
            assert!(numbers == expected, "{}", difference(&expected, &numbers));
        }
        assert!(clients.unread().iter().all(|line| line.get("disconnected").is_none()), "{:?}", clients.unread());
    }
    assert_eq!(gateway.stats().undelivered.get(), 0);
}

fn difference(expected: &[u64], numbers: &[u64]) -> String {
    let missing: Vec<_> = expected.iter().filter(|number| !numbers.contains(number)).collect();
    let disordered: Vec<_> = numbers.windows(2).filter(|pair| pair[0] >= pair[1]).collect();
    format!("{} of {}: missing {missing:?}, doubled or out of order {disordered:?}", numbers.len(), expected.len())
}

#[tokio::test]
async fn clients_that_upgrade_under_load_receive_everything_once_and_in_order() {
    loses_nothing(VERSIONS[0], "1").await;
}

#[tokio::test]
async fn so_do_those_of_version_3_1_on_two_workers() {
    loses_nothing(VERSIONS[2], "2").await;
}
