//! Websocket frames, in pieces of any size.

use crate::subscriber::wire::frame::{self, Decoder, Message, Violation};

/// Bytes of the longest message that is taken.
const LIMIT: usize = 1_000;

/// Bytes that a decoder may hold: a message and a control frame, in buffers that grow by doubling.
const HELD_MAX: usize = 2 * LIMIT + 256;

/// Bytes in whatever pieces mean the same as at once, and need no more memory. What we write is what is read.
///
/// The input's first byte tells how many of those behind it are lengths of pieces, which come round; the rest are frames.
pub fn websocket_frames(input: &[u8]) {
    let Some((&pieces, rest)) = input.split_first() else { return };
    let (pieces, stream) = rest.split_at(usize::from(pieces % 16).min(rest.len()));
    let at_once = decode(&mut std::iter::once(stream));
    let mut rest = stream;
    let mut in_pieces = pieces.iter().cycle().map_while(|piece| {
        let (now, later) = rest.split_at(usize::from(*piece).max(1).min(rest.len()));
        rest = later;
        (!now.is_empty()).then_some(now)
    });
    if !pieces.is_empty() {
        assert_eq!(decode(&mut in_pieces), at_once);
    }
    assert_eq!(decode(&mut stream.chunks(1)), at_once);
    round_trip(pieces, &String::from_utf8_lossy(stream));
}

/// The messages of a stream, and what ended it before its end.
fn decode(pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Message>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut messages = Vec::new();
    for mut piece in pieces {
        loop {
            let next = decoder.next(&mut piece);
            assert!(decoder.held() <= HELD_MAX, "the decoder holds {} bytes", decoder.held());
            match next {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
        assert!(piece.is_empty(), "{} bytes are left, and no message came of them", piece.len());
    }
    for message in &messages {
        let bytes = match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
            Message::Ping(bytes) => bytes.len() + LIMIT - 125,
            Message::Pong | Message::Close(_) => 0,
        };
        assert!(bytes <= LIMIT, "{message:?}");
    }
    (messages, None)
}

/// Reads what we write, once it is masked as a client's frames are.
fn round_trip(mask: &[u8], text: &str) {
    let mask = [0, 1, 2, 3].map(|at| mask.get(at).copied().unwrap_or_default());
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (frame, head) = frame::text(&[&text[..half], &text[half..]]);
    let expected = if text.len() > LIMIT {
        (vec![], Some(Violation::TooBig))
    } else {
        (vec![Message::Text(text.to_owned())], None)
    };
    assert_eq!(decode(&mut std::iter::once(&*masked(&frame, head, mask))), expected);
    let ping = &text.as_bytes()[..text.len().min(125)];
    let mut pong = frame::pong(ping);
    pong[0] = 0x89; // a ping, which tells what it holds
    assert_eq!(decode(&mut std::iter::once(&*masked(&pong, 2, mask))), (vec![Message::Ping(ping.to_vec())], None));
}

fn masked(frame: &[u8], head: usize, mask: [u8; 4]) -> Vec<u8> {
    let (head, payload) = frame.split_at(head);
    let mut masked = [head, &mask].concat();
    masked[1] |= 0x80;
    masked.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    masked
}
