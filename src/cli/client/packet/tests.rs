//! The bytes of Engine.IO 4 and Socket.IO 5, as a gateway sends them.

use std::time::Duration;

use proptest::prelude::*;

use super::{Handshake, Packet, PacketError, refusal};

#[test]
fn each_packet_is_told_from_its_first_bytes() {
    for (text, packet) in [
        ("0{\"sid\":\"a\"}", Packet::Open(b"{\"sid\":\"a\"}")),
        ("1", Packet::Close),
        ("2", Packet::Ping(b"")),
        ("2probe", Packet::Ping(b"probe")),
        ("3probe", Packet::Other),
        ("6", Packet::Other),
        ("40", Packet::Connected),
        ("40{\"sid\":\"b\"}", Packet::Connected),
        ("41", Packet::Disconnected),
        ("42[\"room\",{\"a\":1}]", Packet::Event(b"[\"room\",{\"a\":1}]")),
        ("4217[\"room\",{}]", Packet::Event(b"[\"room\",{}]")),
        ("43[1]", Packet::Other),
        ("44{\"message\":\"no\"}", Packet::ConnectError(b"{\"message\":\"no\"}")),
        (
            "451-[\"room\",{\"_placeholder\":true,\"num\":0}]",
            Packet::Event(b"[\"room\",{\"_placeholder\":true,\"num\":0}]"),
        ),
        ("42/admin,[\"room\",{}]", Packet::Other),
        ("44/admin,{\"message\":\"Invalid namespace\"}", Packet::Other),
    ] {
        assert_eq!(Packet::decode(text.as_bytes()), Ok(packet), "{text}");
    }
}

#[test]
fn what_is_no_packet_is_refused() {
    for text in ["", "4", "47", "7", "x", "{}", "11"] {
        assert_eq!(Packet::decode(text.as_bytes()), Err(PacketError), "{text}");
    }
}

#[test]
fn the_handshake_tells_how_long_a_gateway_may_be_silent() {
    let open =
        br#"{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let handshake = Handshake::parse(open).unwrap();
    assert_eq!(handshake.sid, "abc");
    assert_eq!(handshake.silence_max(), Duration::from_secs(45));
    let huge = Handshake::parse(br#"{"sid":"","pingInterval":18446744073709551615,"pingTimeout":1}"#).unwrap();
    assert_eq!(huge.silence_max(), Duration::from_secs(86_400));
    assert!(Handshake::parse(b"{}").is_err());
}

#[test]
fn a_refusal_is_told_with_its_data_and_cannot_steer_a_terminal() {
    assert_eq!(refusal(br#"{"message":"invalid token"}"#), "invalid token");
    assert_eq!(refusal(br#"{"message":"invalid room","data":{"code":1}}"#), r#"invalid room {"code":1}"#);
    assert_eq!(refusal(br#"{"message":"a\u001b[2Jb"}"#), "a [2Jb");
    assert_eq!(refusal(b"no JSON"), "no JSON");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(text in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(Packet::Event(json) | Packet::Open(json) | Packet::ConnectError(json)) = Packet::decode(&text) {
            prop_assert!(text.ends_with(json));
        }
        let _ = refusal(&text);
    }
}
