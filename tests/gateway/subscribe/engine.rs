//! Engine.IO: the open packet, sessions over both transports, and errors as Node's server words them.

use roomcast::types::CloseReason;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::dial::dial;
use crate::harness::http::{Answer, Connection};
use crate::harness::polling::Polling;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, token};

const UPGRADE: &str = "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

fn is_error(answer: &Answer, code: u8, message: &str) {
    let expected = json!({ "code": code, "message": message });
    assert_eq!((answer.status, answer.body.as_str()), (400, expected.to_string().as_str()));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("vary"), "Origin");
}

#[tokio::test]
async fn the_open_packet_is_that_of_vrchats() {
    let gateway = Gateway::start(&[]).await;
    let (session, open) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
    assert_eq!(
        open,
        json!({
            "sid": session.sid, "upgrades": ["websocket"],
            "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 1_000_000,
        })
    );
    assert!(session.sid.len() >= 16 && session.sid.bytes().all(|byte| byte.is_ascii_graphic()), "{}", session.sid);
    let (other, _) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
    assert_ne!(session.sid, other.sid);
}

#[tokio::test]
async fn the_open_packet_over_a_websocket_offers_no_upgrade() {
    let gateway = Gateway::start(&[]).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    let answer = connection.request(&format!("GET /socket.io/?EIO=4&transport=websocket{UPGRADE}"), "").await;
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(answer.header("sec-websocket-extensions"), "", "no compression");
    let open: Value = serde_json::from_str(frame(&mut connection).await.strip_prefix('0').unwrap()).unwrap();
    assert_eq!((&open["upgrades"], &open["maxPayload"]), (&json!([]), &json!(1_000_000)));
}

#[tokio::test]
async fn pings_and_payload_are_as_they_are_set() {
    let settings = [("PING_INTERVAL", "300"), ("PING_TIMEOUT", "200"), ("MAX_HTTP_BUFFER_SIZE", "1000")];
    let gateway = Gateway::start(&settings).await;
    let (mut session, open) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
    assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&json!(300), &json!(200)));
    assert_eq!(open["maxPayload"], 1000);
    session.authenticate(json!({ "token": token() })).await;
    for _ in 0..3 {
        assert_eq!(session.post("3").await.body, "ok");
        assert_eq!(session.poll().await.body, "2", "who answers is pinged again");
    }
    drop(session);
    gateway.emptied().await; // and who does not is closed
}

#[tokio::test]
async fn requests_that_the_protocol_does_not_allow_have_vrchats_codes() {
    let gateway = Gateway::start(&[]).await;
    let key = UPGRADE.rsplit_once('\n').unwrap().0;
    for (line, code, message) in [
        ("GET /socket.io/", 0, "Transport unknown"),
        ("GET /socket.io/?EIO=4", 0, "Transport unknown"),
        ("GET /socket.io/?EIO=4&transport=__proto__", 0, "Transport unknown"),
        ("GET /socket.io/?EIO=4&transport=polling&transport=polling", 0, "Transport unknown"),
        ("GET /socket.io/socket.io.js", 0, "Transport unknown"),
        ("GET /socket.io/?EIO=4&transport=polling&sid=unknown", 1, "Session ID unknown"),
        ("GET /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", 1, "Session ID unknown"),
        ("GET /socket.io/?EIO=4&transport=polling&sid=a&sid=b", 1, "Session ID unknown"),
        ("POST /socket.io/?EIO=4&transport=polling&sid=unknown", 1, "Session ID unknown"),
        ("POST /socket.io/?EIO=4&transport=polling", 2, "Bad handshake method"),
        ("PUT /socket.io/?EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET /socket.io/?EIO=4&transport=websocket", 3, "Bad request"),
        ("GET /socket.io/?EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET /socket.io/?transport=polling", 5, "Unsupported protocol version"),
        ("GET /socket.io/?EIO=4&EIO=3&transport=polling", 5, "Unsupported protocol version"),
        (&format!("GET /socket.io/?EIO=4&transport=nothing{UPGRADE}"), 0, "Transport unknown"),
        (&format!("GET /socket.io/?EIO=4&transport=websocket&sid=unknown{UPGRADE}"), 1, "Session ID unknown"),
        (&format!("GET /socket.io/?EIO=3&transport=websocket{UPGRADE}"), 5, "Unsupported protocol version"),
        (&format!("GET /socket.io/?EIO=4&transport=websocket{key}"), 3, "Bad request"),
        (&format!("GET /socket.io/?EIO=4&transport=websocket{key}\nSec-WebSocket-Key: short"), 3, "Bad request"),
    ] {
        let answer = gateway.ask_consumer(line, "").await;
        assert_eq!(answer.body, json!({ "code": code, "message": message }).to_string(), "{line}");
        is_error(&answer, code, message);
    }
    assert_eq!(gateway.stats().sessions.get(), 0);
}

#[tokio::test]
async fn other_paths_are_the_404_that_health_tests_of_vrchats_look_for() {
    let gateway = Gateway::start(&[]).await;
    for (line, shown) in [
        ("GET /", "GET /"),
        ("GET /socket.io", "GET /socket.io"),
        ("POST /publish", "POST /publish"),
        ("GET /status", "GET /status"),
        ("GET /demo", "GET /demo"),
    ] {
        let answer = gateway.ask_consumer(line, "").await;
        assert_eq!(answer.status, 404, "{line}");
        assert!(answer.body.contains(&format!("<pre>Cannot {shown}</pre>")), "{line}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("x-powered-by"), "");
    }
}

#[tokio::test]
async fn a_polling_session_connects_hears_and_leaves() {
    let gateway = Gateway::start(&[]).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    assert!(session.authenticate(json!({ "token": token() })).await.starts_with("40{"));
    for number in 0..3 {
        gateway.publish("room-1", &json!({ "number": number })).await;
    }
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let answer = session.poll().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=UTF-8"));
        heard.extend(answer.body.split('\u{1e}').filter(|packet| *packet != "2").map(str::to_owned));
    }
    let expected = (0..3).map(|number| format!(r#"42["room-1",{{"number":{number}}}]"#));
    assert_eq!(heard, expected.collect::<Vec<_>>());
    assert_eq!(session.post("1").await.status, 200);
    is_error(&session.poll().await, 1, "Session ID unknown");
    gateway.emptied().await;
}

#[tokio::test]
async fn long_polls_are_compressed_for_who_can_inflate_them() {
    let gateway = Gateway::start(&[]).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    session.authenticate(json!({ "token": token() })).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    for (length, accepted, encoding) in [
        (5_000, "\nAccept-Encoding: gzip, deflate, br", "gzip"),
        (5_000, "", ""),
        (5_000, "\nAccept-Encoding: br", ""),
        (100, "\nAccept-Encoding: gzip", ""),
    ] {
        let text = "x".repeat(length);
        gateway.publish("room-1", &json!({ "text": text })).await;
        let event = format!(r#"42["room-1",{{"text":"{text}"}}]"#);
        loop {
            let answer = connection.request(&format!("GET {}{accepted}", session.path()), "").await;
            if answer.body == "2" {
                continue; // the first ping, which comes at any time
            }
            assert!(answer.body.split('\u{1e}').any(|packet| packet == event), "{accepted}: {:.40}", answer.body);
            assert_eq!(answer.header("content-encoding"), encoding, "{length} bytes {accepted}");
            break;
        }
    }
}

#[tokio::test]
async fn a_session_moves_from_polling_to_a_websocket_and_loses_nothing() {
    let gateway = Gateway::start(&[]).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    session.authenticate(json!({ "token": token() })).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    let path = session.path().replace("polling", "websocket");
    assert_eq!(connection.request(&format!("GET {path}{UPGRADE}"), "").await.status, 101);
    connection.send(masked("2probe")).await;
    assert_eq!(frame(&mut connection).await, "3probe");
    while !session.poll().await.body.ends_with('6') {} // the poll is released, after a ping perhaps
    gateway.publish("room-1", &json!({})).await;
    connection.send(masked("5")).await;
    assert_eq!(frame(&mut connection).await, r#"42["room-1",{}]"#);
    is_error(&session.poll().await, 3, "Bad request");
}

/// The stock client sends what it kept back right behind its upgrade packet, often in one piece with it.
#[tokio::test]
async fn what_comes_in_one_piece_with_the_upgrade_is_read() {
    let gateway = Gateway::start(&[]).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    let mut connection = Connection::open(gateway.consumer()).await;
    let path = session.path().replace("polling", "websocket");
    assert_eq!(connection.request(&format!("GET {path}{UPGRADE}"), "").await.status, 101);
    connection.send(masked("2probe")).await;
    assert_eq!(frame(&mut connection).await, "3probe");
    assert_eq!(session.poll().await.body, "6");
    connection.send([masked("5"), masked("3"), masked("40{}")].concat()).await;
    assert_eq!(frame(&mut connection).await, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#);
}

/// As Node's server does: what such a poll was told would be lost in silence.
#[tokio::test]
async fn a_poll_that_its_client_gives_up_ends_the_session() {
    let gateway = Gateway::start(&[]).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-1").await.ok().unwrap();
    session.authenticate(json!({ "token": token() })).await;
    drop(session.poll_elsewhere(gateway.consumer()).await);
    gateway.emptied().await;
    assert_eq!(gateway.stats().closes(CloseReason::TransportError).get(), 1);
    is_error(&session.poll().await, 1, "Session ID unknown");
}

#[tokio::test]
async fn a_second_websocket_of_a_session_is_closed_and_the_first_stays() {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH", "0")]).await;
    let mut connection = Connection::open(gateway.consumer()).await;
    let first = format!("GET /socket.io/?EIO=4&transport=websocket&uniqueUserId=room-1{UPGRADE}");
    assert_eq!(connection.request(&first, "").await.status, 101);
    let open: Value = serde_json::from_str(&frame(&mut connection).await[1..]).unwrap();
    connection.send(masked("40")).await;
    assert!(frame(&mut connection).await.starts_with("40{"));
    let path = format!("/socket.io/?EIO=4&transport=websocket&sid={}", open["sid"].as_str().unwrap());
    let mut second = Connection::open(gateway.consumer()).await;
    assert_eq!(second.request(&format!("GET {path}{UPGRADE}"), "").await.status, 101);
    assert!(second.closed().await);
    gateway.publish("room-1", &json!({})).await;
    assert_eq!(frame(&mut connection).await, r#"42["room-1",{}]"#);
}

#[tokio::test]
async fn messages_are_bounded_on_both_transports() {
    let gateway = Gateway::start(&[]).await;
    let sized = |bytes: usize| format!("42[\"a\",\"{}\"]", "x".repeat(bytes - 10));
    let (mut session, _) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
    session.authenticate(json!({ "token": token() })).await;
    assert_eq!(session.post(sized(1_000_000)).await.body, "ok");
    let answer = session.post(sized(1_000_001)).await;
    assert!([400, 413].contains(&answer.status), "{answer:?}");

    let stream = dial(gateway.consumer()).await;
    let mut socket = Socket::open_over(stream, gateway.consumer(), "&uniqueUserId=room-1", &[]).await.unwrap();
    socket.authenticate(json!({ "token": token() })).await;
    socket.send(&sized(1_000_000)).await;
    gateway.expect_silence(&mut socket, "room-1").await;
    socket.send_what_is_taken(Message::text(sized(1_000_001))).await;
    assert_eq!(socket.packet().await, None);
    gateway.emptied().await;
}

/// The text of the next frame that is no ping; the gateway's are short, whole and unmasked here.
async fn frame(connection: &mut Connection) -> String {
    loop {
        let head = connection.bytes(2).await.unwrap();
        assert!(head[0] == 0x81 && head[1] < 126, "{head:?}");
        let text = String::from_utf8(connection.bytes(head[1].into()).await.unwrap()).unwrap();
        if text != "2" {
            return text;
        }
    }
}

/// A text frame as a client sends it, with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}
