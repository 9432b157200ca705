//! What the suites do not ask: the stock client, both directions at once, an upgrade in between, and what is too much.

use serde_json::json;

use super::*;
use crate::harness::node::StockClients;

/// An event of three attachments, two of which have something to say.
const EVENT: &str =
    r#"453-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]"#;
const BACK: &str =
    r#"453-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]"#;

async fn stock_client_talks(transports: &[&str], expected: &str) {
    let server = talker(Pings::Often).await;
    let options = json!({ "url": server.consumer_url(), "transports": transports });
    let said = StockClients::run("talk.mjs", &options).line(|line| line.get("said").is_some()).await;
    let bytes = json!({ "type": "Buffer", "data": [0, 1, 254, 255] });
    for (talk, namespace) in said["said"].as_array().unwrap().iter().zip(["/", "/custom"]) {
        assert_eq!(talk["auth"], json!([{ "name": namespace }]));
        assert_eq!(talk["back"], json!([{ "text": "é", "bytes": bytes }, [bytes]]));
        assert_eq!(talk["acknowledged"], json!({ "deep": [{ "bytes": bytes }] }));
        assert_eq!(talk["last"], json!(["last"]));
        assert_eq!(talk["transport"], expected);
    }
    assert_eq!(said["said"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_stock_client_talks_over_a_websocket() {
    stock_client_talks(&["websocket"], "websocket").await;
}

#[tokio::test]
async fn a_stock_client_talks_over_polling() {
    stock_client_talks(&["polling"], "polling").await;
}

/// What is published does not come between an answer and its attachments, and keeps its order.
#[tokio::test]
async fn answers_and_publications_do_not_mix() {
    let server = talker(Pings::None).await;
    let mut socket = connected(&server).await;
    let publish = async {
        for number in 0..50 {
            server.publish("room-1", &json!({ "number": number })).await;
        }
    };
    let talk = async {
        let (mut published, mut back) = (0, 0);
        for _ in 0..50 {
            socket.send(EVENT).await;
            for bytes in [vec![1; 70_000], Vec::new(), vec![3]] {
                socket.send(bytes).await;
            }
        }
        while published < 50 || back < 50 {
            let packet = socket.packet().await.unwrap();
            if packet == BACK {
                assert_eq!(
                    [socket.binary().await, socket.binary().await, socket.binary().await],
                    [vec![1; 70_000], vec![], vec![3]]
                );
                back += 1;
            } else {
                assert_eq!(packet, format!(r#"42["room-1",{{"number":{published}}}]"#));
                published += 1;
            }
        }
    };
    tokio::join!(publish, talk);
}

#[tokio::test]
async fn answers_that_wait_go_over_the_websocket_that_takes_over() {
    let server = talker(Pings::None).await;
    let mut session = polling(&server).await;
    assert!(session.authenticate(json!({})).await.starts_with("40{"));
    let mut socket = probed(&server, &session).await;
    assert_eq!(session.post(format!("{EVENT}\u{1e}bAQ==\u{1e}b\u{1e}bAwQ=")).await.status, 200);
    socket.send("5").await;
    assert_eq!(socket.packet().await.as_deref(), Some(BACK));
    assert_eq!([socket.binary().await, socket.binary().await, socket.binary().await], [vec![1], vec![], vec![3, 4]]);
}

/// As many bytes as one message may have, in all of an event's attachments together.
#[tokio::test]
async fn attachments_have_a_bound_together() {
    let server = talker(Pings::None).await;
    let mut socket = connected(&server).await;
    socket.send(EVENT).await;
    for bytes in [500_000, 499_999, 1] {
        socket.send(vec![7; bytes]).await;
    }
    assert_eq!(socket.packet().await.as_deref(), Some(BACK));
    for bytes in [500_000, 499_999, 1] {
        assert_eq!(socket.binary().await.len(), bytes);
    }
    socket.send(EVENT).await;
    for bytes in [500_000, 499_999, 2] {
        socket.send(vec![7; bytes]).await;
    }
    assert_eq!(socket.packet().await, None);
}

/// Nothing of an event that nobody listens to is kept, so its attachments have no bound together.
#[tokio::test]
async fn what_nobody_listens_to_is_dropped() {
    let server = talker(Pings::None).await;
    let mut socket = connected(&server).await;
    for packet in [r#"453-["other"]"#, r#"453-/custom,["message"]"#, r#"463-1[]"#] {
        socket.send(packet).await;
        for _ in 0..3 {
            socket.send(vec![7; 999_999]).await;
        }
    }
    socket.send(r#"42["message"]"#).await;
    assert_eq!(socket.packet().await.as_deref(), Some(r#"42["message-back"]"#));
}

/// The sixth in a second waits.
#[tokio::test]
async fn who_waits_for_its_turn_is_told_after_it() {
    let settings = [("WEBSOCKET_AUTH", "0"), ("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_USER", "1")];
    let server = Gateway::start_hearing(Talker, LONG, &settings).await;
    for number in 0..6 {
        let (mut socket, _) = websocket(&server).await;
        socket.send(format!(r#"40{{"number":{number}}}"#)).await;
        assert!(socket.packet().await.unwrap().starts_with("40{"));
        assert_eq!(socket.packet().await, Some(format!(r#"42["auth",{{"number":{number}}}]"#)));
    }
}

/// A namespace is entered by the same rules as `/`, and left on its own.
#[tokio::test]
async fn a_namespace_wants_the_token_too() {
    let settings = [("PING_INTERVAL", "60000"), ("PING_TIMEOUT", "60000")];
    let server = Gateway::start_hearing(Talker, LONG, &settings).await;
    let (mut socket, _) = websocket(&server).await;
    socket.send(r#"40/custom,{"token":"wrong"}"#).await;
    assert_eq!(
        socket.packet().await.as_deref(),
        Some(r#"44/custom,{"message":"invalid token","data":{"code":"invalid_token"}}"#)
    );
    let token = crate::harness::token();
    socket.send(format!(r#"40/custom,{{"token":"{token}"}}"#)).await;
    assert!(socket.packet().await.unwrap().starts_with(r#"40/custom,{"sid":""#));
    assert_eq!(socket.packet().await, Some(format!(r#"42/custom,["auth",{{"token":"{token}"}}]"#)));
    socket.send(r#"42/custom,7["message-with-ack",1]"#).await;
    assert_eq!(socket.packet().await.as_deref(), Some("43/custom,7[1]"));
    socket.send("41/custom,").await;
    socket.send(r#"42/custom,8["message-with-ack",1]"#).await;
    socket.send(format!(r#"40{{"token":"{token}"}}"#)).await;
    assert!(socket.packet().await.unwrap().starts_with(r#"40{"sid":""#), "and nothing of a namespace that was left");
}
