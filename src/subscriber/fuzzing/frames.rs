//! Websocket frames, in pieces of any size.

use crate::subscriber::wire::frame::{self, Decoder, Message, Violation};

/// Bytes of the longest message that is taken.
const LIMIT: usize = 1_000;

/// Bytes that a decoder may hold: a message and a control frame, in buffers that grow by doubling.
const HELD_MAX: usize = 2 * LIMIT + 256;

/// Bytes mean what a naive reader of the whole stream takes them for, and in whatever pieces the same as at once, with no more
/// memory. What we write is what is read.
///
/// The input's first byte tells how many of those behind it are lengths of pieces, which come round; the rest are frames.
pub fn websocket_frames(input: &[u8]) {
    let Some((&pieces, rest)) = input.split_first() else { return };
    let (pieces, stream) = rest.split_at(usize::from(pieces % 16).min(rest.len()));
    let at_once = decode(&mut std::iter::once(stream));
    let mut messages = Vec::new();
    let violation = naive(stream, &mut messages).err();
    assert_eq!(at_once, (messages, violation));
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

/// Reads a stream that is there as a whole, frame by frame (RFC 6455, 5.2 to 5.6, 7.4 and 8.1).
///
/// What a frame's first two bytes give away ends it though no more of them come; else a head is judged once it is whole. No
/// input is as long as a message in too many frames.
fn naive(stream: &[u8], messages: &mut Vec<Message>) -> Result<(), Violation> {
    let mut under_way: Option<(u8, Vec<u8>)> = None; // the opcode of its first frame, and what came of it
    let mut at = 0;
    while at + 2 <= stream.len() {
        let (is_last, reserved, opcode) = (stream[at] >= 128, stream[at] / 16 % 8, stream[at] % 16);
        let (is_masked, short) = (stream[at + 1] >= 128, stream[at + 1] % 128);
        let is_control = opcode >= 8;
        if reserved > 0 || !is_masked || is_control && short > 125 {
            return Err(Violation::Protocol);
        }
        let mask = at + 2 + [0, 2, 8][usize::from(short.saturating_sub(125))];
        let start = mask + 4;
        if start > stream.len() {
            break;
        }
        let long = stream[at + 2..mask].iter().fold(0, |sum, byte| sum * 256 + u128::from(*byte));
        let length = if short > 125 { long } else { u128::from(short) };
        let is_in_place = match opcode {
            0 => under_way.is_some(),
            1 | 2 => under_way.is_none(),
            _ => is_last && opcode < 11 && is_control,
        };
        if !is_in_place || length >= 1 << 63 {
            return Err(Violation::Protocol);
        }
        let before = under_way.as_ref().map_or(0, |(_, bytes)| bytes.len());
        if !is_control && length + before as u128 > LIMIT as u128 {
            return Err(Violation::TooBig);
        }
        let end = start + usize::try_from(length).unwrap();
        if end > stream.len() {
            break;
        }
        let payload = (start..end).map(|byte| stream[byte] ^ stream[mask + (byte - start) % 4]).collect();
        at = end;
        match opcode {
            8 => {
                messages.push(Message::Close(naive_close(payload)?));
                break;
            }
            9 => messages.push(Message::Ping(payload)),
            10 => messages.push(Message::Pong),
            _ => {
                let (kind, begun) = under_way.take().unwrap_or((opcode, Vec::new()));
                let bytes = [begun, payload].concat();
                match kind {
                    _ if !is_last => under_way = Some((kind, bytes)),
                    1 => messages.push(Message::Text(String::from_utf8(bytes).map_err(|_| Violation::NotUtf8)?)),
                    _ => messages.push(Message::Binary(bytes)),
                }
            }
        }
    }
    Ok(())
}

/// The code that a close frame gives.
fn naive_close(mut payload: Vec<u8>) -> Result<Option<u16>, Violation> {
    if payload.is_empty() {
        return Ok(None);
    }
    if payload.len() == 1 {
        return Err(Violation::Protocol);
    }
    let reason = payload.split_off(2);
    let code = 256 * u16::from(payload[0]) + u16::from(payload[1]);
    // Those that no frame may hold, and those that nobody has given a meaning.
    if !(1000..5000).contains(&code) || (1004..=1006).contains(&code) || (1015..3000).contains(&code) {
        return Err(Violation::Protocol);
    }
    String::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
    Ok(Some(code))
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
