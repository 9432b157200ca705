//! A publisher: one connection that is kept, and one request at a time.

use anyhow::{Context, bail, ensure};

use super::link::{Link, Scratch};
use super::plan::Plan;
use super::stamp::Stamp;

/// One publisher.
pub struct Publisher {
    link: Link,
    /// Its streams, and how many events of each were taken.
    streams: Vec<(usize, u32)>,
    /// Whose turn it is among the streams.
    turn: usize,
    is_waiting: bool,
    is_closed: bool,
    answer: Vec<u8>,
    /// Times that it was told to come again.
    pub refused: u64,
}

impl Publisher {
    /// Has not published yet.
    pub fn new(link: Link, plan: &Plan, place: usize) -> Self {
        let streams = plan.streams_of_publisher(place).map(|stream| (stream, 0)).collect();
        Self { link, streams, turn: 0, is_waiting: false, is_closed: false, answer: Vec::new(), refused: 0 }
    }

    /// Whether it can publish.
    pub fn is_ready(&self) -> bool {
        !self.is_waiting && !self.is_closed
    }

    /// Whether a request is under way.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Whether the server has closed its connection, as servers do with one that is silent for long.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Goes on over another connection.
    pub fn reconnect(&mut self, link: Link) {
        self.link = link;
        self.is_closed = false;
    }

    /// How many events of one of its streams were taken.
    pub fn taken(&self, stream: usize) -> u32 {
        self.streams.iter().find(|(own, _)| *own == stream).map_or(0, |(_, taken)| *taken)
    }

    /// How many events of all its streams were taken.
    pub fn taken_in_all(&self) -> u64 {
        self.streams.iter().map(|(_, taken)| u64::from(*taken)).sum()
    }

    /// Publishes the next event of the stream whose turn it is, with the time that its latency counts from.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn publish(&mut self, plan: &Plan, data_bytes: usize, stamped_ns: u64) -> anyhow::Result<()> {
        let (stream, sequence) = *self.streams.get(self.turn).context("a publisher without a stream")?;
        let stamp = Stamp { stream, sequence, stamped_ns };
        let body = stamp.body(plan.room_of_stream(stream), data_bytes);
        let request = format!(
            "POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.link.unsent().extend_from_slice(request.as_bytes());
        self.is_waiting = true;
        Ok(self.link.flush()?)
    }

    /// Does whatever its connection allows. Returns the stream of an event that was taken.
    ///
    /// # Errors
    /// When the connection is broken, or a publish is refused for good.
    pub fn serve(&mut self, scratch: &mut Scratch) -> anyhow::Result<Option<usize>> {
        if !self.is_waiting {
            self.is_closed = !self.link.read(scratch).unwrap_or(false);
            return if self.is_closed { Ok(None) } else { Ok(self.link.flush().map(|()| None)?) };
        }
        ensure!(self.link.read(scratch)?, "the server closed the connection before it answered");
        self.answer.extend_from_slice(&scratch.read);
        self.link.flush()?;
        let Some((status, length)) = answer(&self.answer)? else { return Ok(None) };
        let text = self.answer.drain(..length);
        let text = String::from_utf8_lossy(text.as_slice()).into_owned();
        self.is_waiting = false;
        match status {
            200 => {}
            503 => {
                self.refused += 1;
                return Ok(None);
            }
            _ => bail!("a publish was answered {text}"),
        }
        let count = self.streams.len();
        let Some((stream, taken)) = self.streams.get_mut(self.turn) else { return Ok(None) };
        *taken += 1;
        self.turn = (self.turn + 1) % count;
        Ok(Some(*stream))
    }
}

/// The status of an answer and its length, once it is whole.
fn answer(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = str::from_utf8(bytes.get(..head).unwrap_or_default())?;
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    let length = text.lines().filter_map(|line| line.split_once(": "));
    let mut length =
        length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.parse());
    let whole = head + 4 + length.next().transpose()?.unwrap_or(0usize);
    Ok((bytes.len() >= whole).then_some((status, whole)))
}
