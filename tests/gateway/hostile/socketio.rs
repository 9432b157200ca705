//! Engine.IO and Socket.IO packets that no client sends.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{is_unharmed, with_witness};
use crate::harness::Gateway;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;
use crate::harness::socket::Socket;

/// Sends a packet over a websocket that is connected to room-2.
async fn after_packet(gateway: &Gateway, packet: &str) -> Socket {
    let mut socket = gateway.subscribe("room-2").await;
    socket.send_what_is_taken(Message::text(packet.to_owned())).await;
    socket
}

#[tokio::test]
async fn packets_that_cannot_be_read_close_the_session() {
    let (gateway, witness) = with_witness().await;
    let nested = format!("42{}", "[".repeat(100_000));
    for packet in [
        "",
        "0{}",
        "1",
        "5",
        "6",
        "7",
        "9",
        "x",
        "2probe",
        "bAAA",
        "\u{1e}",
        "4",
        "4x",
        "42",
        "42[",
        "42{}",
        "42[]",
        "42[5]",
        "42[null]",
        "42[{}]",
        "42[[]]",
        "42\"a\"",
        "42-1[\"a\"]",
        "42[\"a\"",
        "42[\"\\ud800\"]",
        "43[]",
        "44{}",
        "44",
        "45",
        "46",
        "47",
        "49",
        "45-[\"a\"]",
        "451000000000-[\"a\"]",
        "461-[]",
        &nested,
    ] {
        let mut socket = after_packet(&gateway, packet).await;
        assert_eq!(socket.packet().await, None, "{packet:.40}");
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn packets_that_say_nothing_to_a_gateway_are_ignored() {
    let (gateway, witness) = with_witness().await;
    let long_id = format!("42{}[\"a\"]", "9".repeat(100));
    for packet in [
        "2",
        "3",
        "40",
        "40{}",
        "40[]",
        "40\"x\"",
        "40{",
        "41/x,",
        "42/x,[\"a\"]",
        "42[\"error\"]",
        "42[\"connect\"]",
        "42[\"a\",1e999]",
        "429007199254740993[\"a\"]",
        &long_id,
        "431[]",
    ] {
        let mut socket = after_packet(&gateway, packet).await;
        gateway.publish("room-2", &json!({})).await;
        loop {
            let heard = socket.packet().await.unwrap_or_else(|| panic!("{packet:.40} closed the session"));
            if heard == r#"42["room-2",{}]"# {
                break;
            }
            assert!(heard.starts_with("40{"), "{packet:.40} is answered with {heard}");
        }
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn a_hundred_connects_make_one_subscriber() {
    let (gateway, mut witness) = with_witness().await;
    let mut socket = Socket::open(gateway.consumer(), "&uniqueUserId=room-2", &[]).await.unwrap();
    for _ in 0..100 {
        socket.send("40").await;
    }
    assert!(socket.packet().await.unwrap().starts_with("40{"));
    for _ in 0..20 {
        for namespace in ["/x", "/__proto__", "/constructor"] {
            socket.send(&format!("40{namespace},")).await;
        }
    }
    gateway.publish("room-2", &json!({ "once": true })).await;
    gateway.publish("room-2", &json!({ "last": true })).await;
    let mut events = Vec::new();
    while events.last().is_none_or(|event| event != r#"42["room-2",{"last":true}]"#) {
        let packet = socket.packet().await.unwrap();
        if packet.starts_with("42") {
            events.push(packet);
        }
    }
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(gateway.stats().subscribers.get(), 2);
    gateway.expect_silence(&mut witness, "room-1").await;
    drop(socket);
    is_unharmed(&gateway, witness).await;
}

/// They give their places back when the time for CONNECT is over.
#[tokio::test]
async fn packets_before_connect_do_nothing() {
    let (gateway, witness) = with_witness().await;
    let packets = ["", "4", "42[\"room-1\",{}]", "41", "43[]", "44{}", "9", "451-[\"a\"]"];
    for packet in packets {
        let mut socket = Socket::open(gateway.consumer(), "&uniqueUserId=room-2", &[]).await.unwrap();
        socket.send_what_is_taken(Message::text(packet)).await;
        assert_eq!(socket.packet().await, None, "{packet}");
    }
    assert_eq!(gateway.stats().subscribers.get(), 1, "the witness alone");
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn polling_payloads_that_cannot_be_read_are_400() {
    let (gateway, witness) = with_witness().await;
    let separators = vec![0x1e; 900_000];
    let (large, largest) = (vec![b'4'; 1_000_001], vec![b'4'; 10_000_000]);
    let payloads: [(&[u8], u16); 14] = [
        (b"\x1e", 400),
        (b"\x1e\x1e", 400),
        (&separators, 400),
        (b"9", 400),
        (b"0", 400),
        (b"5", 400),
        (b"6", 400),
        (b"2probe", 400),
        (b"b!!", 400),
        (b"\xff\xfe", 400),
        (b"3\x1e9", 400),
        (b"4x", 200),
        (&large, 413),
        (&largest, 413),
    ];
    for (payload, status) in payloads {
        let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-2").await.ok().unwrap();
        assert!(session.authenticate(json!({})).await.starts_with("40{"));
        let mut connection = Connection::open(gateway.consumer()).await;
        let head = format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", session.path(), payload.len());
        connection.send_what_is_taken([head.as_bytes(), payload].concat()).await;
        let answer = connection.answer(false).await.map(|answer| answer.status);
        let is_lost = answer.is_none() && payload.len() > 1_000_000;
        assert!(answer == Some(status) || is_lost, "{answer:?} {:.20}", String::from_utf8_lossy(payload));
        session.post("1").await;
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn two_polls_at_once_end_the_session_and_nothing_else() {
    let (gateway, witness) = with_witness().await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-2").await.ok().unwrap();
    assert!(session.authenticate(json!({})).await.starts_with("40{"));
    let poll = format!("GET {}", session.path());
    let mut polls = Vec::new();
    for _ in 0..4 {
        let mut connection = Connection::open(gateway.consumer()).await;
        connection.send_request(&poll, "").await;
        polls.push(connection);
    }
    let mut refused = 0;
    for connection in &mut polls {
        refused += u32::from(connection.answer(false).await.unwrap().status == 400);
    }
    assert!((2..4).contains(&refused), "all but one, or but two if a ping was on its way: {refused}");
    assert_eq!(session.poll().await.body, r#"{"code":1,"message":"Session ID unknown"}"#);
    drop((polls, session));
    is_unharmed(&gateway, witness).await;
}
