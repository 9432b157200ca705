//! Those against websockets: handshakes, frames and messages.

use std::time::Instant;

use serde_json::json;

use super::{WEBSOCKET, assert_soon, cost, handshake, served_to_the_end};
use crate::harness::Gateway;
use crate::harness::http::{Answer, Connection};
use crate::harness::process::{Process, post};
use crate::harness::socket::Socket;
use crate::hostile::{frame, is_unharmed, next, with_witness};

/// The answer to a handshake with more header lines.
async fn upgrade(gateway: &Gateway, lines: &[u8]) -> Option<Answer> {
    let mut connection = Connection::open(gateway.consumer()).await;
    connection.send_what_is_taken(handshake(WEBSOCKET, lines)).await;
    connection.answer(true).await
}

/// A websocket, connected to room-2, as a connection.
async fn subscriber(addr: std::net::SocketAddr) -> Connection {
    let mut connection = Connection::open(addr).await;
    connection.send([handshake(WEBSOCKET, b""), frame(0x81, b"40")].concat()).await;
    assert_eq!(connection.answer(true).await.map(|answer| answer.status), Some(101));
    while !next(&mut connection).await.expect("the answer to CONNECT").1.starts_with(b"40{") {}
    connection
}

/// The code of the close frame that comes next, of events undisturbed.
async fn close_code(connection: &mut Connection) -> Option<u16> {
    while let Some((first, payload)) = next(connection).await {
        assert!(!payload.starts_with(b"42"), "an event: {payload:?}");
        if first == 0x88 {
            return Some(u16::from_be_bytes(payload[..2].try_into().unwrap()));
        }
    }
    None
}

#[tokio::test]
async fn cve_2024_37890_an_upgrade_with_2100_headers_and_with_20000() {
    let (gateway, witness) = with_witness().await;
    for count in [101, 2_100, 20_000] {
        let lines: String = (0..count).map(|index| format!("x{index}: y\r\n")).collect();
        let begun = Instant::now();
        assert_eq!(upgrade(&gateway, lines.as_bytes()).await.map(|answer| answer.status), Some(431), "{count}");
        assert_soon(begun);
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2021_32640_a_subprotocol_of_32000_blanks() {
    let (gateway, witness) = with_witness().await;
    let [protocol, extensions] = ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"];
    for (blanks, answers) in
        [(14_000, [(protocol, 400), (extensions, 101)]), (32_000, [(protocol, 431), (extensions, 431)])]
    {
        for (name, status) in answers {
            let lines = format!("{name}: b{}x\r\n", " ".repeat(blanks));
            let begun = Instant::now();
            let answer = upgrade(&gateway, lines.as_bytes()).await.expect("an answer");
            assert_eq!((answer.status, answer.header(name)), (status, ""), "{blanks} {name}");
            assert_soon(begun);
        }
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn ghsa_5v72_xg48_5rpm_an_extension_named_constructor() {
    let (gateway, witness) = with_witness().await;
    for name in ["constructor", "__proto__", "prototype", "toString", "hasOwnProperty"] {
        let lines = format!("Sec-WebSocket-Extensions: {name}\r\nSec-WebSocket-Protocol: {name}\r\n");
        let answer = upgrade(&gateway, lines.as_bytes()).await.expect("an answer");
        // A subprotocol is a name like any other.
        let agreed = ["sec-websocket-extensions", "sec-websocket-protocol"].map(|name| answer.header(name));
        assert_eq!((answer.status, agreed), (101, ["", name]), "{name}");
    }
    let answer =
        upgrade(&gateway, b"Sec-WebSocket-Extensions: permessage-deflate; __proto__\r\n").await.expect("an answer");
    assert_eq!((answer.status, answer.header("sec-websocket-extensions")), (101, ""));
    is_unharmed(&gateway, witness).await;
}

/// The same bytes ended workers of Granian (CVE-2026-42544) and Deno's server (CVE-2026-55517).
#[tokio::test]
async fn cve_2026_42544_cve_2026_55517_bytes_over_127_in_every_header_that_is_read() {
    let (gateway, witness) = with_witness().await;
    for byte in 0x80..=0xff {
        let answer = upgrade(&gateway, &[b"Sec-WebSocket-Protocol: a", [byte].as_slice(), b"\r\n"].concat()).await;
        assert_eq!(answer.map(|answer| answer.status), Some(400), "{byte:x}");
    }
    let bytes: Vec<u8> = (0x80..=0xff).collect();
    let read = [
        ("Origin", 403, 403),
        ("Host", 101, 200),
        ("Connection", 101, 200),
        ("Upgrade", 400, 200),
        ("Sec-WebSocket-Version", 400, 200),
        ("Sec-WebSocket-Key", 400, 200),
        ("Sec-WebSocket-Extensions", 101, 200),
        ("X-Forwarded-For", 101, 200),
        ("CF-Connecting-IP", 101, 200),
        ("Forwarded", 101, 200),
        ("Accept-Encoding", 101, 200),
        ("Access-Control-Request-Headers", 101, 200),
        ("Expect", 101, 200),
        ("Content-Type", 101, 415),
        ("Content-Encoding", 101, 415),
        ("If-None-Match", 101, 200),
        ("Transfer-Encoding", 400, 400),
        ("Authorization", 101, 200),
    ];
    for (name, upgraded, published) in read {
        let line = [name.as_bytes(), b": ", &bytes, b"\r\n"].concat();
        let answer = upgrade(&gateway, &line).await.expect("an answer");
        assert_eq!(answer.status, upgraded, "{name} on an upgrade");
        let mut publisher = Connection::open(gateway.producer()).await;
        let json = if name == "Content-Type" { "" } else { "Content-Type: application/json\r\n" };
        let head = format!("POST /publish HTTP/1.1\r\nHost: a\r\n{json}Content-Length: 22\r\n");
        publisher.send([head.as_bytes(), &line, b"\r\n", br#"{"target_id":"room-2"}"#].concat()).await;
        let answer = publisher.answer(false).await.expect("an answer");
        assert_eq!(answer.status, published, "{name} on a publish");
    }
    is_unharmed(&gateway, witness).await;
}

/// tungstenite read such a head from its start at every byte (RUSTSEC-2023-0065).
#[tokio::test]
async fn cve_2023_43669_a_long_head_byte_by_byte() {
    let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", "0")]).await;
    let head = handshake(WEBSOCKET, format!("X: {}\r\n", "x".repeat(15_000)).as_bytes());
    let (cpu, _) = cost(ports, async {
        let mut connection = Connection::open(ports.consumer).await;
        for byte in &head {
            connection.send([*byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(connection.answer(true).await.map(|answer| answer.status), Some(101));
    })
    .await;
    assert!(cpu < 3.0, "{cpu} s of CPU");
    served_to_the_end(process).await;
}

/// ws kept more for each fragment than the fragment's bytes.
#[tokio::test]
async fn cve_2026_48779_a_million_tiny_fragments() {
    let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", "0")]).await;
    let empty = [frame(0x01, b""), frame(0x00, b"").repeat(1_000_000)].concat();
    let tiny = [frame(0x01, b"4"), frame(0x00, b"2").repeat(250_000)].concat();
    for (fragments, is_taken) in [(empty, false), (tiny, true)] {
        let mut connection = subscriber(ports.consumer).await;
        let (_, grown) = cost(ports, async {
            connection.send_what_is_taken(&fragments).await;
            if is_taken {
                connection.send(frame(0x89, b"")).await;
                assert_eq!(next(&mut connection).await, Some((0x8a, Vec::new())), "a pong behind all of them");
            } else {
                assert_eq!(close_code(&mut connection).await, Some(1009));
            }
        })
        .await;
        assert!(grown < f64::from(4 << 20), "{grown} bytes for {} bytes of fragments", fragments.len());
        drop(connection);
        let (mut witness, _) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", json!({})).await;
        assert_eq!(post(ports.producer, r#"{"target_id":"room-1"}"#).await.status, 200);
        assert_eq!(witness.event().await, ("room-1".to_owned(), json!({})));
    }
    served_to_the_end(process).await;
}

/// Bandit (CVE-2026-42786) and hackney (CVE-2026-47073) put fragments together without a bound, libsoup (CVE-2026-0716)
/// believed a length.
#[tokio::test]
async fn cve_2026_42786_cve_2026_47073_cve_2026_0716_messages_without_a_bound() {
    let (gateway, witness) = with_witness().await;
    let fragments = [frame(0x01, &[b'4'; 100_000]), frame(0x00, &[b'4'; 100_000]).repeat(10)].concat();
    let lengths: [&[u8]; 3] = [
        b"\x82\xff\0\0\0\0\x40\0\0\0\0\0\0\0",
        b"\x01\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
        b"\x81\xff\0\0\0\0\0\x0f\x42\x41\0\0\0\0",
    ];
    for bytes in [fragments.as_slice(), lengths[0], lengths[1], lengths[2]] {
        let mut connection = subscriber(gateway.consumer()).await;
        let begun = Instant::now();
        connection.send_what_is_taken(bytes).await;
        assert_eq!(close_code(&mut connection).await, Some(1009), "{:?}", &bytes[..bytes.len().min(14)]);
        assert_soon(begun);
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2016_10542_a_message_over_the_limit_is_refused_by_its_length() {
    let (gateway, witness) = with_witness().await;
    let mut connection = subscriber(gateway.consumer()).await;
    // 1,000,001 bytes are announced and none is sent.
    connection.send(b"\x81\xff\0\0\0\0\0\x0f\x42\x41\0\0\0\0").await;
    assert_eq!(close_code(&mut connection).await, Some(1009));
    is_unharmed(&gateway, witness).await;
}

/// An unmasked frame was handed to the application before the connection was closed.
#[tokio::test]
async fn facil_io_169_a_frame_without_a_mask_has_no_effect() {
    let (gateway, witness) = with_witness().await;
    let mut connection = Connection::open(gateway.consumer()).await;
    connection.send([handshake(WEBSOCKET, b"").as_slice(), b"\x81\x0240"].concat()).await;
    assert_eq!(connection.answer(true).await.map(|answer| answer.status), Some(101));
    assert_eq!(close_code(&mut connection).await, Some(1002));
    assert_eq!(gateway.stats().subscribers.get(), 1, "the witness alone: it did not connect");
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2026_45736_what_is_echoed_is_what_was_sent() {
    let (gateway, witness) = with_witness().await;
    let mut connection = subscriber(gateway.consumer()).await;
    for length in [125, 0, 1, 124, 0, 125] {
        let payload: Vec<u8> = (0..length).map(|index| index ^ 0x5a).collect();
        connection.send(frame(0x89, &payload)).await;
        assert_eq!(next(&mut connection).await, Some((0x8a, payload)));
    }
    connection.send(frame(0x88, b"\x03\xe8good bye")).await;
    let (first, payload) = next(&mut connection).await.expect("a close frame");
    assert!(first == 0x88 && b"\x03\xe8good bye".starts_with(&payload), "{payload:?}");
    is_unharmed(&gateway, witness).await;
}
