//! What a publish carries so that a subscriber knows it again: run, stream, sequence, and the time it was due.

use std::fmt::Write;

/// What precedes the run's number in a body.
const MEMBER: &str = "\"bench\":\"";

/// A publish's identity and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The stream, which tells publisher and room.
    pub(crate) stream: u32,
    /// Its place in the stream, from 0.
    pub(crate) sequence: u32,
    /// When it was sent, or should have been, in nanoseconds since the run's epoch.
    pub(crate) sent_ns: u64,
}

/// Writes and finds the stamps of one run.
#[derive(Clone, Debug)]
pub(crate) struct Stamper {
    marker: String,
}

impl Stamper {
    /// The stamps of `run`.
    pub(crate) fn new(run: u32) -> Self {
        Self { marker: format!("{MEMBER}{run:08x}.") }
    }

    /// A body to publish, whose data is `data_bytes` long, unless the stamp alone is longer.
    pub(crate) fn body(&self, room: &str, stamp: Stamp, data_bytes: usize) -> String {
        const PAD: &str = "\",\"pad\":\"";
        const END: &str = "\"}";
        let mut body = String::with_capacity(room.len() + data_bytes + 96);
        let _ = write!(body, "{{\"target_id\":\"{room}\",");
        // The gateway takes the target out, and its comma; an opening brace takes their place.
        let data_start = body.len() - 1;
        let Stamp { stream, sequence, sent_ns } = stamp;
        let _ = write!(body, "{}{stream}.{sequence}.{sent_ns}{PAD}", self.marker);
        let length = body.len() - data_start + END.len();
        body.extend(std::iter::repeat_n('x', data_bytes.saturating_sub(length)));
        body.push_str(END);
        body
    }

    /// The stamp of an event, found by its bytes; no JSON is parsed.
    pub(crate) fn find(&self, event: &[u8]) -> Option<Stamp> {
        let marker = self.marker.as_bytes();
        let at = event.windows(marker.len()).position(|window| window == marker)?;
        let stamp = event.get(at + marker.len()..)?;
        let end = stamp.iter().position(|&byte| byte == b'"')?;
        let mut numbers = std::str::from_utf8(stamp.get(..end)?).ok()?.split('.');
        Some(Stamp {
            stream: numbers.next()?.parse().ok()?,
            sequence: numbers.next()?.parse().ok()?,
            sent_ns: numbers.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
