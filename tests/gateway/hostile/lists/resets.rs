//! Connections that are reset at any byte (CVE-2022-41940): nothing is left of them, and nobody else notices.

use std::time::Duration;

use serde_json::json;
use socket2::SockRef;

use super::Target;
use crate::harness::dial::dial;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;
use crate::harness::process;
use crate::hostile::{frame, next};
use crate::protocol::UPGRADE;

/// A connection that is reset when it is dropped.
async fn abrupt(target: &Target) -> Connection {
    let stream = dial(target.ports.consumer).await;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    Connection::over(stream)
}

/// Gives the gateway time to read what was sent: its one worker has answered something that came later.
async fn settle(target: &Target) {
    assert_eq!(process::get(target.ports.consumer, "/nothing").await.status, 404);
}

/// Sends all of `bytes` but the end, for every length, and resets: at once, and when they may have been read.
async fn reset_within(target: &Target, bytes: &[u8]) {
    for length in 0..=bytes.len() {
        for waits in [false, true] {
            let mut connection = abrupt(target).await;
            connection.send(&bytes[..length]).await;
            if waits {
                settle(target).await;
            }
        }
    }
}

fn handshake(query: &str, upgrade: &str) -> Vec<u8> {
    let head = format!("GET /socket.io/?EIO=4&{query} HTTP/1.1\nHost: a{upgrade}\n\n");
    head.replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn a_handshake_that_is_reset_anywhere_leaves_nothing() {
    let mut target = Target::start("0").await;
    let connect = [handshake("transport=websocket&uniqueUserId=room-2", UPGRADE), frame(0x81, b"40")].concat();
    let short_key = UPGRADE.replace("==", "");
    for (name, bytes) in [
        ("a websocket", connect),
        ("a session over polling", handshake("transport=polling", "")),
        ("a websocket that is refused for its key", handshake("transport=websocket", &short_key)),
        ("a websocket of an unknown session", handshake("transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", UPGRADE)),
        ("a websocket of an unknown transport", handshake("transport=__proto__", UPGRADE)),
    ] {
        reset_within(&target, &bytes).await;
        target.is_unharmed(name).await;
    }
    target.end_as_before().await;
}

#[tokio::test]
async fn an_upgrade_that_is_reset_anywhere_leaves_nothing() {
    let mut target = Target::start("0").await;
    let frames = [frame(0x81, b"2probe"), frame(0x81, b"5"), frame(0x81, b"3"), frame(0x81, br#"42["a"]"#)].concat();
    // Whether a poll waits when the websocket is reset.
    for polls in [false, true] {
        for length in 0..=frames.len() {
            let (mut session, _) = Polling::open(target.ports.consumer, "&uniqueUserId=room-2").await.ok().unwrap();
            assert!(session.authenticate(json!({})).await.starts_with("40{"));
            let mut poll = abrupt(&target).await;
            if polls {
                poll.send_request(&format!("GET {}", session.path()), "").await;
            }
            let mut websocket = abrupt(&target).await;
            let path = session.path().replace("polling", "websocket");
            assert_eq!(websocket.request(&format!("GET {path}{UPGRADE}"), "").await.status, 101);
            websocket.send(&frames[..length]).await;
            if length >= frame(0x81, b"2probe").len() {
                assert_eq!(next(&mut websocket).await, Some((0x81, b"3probe".to_vec())));
            }
            drop(websocket);
            drop(poll);
            let status = session.post("1").await.status;
            assert!(status == 200 || status == 400, "{status} at byte {length}");
        }
    }
    target.is_unharmed("an upgrade").await;
    target.end_as_before().await;
}

#[tokio::test]
async fn a_handshake_of_a_known_session_that_is_reset_anywhere_leaves_the_session() {
    let mut target = Target::start("0").await;
    let (mut session, _) = Polling::open(target.ports.consumer, "&uniqueUserId=room-2").await.ok().unwrap();
    assert!(session.authenticate(json!({})).await.starts_with("40{"));
    let websocket = handshake(&format!("transport=websocket&sid={}", session.sid), UPGRADE);
    reset_within(&target, &websocket[..websocket.len() - 1]).await;
    let body = r#"{"target_id":"room-2","n":1}"#;
    assert_eq!(process::post(target.ports.producer, body).await.status, 200);
    let heard = loop {
        let answer = session.poll().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.body.starts_with("42") {
            break answer.body;
        }
    };
    assert_eq!(heard, r#"42["room-2",{"n":1}]"#);
    // And it may still be taken over.
    let mut websocket = Connection::open(target.ports.consumer).await;
    let path = session.path().replace("polling", "websocket");
    assert_eq!(websocket.request(&format!("GET {path}{UPGRADE}"), "").await.status, 101);
    websocket.send(frame(0x81, b"2probe")).await;
    assert_eq!(next(&mut websocket).await, Some((0x81, b"3probe".to_vec())));
    session.post("1").await;
    drop((session, websocket));
    target.is_unharmed("a session").await;
    target.end_as_before().await;
}
