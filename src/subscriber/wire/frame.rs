//! Websocket frames (RFC 6455): a decoder that takes bytes in pieces of any size, and an encoder.

use std::iter::once;
use std::mem;

/// Frames that one message may come in. A message in a million empty frames has no length, and costs all the same.
const FRAGMENTS_MAX: u32 = 1 << 18;

/// Bytes of a control frame's payload (RFC 6455, 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// Bytes of the longest head of a masked frame: 2, 8 for the length, 4 for the mask.
const HEAD_BYTES_MAX: usize = 14;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// What a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::subscriber) enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping, which wants a pong with the same payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client closes, with this code if it gave one.
    Close(Option<u16>),
}

/// What a client must not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::subscriber) enum Violation {
    /// The framing is wrong.
    Protocol,
    /// A text that is not UTF-8.
    NotUtf8,
    /// A message over the limit, or in too many frames.
    TooBig,
}

impl Violation {
    /// The code of the close frame that answers it (RFC 6455, 7.4.1).
    pub(in crate::subscriber) fn close_code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::NotUtf8 => 1007,
            Self::TooBig => 1009,
        }
    }
}

/// Reads one client's frames. Between messages it holds no buffer.
#[derive(Debug)]
pub(in crate::subscriber) struct Decoder {
    stage: Stage,
    message_bytes_max: usize,
    /// The data message under way: its opcode and how many frames of it began. 0 frames: none is under way.
    opcode: u8,
    frames: u32,
    message: Vec<u8>,
    control: Vec<u8>,
}

#[derive(Debug)]
enum Stage {
    Head {
        bytes: [u8; HEAD_BYTES_MAX],
        filled: usize,
    },
    Payload(Frame),
    /// After a close frame or a violation nothing more is read.
    Over,
}

/// A frame whose head is read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    last: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Payload bytes that were read, and that are still to come.
    read: usize,
    left: usize,
}

impl Frame {
    fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }
}

impl Decoder {
    /// A decoder of messages of at most `message_bytes_max` bytes.
    pub(in crate::subscriber) fn new(message_bytes_max: usize) -> Self {
        Self {
            stage: Stage::Head { bytes: [0; HEAD_BYTES_MAX], filled: 0 },
            message_bytes_max,
            opcode: CONTINUATION,
            frames: 0,
            message: Vec::new(),
            control: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input` up to the end of the next message; none when it needs more of them.
    ///
    /// # Errors
    /// When the client broke the protocol. Nothing more is read after that.
    pub(in crate::subscriber) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Violation> {
        let next = self.advance(input);
        if matches!(next, Err(_) | Ok(Some(Message::Close(_)))) {
            self.stage = Stage::Over;
        }
        next
    }

    /// Bytes of its buffers.
    #[cfg(any(test, fuzzing))]
    pub(in crate::subscriber) fn held(&self) -> usize {
        self.message.capacity() + self.control.capacity()
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Violation> {
        loop {
            match &mut self.stage {
                Stage::Over => {
                    *input = &[];
                    return Ok(None);
                }
                Stage::Head { bytes, filled } => {
                    let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
                    *input = rest;
                    if let Some(place) = bytes.get_mut(*filled) {
                        *place = byte;
                    }
                    *filled += 1;
                    let head = bytes.get(..*filled).unwrap_or_default();
                    if let Some(frame) = read_head(head)? {
                        self.begin(frame)?;
                        self.stage = Stage::Payload(frame);
                    }
                }
                Stage::Payload(frame) => {
                    let (now, rest) = input.split_at(frame.left.min(input.len()));
                    *input = rest;
                    let buffer = if frame.is_control() { &mut self.control } else { &mut self.message };
                    unmask(now, frame.mask, frame.read, buffer);
                    frame.read += now.len();
                    frame.left -= now.len();
                    if frame.left > 0 {
                        return Ok(None);
                    }
                    let frame = *frame;
                    self.stage = Stage::Head { bytes: [0; HEAD_BYTES_MAX], filled: 0 };
                    if let Some(message) = self.end(frame)? {
                        return Ok(Some(message));
                    }
                }
            }
        }
    }

    /// Judges a frame by its head, before any of its payload is kept.
    fn begin(&mut self, frame: Frame) -> Result<(), Violation> {
        if frame.is_control() {
            let is_known = matches!(frame.opcode, CLOSE | PING | PONG);
            return if is_known && frame.last { Ok(()) } else { Err(Violation::Protocol) };
        }
        match (frame.opcode, self.frames) {
            (TEXT | BINARY, 0) => self.opcode = frame.opcode,
            (CONTINUATION, 1..) => {}
            _ => return Err(Violation::Protocol),
        }
        self.frames += 1;
        let bytes = self.message.len().checked_add(frame.left);
        if self.frames > FRAGMENTS_MAX || bytes.is_none_or(|bytes| bytes > self.message_bytes_max) {
            return Err(Violation::TooBig);
        }
        Ok(())
    }

    fn end(&mut self, frame: Frame) -> Result<Option<Message>, Violation> {
        match frame.opcode {
            PING => Ok(Some(Message::Ping(mem::take(&mut self.control)))),
            PONG => {
                self.control = Vec::new();
                Ok(Some(Message::Pong))
            }
            CLOSE => read_close(&mem::take(&mut self.control)).map(Some),
            _ if !frame.last => Ok(None),
            _ => {
                self.frames = 0;
                let message = mem::take(&mut self.message);
                Ok(Some(match self.opcode {
                    TEXT => Message::Text(String::from_utf8(message).map_err(|_| Violation::NotUtf8)?),
                    _ => Message::Binary(message),
                }))
            }
        }
    }
}

/// The frame that a head tells of; none while the head is not whole.
fn read_head(head: &[u8]) -> Result<Option<Frame>, Violation> {
    let [first, second, rest @ ..] = head else { return Ok(None) };
    let reserved = first & 0x70 != 0;
    let is_control = first & 0x8 != 0;
    let is_long = usize::from(second & 0x7F) > CONTROL_BYTES_MAX;
    if reserved || second & MASKED == 0 || is_control && is_long {
        return Err(Violation::Protocol);
    }
    let (left, mask) = match (second & 0x7F, rest) {
        (126, [a, b, mask @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), mask),
        (127, [a, b, c, d, e, f, g, h, mask @ ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), mask),
        (126 | 127, _) => return Ok(None),
        (length, mask) => (u64::from(length), mask),
    };
    let Ok(mask) = <[u8; 4]>::try_from(mask) else { return Ok(None) };
    // The highest bit must be zero (RFC 6455, 5.2). A length that could be written shorter is taken, as ws takes it.
    if left >> 63 != 0 {
        return Err(Violation::Protocol);
    }
    let left = usize::try_from(left).map_err(|_| Violation::TooBig)?;
    Ok(Some(Frame { last: first & FINAL != 0, opcode: first & 0x0F, mask, read: 0, left }))
}

fn unmask(bytes: &[u8], mask: [u8; 4], offset: usize, into: &mut Vec<u8>) {
    let keys = mask.iter().cycle().skip(offset % 4);
    into.extend(bytes.iter().zip(keys).map(|(byte, key)| byte ^ key));
}

fn read_close(payload: &[u8]) -> Result<Message, Violation> {
    match payload {
        [] => Ok(Message::Close(None)),
        [_] => Err(Violation::Protocol),
        [a, b, reason @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            let is_allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !is_allowed {
                return Err(Violation::Protocol);
            }
            str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
            Ok(Message::Close(Some(code)))
        }
    }
}

/// Writes the head of an unmasked frame of one piece, as a server sends it.
fn push_head(opcode: u8, length: usize, into: &mut Vec<u8>) {
    into.push(FINAL | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => into.push(length),
        (_, Ok(length)) => {
            into.push(126);
            into.extend_from_slice(&length.to_be_bytes());
        }
        (_, Err(_)) => {
            into.push(127);
            into.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// A frame of `parts` one behind the other, which takes no more memory than it has bytes.
fn frame<'a>(opcode: u8, parts: impl Iterator<Item = &'a [u8]> + Clone) -> (Vec<u8>, usize) {
    let length = parts.clone().map(<[u8]>::len).sum();
    let head = match length {
        0..126 => 2,
        126..0x1_0000 => 4,
        _ => 10,
    };
    let mut frame = Vec::with_capacity(head + length);
    push_head(opcode, length, &mut frame);
    for part in parts {
        frame.extend_from_slice(part);
    }
    (frame, head)
}

/// A text frame of `parts` one behind the other, and how many bytes of it are its head.
pub(in crate::subscriber) fn text(parts: &[&str]) -> (Vec<u8>, usize) {
    frame(TEXT, parts.iter().map(|part| part.as_bytes()))
}

/// A binary frame, and how many bytes of it are its head.
pub(in crate::subscriber) fn binary(bytes: &[u8]) -> (Vec<u8>, usize) {
    frame(BINARY, once(bytes))
}

/// Whether a frame that was written here is a binary one.
pub(in crate::subscriber) fn is_binary(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| *first == FINAL | BINARY)
}

/// The answer to a ping.
pub(in crate::subscriber) fn pong(payload: &[u8]) -> Vec<u8> {
    frame(PONG, once(payload)).0
}

/// A close frame; without a code it has no payload.
pub(in crate::subscriber) fn close(code: Option<u16>) -> Vec<u8> {
    let code = code.map(u16::to_be_bytes);
    frame(CLOSE, code.iter().map(<[u8; 2]>::as_slice)).0
}

#[cfg(test)]
mod tests;
