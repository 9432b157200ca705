//! The one namespace: who may connect to it by token, and that what clients emit is ignored.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::polling::Polling;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, token, token_of};

const INVALID_TOKEN: &str = r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#;

#[tokio::test]
async fn only_the_days_token_is_let_in() {
    let gateway = Gateway::start(&[]).await;
    let good = token();
    for auth in [
        json!({}),
        json!({ "token": "" }),
        json!({ "token": "wrong" }),
        json!({ "token": good.to_uppercase() }),
        json!({ "token": format!("{good} ") }),
        json!({ "token": format!(" {good}") }),
        json!({ "token": &good[1..] }),
        json!({ "token": format!("{good}0") }),
        json!({ "token": [good] }),
        json!({ "token": { "token": good } }),
        json!({ "token": null }),
        json!({ "token": 5 }),
        json!({ "token": true }),
        json!({ "Token": good }),
        json!({ "token": token_of((2026, 11, 20)) }),
        json!({ "token": token_of((2026, 11, 22)) }),
        json!({ "token": "x".repeat(900_000) }),
        json!([good]),
        json!(good),
        json!(5),
        json!(null),
    ] {
        let (_, answer) = gateway.connect("&uniqueUserId=room-1", auth.clone()).await;
        assert_eq!(answer, INVALID_TOKEN, "{:.80}", auth.to_string());
    }
    let mut silent = Socket::open(gateway.consumer(), "", &[]).await.unwrap();
    silent.send("40").await;
    assert_eq!(silent.packet().await.as_deref(), Some(INVALID_TOKEN));
    assert_eq!(gateway.stats().subscribers.get(), 0);
    let (_socket, answer) = gateway.connect("", json!({ "token": good, "more": 1 })).await;
    assert!(answer.starts_with("40{\"sid\":\""), "{answer}");
}

#[tokio::test]
async fn over_polling_a_refusal_has_the_same_words() {
    let gateway = Gateway::start(&[]).await;
    let (mut session, _) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
    assert_eq!(session.authenticate(json!({ "token": "wrong" })).await, INVALID_TOKEN);
}

#[tokio::test]
async fn a_token_in_the_query_is_no_token() {
    let gateway = Gateway::start(&[]).await;
    let (_, answer) = gateway.connect(&format!("&token={}", token()), json!({})).await;
    assert_eq!(answer, INVALID_TOKEN);
}

#[tokio::test]
async fn who_is_not_connected_hears_nothing() {
    let gateway = Gateway::start(&[]).await;
    let mut waiting = Socket::open(gateway.consumer(), "&uniqueUserId=room-1", &[]).await.unwrap();
    let (mut refused, _) = gateway.connect("&uniqueUserId=room-1", json!({ "token": "wrong" })).await;
    let mut left = gateway.subscribe("room-1").await;
    left.send("41").await;
    gateway.until(|stats| stats.subscribers.get() == 0).await;
    gateway.publish("room-1", &json!({})).await;
    assert_eq!(gateway.stats().deliveries.get(), 0);
    for socket in [&mut waiting, &mut refused, &mut left] {
        socket.send_what_is_taken(Message::text("1")).await;
        assert_eq!(socket.packet().await, None);
    }
}

#[tokio::test]
async fn there_is_no_other_namespace() {
    let gateway = Gateway::start(&[]).await;
    let mut socket = Socket::open(gateway.consumer(), "&uniqueUserId=room-1", &[]).await.unwrap();
    for namespace in ["/x", "/admin", "/__proto__"] {
        socket.send(&format!("40{namespace},{}", json!({ "token": token() }))).await;
        let answer = socket.packet().await.unwrap();
        assert_eq!(answer, format!(r#"44{namespace},{{"message":"Invalid namespace"}}"#));
    }
    assert!(socket.authenticate(json!({ "token": token() })).await.starts_with("40{"));
    gateway.expect_silence(&mut socket, "room-1").await;
}

#[tokio::test]
async fn what_clients_emit_reaches_nobody_and_is_never_acknowledged() {
    let gateway = Gateway::start(&[]).await;
    let mut sender = gateway.subscribe("room-1").await;
    let mut other = gateway.subscribe("room-1").await;
    for packet in [
        r#"42["room-1",{"forged":true}]"#,
        r#"42["message","x"]"#,
        r#"421["ask"]"#,
        r#"42999999999999["room-1",{}]"#,
        r#"431[]"#,
        r#"42["roomcast:join","room-2"]"#,
    ] {
        sender.send(packet).await;
    }
    sender.send(r#"451-["room-1",{"_placeholder":true,"num":0}]"#).await;
    sender.send_what_is_taken(Message::binary(vec![1, 2, 3])).await;
    gateway.expect_silence(&mut sender, "room-1").await;
    assert_eq!(other.event().await.1, json!({ "last": true }), "the other heard the gateway alone");
}

#[tokio::test]
async fn a_refused_connect_is_told_a_code_beside_the_message() {
    let rooms: String = (0..17).map(|room| format!("&uniqueUserId={room}")).collect();
    let refusals =
        [("invalid token", "invalid_token", "", "wrong".to_owned()), ("invalid room", "invalid_room", &rooms, token())];
    for (quirks, settings) in [(false, vec![]), (true, vec![("LEGACY_QUIRKS", "1")])] {
        let gateway = Gateway::start(&settings).await;
        for (message, code, query, token) in &refusals {
            let (_, answer) = gateway.connect(query, json!({ "token": token })).await;
            let mut expected = json!({ "message": message, "data": { "code": code } });
            if quirks {
                expected.as_object_mut().unwrap().remove("data");
            }
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(answer.strip_prefix("44").unwrap()).unwrap(),
                expected
            );
        }
    }
}

#[tokio::test]
async fn a_subscriber_may_leave_and_connect_again_on_the_same_transport() {
    let gateway = Gateway::start(&[]).await;
    let mut socket = gateway.subscribe("room-1").await;
    socket.send("41").await;
    assert!(socket.authenticate(json!({ "token": token() })).await.starts_with("40{"));
    gateway.expect_silence(&mut socket, "room-1").await;
    assert_eq!(gateway.stats().subscribers.get(), 1);
}

#[tokio::test]
async fn without_authentication_everybody_may_listen() {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH", "0")]).await;
    for auth in [json!({}), json!({ "token": "anything" })] {
        let (mut socket, answer) = gateway.connect("&uniqueUserId=room-1", auth).await;
        assert!(answer.starts_with("40{"), "{answer}");
        gateway.expect_silence(&mut socket, "room-1").await;
    }
}
