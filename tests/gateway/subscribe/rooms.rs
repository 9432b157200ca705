//! Which rooms a subscriber is in, and that what is published reaches all of a room and nobody else.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::process::Process;
use crate::harness::socket::Socket;
use crate::harness::{Gateway, token};

const INVALID_ROOM: &str = r#"44{"message":"invalid room","data":{"code":"invalid_room"}}"#;

/// Connects with a query and further members of `auth`; the socket and whether it was let in.
async fn connect(gateway: &Gateway, query: &str, auth: Value) -> Result<Socket, String> {
    let mut all = json!({ "token": token() });
    all.as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
    let (socket, answer) = gateway.connect(query, all).await;
    if answer.starts_with("40{") { Ok(socket) } else { Err(answer) }
}

/// Asserts that the subscriber hears these rooms and none of the others.
async fn hears(gateway: &Gateway, subscriber: &mut Socket, rooms: &[&str], not: &[&str]) {
    for room in not {
        gateway.publish(room, &json!({ "for": "others" })).await;
    }
    for room in rooms {
        gateway.publish(room, &json!({ "for": room })).await;
        assert_eq!(subscriber.event().await, ((*room).to_owned(), json!({ "for": room })));
    }
}

#[tokio::test]
async fn the_query_names_rooms_as_text() {
    let gateway = Gateway::start(&[]).await;
    for (query, rooms) in [
        ("&uniqueUserId=a", vec!["a"]),
        ("&uniqueUserId=a&uniqueUserId=b&uniqueUserId=a", vec!["a", "b"]),
        ("&uniqueUserId=a+b%20c%2B", vec!["a b c+"]),
        ("&uniqueUserId=%C3%A9%F0%9F%98%80", vec!["é😀"]),
        ("&uniqueUserId=5", vec!["5"]),
        ("&uniqueUserId=&uniqueUserId=a", vec!["a"]),
        ("&uniqueUserId=undefined", vec!["undefined"]),
        ("&uniqueUserId=a,b", vec!["a,b"]),
    ] {
        let mut subscriber = connect(&gateway, query, json!({})).await.ok().unwrap();
        hears(&gateway, &mut subscriber, &rooms, &["c", "x"]).await;
        gateway.expect_silence(&mut subscriber, rooms[0]).await;
    }
}

#[tokio::test]
async fn auth_names_rooms_where_the_query_names_none() {
    let gateway = Gateway::start(&[]).await;
    for (query, auth, room, not) in [
        ("", json!({ "uniqueUserId": "a" }), "a", "b"),
        ("", json!({ "uniqueUserId": ["a", "b"] }), "b", "c"),
        ("", json!({ "uuid": "a" }), "a", "b"),
        ("", json!({ "uniqueUserId": null, "uuid": "a" }), "a", "b"),
        ("&uniqueUserId=a", json!({ "uniqueUserId": "b" }), "a", "b"),
    ] {
        let mut subscriber = connect(&gateway, query, auth.clone()).await.unwrap_or_else(|_| panic!("{auth}"));
        hears(&gateway, &mut subscriber, &[room], &[not]).await;
    }
    for auth in [json!({ "uniqueUserId": 5 }), json!({ "uniqueUserId": {} }), json!({ "uniqueUserId": ["a", 5] })] {
        assert_eq!(connect(&gateway, "", auth.clone()).await.err().as_deref(), Some(INVALID_ROOM), "{auth}");
    }
}

#[tokio::test]
async fn there_are_at_most_16_rooms_of_at_most_255_bytes() {
    let gateway = Gateway::start(&[]).await;
    let rooms = |count: usize| (0..count).map(|index| format!("&uniqueUserId=r{index}")).collect::<String>();
    let mut subscriber = connect(&gateway, &rooms(16), json!({})).await.ok().unwrap();
    hears(&gateway, &mut subscriber, &["r0", "r15"], &["r16"]).await;
    let repeated = format!("{}&uniqueUserId=r3", rooms(16));
    assert!(connect(&gateway, &repeated, json!({})).await.is_ok(), "a name that is repeated is one room");
    assert_eq!(connect(&gateway, &rooms(17), json!({})).await.err().as_deref(), Some(INVALID_ROOM));
    let seventeen: Vec<_> = (0..17).map(|index| format!("r{index}")).collect();
    let refusal = connect(&gateway, "", json!({ "uniqueUserId": seventeen })).await.err();
    assert_eq!(refusal.as_deref(), Some(INVALID_ROOM));

    for (name, good) in [
        ("x".repeat(255), true),
        ("x".repeat(256), false),
        (format!("é{}", "x".repeat(253)), true),
        (format!("é{}", "x".repeat(254)), false),
    ] {
        let connected = connect(&gateway, &format!("&uniqueUserId={name}"), json!({})).await;
        assert_eq!(connected.err().is_none(), good, "{} bytes", name.len());
        let connected = connect(&gateway, "", json!({ "uniqueUserId": name })).await;
        assert_eq!(connected.err().is_none(), good, "{} bytes", name.len());
    }
}

#[tokio::test]
async fn who_names_no_room_is_connected_and_hears_nothing() {
    let gateway = Gateway::start(&[]).await;
    let mut roomless = gateway.subscribe_all(&[]).await;
    let mut named = gateway.subscribe("room-1").await;
    for room in ["undefined", "null", "room-1"] {
        gateway.publish(room, &json!({})).await;
    }
    assert!(named.packet().await.is_some());
    assert_eq!(gateway.stats().deliveries.get(), 1);
    roomless.send("1").await;
    assert_eq!(roomless.packet().await, None);
}

#[tokio::test]
async fn all_of_a_room_hear_each_event_once_and_in_order() {
    let gateway = Gateway::start(&[]).await;
    let mut room = Vec::new();
    for _ in 0..20 {
        room.push(gateway.subscribe("room-1").await);
    }
    let mut other = gateway.subscribe("room-2").await;
    for number in 0..50 {
        gateway.publish("room-1", &json!({ "number": number })).await;
    }
    for subscriber in &mut room {
        for number in 0..50 {
            assert_eq!(subscriber.event().await, ("room-1".to_owned(), json!({ "number": number })));
        }
    }
    gateway.expect_silence(&mut room[7], "room-1").await;
    gateway.expect_silence(&mut other, "room-2").await;
    let mut remaining = room.split_off(19);
    drop(room);
    gateway.expect_silence(&mut remaining[0], "room-1").await;
}

#[tokio::test]
async fn the_warning_for_who_names_no_room_comes_once_a_minute() {
    let mut process = Process::start(&[("WEBSOCKET_AUTH", "0")]);
    let consumer = process.listening("consumer").await;
    for _ in 0..5 {
        let (_, answer) = Socket::connect(consumer, "", json!({})).await;
        assert!(answer.starts_with("40{"), "{answer}");
    }
    process.signal(Signal::TERM);
    assert!(process.end().await.success());
    let said = |line: &&Value| line["message"].as_str().is_some_and(|text| text.contains("without uniqueUserId"));
    assert_eq!(process.lines.iter().filter(said).count(), 1);
}
