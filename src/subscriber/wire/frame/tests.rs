//! Every rule of RFC 6455 that a client can break, in pieces of every size.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1000;

/// A frame as a client sends it, masked.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    let length = payload.len();
    match length {
        0..=125 => frame.push(MASKED | u8::try_from(length).unwrap()),
        126..=0xFFFF => {
            frame.push(MASKED | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(MASKED | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    let mask = [0x12, 0x34, 0x56, 0x78];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// What a decoder makes of bytes that come in pieces of `piece`.
fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Message>, Violation> {
    let mut decoder = Decoder::new(LIMIT);
    let mut messages = Vec::new();
    for mut piece in bytes.chunks(piece.max(1)) {
        while let Some(message) = decoder.next(&mut piece)? {
            messages.push(message);
        }
    }
    Ok(messages)
}

#[test]
fn messages_are_the_same_in_pieces_of_any_size() {
    let long = "ü".repeat(400);
    let bytes = [
        masked(0x81, b"hello"),
        masked(0x89, b"are you there"),
        masked(0x01, b"in "),
        masked(0x8A, b""),
        masked(0x00, b"three "),
        masked(0x80, b"parts"),
        masked(0x82, &[0, 255]),
        masked(0x81, long.as_bytes()),
        masked(0x88, &[3, 232, b'o', b'k']),
    ]
    .concat();
    let expected = [
        Message::Text("hello".into()),
        Message::Ping(b"are you there".to_vec()),
        Message::Pong,
        Message::Text("in three parts".into()),
        Message::Binary(vec![0, 255]),
        Message::Text(long),
        Message::Close(Some(1000)),
    ];
    for piece in 1..=bytes.len() {
        assert_eq!(decode(&bytes, piece).unwrap(), expected, "{piece}");
    }
}

#[test]
fn what_the_rules_forbid_is_refused_with_its_code() {
    let unmasked = vec![0x81, 1, b'3'];
    let longest = [&[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0][..], &[0; 4]].concat();
    for (bytes, code, what) in [
        (unmasked, 1002, "unmasked"),
        (masked(0xC1, b"x"), 1002, "reserved bit"),
        (masked(0x83, b"x"), 1002, "unknown opcode"),
        (masked(0x8B, b"x"), 1002, "unknown control opcode"),
        (masked(0x09, b"x"), 1002, "a ping in parts"),
        (masked(0x89, &[0; 126]), 1002, "a long ping"),
        (vec![0x89, 0xFE, 0, 1, 0, 0, 0, 0, b'x'], 1002, "a ping whose length is not in its second byte"),
        (masked(0x80, b"x"), 1002, "a continuation of nothing"),
        ([masked(0x01, b"x"), masked(0x81, b"y")].concat(), 1002, "a message inside another"),
        (masked(0x88, b"x"), 1002, "half a close code"),
        (masked(0x88, &[3, 237]), 1002, "code 1005"),
        (masked(0x88, &[3, 232, 0xFF]), 1007, "a reason that is no text"),
        (masked(0x81, &[0xFF]), 1007, "no UTF-8"),
        ([masked(0x01, &[0xC3]), masked(0x80, b"(")].concat(), 1007, "half a letter"),
        (masked(0x81, &[b'x'; LIMIT + 1]), 1009, "over the limit"),
        ([masked(0x01, &[b'x'; LIMIT]), masked(0x80, b"y")].concat(), 1009, "over the limit in two"),
        (longest, 1002, "a length of 2^63"),
    ] {
        assert_eq!(decode(&bytes, bytes.len()).map_err(Violation::close_code), Err(code), "{what}");
        assert_eq!(decode(&bytes, 1).map_err(Violation::close_code), Err(code), "{what}, byte by byte");
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_payload_comes() {
    let head = [0x81, 0xFF, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(decode(&head, head.len()), Err(Violation::TooBig));
}

#[test]
fn empty_frames_are_counted() {
    let first = masked(0x01, b"");
    let rest = masked(0x00, b"").repeat(FRAGMENTS_MAX as usize);
    assert_eq!(decode(&[first, rest].concat(), 4096), Err(Violation::TooBig));
}

#[test]
fn after_the_end_nothing_is_read() {
    let bytes = [masked(0x88, b""), masked(0x81, b"late")].concat();
    assert_eq!(decode(&bytes, bytes.len()).unwrap(), [Message::Close(None)]);
}

#[test]
fn between_messages_no_buffer_is_kept() {
    let mut decoder = Decoder::new(LIMIT);
    let bytes = [masked(0x89, b"x"), masked(0x81, &[b'x'; 900])].concat();
    let mut input = bytes.as_slice();
    while decoder.next(&mut input).unwrap().is_some() {}
    assert_eq!((decoder.message.capacity(), decoder.control.capacity()), (0, 0));
}

#[test]
fn frames_of_ours_have_the_shortest_head() {
    for (length, head) in [(0, 2), (125, 2), (126, 4), (0xFFFF, 4), (0x1_0000, 10)] {
        let payload = "x".repeat(length);
        let (frame, told) = text(&[&payload[..length / 2], &payload[length / 2..]]);
        assert_eq!((told, frame.len()), (head, head + length));
        assert_eq!(&frame[head..], payload.as_bytes());
    }
    assert_eq!(text(&["42", "[]"]).0, b"\x81\x0442[]");
    assert_eq!(pong(b"x"), b"\x8A\x01x");
    assert_eq!(close(Some(1002)), b"\x88\x02\x03\xEA");
    assert_eq!(close(None), b"\x88\x00");
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_mean_the_same(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1..40usize) {
        prop_assert_eq!(decode(&bytes, piece), decode(&bytes, bytes.len()));
    }

    #[test]
    fn what_is_sent_is_what_is_read(texts in prop::collection::vec(".{0,60}", 0..8), piece in 1..40usize) {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| masked(0x81, text.as_bytes())).collect();
        let expected: Vec<_> = texts.into_iter().map(Message::Text).collect();
        prop_assert_eq!(decode(&bytes, piece), Ok(expected));
    }
}
