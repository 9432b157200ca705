//! New sessions by address and by user.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::dial::dial_from;
use crate::harness::http::Connection;
use crate::harness::node::StockClients;
use crate::harness::polling::Polling;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, ORIGIN, token};
use roomcast::types::Cause;

/// One session a second of an address, two at once.
const BY_ADDRESS: [(&str, &str); 3] =
    [("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_IP", "1"), ("RATE_LIMIT_PER_USER", "1000")];
/// One session a second of a user, five at once.
const BY_USER: [(&str, &str); 3] = [("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_IP", "1000"), ("RATE_LIMIT_PER_USER", "1")];

async fn open_from(gateway: &Gateway, source: Ipv4Addr) -> u16 {
    let stream = dial_from(source, gateway.consumer()).await;
    match Polling::open_over(stream, "", "").await {
        Ok(_) => 200,
        Err(answer) => answer.status,
    }
}

#[tokio::test]
async fn sessions_over_the_rate_of_an_address_are_429_before_they_exist() {
    let gateway = Gateway::start(&BY_ADDRESS).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    let head = format!("GET /socket.io/?EIO=4&transport=polling\nOrigin: {ORIGIN}");
    let mut refused = 0;
    for _ in 0..6 {
        let answer = connection.request(&head, "").await;
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "a page must see the status");
        assert_eq!(answer.header("vary"), "Origin");
        if answer.status == 429 {
            assert_eq!((answer.header("retry-after"), answer.header("content-type")), ("1", "application/json"));
            refused += 1;
        }
    }
    assert!((3..=4).contains(&refused), "two at once, and perhaps one of the second that began: {refused}");
    assert_eq!(gateway.stats().sessions.get(), 6 - refused);
    assert_eq!(gateway.stats().refusals(Cause::AddressRate).get(), refused);
    let stream = dial_from(Ipv4Addr::LOCALHOST, gateway.consumer()).await;
    let upgrade = Socket::open_over(stream, gateway.consumer(), "", &[("Origin", ORIGIN)]).await.err().unwrap();
    assert_eq!((upgrade.status, upgrade.header("retry-after")), (429, "1"));
    assert_eq!(open_from(&gateway, [127, 0, 0, 2].into()).await, 200, "each address has its own");
}

#[tokio::test]
async fn requests_of_a_session_are_not_counted() {
    let gateway = Gateway::start(&BY_ADDRESS).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    session.authenticate(json!({ "token": token() })).await;
    for number in 0..20 {
        assert_eq!(session.post("3").await.status, 200, "{number}");
    }
}

#[tokio::test]
async fn the_default_lets_40_sessions_in_at_once() {
    let gateway = Gateway::start(&[("RATE_LIMIT", "1")]).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    for number in 0..40 {
        let answer = connection.request("GET /socket.io/?EIO=4&transport=polling", "").await;
        assert_eq!(answer.status, 200, "{number}");
    }
}

#[tokio::test]
async fn exempt_addresses_have_no_limits() {
    let exempt = ("RATE_LIMIT_EXEMPT", "127.0.0.9, 127.0.1.0/24");
    let gateway = Gateway::start(&[&BY_ADDRESS[..2], &[("RATE_LIMIT_PER_USER", "1"), exempt]].concat()).await;
    let begun = Instant::now();
    for number in 0..20 {
        let source = if number % 2 == 0 { [127, 0, 0, 9] } else { [127, 0, 1, 200] };
        let stream = dial_from(source.into(), gateway.consumer()).await;
        let mut socket = Socket::open_over(stream, gateway.consumer(), "&uniqueUserId=one", &[]).await.unwrap();
        assert!(socket.authenticate(json!({ "token": token() })).await.starts_with("40{"), "{number}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "nobody waits for a turn: {:?}", begun.elapsed());
    let statuses = [open_from(&gateway, [127, 0, 0, 8].into()).await, open_from(&gateway, [127, 0, 0, 8].into()).await];
    assert_eq!(statuses, [200, 200]);
    assert_eq!(open_from(&gateway, [127, 0, 0, 8].into()).await, 429, "others have");
}

/// 16 sockets of one user: five at once, one each second after that, and the last would wait eleven seconds.
#[tokio::test]
async fn the_connects_of_a_user_wait_their_turn_and_those_that_would_wait_too_long_are_closed_without_a_word() {
    let gateway = Gateway::start(&BY_USER).await;
    let mut sockets = Vec::new();
    let begun = Instant::now();
    for _ in 0..16 {
        let mut socket = Socket::open(gateway.consumer(), "&uniqueUserId=one", &[]).await.unwrap();
        socket.send(&format!("40{}", json!({ "token": token() }))).await;
        sockets.push(socket);
    }
    let answers = sockets.iter_mut().map(|socket| async move { (socket.packet().await, begun.elapsed()) });
    let answers = futures_util::future::join_all(answers).await;
    let connected: Vec<_> = answers.iter().filter(|(answer, _)| answer.is_some()).collect();
    let closed: Vec<_> = answers.iter().filter(|(answer, _)| answer.is_none()).collect();
    assert!(connected.iter().all(|(answer, _)| answer.as_ref().unwrap().starts_with("40{")), "{answers:?}");
    assert!((1..=3).contains(&closed.len()), "{answers:?}");
    let mut times: Vec<_> = connected.iter().map(|(_, time)| *time).collect();
    times.sort();
    assert!(times[4] < Duration::from_millis(900), "five at once: {times:?}");
    for (index, time) in times.iter().enumerate().skip(5) {
        let turn = Duration::from_secs(index as u64 - 4);
        assert!(*time + Duration::from_millis(50) > turn, "number {index} came at {time:?}, before its turn");
    }
    for (_, time) in closed {
        assert!((9..12).contains(&time.as_secs()), "at most ten seconds are waited: {time:?}");
    }
    let begun = Instant::now();
    let (_, answer) = gateway.connect("&uniqueUserId=another", json!({ "token": token() })).await;
    assert!(answer.starts_with("40{") && begun.elapsed().as_millis() < 900, "each user has its own bucket");
    gateway.until(|stats| stats.refusals(Cause::UserRate).get() > 0).await;
}

#[tokio::test]
async fn who_leaves_while_it_waits_leaves_nothing_behind() {
    let gateway = Gateway::start(&BY_USER).await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        let mut socket = Socket::open(gateway.consumer(), "&uniqueUserId=one", &[]).await.unwrap();
        socket.send(&format!("40{}", json!({ "token": token() }))).await;
        sockets.push(socket);
    }
    for socket in &mut sockets[..5] {
        assert!(socket.packet().await.is_some());
    }
    drop(sockets);
    tokio::time::sleep(Duration::from_secs(4)).await; // past the turns of those that wait
    gateway.emptied().await;
    gateway.publish("one", &json!({})).await;
    assert_eq!(gateway.stats().deliveries.get(), 0);
}

#[tokio::test]
async fn the_stock_client_comes_back_after_either_refusal() {
    let by_address = Gateway::start(&BY_ADDRESS).await;
    let by_user = Gateway::start(&BY_USER).await;
    // 17 devices of one user: the last few are closed after ten seconds, and let in when they come back.
    let mut devices = StockClients::start(&json!({
        "url": by_user.consumer_url(), "rooms": vec!["one"; 17], "token": token(), "transports": ["websocket"],
    }));
    for transports in [["websocket"], ["polling"]] {
        let mut tabs = StockClients::start(&json!({
            "url": by_address.consumer_url(), "rooms": ["a", "b", "c", "d"], "token": token(), "transports": transports,
        }));
        for index in 0..4 {
            tabs.connected(index).await;
        }
        let refused: Vec<_> = tabs.unread().iter().filter(|line| line.get("refused").is_some()).collect();
        assert!(!refused.is_empty() && refused.iter().all(|line| line["active"] == true), "{refused:?}");
    }
    for index in 0..17 {
        devices.connected(index).await;
    }
    by_user.publish("one", &json!({ "to": "all" })).await;
    for index in 0..17 {
        assert_eq!(devices.event(index).await, ("one".to_owned(), json!([{ "to": "all" }])));
    }
    assert!(devices.unread().iter().all(|line| line.get("refused").is_none_or(|_| line["active"] == true)));
}

#[tokio::test]
async fn who_leaves_and_comes_again_over_its_transport_waits_and_is_not_refused() {
    let gateway = Gateway::start(&[("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_USER", "1")]).await;
    let mut socket = gateway.subscribe("room-1").await;
    for _ in 0..7 {
        socket.send("41").await;
        socket.send(&format!("40{}", json!({ "token": token() }))).await;
        let answer = socket.packet().await.unwrap();
        assert!(answer.starts_with("40{"), "{answer}");
    }
    gateway.publish("room-1", &json!({ "n": 1 })).await;
    assert_eq!(socket.event().await.1, json!({ "n": 1 }));
}
