//! What a publish carries so that a subscriber knows it again.

use std::ops::Range;

use super::plan::room_name;

/// Where the room's name stands in every body.
pub const BODY_ROOM: Range<usize> = 14..50;
/// Where, in every body, that begins which is left without the target.
pub const BODY_DATA_AT: usize = 52;

/// What precedes the stamp.
const MARK: &[u8] = b"\"at\":\"";

/// A publish's identity and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The stream.
    pub stream: usize,
    /// Its place in the stream, from 0.
    pub sequence: u32,
    /// When it was due, or written where there is no rate, in nanoseconds since the load began.
    pub stamped_ns: u64,
}

impl Stamp {
    /// A body for a room, whose data is `data_bytes` long unless the stamp alone is longer.
    pub fn body(self, room: usize, data_bytes: usize) -> String {
        const END: &str = "\"}";
        let Self { stream, sequence, stamped_ns } = self;
        let mut body = format!("{{\"target_id\":\"{}\",", room_name(room));
        body.push_str(&format!("\"at\":\"{stream}.{sequence}.{stamped_ns}\",\"pad\":\""));
        // An opening brace will stand in front of the data.
        let length = body.len() - BODY_DATA_AT + 1 + END.len();
        body.extend(std::iter::repeat_n('x', data_bytes.saturating_sub(length)));
        body + END
    }

    /// Finds the stamp of an event by its bytes; no JSON is parsed.
    pub fn find(event: &[u8]) -> Option<Self> {
        let at = event.windows(MARK.len()).position(|window| window == MARK)?;
        let stamp = event.get(at + MARK.len()..)?;
        let end = stamp.iter().position(|byte| *byte == b'"')?;
        let mut numbers = str::from_utf8(stamp.get(..end)?).ok()?.split('.');
        Some(Self {
            stream: numbers.next()?.parse().ok()?,
            sequence: numbers.next()?.parse().ok()?,
            stamped_ns: numbers.next()?.parse().ok()?,
        })
    }
}
