//! The consumer port's: nothing that a client sends ends the process, and refusals that pass let it come back.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::dial::dial_from;
use crate::harness::http::Connection;
use crate::harness::node::StockClients;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, ORIGIN, token};

const LIMITED: [(&str, &str); 2] = [("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_USER", "1")];

#[tokio::test]
async fn v_13_rooms_are_capped_and_with_the_daily_token_chosen_freely() {
    let gateway = Gateway::start(&[]).await;
    let mut both = gateway.subscribe_all(&["a", "b"]).await;
    for room in ["a", "b"] {
        gateway.publish(room, &json!({ "to": room })).await;
        assert_eq!(both.event().await, (room.to_owned(), json!({ "to": room })));
    }
    for (query, answer) in [
        ((0..17).map(|index| format!("&uniqueUserId={index}")).collect::<String>(), "invalid room"),
        (format!("&uniqueUserId={}", "x".repeat(256)), "invalid room"),
    ] {
        let (_, refusal) = gateway.connect(&query, json!({ "token": token() })).await;
        let code = answer.replace(' ', "_");
        assert_eq!(refusal, format!(r#"44{{"message":"{answer}","data":{{"code":"{code}"}}}}"#));
    }
}

#[tokio::test]
async fn v_14_subscribers_without_an_id_are_counted_by_address_and_share_no_bucket() {
    let gateway = Gateway::start(&LIMITED).await;
    let mut connected = Vec::new();
    for host in 1..=12 {
        let stream = dial_from([127, 0, 0, host].into(), gateway.consumer()).await;
        let mut socket = Socket::open_over(stream, gateway.consumer(), "", &[]).await.unwrap();
        let begun = std::time::Instant::now();
        assert!(socket.authenticate(json!({ "token": token() })).await.starts_with("40{"));
        assert!(begun.elapsed().as_millis() < 900, "nobody waits for a turn: {:?}", begun.elapsed());
        connected.push(socket);
    }
}

#[tokio::test]
async fn v_14b_wrong_tokens_take_nothing_from_the_users_bucket() {
    let gateway = Gateway::start(&LIMITED).await;
    for _ in 0..10 {
        let (_, refusal) = gateway.connect("&uniqueUserId=victim", json!({ "token": "wrong" })).await;
        assert_eq!(refusal, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#);
    }
    let begun = std::time::Instant::now();
    let mut victim = gateway.subscribe("victim").await;
    assert!(begun.elapsed().as_millis() < 900, "the victim waits for nothing: {:?}", begun.elapsed());
    gateway.expect_silence(&mut victim, "victim").await;
}

#[tokio::test]
async fn v_16_a_refusal_that_passes_is_no_connect_error_and_the_stock_client_comes_back() {
    let gateway = Gateway::start(&[("RATE_LIMIT", "1"), ("RATE_LIMIT_PER_IP", "1")]).await;
    let rooms = ["tab-1", "tab-2", "tab-3", "tab-4"];
    let mut tabs = StockClients::start(&json!({
        "url": gateway.consumer_url(), "rooms": rooms, "token": token(), "transports": ["websocket"],
    }));
    for index in 0..rooms.len() {
        tabs.connected(index).await;
    }
    let refused = tabs.unread().iter().filter(|line| line.get("refused").is_some()).collect::<Vec<_>>();
    assert!(!refused.is_empty(), "two are over the burst");
    assert!(refused.iter().all(|line| line["active"] == true), "{refused:?}");
}

#[tokio::test]
async fn v_16_a_wrong_token_keeps_its_text_and_stops_the_stock_client() {
    let gateway = Gateway::start(&[]).await;
    let mut client = StockClients::one(&gateway.consumer_url(), "a", "wrong", &["websocket"]);
    let refusal = client.line(|line| line.get("refused").is_some()).await;
    assert_eq!((&refusal["refused"], &refusal["active"]), (&json!("invalid token"), &json!(false)));
}

#[tokio::test]
async fn v_27_no_event_of_a_client_ends_the_process() {
    let gateway = Gateway::start(&[]).await;
    let names = [
        "error",
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
        "__proto__",
        "constructor",
        "",
        "roomcast:join",
    ];
    let mut hostile = gateway.subscribe("room-1").await;
    for name in names {
        hostile.send(&format!("42{}", json!([name]))).await;
        hostile.send(&format!("42{}", json!([name, { "a": 1 }]))).await;
    }
    gateway.expect_silence(&mut hostile, "room-1").await;
    let mut numbered = gateway.subscribe("room-1").await;
    numbered.send("42[5]").await;
    numbered.send("42[null]").await;
    let mut other = gateway.subscribe("room-2").await;
    gateway.expect_silence(&mut other, "room-2").await;
}

#[tokio::test]
async fn v_28_an_upgrade_with_2100_headers_is_431() {
    let gateway = Gateway::start(&[]).await;
    for count in [101, 2_100, 20_000] {
        let headers: String = (0..count).map(|index| format!("x{index}: y\r\n")).collect();
        let mut connection = Connection::open(gateway.consumer()).await;
        let head = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        connection.send_what_is_taken(format!("{head}{headers}\r\n")).await;
        let answer = connection.answer(false).await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 431), "{count}: {answer:?}");
        assert!(connection.closed().await);
    }
    let mut subscriber = gateway.subscribe("room-1").await;
    gateway.expect_silence(&mut subscriber, "room-1").await;
}

#[tokio::test]
async fn v_29_attachments_are_not_waited_for_without_end() {
    let gateway = Gateway::start(&[]).await;
    let mut witness = gateway.subscribe("room-1").await;
    for packet in [r#"51000000000-["a",{"_placeholder":true,"num":0}]"#, r#"51-["a"]"#, r#"50-["a"]"#] {
        let mut hostile = gateway.subscribe("room-1").await;
        hostile.send(packet).await;
        for _ in 0..20 {
            hostile.send_what_is_taken(Message::binary(vec![0; 1000])).await;
        }
        assert_eq!(hostile.packet().await, None, "{packet}");
    }
    gateway.expect_silence(&mut witness, "room-1").await;
    drop(witness);
    gateway.emptied().await;
}

#[tokio::test]
async fn v_30_a_foreign_page_opens_no_websocket_and_no_session() {
    let gateway = Gateway::start(&[]).await;
    for origin in ["https://evil.example", "null", "https://app.test.evil.example", "http://app.test"] {
        let socket = Socket::open(gateway.consumer(), "", &[("Origin", origin)]).await;
        assert_eq!(socket.err(), Some(403), "{origin}");
        let head = format!("GET /socket.io/?EIO=4&transport=polling\nOrigin: {origin}");
        let answer = gateway.ask_consumer(&head, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (403, r#"{"code":4,"message":"Forbidden"}"#), "{origin}");
    }
    assert!(Socket::open(gateway.consumer(), "", &[("Origin", ORIGIN)]).await.is_ok());
}

#[tokio::test]
async fn v_31_a_token_that_is_no_string_is_no_token() {
    let gateway = Gateway::start(&[]).await;
    for token in [json!([token()]), json!({ "token": token() }), json!([[token()]]), json!(5), json!(true), json!(null)]
    {
        let (_, answer) = gateway.connect("", json!({ "token": token })).await;
        assert_eq!(answer, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#, "{token}");
    }
}
