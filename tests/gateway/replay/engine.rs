//! Those against Engine.IO, Socket.IO and what was built on them.

use std::collections::HashSet;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{assert_soon, cost, handshake, served_to_the_end};
use crate::harness::Gateway;
use crate::harness::dial::dial;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;
use crate::harness::process::Process;
use crate::harness::socket::Socket;
use crate::hostile::{frame, is_unharmed, next, with_witness};

/// Sends packets over a websocket of their own and expects that they close it.
async fn close_their_session(gateway: &Gateway, packets: &[&str]) {
    let mut socket = gateway.subscribe("room-2").await;
    for packet in packets {
        socket.send_what_is_taken(Message::text(*packet)).await;
    }
    assert_eq!(socket.packet().await, None, "{packets:?}");
}

/// Sends packets over one websocket and expects that they change nothing.
async fn say_nothing(gateway: &Gateway, packets: &[&str]) {
    let mut socket = gateway.subscribe("room-2").await;
    for packet in packets {
        socket.send(packet).await;
    }
    gateway.expect_silence(&mut socket, "room-2").await;
}

#[tokio::test]
async fn cve_2024_38355_an_event_named_error() {
    let (gateway, witness) = with_witness().await;
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
        "toString",
        "",
    ];
    let packets: Vec<_> = names.iter().flat_map(|name| [json!([name]), json!([name, { "x": 1 }])]).collect();
    let packets: Vec<_> = packets.iter().flat_map(|event| [format!("42{event}"), format!("427{event}")]).collect();
    say_nothing(&gateway, &packets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    close_their_session(&gateway, &["42[5]"]).await;
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2026_33151_attachments_that_never_come() {
    let (gateway, witness) = with_witness().await;
    let placeholder = r#"["a",{"_placeholder":true,"num":0}]"#;
    let eleven: Vec<_> = (0..11).map(|number| json!({ "_placeholder": true, "num": number })).collect();
    let many = format!("4511-{}", json!(["a", eleven]));
    for packets in [
        vec![format!("451000000000-{placeholder}")],
        vec![format!("4599999999999999999999-{placeholder}")],
        vec![many],
        vec![format!("451-{placeholder}"), "42[\"room-1\",{}]".to_owned()],
        vec![format!("451-{placeholder}"), format!("451-{placeholder}")],
        vec![format!("461-7{placeholder}"), "42[\"room-1\",{}]".to_owned()],
    ] {
        close_their_session(&gateway, &packets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    // One that waits for its attachment holds its own text and nothing else.
    let mut waiting = gateway.subscribe("room-2").await;
    waiting.send(&format!("451-{placeholder}")).await;
    gateway.expect_silence(&mut waiting, "room-2").await;
    drop(waiting);
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2023_32695_an_event_whose_name_is_an_object() {
    let (gateway, witness) = with_witness().await;
    for packet in
        [r#"42[{}]"#, r#"42[{"toString":"x"}]"#, r#"42[["a"]]"#, r#"42[[]]"#, "42[null]", "42[true]", "42[1.5]"]
    {
        close_their_session(&gateway, &[packet]).await;
    }
    is_unharmed(&gateway, witness).await;
}

/// NodeBB passed the name on, to what took it for a text.
#[tokio::test]
async fn cve_2023_30591_an_array_or_object_where_a_name_is_expected() {
    let (gateway, witness) = with_witness().await;
    for name in [r#"["room-1"]"#, r#"{"length":1,"0":"room-1"}"#, r#"{"toString":"room-1"}"#] {
        close_their_session(&gateway, &[&format!("42[{name},{{}}]")]).await;
        let answer = gateway.post(format!(r#"{{"target_id":{name}}}"#)).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "BAD REQUEST"), "{name}");
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2022_2421_a_placeholder_that_is_none_is_data() {
    let (gateway, witness) = with_witness().await;
    let mut subscriber = gateway.subscribe("room-2").await;
    for data in [r#"{"_placeholder":true,"num":0}"#, r#"{"_placeholder":true,"num":"splice"}"#, r#"{"_placeholder":1}"#]
    {
        assert_eq!(gateway.post(format!(r#"{{"target_id":"room-2","x":{data}}}"#)).await.status, 200);
        assert_eq!(subscriber.packet().await.unwrap(), format!(r#"42["room-2",{{"x":{data}}}]"#));
        subscriber.send(&format!(r#"42["a",{data}]"#)).await;
    }
    gateway.expect_silence(&mut subscriber, "room-2").await;
    drop(subscriber);
    is_unharmed(&gateway, witness).await;
}

/// CVE-2020-36048 is the same payload at Engine.IO's reader, CVE-2020-36049 at Socket.IO's.
#[tokio::test]
async fn cve_2020_36048_cve_2020_36049_a_payload_of_a_million_packets() {
    let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", "0")]).await;
    let payloads = ["4", "3", "42[\"a\"]", "b4", "45"].map(|packet| {
        let packet = format!("{packet}\u{1e}");
        packet.repeat(999_999 / packet.len()).trim_end_matches('\u{1e}').to_owned()
    });
    let (cpu, grown) = cost(ports, async {
        for payload in &payloads {
            let (mut session, _) = Polling::open(ports.consumer, "&uniqueUserId=room-2").await.ok().unwrap();
            assert!(session.authenticate(json!({})).await.starts_with("40{"));
            let begun = Instant::now();
            let answer = session.post(payload).await;
            let said = (answer.status, answer.body.as_str());
            assert_eq!(said, (400, r#"{"code":3,"message":"Bad request"}"#), "{payload:.20}");
            assert_soon(begun);
        }
    })
    .await;
    // 20 ms each where it is built for speed; what is quadratic takes minutes.
    assert!(cpu < 2.0, "{cpu} s of CPU");
    assert!(grown < f64::from(16 << 20), "{grown} bytes");
    served_to_the_end(process).await;
}

#[tokio::test]
async fn cve_2022_21676_reserved_bits_in_the_first_frame() {
    let (gateway, witness) = with_witness().await;
    for first in [0xa1, 0x91, 0xb1, 0xf1] {
        let hostile = frame(first, b"x");
        // In one piece with the handshake, so before the open packet is read.
        let mut early = Connection::open(gateway.consumer()).await;
        early.send([handshake(super::WEBSOCKET, b""), hostile.clone()].concat()).await;
        assert_eq!(early.answer(true).await.map(|answer| answer.status), Some(101));
        while next(&mut early).await.is_some() {}
        // On a websocket that is to take a session over: instead of the probe, and between probe and upgrade.
        for before in [None, Some(frame(0x81, b"2probe"))] {
            let (mut session, _) = Polling::open(gateway.consumer(), "&uniqueUserId=room-2").await.ok().unwrap();
            assert!(session.authenticate(json!({})).await.starts_with("40{"));
            let mut upgrading = Connection::open(gateway.consumer()).await;
            upgrading.send(handshake(&session.path().replace("polling", "websocket"), b"")).await;
            assert_eq!(upgrading.answer(true).await.map(|answer| answer.status), Some(101));
            if let Some(probe) = &before {
                upgrading.send(probe).await;
                assert_eq!(next(&mut upgrading).await, Some((0x81, b"3probe".to_vec())));
            }
            upgrading.send_what_is_taken(&hostile).await;
            while next(&mut upgrading).await.is_some() {}
            session.post("1").await;
        }
    }
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2022_41940_a_reset_at_every_byte_of_an_upgrade_that_is_refused() {
    let (gateway, witness) = with_witness().await;
    let unknown = "/socket.io/?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for request in [
        handshake(super::WEBSOCKET, b"Origin: https://evil.example\r\n"),
        handshake(unknown, b""),
        handshake("/socket.io/?EIO=3&transport=websocket", b""),
        handshake("/nothing", b""),
    ] {
        for length in 0..=request.len() {
            let mut connection = Connection::over(reset_when_dropped(dial(gateway.consumer()).await));
            connection.send(&request[..length]).await;
        }
        let mut whole = Connection::over(reset_when_dropped(dial(gateway.consumer()).await));
        whole.send(&request).await;
        let status = whole.answer(false).await.unwrap().status;
        assert!([400, 403, 404].contains(&status), "{status}");
    }
    is_unharmed(&gateway, witness).await;
}

/// A stream that ends by a reset.
fn reset_when_dropped(stream: tokio::net::TcpStream) -> tokio::net::TcpStream {
    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    stream
}

#[tokio::test]
async fn cve_2023_31125_parameters_that_are_none_on_an_upgrade() {
    let (gateway, witness) = with_witness().await;
    let unknown_transport = (0, "Transport unknown");
    for (query, (code, message)) in [
        ("EIO=4&transport=__proto__", unknown_transport),
        ("EIO=4&transport=constructor", unknown_transport),
        ("EIO=4&transport=websocket&transport=websocket", unknown_transport),
        ("EIO=4&transport[]=websocket", unknown_transport),
        ("EIO=4&transport=", unknown_transport),
        ("EIO=4", unknown_transport),
        ("", unknown_transport),
        ("EIO=4&EIO=3&transport=websocket", (5, "Unsupported protocol version")),
        ("EIO[]=4&transport=websocket", (5, "Unsupported protocol version")),
        ("EIO=__proto__&transport=websocket", (5, "Unsupported protocol version")),
        ("transport=websocket", (5, "Unsupported protocol version")),
        ("EIO=4&transport=websocket&sid=__proto__", (1, "Session ID unknown")),
        ("EIO=4&transport=websocket&sid=a&sid=b", (1, "Session ID unknown")),
    ] {
        let mut connection = Connection::open(gateway.consumer()).await;
        connection.send(handshake(&format!("/socket.io/?{query}"), b"")).await;
        let answer = connection.answer(false).await.expect("an answer");
        let error = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        assert_eq!((answer.status, answer.body), (400, error), "{query}");
    }
    assert_eq!(gateway.stats().sessions.get(), 1, "the witness alone");
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2020_28481_no_origin_is_let_in_unless_it_is_listed() {
    let gateway = Gateway::start(&[("TRUST_ORIGIN_LIST", ""), ("WEBSOCKET_AUTH", "0")]).await;
    for origin in ["https://evil.example", "http://localhost", "null"] {
        let head = format!("GET /socket.io/?EIO=4&transport=polling\nOrigin: {origin}");
        let answer = gateway.ask_consumer(&head, "").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, ""), "{origin}");
    }
    assert_eq!(gateway.stats().sessions.get(), 0);
}

#[tokio::test]
async fn ghsa_mj22_23ff_2hrr_a_websocket_from_a_foreign_page() {
    let (gateway, witness) = with_witness().await;
    for origin in ["https://evil.example", "https://app.test.evil.example", "https://app.test@evil.example", "null", ""]
    {
        let refused = Socket::open(gateway.consumer(), "&uniqueUserId=room-1", &[("Origin", origin)]).await.err();
        assert_eq!(refused, Some(403), "{origin:?}");
    }
    assert_eq!(gateway.stats().sessions.get(), 1, "the witness alone");
    is_unharmed(&gateway, witness).await;
}

#[tokio::test]
async fn cve_2017_16031_ids_that_can_be_guessed() {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH", "0")]).await;
    let (mut seen, mut zeros, mut ones) = (HashSet::new(), [0xff_u8; 22], [0_u8; 22]);
    for _ in 0..100 {
        let (mut session, _) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&session.sid).unwrap();
        for (index, byte) in bytes.iter().enumerate() {
            zeros[index] &= byte;
            ones[index] |= byte;
        }
        assert!(seen.insert(bytes), "the same id twice");
        assert_eq!(session.post("1").await.status, 200);
    }
    let vary: u32 = zeros.iter().zip(ones).map(|(zeros, ones)| (ones & !zeros).count_ones()).sum();
    assert!(vary >= 120, "only {vary} bits of the id are not always the same");
}
