//! `LEGACY_QUIRKS=1`: vrchats' statuses on the producer port, and its limit of one session a second of a user.

use std::time::{Duration, Instant};

use roomcast::types::Cause;
use serde_json::{Value, json};

use crate::harness::dial::dial_from;
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::node::StockClients;
use crate::harness::polling::Polling;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, token};

/// With the limits on; those of addresses are out of the way.
const QUIRKS: [(&str, &str); 3] = [("LEGACY_QUIRKS", "1"), ("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_IP", "1000")];
const BLOCKED: &str = r#"44{"message":"rate limit block"}"#;
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_cannot_be_read_is_500_and_nothing_is_emitted_and_the_connection_is_kept() {
    let gateway = Gateway::start(&[("LEGACY_QUIRKS", "1")]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    let mut publisher = Connection::open(gateway.producer()).await;
    let large = format!(r#"{{"target_id":"room-1","x":"{}"}}"#, "x".repeat(102_400));
    let good = r#"{"target_id":"room-1"}"#;
    for (kind, body, status, text) in [
        ("application/json", "{", 500, "INTERNAL SERVER ERROR"),
        ("application/json", "5", 500, "INTERNAL SERVER ERROR"),
        ("application/json", &large, 500, "INTERNAL SERVER ERROR"),
        ("application/json; charset=latin1", good, 500, "INTERNAL SERVER ERROR"),
        ("application/json\nContent-Encoding: br", good, 500, "INTERNAL SERVER ERROR"),
        ("application/json\nContent-Encoding: gzip", "not gzip", 500, "INTERNAL SERVER ERROR"),
        ("text/plain", good, 400, "BAD REQUEST"),
        ("application/json", "[]", 400, "BAD REQUEST"),
        ("application/json", "{}", 400, "BAD REQUEST"),
        ("application/json", r#"{"target_id":["room-1"]}"#, 400, "BAD REQUEST"),
    ] {
        let answer = publisher.request(&format!("POST /publish\nContent-Type: {kind}"), body).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, text), "{kind}: {body:.60}");
        assert_eq!(answer.header("connection"), "keep-alive", "{kind}: {body:.60}");
    }
    assert_eq!(publisher.request("POST /publish\nContent-Type: application/json", good).await.status, 200);
    assert_eq!(subscriber.event().await, ("room-1".to_owned(), json!({})));
    assert_eq!(gateway.stats().deliveries.get(), 1);
}

#[tokio::test]
async fn a_stranger_gets_403_before_its_body_is_read_and_not_vrchats_500() {
    let gateway = Gateway::start(&[("LEGACY_QUIRKS", "1"), ("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let mut stranger = Connection::over(dial_from([127, 0, 0, 2].into(), gateway.producer()).await);
    let head = "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    stranger.send(head).await;
    let answer = stranger.answer(false).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (403, "FORBIDDEN"));
}

/// The stock client sees the refusal and stays away. One whose page connects again a little more than a second later is
/// let in, since refusals make nobody wait longer.
#[tokio::test]
async fn the_stock_client_sees_the_refusal_and_is_let_in_a_second_later() {
    for transports in [["websocket"], ["polling"]] {
        let gateway = Gateway::start(&QUIRKS).await;
        let mut tabs = StockClients::start(&json!({
            "url": gateway.consumer_url(), "rooms": ["one", "one", "one", "another"], "token": token(),
            "transports": transports, "connectAgainAfter": 1100,
        }));
        for index in 0..4 {
            tabs.connected(index).await;
        }
        let refused: Vec<_> = tabs.unread().iter().filter(|line| line.get("refused").is_some()).collect();
        assert!(!refused.is_empty(), "{:?}", tabs.unread());
        for line in refused {
            assert_eq!((&line["refused"], &line["active"]), (&json!("rate limit block"), &json!(false)), "{line}");
            assert_ne!(line["client"], 3, "another user has a second of its own");
            assert_eq!(line.get("data"), None, "{line}");
        }
        gateway.publish("one", &json!({ "to": "all" })).await;
        for index in 0..3 {
            assert_eq!(tabs.event(index).await, ("one".to_owned(), json!([{ "to": "all" }])));
        }
    }
}

/// Connects until it is let in. Each answer must fit a window of a second that opened between `before` and `after`.
async fn let_in_after_a_second(before: Instant, after: Instant, mut connect: impl AsyncFnMut() -> String) -> usize {
    let deadline = after + SECOND + PATIENCE;
    let mut refused = 0;
    loop {
        let asked = Instant::now();
        assert!(asked < deadline, "never let in");
        let answer = connect().await;
        if answer == BLOCKED {
            assert!(asked < after + SECOND, "refused when the window was over");
            refused += 1;
        } else {
            assert!(answer.starts_with("40{"), "{answer}");
            assert!(before.elapsed() >= SECOND, "let in within the window");
            return refused;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_window_is_a_second_from_the_first_session_however_often_it_is_tried() {
    let gateway = Gateway::start(&QUIRKS).await;
    let auth = || json!({ "token": token() });
    let before = Instant::now();
    let _first = gateway.subscribe("one").await;
    let after = Instant::now();
    let connect = async || gateway.connect("&uniqueUserId=one", auth()).await.1;
    let refused = let_in_after_a_second(before, after, connect).await as u64;
    assert_eq!(gateway.stats().refusals(Cause::UserRate).get(), refused);
    // Who was let in is gone, and who was refused never counted.
    gateway.until(|stats| stats.subscribers.get() == 1).await;
}

/// Each CONNECT of the namespace counts, also over a transport that is there; requests and packets do not.
#[tokio::test]
async fn each_connect_of_the_namespace_counts_and_nothing_else() {
    let gateway = Gateway::start(&QUIRKS).await;
    let auth = json!({ "token": token() });
    let mut socket = Socket::open(gateway.consumer(), "&uniqueUserId=one", &[]).await.unwrap();
    let before = Instant::now();
    assert!(socket.authenticate(auth.clone()).await.starts_with("40{"));
    let after = Instant::now();
    socket.send("41").await;
    let_in_after_a_second(before, after, async || socket.authenticate(auth.clone()).await).await;

    let (mut polling, _) = Polling::open(gateway.consumer(), "&uniqueUserId=two").await.ok().unwrap();
    polling.authenticate(auth).await;
    for number in 0..10 {
        assert_eq!(polling.post("3").await.status, 200, "{number}");
    }
    gateway.publish("two", &json!({ "n": 1 })).await;
    assert_eq!(gateway.stats().deliveries.get(), 1);
}

#[tokio::test]
async fn v_14_v_14b_nobody_is_locked_out_by_a_wrong_token_or_by_a_nameless_one_elsewhere() {
    let gateway = Gateway::start(&QUIRKS).await;
    for _ in 0..5 {
        let (_, answer) = gateway.connect("&uniqueUserId=victim", json!({ "token": "wrong" })).await;
        assert_eq!(answer, r#"44{"message":"invalid token"}"#);
    }
    let _victim = gateway.subscribe("victim").await;
    for last in [1, 2, 3] {
        let stream = dial_from([127, 0, 0, last].into(), gateway.consumer()).await;
        let mut nameless = Socket::open_over(stream, gateway.consumer(), "", &[]).await.unwrap();
        let answer = nameless.authenticate(json!({ "token": token() })).await;
        assert!(answer.starts_with("40{"), "{last}: {answer}");
    }
    assert_eq!(gateway.stats().refusals(Cause::UserRate).get(), 0);
}

#[tokio::test]
async fn it_holds_for_all_workers_and_not_where_limits_are_off_or_an_address_exempt() {
    let at_once = async |settings: &[(&str, &str)]| -> Vec<Value> {
        let gateway = Gateway::start(&[&QUIRKS[..], settings].concat()).await;
        let mut clients = StockClients::start(&json!({
            "url": gateway.consumer_url(), "rooms": vec!["one"; 12], "token": token(), "transports": ["websocket"],
        }));
        let mut told = Vec::new();
        for index in 0..12 {
            told.push(clients.line(|line| line["client"] == index).await);
        }
        told
    };
    let refused = |told: &[Value]| told.iter().filter(|line| line["refused"] == "rate limit block").count();
    let workers = at_once(&[("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")]).await;
    assert!(refused(&workers) >= 6, "one of them, or another for each second that they took: {workers:?}");
    assert_eq!(refused(&at_once(&[("RATE_LIMIT", "0")]).await), 0);
    assert_eq!(refused(&at_once(&[("RATE_LIMIT_EXEMPT", "127.0.0.0/8")]).await), 0);
}
