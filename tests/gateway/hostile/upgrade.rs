//! Upgrades from polling to a websocket that go wrong at any step: the session is closed or goes on, and is not kept.

use serde_json::json;

use super::{frame, is_unharmed, next, with_witness};
use crate::harness::Gateway;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;

/// A connected session, and a websocket that asks to take it over.
async fn upgrading(gateway: &Gateway) -> (Polling, Connection) {
    let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-2").await.ok().unwrap();
    assert!(session.authenticate(json!({})).await.starts_with("40{"));
    let mut connection = Connection::open(gateway.consumer()).await;
    let head = format!(
        "GET {}\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        session.path().replace("polling", "websocket")
    );
    assert_eq!(connection.request(&head, "").await.status, 101);
    (session, connection)
}

#[tokio::test]
async fn what_is_no_probe_takes_nothing_over() {
    let (gateway, witness) = with_witness().await;
    for bytes in [
        frame(0x81, b"5"),
        frame(0x81, b"2"),
        frame(0x81, b"3probe"),
        frame(0x81, b"40"),
        frame(0x81, br#"42["a"]"#),
        frame(0x81, b""),
        frame(0x82, b"2probe"),
        frame(0x88, b""),
        frame(0xc1, b"2probe"),
        b"\x81\x062probe".to_vec(),
        frame(0x81, &[b'2'; 1_000_001]),
    ] {
        let (mut session, mut connection) = upgrading(&gateway).await;
        connection.send_what_is_taken(&bytes).await;
        while let Some((first, payload)) = next(&mut connection).await {
            assert!(first == 0x88 || payload == b"1", "{payload:?} answers {:?}", &bytes[..bytes.len().min(20)]);
        }
        session.post("1").await;
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn a_probe_that_is_not_followed_by_the_upgrade_takes_nothing_over() {
    let (gateway, witness) = with_witness().await;
    for bytes in
        [frame(0x81, b"2probe"), frame(0x81, b"40"), frame(0x81, b"6"), frame(0x88, b""), b"\x81\x015".to_vec()]
    {
        let (mut session, mut connection) = upgrading(&gateway).await;
        connection.send(frame(0x81, b"2probe")).await;
        assert_eq!(next(&mut connection).await, Some((0x81, b"3probe".to_vec())));
        connection.send_what_is_taken(&bytes).await;
        while let Some((first, payload)) = next(&mut connection).await {
            assert!(first == 0x88 || payload == b"1", "{payload:?} answers {bytes:?}");
        }
        session.post("1").await;
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn an_upgrade_that_breaks_off_anywhere_leaves_nothing() {
    let (gateway, witness) = with_witness().await;
    let conversation = [frame(0x81, b"2probe"), frame(0x81, b"5"), frame(0x81, b"3")].concat();
    for length in 0..conversation.len() {
        let (mut session, mut connection) = upgrading(&gateway).await;
        connection.send(&conversation[..length]).await;
        drop(connection);
        session.post("1").await;
    }
    is_unharmed(&gateway, witness).await;
}
