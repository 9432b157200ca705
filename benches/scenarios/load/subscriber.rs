//! A subscriber: its websocket from the handshake on, and the order of what it hears.

use std::mem;

use super::link::{Link, Scratch};
use super::plan::{Plan, room_name};
use super::stamp::Stamp;
use super::tally::Tally;
use crate::frame::{self, Opcode};

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits for the server to agree to the websocket.
    Upgrading,
    /// Waits for the packet that opens the session.
    Opening,
    /// Waits to be let in.
    Joining,
    /// Hears events.
    Joined,
    /// Reads nothing.
    Stalled,
    /// Read nothing for a while, and reads again what is left; it may find itself closed.
    Late,
    /// Its connection has ended.
    Closed,
}

/// Why it ends.
enum End {
    /// The connection has ended.
    Closed(String),
    /// It heard what it must not.
    Fault(String),
}

/// One subscriber.
pub struct Subscriber {
    /// Its connection.
    pub link: Link,
    /// How far it is.
    pub stage: Stage,
    /// Its room.
    pub room: usize,
    /// For each stream of its room, the number that must come next.
    pub next: Box<[u32]>,
    /// The beginning of a frame whose rest has not come.
    unread: Vec<u8>,
}

impl Subscriber {
    /// Asks for a websocket as soon as it is connected.
    pub fn new(mut link: Link, plan: &Plan, place: usize) -> Self {
        let room = plan.room_of_subscriber(place);
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket&uniqueUserId={} HTTP/1.1\r\nHost: localhost\r\nOrigin: {}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            room_name(room),
            super::ORIGIN
        );
        link.unsent().extend_from_slice(request.as_bytes());
        let next = plan.streams_of_room(room).map(|_| 0).collect();
        Self { link, stage: Stage::Upgrading, room, next, unread: Vec::new() }
    }

    /// Does whatever its connection allows.
    pub fn serve(&mut self, plan: &Plan, token: &str, scratch: &mut Scratch, tally: &mut Tally) {
        if matches!(self.stage, Stage::Stalled | Stage::Closed) {
            return;
        }
        let open = self.link.read(scratch);
        let understood = self.hear(plan, token, &scratch.read, tally);
        let end = match (understood, open) {
            (Err(end), _) => end,
            (Ok(()), Ok(false)) => End::Closed("the server closed the connection".to_owned()),
            (Ok(()), Err(error)) => End::Closed(error.to_string()),
            (Ok(()), Ok(true)) => match self.link.flush() {
                Ok(()) => return,
                Err(error) => End::Closed(error.to_string()),
            },
        };
        let (room, stage) = (self.room, self.stage);
        match end {
            // Whoever reads too late may be closed.
            End::Closed(_) if stage == Stage::Late => {}
            End::Closed(why) | End::Fault(why) => {
                tally.fail(|| format!("a subscriber of room {room}, {stage:?}: {why}"));
            }
        }
        self.stage = Stage::Closed;
    }

    fn hear(&mut self, plan: &Plan, token: &str, read: &[u8], tally: &mut Tally) -> Result<(), End> {
        if self.unread.is_empty() {
            let heard = self.take(plan, token, read, tally)?;
            self.unread.extend_from_slice(read.get(heard..).unwrap_or_default());
            return Ok(());
        }
        let mut whole = mem::take(&mut self.unread);
        whole.extend_from_slice(read);
        let heard = self.take(plan, token, &whole, tally)?;
        // A buffer that held a large event is not kept by everybody.
        if heard < whole.len() {
            whole.drain(..heard);
            self.unread = whole;
        }
        Ok(())
    }

    /// Takes all whole frames. Returns how many bytes they were.
    fn take(&mut self, plan: &Plan, token: &str, bytes: &[u8], tally: &mut Tally) -> Result<usize, End> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if self.stage == Stage::Upgrading {
                let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(at) };
                if !rest.starts_with(b"HTTP/1.1 101 ") {
                    return Err(End::Fault(first_line(rest)));
                }
                self.stage = Stage::Opening;
                at += end + 4;
                continue;
            }
            let Some((opcode, payload)) = frame::first(rest) else { return Ok(at) };
            at += payload.end;
            self.answer(plan, token, opcode, rest.get(payload).unwrap_or_default(), tally)?;
        }
    }

    fn answer(
        &mut self,
        plan: &Plan,
        token: &str,
        opcode: Opcode,
        payload: &[u8],
        tally: &mut Tally,
    ) -> Result<(), End> {
        match (opcode, self.stage, payload) {
            (Opcode::Text, Stage::Opening, [b'0', ..]) => {
                self.stage = Stage::Joining;
                frame::push_masked(self.link.unsent(), &format!("40{{\"token\":\"{token}\"}}"));
            }
            (Opcode::Text, Stage::Joining, [b'4', b'0', ..]) => {
                self.stage = Stage::Joined;
                tally.joined += 1;
                if tally.listeners.len() <= self.room {
                    tally.listeners.resize(self.room + 1, 0);
                }
            }
            (Opcode::Text, Stage::Joined | Stage::Late, [b'4', b'2', ..]) => return self.note(plan, payload, tally),
            (Opcode::Text, _, b"2") => frame::push_masked(self.link.unsent(), "3"),
            (Opcode::Ping, ..) => self.link.unsent().extend_from_slice(&frame::PONG),
            (Opcode::Close, ..) => return Err(End::Closed("the server sent a close frame".to_owned())),
            (Opcode::Text | Opcode::Other, ..) => {
                return Err(End::Fault(format!("it was sent {:?}", first_line(payload))));
            }
        }
        Ok(())
    }

    fn note(&mut self, plan: &Plan, event: &[u8], tally: &mut Tally) -> Result<(), End> {
        let fault = |what: String| End::Fault(format!("{what}: {}", first_line(event)));
        let stamp = Stamp::find(event).ok_or_else(|| fault("an event without a stamp".to_owned()))?;
        let belongs = plan.room_of_stream(stamp.stream) == self.room;
        let next = self.next.get_mut(plan.place_in_room(stamp.stream)).filter(|_| belongs);
        let next = next.ok_or_else(|| fault("another room's event".to_owned()))?;
        let skipped = stamp.sequence.checked_sub(*next).ok_or_else(|| fault(format!("{next} was due, not again")))?;
        tally.skipped += u64::from(skipped);
        *next = stamp.sequence + 1;
        tally.delivered += 1;
        if self.stage == Stage::Joined {
            tally.latency_ns.saturating_record(tally.now_ns().saturating_sub(stamp.stamped_ns));
        }
        Ok(())
    }
}

/// What there is to say of bytes that nobody expected.
fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    String::from_utf8_lossy(line.get(..160).unwrap_or(line)).into_owned()
}
