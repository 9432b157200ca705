//! The client's end of a websocket: whole frames out of it, and any bytes into it.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// The client's end of a websocket.
pub(super) struct Pipe {
    stream: DuplexStream,
    unread: Vec<u8>,
    /// Whether anything came since that was asked last.
    pub(super) has_read: bool,
    pub(super) is_over: bool,
}

impl Pipe {
    pub(super) fn new(stream: DuplexStream) -> Self {
        Self { stream, unread: Vec::new(), has_read: false, is_over: false }
    }

    /// Reads what is there, up to `bytes`; false when nothing is.
    pub(super) fn fill(&mut self, bytes: usize) -> bool {
        let mut buffer = vec![0; bytes];
        // A test reads more pipes in one go than tokio's budget lets it.
        match tokio::task::unconstrained(self.stream.read(&mut buffer)).now_or_never() {
            Some(Ok(read @ 1..)) => {
                self.unread.extend_from_slice(&buffer[..read]);
                self.has_read = true;
                true
            }
            Some(_) => {
                self.is_over = true;
                false
            }
            None => false,
        }
    }

    /// The next frame: its opcode and payload. What comes behind a close frame is nobody's.
    pub(super) fn next(&mut self) -> Option<(u8, String)> {
        loop {
            if let Some(frame) = self.take_frame() {
                return Some(frame);
            }
            if !self.fill(4096) {
                return None;
            }
        }
    }

    fn take_frame(&mut self) -> Option<(u8, String)> {
        let [first, second, rest @ ..] = self.unread.as_slice() else { return None };
        assert_eq!((first & 0xF0, second & 0x80), (0x80, 0), "an unmasked frame of one piece");
        let (length, payload) = match (second, rest) {
            (126, [a, b, payload @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), payload),
            (126 | 127, _) => {
                assert_eq!(*second, 126, "a frame of more than 64 KiB");
                return None;
            }
            (length, payload) => (usize::from(*length), payload),
        };
        let frame = (first & 0xF, String::from_utf8_lossy(payload.get(..length)?).into_owned());
        let read = self.unread.len() - payload.len() + length;
        self.unread.drain(..read);
        Some(frame)
    }

    /// Sends a short text in a masked frame.
    pub(super) async fn send(&mut self, text: &str) {
        self.send_frame(0x81, text.as_bytes()).await;
    }

    pub(super) async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126).expect("a short text");
        self.write(&[&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()).await;
    }

    /// Nobody may be there to take it.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.stream.write_all(bytes)).await;
    }
}
