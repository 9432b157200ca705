//! Packets, alone and in payloads.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::subscriber::wire::packet::{EnginePacket, Event, Kind, Malformed, SocketPacket};
use crate::subscriber::wire::payload::{self, PACKETS_MAX};
use crate::types::nesting::NESTING_MAX;

/// A packet is read by its first digit, 1 to 6; what is no such packet is refused.
pub fn engine_packet(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let expected = match (text.chars().next(), text) {
        (_, "2probe") => Ok(EnginePacket::Probe),
        (Some('1'), _) => Ok(EnginePacket::Close),
        (Some('2'), _) => Ok(EnginePacket::Ping),
        (Some('3'), _) => Ok(EnginePacket::Pong),
        (Some('4'), _) => Ok(EnginePacket::Message(&text[1..])),
        (Some('5'), _) => Ok(EnginePacket::Upgrade),
        (Some('6'), _) => Ok(EnginePacket::Noop),
        _ => Err(Malformed),
    };
    assert_eq!(EnginePacket::read(text), expected);
}

/// The packets of a payload are its text between the separators, and there are not too many of them. Joined again they are
/// the payload. The binary ones among them are what a naive reader of base64 takes them for.
pub fn polling_payload(input: &[u8]) {
    let separators = input.iter().filter(|byte| **byte == 0x1e).count();
    let Ok(packets) = payload::split(input).map(Iterator::collect::<Vec<_>>) else {
        assert!(separators >= PACKETS_MAX || str::from_utf8(input).is_err(), "a good payload is refused");
        return;
    };
    assert!(packets.len() <= PACKETS_MAX);
    assert_eq!(packets.len(), separators + 1);
    assert_eq!(packets.join("\u{1e}").as_bytes(), input);
    for packet in &packets {
        let expected = match packet.strip_prefix('b') {
            Some(base64) => naive_base64(base64).map(Some).ok_or(Malformed),
            None => Ok(None),
        };
        assert_eq!(payload::read_binary(packet), expected, "{packet:?}");
        if let Ok(Some(bytes)) = expected {
            let mut written = String::new();
            payload::push_binary(&mut written, &bytes);
            assert_eq!(written, *packet);
        }
    }
    // No packet that is written is empty.
    if packets.iter().all(|packet| !packet.is_empty()) {
        let mut joined = String::new();
        packets.iter().for_each(|packet| payload::push(&mut joined, packet));
        assert_eq!(joined.as_bytes(), input);
    }
}

/// Reads base64 bit by bit (RFC 4648, 4): the last of the groups of four letters is padded, with bits of zero.
fn naive_base64(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - letters.len() > 2 {
        return None;
    }
    let mut bits = Vec::new();
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let bytes = bits.chunks_exact(8);
    let is_padded = bytes.remainder().iter().all(|bit| *bit == 0);
    is_padded.then(|| bytes.map(|byte| byte.iter().fold(0, |sum, bit| sum * 2 + bit)).collect())
}

/// A packet is what a naive reader takes it for, which builds the values of its JSON.
pub fn socket_packet(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let read = SocketPacket::read(text);
    if let Ok(packet) = &read {
        assert!(packet.namespace.starts_with('/'));
        assert!(!matches!(packet.kind, Kind::Event { attachments: 11.. }));
    }
    match naive(text) {
        Naive::Packet(expected) => assert_eq!(read, Ok(expected)),
        Naive::Refused => assert_eq!(read, Err(Malformed)),
        Naive::Unclear => {}
    }
}

/// What the naive reader makes of a packet.
enum Naive<'a> {
    Packet(SocketPacket<'a>),
    Refused,
    /// Its JSON holds what no value can: half a surrogate pair, or a number beyond a float.
    Unclear,
}

/// Reads a packet digit by digit, in the way of socket.io-parser.
fn naive(text: &str) -> Naive<'_> {
    let digits = |from: usize| text.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let Some(kind @ b'0'..=b'6') = text.bytes().next() else { return Naive::Refused };
    let mut at = 1;
    let mut attachments = 0;
    if matches!(kind, b'5' | b'6') {
        let end = at + digits(at);
        match text[at..end].parse::<u128>() {
            Ok(count @ 0..=10) if text[end..].starts_with('-') => attachments = u8::try_from(count).unwrap(),
            _ => return Naive::Refused,
        }
        at = end + 1;
    }
    let mut namespace = "/";
    if text[at..].starts_with('/') {
        let comma = text[at..].bytes().take_while(|byte| *byte != b',').count();
        namespace = &text[at..at + comma];
        at = text.len().min(at + comma + 1);
    }
    let id = digits(at);
    let body = &text[at + id..];
    if is_deep(body) {
        return Naive::Refused;
    }
    let packet = |kind, event| Naive::Packet(SocketPacket { namespace, kind, event });
    let follows = Kind::Event { attachments };
    match kind {
        b'0' => packet(Kind::Connect((!body.is_empty()).then_some(body)), None),
        b'1' if body.is_empty() => packet(Kind::Disconnect, None),
        b'2' | b'3' | b'5' | b'6' => match serde_json::from_str(body) {
            Ok(Value::Array(elements)) => match elements.first() {
                Some(Value::String(name)) if matches!(kind, b'2' | b'5') => {
                    let id = text[at..at + id].parse().ok();
                    packet(follows, Some(Event { name: name.clone(), array: body, id }))
                }
                _ if matches!(kind, b'3' | b'6') && id > 0 => packet(follows, None),
                _ => Naive::Refused,
            },
            Ok(_) => Naive::Refused,
            Err(_) if serde_json::from_str::<&RawValue>(body).is_ok() => Naive::Unclear,
            Err(_) => Naive::Refused,
        },
        _ => Naive::Refused,
    }
}

/// Whether more brackets are open at once than may be, those in strings left out.
fn is_deep(body: &str) -> bool {
    let (mut open, mut is_string, mut is_escaped) = (0_usize, false, false);
    for letter in body.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_string => is_escaped = true,
            '"' => is_string = !is_string,
            '{' | '[' if !is_string => open += 1,
            '}' | ']' if !is_string => open = open.saturating_sub(1),
            _ => {}
        }
        if open > NESTING_MAX {
            return true;
        }
    }
    false
}
