//! The list of websocket handshakes.

use super::{KEY, Target};
use crate::harness::http::Connection;
use crate::hostile::{frame, next};

/// What a handshake is answered.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// A status, and a body.
    Refused(u16, &'static str),
    /// A websocket of this subprotocol, or of none, and an open packet over it.
    Opened(&'static str),
}

use Answer::{Opened, Refused};

const BAD_REQUEST: Answer = Refused(400, r#"{"code":3,"message":"Bad request"}"#);
const BAD_METHOD: Answer = Refused(400, r#"{"code":2,"message":"Bad handshake method"}"#);
const FORBIDDEN: Answer = Refused(403, r#"{"code":4,"message":"Forbidden"}"#);
const TOO_LARGE: Answer = Refused(431, "");

const LINE: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1";

/// A handshake of this first line in which these headers stand in place of those that belong there.
fn request(line: &str, others: &[(&str, &[u8])]) -> Vec<u8> {
    let usual: [(&str, &[u8]); 5] = [
        ("Host", b"a"),
        ("Connection", b"Upgrade"),
        ("Upgrade", b"websocket"),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Key", KEY.as_bytes()),
    ];
    let kept = usual.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    let mut text = format!("{line}\r\n").into_bytes();
    for (name, value) in kept.chain(others.iter().filter(|(_, value)| *value != NONE)) {
        text.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// Stands for a header that is not there.
const NONE: &[u8] = b"\0";

fn with(name: &str, value: &[u8]) -> Vec<u8> {
    request(LINE, &[(name, value)])
}

fn versions_and_keys() -> Vec<(&'static str, Vec<u8>, Answer)> {
    let version = |value| with("Sec-WebSocket-Version", value);
    let key = |value| with("Sec-WebSocket-Key", value);
    let twice = |name, value: &[u8]| request(LINE, &[(name, value), (name, value)]);
    vec![
        ("no version", version(NONE), BAD_REQUEST),
        ("version 0", version(b"0"), BAD_REQUEST),
        ("version 8", version(b"8"), BAD_REQUEST),
        ("version 12", version(b"12"), BAD_REQUEST),
        ("version 14", version(b"14"), BAD_REQUEST),
        ("version 013", version(b"013"), BAD_REQUEST),
        ("versions 13 and 8", version(b"13, 8"), BAD_REQUEST),
        ("version 13 twice", twice("Sec-WebSocket-Version", b"13"), BAD_REQUEST),
        ("no key", key(NONE), BAD_REQUEST),
        ("a key that is empty", key(b""), BAD_REQUEST),
        ("a key that is short", key(b"dGhlIHNhbXBsZSBub25j"), BAD_REQUEST),
        ("a key that is long", key(b"dGhlIHNhbXBsZSBub25jZSBhbmQgbW9yZQ=="), BAD_REQUEST),
        ("a key of 8,000 letters", key(&[b'A'; 8_000]), BAD_REQUEST),
        ("a key that is no base64", key(b"!!!!!!!!!!!!!!!!!!!!!!=="), BAD_REQUEST),
        ("a key of 18 bytes", key(b"dGhlIHNhbXBsZSBub25jZQAA"), BAD_REQUEST),
        ("a key of bytes over 127", key(&[0xff; 24]), BAD_REQUEST),
        ("a key twice", twice("Sec-WebSocket-Key", KEY.as_bytes()), BAD_REQUEST),
    ]
}

fn upgrades() -> Vec<(&'static str, Vec<u8>, Answer)> {
    let upgrade = |value| with("Upgrade", value);
    let connection = |value| with("Connection", value);
    let line = |line| request(line, &[]);
    vec![
        ("no upgrade", upgrade(NONE), BAD_REQUEST),
        ("an upgrade to h2c", upgrade(b"h2c"), BAD_REQUEST),
        ("an upgrade to websocket and h2c", upgrade(b"websocket, h2c"), BAD_REQUEST),
        ("an upgrade to a version of websocket", upgrade(b"websocket/13"), BAD_REQUEST),
        ("an upgrade of bytes over 127", upgrade(b"websocket\xff"), BAD_REQUEST),
        ("an upgrade twice", request(LINE, &[("Upgrade", b"websocket"), ("Upgrade", b"websocket")]), BAD_REQUEST),
        ("an upgrade in capitals", upgrade(b"WebSocket"), Opened("")),
        ("no connection to upgrade", connection(NONE), BAD_REQUEST),
        ("a connection to keep alive", connection(b"keep-alive"), BAD_REQUEST),
        ("a connection to keep alive and to upgrade", connection(b"keep-alive, UPGRADE"), Opened("")),
        ("a POST", line("POST /socket.io/?EIO=4&transport=websocket HTTP/1.1"), BAD_METHOD),
        ("a PUT", line("PUT /socket.io/?EIO=4&transport=websocket HTTP/1.1"), BAD_METHOD),
        ("a get in small letters", line("get /socket.io/?EIO=4&transport=websocket HTTP/1.1"), BAD_METHOD),
        ("HTTP/1.0", line("GET /socket.io/?EIO=4&transport=websocket HTTP/1.0"), BAD_REQUEST),
    ]
}

fn offers() -> Vec<(&'static str, Vec<u8>, Answer)> {
    let protocol = |value: &[u8]| with("Sec-WebSocket-Protocol", value);
    let extensions = |value: &[u8]| with("Sec-WebSocket-Extensions", value);
    let spaced = |count| [b"b".as_slice(), &vec![b' '; count], b"x"].concat();
    let over_127: Vec<u8> = (0x80..=0xff).collect();
    vec![
        ("a subprotocol", protocol(b"v1.room"), Opened("v1.room")),
        ("two subprotocols", protocol(b"a, b"), Opened("a")),
        ("a subprotocol that is a constructor", protocol(b"constructor"), Opened("constructor")),
        ("a subprotocol that is empty", protocol(b""), BAD_REQUEST),
        ("subprotocols that are commas", protocol(&[b','; 8_000]), BAD_REQUEST),
        ("a subprotocol twice", protocol(b"a, a"), BAD_REQUEST),
        ("subprotocols in brackets", protocol(b"[object Object]"), BAD_REQUEST),
        ("subprotocols of bytes over 127", protocol(&over_127), BAD_REQUEST),
        ("subprotocols with 8,000 spaces between them", protocol(&spaced(8_000)), BAD_REQUEST),
        ("subprotocols with 32,000 spaces between them", protocol(&spaced(32_000)), TOO_LARGE),
        ("the extension constructor", extensions(b"constructor"), Opened("")),
        ("the extension __proto__", extensions(b"__proto__; a=b"), Opened("")),
        ("compression", extensions(b"permessage-deflate; client_max_window_bits"), Opened("")),
        (
            "compression of a window that there is not",
            extensions(b"permessage-deflate; client_max_window_bits=99"),
            Opened(""),
        ),
        ("extensions that are semicolons", extensions(&[b';'; 8_000]), Opened("")),
        ("extensions of bytes over 127", extensions(&over_127), Opened("")),
        ("a foreign origin", with("Origin", b"https://evil.example"), FORBIDDEN),
        ("no origin in particular", with("Origin", b"null"), FORBIDDEN),
        ("an origin of bytes over 127", with("Origin", &over_127), FORBIDDEN),
        ("the allowed origin", with("Origin", crate::harness::ORIGIN.as_bytes()), Opened("")),
    ]
}

/// What stands around a handshake.
fn surroundings() -> Vec<(&'static str, Vec<u8>, Answer)> {
    let many = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("x{index}")).collect();
        request(LINE, &names.iter().map(|name| (name.as_str(), b"y".as_slice())).collect::<Vec<_>>())
    };
    let followed_by = |more: &[u8]| [request(LINE, &[]).as_slice(), more].concat();
    vec![
        ("CONNECT behind the handshake", followed_by(&frame(0x81, b"40")), Opened("")),
        ("a broken frame behind the handshake", followed_by(&frame(0xa1, b"40")), Opened("")),
        ("90 headers", many(90), Opened("")),
        ("101 headers", many(101), TOO_LARGE),
        ("2,100 headers", many(2_100), TOO_LARGE),
        ("20,000 headers", many(20_000), TOO_LARGE),
    ]
}

/// The answer to what was sent; a websocket has said its open packet with it.
async fn answer(connection: &mut Connection) -> String {
    let Some(answer) = connection.answer(false).await else { return "the end".to_owned() };
    if answer.status != 101 {
        return format!("Refused({}, {:?})", answer.status, answer.body);
    }
    assert_eq!(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(answer.header("sec-websocket-extensions"), "", "no compression");
    match next(connection).await {
        Some((0x81, open)) if open.starts_with(b"0{") => {
            format!("Opened({:?})", answer.header("sec-websocket-protocol"))
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn each_case_of_the_list_of_websocket_handshakes_has_its_answer() {
    let mut target = Target::start("0").await;
    let lists = [versions_and_keys(), upgrades(), offers(), surroundings()];
    let cases: Vec<_> = lists.into_iter().flatten().collect();
    let mut wrong = Vec::new();
    for (name, request, expected) in &cases {
        let mut connection = Connection::open(target.ports.consumer).await;
        connection.send_what_is_taken(request).await;
        let seen = answer(&mut connection).await;
        if seen != format!("{expected:?}") {
            wrong.push(format!("{name}: expected {expected:?}, seen {seen}"));
        }
        drop(connection);
        target.is_unharmed(name).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    target.end_as_before().await;
}

/// What stood behind a handshake is not lost: the one is let in, the other is closed.
#[tokio::test]
async fn frames_in_one_piece_with_the_handshake_are_read() {
    let mut target = Target::start("0").await;
    for (name, more, expected) in [
        ("CONNECT", frame(0x81, b"40"), (0x81, b"40{".to_vec())),
        ("a reserved bit", frame(0xa1, b"40"), (0x88, b"\x03\xea".to_vec())),
        ("an unmasked CONNECT", b"\x81\x0240".to_vec(), (0x88, b"\x03\xea".to_vec())),
    ] {
        let mut connection = Connection::open(target.ports.consumer).await;
        connection.send([request(LINE, &[]), more].concat()).await;
        assert_eq!(answer(&mut connection).await, "Opened(\"\")", "{name}");
        let (first, payload) = next(&mut connection).await.unwrap_or_else(|| panic!("{name}: the end"));
        assert_eq!((first, &payload[..expected.1.len()]), (expected.0, expected.1.as_slice()), "{name}");
        drop(connection);
        target.is_unharmed(name).await;
    }
    target.end_as_before().await;
}

/// A head that comes byte by byte is not read anew with each (CVE-2023-43669).
#[tokio::test]
async fn a_handshake_that_comes_byte_by_byte_is_served() {
    let mut target = Target::start("0").await;
    let long = with("X-Padding", &[b'x'; 10_000]);
    let before = target.cpu_ticks();
    let mut connection = Connection::open(target.ports.consumer).await;
    for byte in long.chunks(1) {
        connection.send(byte).await;
    }
    assert_eq!(answer(&mut connection).await, "Opened(\"\")");
    let spent = target.cpu_ticks() - before;
    assert!(spent < 300, "{spent} ticks of 10 ms");
    drop(connection);
    target.is_unharmed("a handshake byte by byte").await;
    target.end_as_before().await;
}

/// A handshake has no body. What its length tells of is not taken for frames, and nothing of it is published.
#[tokio::test]
async fn a_handshake_with_a_body_is_no_way_to_smuggle() {
    let mut target = Target::start("0").await;
    let body = "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\n\r\n{\"target_id\":\"room-1\"}";
    let length = body.len().to_string();
    for (name, header, body) in [
        ("a length", ("Content-Length", length.as_bytes()), body.to_owned()),
        ("chunks", ("Transfer-Encoding", b"chunked".as_slice()), format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())),
    ] {
        let mut connection = Connection::open(target.ports.consumer).await;
        connection.send([request(LINE, &[header]), body.into_bytes()].concat()).await;
        assert_eq!(answer(&mut connection).await, "Opened(\"\")", "{name}");
        connection.send(frame(0x81, b"40")).await;
        let (first, payload) = next(&mut connection).await.unwrap_or_else(|| panic!("{name}: the end"));
        assert!(first == 0x81 && payload.starts_with(b"40{"), "{name}: {first} {payload:?}");
        drop(connection);
        target.is_unharmed(name).await;
    }
    target.end_as_before().await;
}
