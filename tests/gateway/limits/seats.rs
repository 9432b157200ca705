//! Sessions at once, of the node and of an address; and sockets beyond all of them.

use std::net::Ipv4Addr;

use serde_json::json;

use crate::harness::dial::{dial, dial_from};
use crate::harness::http::Connection;
use crate::harness::node::StockClients;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, ORIGIN, token};
use roomcast::types::Cause;

async fn connect_from(gateway: &Gateway, source: Ipv4Addr) -> Result<Socket, u16> {
    let stream = dial_from(source, gateway.consumer()).await;
    let opened = Socket::open_over(stream, gateway.consumer(), "&uniqueUserId=room-1", &[]).await;
    let mut socket = opened.map_err(|answer| answer.status)?;
    assert!(socket.authenticate(json!({ "token": token() })).await.starts_with("40{"));
    Ok(socket)
}

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

#[tokio::test]
async fn sessions_over_the_nodes_number_are_503_and_seats_are_given_back() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS", "3")]).await;
    let mut seated = Vec::new();
    for _ in 0..3 {
        seated.push(connect_from(&gateway, HOME).await.ok().unwrap());
    }
    let head = format!("GET /socket.io/?EIO=4&transport=polling\nOrigin: {ORIGIN}");
    let answer = gateway.ask_consumer(&head, "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "10"));
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(connect_from(&gateway, [127, 0, 0, 2].into()).await.err(), Some(503), "from everywhere");
    assert_eq!(gateway.stats().refusals(Cause::SessionsFull).get(), 2);
    gateway.expect_silence(&mut seated[0], "room-1").await;
    drop(seated);
    gateway.emptied().await;
    for _ in 0..3 {
        assert!(connect_from(&gateway, HOME).await.is_ok());
        gateway.emptied().await;
    }
}

#[tokio::test]
async fn sessions_over_an_addresses_number_are_429_and_seats_are_given_back() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS_PER_IP", "2")]).await;
    let (first, _second) = (connect_from(&gateway, HOME).await, connect_from(&gateway, HOME).await.ok().unwrap());
    let answer = gateway.ask_consumer("GET /socket.io/?EIO=4&transport=polling", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "10"));
    assert_eq!(connect_from(&gateway, HOME).await.err(), Some(429));
    assert!(connect_from(&gateway, [127, 0, 0, 2].into()).await.is_ok(), "each address has its own");
    drop(first);
    gateway.until(|stats| stats.sessions.get() == 1).await;
    assert!(connect_from(&gateway, HOME).await.is_ok());
    assert_eq!(gateway.stats().refusals(Cause::AddressFull).get(), 2);
}

#[tokio::test]
async fn a_session_that_never_connects_gives_its_seat_back() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS", "1")]).await;
    let mut silent = Socket::open(gateway.consumer(), "", &[]).await.unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(silent.packet().await, None, "it is closed");
    assert!((9..12).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    gateway.emptied().await;
    assert!(connect_from(&gateway, HOME).await.is_ok());
}

#[tokio::test]
async fn the_stock_client_comes_back_when_there_is_a_seat() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS", "1")]).await;
    let seated = connect_from(&gateway, HOME).await;
    let mut client = StockClients::one(&gateway.consumer_url(), "room-1", &token(), &["polling", "websocket"]);
    let refused = client.line(|line| line.get("refused").is_some()).await;
    assert_eq!(refused["active"], true, "{refused}");
    drop(seated);
    client.connected(0).await;
}

/// With one session there are 17 sockets: those of handshakes and of refusals have room, and no more.
#[tokio::test]
async fn sockets_beyond_the_higher_bound_are_accepted_and_closed_and_publishers_are_not_counted() {
    let gateway = Gateway::start(&[("MAX_CONNECTIONS", "1")]).await;
    let mut seated = connect_from(&gateway, HOME).await.ok().unwrap();
    let mut idle = Vec::new();
    for _ in 0..16 {
        let mut connection = Connection::open(gateway.consumer()).await;
        assert_eq!(connection.request("GET /", "").await.status, 404);
        idle.push(connection);
    }
    for _ in 0..3 {
        assert!(Connection::over(dial(gateway.consumer()).await).closed().await);
    }
    assert_eq!(gateway.stats().refusals(Cause::SocketsFull).get(), 3);
    gateway.expect_silence(&mut seated, "room-1").await;
    assert_eq!(idle[0].request("GET /", "").await.status, 404, "those that are in stay");
    idle.truncate(8);
    gateway.until(|stats| stats.sockets.get() == 9).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    assert_eq!(connection.request("GET /", "").await.status, 404, "and there is room again");
}
