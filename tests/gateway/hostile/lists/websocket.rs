//! Websocket frames that RFC 6455 forbids, or that are meant to exhaust. Handshakes stand in `handshakes`.

mod cases;
mod handshakes;

use std::time::Duration;

use cases::{Case, Expected, Stage, cases};
use serde_json::json;

use super::Target;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;
use crate::harness::process;
use crate::hostile::{frame, next};
use crate::protocol::UPGRADE;

/// The key of RFC 6455, 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The first byte of a close frame.
const CLOSE: u8 = 0x88;

/// The pong behind everything else.
const END: (u8, &[u8]) = (0x8a, b"the end of the case");

/// A websocket that came as far as `stage`; and the session over polling that it wants to take over.
async fn at(stage: Stage, target: &Target) -> (Connection, Option<Polling>) {
    let consumer = target.ports.consumer;
    let mut connection = Connection::open(consumer).await;
    if matches!(stage, Stage::Opened | Stage::Connected) {
        let head = format!("GET /socket.io/?EIO=4&transport=websocket&uniqueUserId=room-2{UPGRADE}");
        assert_eq!(connection.request(&head, "").await.status, 101);
        assert!(said(&mut connection).await.starts_with("0{"));
        if matches!(stage, Stage::Connected) {
            connection.send(frame(0x81, b"40")).await;
            assert!(said(&mut connection).await.starts_with("40{"));
        }
        return (connection, None);
    }
    let (mut session, _) = Polling::open(consumer, "&uniqueUserId=room-2").await.ok().unwrap();
    assert!(session.authenticate(json!({})).await.starts_with("40{"));
    let path = session.path().replace("polling", "websocket");
    assert_eq!(connection.request(&format!("GET {path}{UPGRADE}"), "").await.status, 101);
    if matches!(stage, Stage::Probed) {
        connection.send(frame(0x81, b"2probe")).await;
        assert_eq!(said(&mut connection).await, "3probe");
    }
    (connection, Some(session))
}

/// The next text, which is short.
async fn said(connection: &mut Connection) -> String {
    let (first, payload) = next(connection).await.expect("a text, not the end");
    assert_eq!(first, 0x81);
    String::from_utf8(payload).unwrap()
}

/// The next event over polling; a noop lets polls go that a probe would wait for.
async fn event(session: &mut Polling) -> String {
    loop {
        let answer = session.poll().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.body.starts_with("42") {
            return answer.body;
        }
    }
}

async fn publish(target: &Target) {
    let answer = process::post(target.ports.producer, r#"{"target_id":"room-2","is":"last"}"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
}

const LAST: &str = r#"42["room-2",{"is":"last"}]"#;

/// What a websocket is answered, in words.
async fn outcome(connection: &mut Connection, case: &Case, target: &Target) -> String {
    if let Expected::Served(answers) = &case.expected {
        let mut frames = Vec::new();
        while frames.last().is_none_or(|(first, payload): &(u8, Vec<u8>)| (*first, payload.as_slice()) != END) {
            let Some((first, payload)) = next(connection).await else { return format!("{frames:?}, and the end") };
            frames.push((first, payload));
        }
        frames.pop();
        publish(target).await;
        let event = next(connection).await;
        let is_expected = frames == *answers && event == Some((0x81, LAST.as_bytes().to_vec()));
        return if is_expected { case.expected.to_string() } else { format!("{frames:?}, then {event:?}") };
    }
    match next(connection).await {
        Some((CLOSE, payload)) if connection.closed().await => Expected::of_close(&payload).to_string(),
        Some(frame) => format!("{frame:?}"),
        None => Expected::CutOff.to_string(),
    }
}

#[tokio::test]
async fn each_case_of_the_list_of_websocket_frames_has_its_answer() {
    let mut target = Target::start("0").await;
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (mut connection, session) = at(case.stage, &target).await;
        connection.send_what_is_taken(&case.input).await;
        if let Expected::Served(_) = case.expected {
            // Its pong tells that all before it was read.
            connection.send_what_is_taken(frame(0x89, END.1)).await;
        }
        let seen = tokio::time::timeout(Duration::from_secs(10), outcome(&mut connection, case, &target)).await;
        let seen = seen.unwrap_or_else(|_| "no answer in 10 s".to_owned());
        let expected = case.expected.to_string();
        if seen != expected {
            wrong.push(format!("{}: expected {expected}, seen {seen}", case.name));
        }
        if let Some(mut session) = session {
            // A websocket that breaks the rules before it took over leaves the session where it was.
            publish(&target).await;
            assert_eq!(event(&mut session).await, LAST, "{}: over polling", case.name);
            assert_eq!(session.post("1").await.status, 200, "{}", case.name);
        }
        drop(connection);
        target.is_unharmed(case.name).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    target.end_as_before().await;
}
