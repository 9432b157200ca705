//! Websocket frames that RFC 6455 forbids, or that are meant to exhaust.

use std::time::Duration;

use super::{frame, is_unharmed, next, with_witness};
use crate::harness::Gateway;
use crate::harness::http::Connection;

const UPGRADE: &str = "GET /socket.io/?EIO=4&transport=websocket&uniqueUserId=room-2\nConnection: Upgrade\n\
                       Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const CLOSE: u8 = 0x88;

/// A connected subscriber, as a connection.
async fn subscriber(gateway: &Gateway) -> Connection {
    let mut connection = Connection::open(gateway.consumer()).await;
    assert_eq!(connection.request(UPGRADE, "").await.status, 101);
    connection.send(frame(0x81, b"40")).await;
    while !next(&mut connection).await.expect("the answer to CONNECT").1.starts_with(b"40{") {}
    connection
}

/// Whether the gateway closes the connection; events are not expected on the way.
async fn is_closed(connection: &mut Connection) -> bool {
    while let Some((first, payload)) = next(connection).await {
        assert!(!payload.starts_with(b"42"), "{payload:?}");
        if first == CLOSE {
            return connection.closed().await;
        }
    }
    true
}

/// Whether the subscriber is served as before.
async fn is_served(gateway: &Gateway, connection: &mut Connection) -> bool {
    gateway.publish("room-2", &serde_json::json!({})).await;
    while let Some((_, payload)) = next(connection).await {
        if payload == br#"42["room-2",{}]"# {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn forbidden_frames_close_the_connection() {
    let (gateway, witness) = with_witness().await;
    let masked = |bytes: &[u8]| [bytes, &[0, 0, 0, 0]].concat();
    for (what, bytes) in [
        ("unmasked", b"\x81\x013".to_vec()),
        ("unmasked event", [b"\x81\x0f".as_slice(), br#"42["room-1",{}]"#].concat()),
        ("reserved bit 1", frame(0xc1, b"3")),
        ("reserved bit 2", frame(0xa1, b"3")),
        ("reserved bit 3", frame(0x91, b"3")),
        ("opcode 3", frame(0x83, b"3")),
        ("opcode 7", frame(0x87, b"3")),
        ("opcode 11", frame(0x8b, b"3")),
        ("opcode 15", frame(0x8f, b"3")),
        ("a ping of 126 bytes", frame(0x89, &[b'x'; 126])),
        ("a ping in fragments", frame(0x09, b"x")),
        ("a continuation of nothing", frame(0x80, b"x")),
        ("a message inside another", [frame(0x01, b"4"), frame(0x81, b"3")].concat()),
        ("a length of 2^63-1", masked(b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff")),
        ("a length of 2^63", masked(b"\x81\xff\x80\0\0\0\0\0\0\0")),
        ("no UTF-8", frame(0x81, b"42[\"\xff\"]")),
        ("a surrogate", frame(0x81, b"42[\"\xed\xa0\x80\"]")),
        ("half a letter", [frame(0x01, b"42[\"\xc3"), frame(0x80, b"\"]")].concat()),
        ("close", frame(CLOSE, b"")),
        ("close code 0", frame(CLOSE, b"\0\0")),
        ("close code 999", frame(CLOSE, b"\x03\xe7")),
        ("close code 1005", frame(CLOSE, b"\x03\xed")),
        ("half a close code", frame(CLOSE, b"\x03")),
        ("a close reason that is no UTF-8", frame(CLOSE, b"\x03\xe8\xff")),
        ("data after close", [frame(CLOSE, b"\x03\xe8"), frame(0x81, b"3")].concat()),
        ("an empty text", frame(0x81, b"")),
        ("a binary message", frame(0x82, b"abc")),
        ("1,000,001 bytes of text", frame(0x81, &[b'4'; 1_000_001])),
        ("1,000,001 bytes", frame(0x82, &[b'4'; 1_000_001])),
        ("1,200,000 bytes in two", [frame(0x01, &[b'4'; 600_000]), frame(0x80, &[b'4'; 600_000])].concat()),
    ] {
        let mut connection = subscriber(&gateway).await;
        connection.send_what_is_taken(bytes).await;
        let closed = tokio::time::timeout(Duration::from_secs(2), is_closed(&mut connection)).await;
        assert_eq!(closed, Ok(true), "{what}");
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn unusual_frames_that_are_allowed_change_nothing() {
    let (gateway, witness) = with_witness().await;
    for (what, bytes) in [
        ("a ping", frame(0x89, b"x")),
        ("a hundred pings", frame(0x89, b"x").repeat(100)),
        ("a pong that nobody asked for", frame(0x8a, b"x")),
        ("pong packets that nobody asked for", frame(0x81, b"3").repeat(100)),
        ("a length that is longer than it must be", [b"\x81\xfe\0\x01\0\0\0\0".as_slice(), b"3"].concat()),
        ("a letter in two fragments", [frame(0x01, b"42[\"\xc3"), frame(0x80, b"\xa9\"]")].concat()),
        ("a ping inside a message", [frame(0x01, b"42[\"a"), frame(0x89, b"x"), frame(0x80, b"\"]")].concat()),
        ("200,000 empty fragments", {
            let empty = frame(0x00, b"").repeat(200_000);
            [frame(0x01, b""), empty, frame(0x80, b"42[\"a\"]")].concat()
        }),
    ] {
        let mut connection = subscriber(&gateway).await;
        connection.send(bytes).await;
        assert!(is_served(&gateway, &mut connection).await, "{what}");
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_anywhere_leaves_nothing() {
    let (gateway, witness) = with_witness().await;
    let conversation = [frame(0x81, b"40"), frame(0x81, b"3"), frame(0x81, br#"42["a",{}]"#)].concat();
    for length in 0..conversation.len() {
        let mut connection = Connection::open(gateway.consumer()).await;
        assert_eq!(connection.request(UPGRADE, "").await.status, 101);
        connection.send(&conversation[..length]).await;
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn a_frame_before_the_answer_and_a_body_on_the_upgrade_end_nothing() {
    let (gateway, witness) = with_witness().await;
    for after in [frame(0x81, b"40"), frame(0xc1, b"x"), vec![0; 1000]] {
        let mut connection = Connection::open(gateway.consumer()).await;
        let head = format!("{} HTTP/1.1\r\nHost: a\r\n", UPGRADE.lines().next().unwrap());
        let headers: String = UPGRADE.lines().skip(1).map(|line| format!("{line}\r\n")).collect();
        connection.send([format!("{head}{headers}\r\n").as_bytes(), &after].concat()).await;
        assert_eq!(connection.answer(true).await.map(|answer| answer.status), Some(101));
    }
    let with_body = gateway.ask_consumer(UPGRADE, "0123456789").await;
    assert!([101, 400].contains(&with_body.status), "{with_body:?}");
    is_unharmed(&gateway, witness).await;
}
