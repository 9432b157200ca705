//! What subscribers get of a publish, what its publisher is told of them, and what one costs that takes nothing.

use std::time::{Duration, Instant};

use roomcast::types::CloseReason;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::dial::dial_from;
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::node::StockClients;
use crate::harness::polling::Polling;
use crate::harness::process::{Process, admin_get, ask_admin, token_now};
use crate::harness::socket::Socket;
use crate::harness::{Gateway, token};

const JSON: &str = "POST /publish\nContent-Type: application/json";

/// Bodies for room-1, and their text as it arrives. `JSON.parse` and `JSON.stringify` would keep none of them.
const BODIES: [(&str, &str); 9] = [
    (r#"{"target_id":"room-1","n":9007199254740993}"#, r#"{"n":9007199254740993}"#),
    (r#"{"n":1e400,"target_id":"room-1","m":-1E+400}"#, r#"{"n":1e400,"m":-1E+400}"#),
    (r#"{"target_id":"room-1","n":1.0,"m":-0,"o":1.50e1}"#, r#"{"n":1.0,"m":-0,"o":1.50e1}"#),
    (r#"{"b":1,"target_id":"room-1","2":2,"1":1,"a":{"z":1,"0":2}}"#, r#"{"b":1,"2":2,"1":1,"a":{"z":1,"0":2}}"#),
    (r#"{"a":1,"target_id":"room-1","a":2,"b":{"c":1,"c":2}}"#, r#"{"a":1,"a":2,"b":{"c":1,"c":2}}"#),
    (r#"{"a":"\u00e9\/é\ud83d\ude00","target_id":"room-1"}"#, r#"{"a":"\u00e9\/é\ud83d\ude00"}"#),
    ("{\"target_id\":\"room-1\",\"a\" : [ 1 ,\t2 ]}", "{\"a\":[ 1 ,\t2 ]}"),
    (r#"{"target_id":"room-2","a":1,"target_id":"room-1"}"#, r#"{"a":1}"#),
    (r#"{"target_id":null,"a":2,"target\u005fid":"room-1"}"#, r#"{"a":2}"#),
];

/// Bodies that no browser could be sent, or whose last target is none.
const REFUSED: [&[u8]; 5] = [
    b"{\"target_id\":\"room-1\",\"a\":\"\xff\"}",
    b"{\"target_id\":\"room-1\",\"a\xc3\":1}",
    b"{\"target_id\":\"room-1\xe2\x82\"}",
    b"{\"target_id\":\"room-1\",\"a\":\"\xed\xa0\x80\"}",
    b"{\"target_id\":\"room-1\",\"target_id\":5}",
];

/// Publishes a body that is taken, after all that are refused.
async fn publish(publisher: &mut Connection, body: &str) {
    for refused in REFUSED {
        let answer = publisher.request(JSON, refused).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "BAD REQUEST"));
    }
    let answer = publisher.request(JSON, body).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{body}");
}

#[tokio::test]
async fn v_11_every_byte_but_the_target_arrives_as_it_was_sent_over_both_transports() {
    let gateway = Gateway::start(&[]).await;
    let mut websocket = gateway.subscribe("room-1").await;
    let (mut polling, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    assert!(polling.authenticate(json!({ "token": token() })).await.starts_with("40{"));
    let mut other = gateway.subscribe("room-2").await;
    let mut publisher = Connection::open(gateway.producer()).await;
    for (body, text) in BODIES {
        publish(&mut publisher, body).await;
        let packet = format!(r#"42["room-1",{text}]"#);
        assert_eq!(websocket.packet().await, Some(packet.clone()));
        assert_eq!(polling.poll().await.body, packet);
    }
    gateway.expect_silence(&mut other, "room-2").await;
}

#[tokio::test]
async fn v_11_every_byte_but_the_target_arrives_as_it_was_sent_at_the_stock_client() {
    for transports in [vec!["websocket"], vec!["polling"]] {
        let gateway = Gateway::start(&[]).await;
        let mut client = StockClients::start(&json!({
            "url": gateway.consumer_url(), "rooms": ["room-1"], "token": token(), "transports": transports,
            "packets": true,
        }));
        client.connected(0).await;
        let mut publisher = Connection::open(gateway.producer()).await;
        for (body, text) in BODIES {
            publish(&mut publisher, body).await;
            let line = client.line(|line| line["packet"].as_str().is_some_and(|packet| packet.starts_with('2'))).await;
            assert_eq!(line["packet"], format!(r#"2["room-1",{text}]"#), "{transports:?}");
        }
        // What the page is given is what its own JSON.parse makes of them.
        assert_eq!(client.event(0).await.1, json!([{ "n": 9_007_199_254_740_992_u64 }]));
        assert_eq!(client.event(0).await.1, json!([{ "n": null, "m": null }]), "infinite");
    }
}

#[tokio::test]
async fn v_12_a_200_tells_how_many_receive_it_and_the_status_tells_of_the_gateway_alone() {
    let (mut process, ports) = Process::serving(&[("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let subscribe = async || {
        let auth = json!({ "token": token_now() });
        let (socket, answer) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth).await;
        assert!(answer.starts_with("40{"), "{answer}");
        socket
    };
    let mut publisher = Connection::open(ports.producer).await;
    let mut members: Vec<Socket> = Vec::new();
    for count in 0..3_u32 {
        let answer = publisher.request(JSON, json!({ "target_id": "room-1", "n": count }).to_string()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "also with nobody there");
        assert_eq!(answer.header("x-receivers"), count.to_string());
        for member in &mut members {
            assert_eq!(member.event().await, ("room-1".to_owned(), json!({ "n": count })));
        }
        members.push(subscribe().await);
    }
    let refused = publisher.request(JSON, r#"{"target_id":5}"#).await;
    assert_eq!((refused.status, refused.header("x-receivers")), (400, ""));
    let status = publisher.request("GET /status", "").await;
    assert_eq!((status.status, status.body.as_str(), status.header("x-receivers")), (200, "OK", ""));
    let mut stranger = Connection::over(dial_from([127, 0, 0, 2].into(), ports.producer).await);
    assert_eq!(stranger.request("GET /status", "").await.status, 403);
    for path in ["/livez", "/readyz"] {
        assert_eq!(ask_admin(ports.admin, path).await.status, 200, "{path} is nobody's list's business");
    }
    drop(members);
    let begun = Instant::now();
    while publisher.request(JSON, r#"{"target_id":"room-1"}"#).await.header("x-receivers") != "0" {
        assert!(begun.elapsed() < PATIENCE, "those who left are counted");
    }
    process.stop().await;
}

/// The value of a metric, asked over a connection that is there.
async fn metric(admin: &mut Connection, name: &str) -> f64 {
    let metrics = admin_get(admin, "/metrics").await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
}

#[tokio::test]
async fn v_24_of_36_megabytes_that_a_client_does_not_read_one_is_kept_and_then_it_is_closed() {
    let (mut process, ports) = Process::serving(&[]).await;
    let auth = json!({ "token": token_now() });
    let (mut reader, _) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth.clone()).await;
    let (stalled, _) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth).await;
    let (mut publisher, mut admin) = (Connection::open(ports.producer).await, Connection::open(ports.admin).await);
    let text = "x".repeat(100_000);
    let mut receivers = Vec::new();
    let mut resident = Vec::new();
    for number in 0..360 {
        let body = json!({ "target_id": "room-1", "n": number, "text": text }).to_string();
        let answer = publisher.request(JSON, body).await;
        assert_eq!(answer.status, 200, "{number}");
        receivers.push(answer.header("x-receivers").to_owned());
        assert_eq!(reader.event().await.1["n"], number, "who reads is sent everything, in order");
        if number % 20 == 0 {
            resident.push(metric(&mut admin, "process_resident_memory_bytes").await);
        }
    }
    assert_eq!((receivers[0].as_str(), receivers[359].as_str()), ("2", "1"));
    let closes = r#"roomcast_session_closes_total{reason="slow_reader"}"#;
    assert!((metric(&mut admin, closes).await - 1.0).abs() < 0.5, "closed, and counted for what it was");
    let most = resident.iter().copied().fold(0.0, f64::max) - resident[0];
    assert!(most < f64::from(12 << 20), "{most} bytes more than at first");
    drop((stalled, reader, publisher, admin));
    process.stop().await;
}

#[tokio::test]
async fn v_25_pongs_do_not_keep_a_client_that_takes_nothing() {
    let settings = [("CLIENT_WRITE_TIMEOUT_MS", "1000"), ("CLIENT_QUEUE_MAX_BYTES", "67108864")];
    let gateway = Gateway::start(&settings).await;
    let mut reader = gateway.subscribe("room-1").await;
    let mut blind = gateway.subscribe("room-2").await;
    // More than the kernel takes for it, and less than its queue may hold: only the deadline is left to act.
    let mut publisher = Connection::open(gateway.producer()).await;
    let body = json!({ "target_id": "room-2", "text": "x".repeat(100_000) }).to_string();
    for _ in 0..160 {
        assert_eq!(publisher.request(JSON, &body).await.status, 200);
    }
    let begun = Instant::now();
    while gateway.stats().subscribers.get() == 2 {
        assert!(begun.elapsed() < PATIENCE, "its pongs keep it");
        blind.send_what_is_taken(Message::text("3")).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The kernel has the same deadline for the socket, and may be the first to see that it is over.
    let for_time = [CloseReason::WriteTimeout, CloseReason::TransportError].map(|it| gateway.stats().closes(it).get());
    assert_eq!(for_time.iter().sum::<u64>(), 1, "{:?}", gateway.stats());
    gateway.expect_silence(&mut reader, "room-1").await;
    assert_eq!(gateway.stats().closes(CloseReason::PingTimeout).get(), 0);
}
