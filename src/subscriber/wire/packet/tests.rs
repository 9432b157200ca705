//! Packets that clients send, and packets that none sends.

use proptest::prelude::*;

use super::*;

fn kind(text: &str) -> Result<Kind<'_>, Malformed> {
    SocketPacket::read(text).map(|packet| packet.kind)
}

#[test]
fn engine_packets_are_told_apart() {
    for (text, packet) in [
        ("1", EnginePacket::Close),
        ("2", EnginePacket::Ping),
        ("2probe", EnginePacket::Probe),
        ("3", EnginePacket::Pong),
        ("4", EnginePacket::Message("")),
        ("4ü", EnginePacket::Message("ü")),
        ("5", EnginePacket::Upgrade),
        ("6", EnginePacket::Noop),
    ] {
        assert_eq!(EnginePacket::read(text), Ok(packet), "{text}");
    }
    for text in ["", "0", "0{}", "7", "x", "ü", " 4"] {
        assert_eq!(EnginePacket::read(text), Err(Malformed), "{text}");
    }
}

#[test]
fn socket_packets_are_told_apart() {
    assert_eq!(kind("0"), Ok(Kind::Connect(None)));
    assert_eq!(kind(r#"0{"token":"x"}"#), Ok(Kind::Connect(Some(r#"{"token":"x"}"#))));
    assert_eq!(kind("1"), Ok(Kind::Disconnect));
    assert_eq!(kind(r#"2["a"]"#), Ok(Kind::Event { attachments: 0 }));
    assert_eq!(kind(r#"212["a",1]"#), Ok(Kind::Event { attachments: 0 }));
    assert_eq!(kind("31[]"), Ok(Kind::Event { attachments: 0 }));
    assert_eq!(kind(r#"510-["a"]"#), Ok(Kind::Event { attachments: 10 }));
    assert_eq!(kind("61-7[]"), Ok(Kind::Event { attachments: 1 }));
}

#[test]
fn the_namespace_ends_at_the_comma() {
    for (text, namespace) in
        [("0", "/"), ("0/x,", "/x"), ("0/x", "/x"), (r#"2/a,["b,c"]"#, "/a"), ("1/__proto__,", "/__proto__")]
    {
        assert_eq!(SocketPacket::read(text).map(|packet| packet.namespace), Ok(namespace), "{text}");
    }
}

#[test]
fn an_event_is_told_from_the_answer_to_one() {
    let event = |text| SocketPacket::read(text).unwrap().event;
    let whole = |id| Some(Event { name: "a\"".to_owned(), array: r#"["a\"",1.0]"#, id });
    assert_eq!(event(r#"2["a\"",1.0]"#), whole(None));
    assert_eq!(event(r#"52-/x,012["a\"",1.0]"#), whole(Some(12)));
    assert_eq!(event(r#"299999999999999999999["a\"",1.0]"#), whole(None), "no client counts so far");
    for text in ["31[]", "61-7[]", "0", "1"] {
        assert_eq!(event(text), None, "{text}");
    }
}

#[test]
fn malformed_packets_are_refused() {
    for text in [
        "",
        "x",
        "7",
        "2",
        "2[",
        "2{}",
        "2[]",
        "2[5]",
        "2[null]",
        "2[[]]",
        "2\"a\"",
        "2-1[\"a\"]",
        "2[\"\\ud800\"]",
        "3[]",
        "4{}",
        "5",
        "5-[\"a\"]",
        "511-[\"a\"]",
        "5-1-[\"a\"]",
        "5+1-[\"a\"]",
        "51000000000-[\"a\"]",
        "61-[]",
        "1x",
        "ü",
    ] {
        assert_eq!(kind(text), Err(Malformed), "{text}");
    }
}

#[test]
fn json_nests_128_deep_and_no_deeper() {
    let nested = |depth: usize| format!("2[\"a\",{}{}]", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(kind(&nested(127)).is_ok());
    assert_eq!(kind(&nested(100_000)), Err(Malformed));
}

proptest! {
    #[test]
    fn no_text_is_more_than_it_can_bear(text in "[0-6/,\\-\\[\\]{}\"a]{0,40}|.{0,40}") {
        let _ = EnginePacket::read(&text);
        let _ = SocketPacket::read(&text);
    }
}
