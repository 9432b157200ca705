//! Websocket frames, as far as the load and the floor need them: whole text frames, and heads.

use std::ops::Range;

const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
/// Answers a websocket ping, with nothing in it.
pub const PONG: [u8; 6] = [0x8A, MASKED, 0, 0, 0, 0];

/// A server's text frame.
pub fn text(text: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(text.len() + 10);
    push_head(&mut frame, text.len(), 0);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Appends a client's text frame. Its mask is zero, which masks nothing and is allowed.
pub fn push_masked(out: &mut Vec<u8>, text: &str) {
    push_head(out, text.len(), MASKED);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(text.as_bytes());
}

fn push_head(out: &mut Vec<u8>, length: usize, mask: u8) {
    out.push(TEXT);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => out.push(mask | length),
        (_, Ok(length)) => {
            out.push(mask | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(mask | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// What kind of frame a server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A text message.
    Text,
    /// The server closes.
    Close,
    /// A websocket ping.
    Ping,
    /// Anything else, which nobody here is sent.
    Other,
}

/// The first frame of `bytes`: its kind and where its payload stands. None while it is not whole.
pub fn first(bytes: &[u8]) -> Option<(Opcode, Range<usize>)> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (length, head) = match second {
        126 => (u16::from_be_bytes(*rest.first_chunk()?).into(), 4),
        127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?, 10),
        length => (length.into(), 2),
    };
    let opcode = match first {
        TEXT => Opcode::Text,
        0x88 => Opcode::Close,
        0x89 => Opcode::Ping,
        _ => Opcode::Other,
    };
    (bytes.len() >= head + length).then_some((opcode, head..head + length))
}
