//! Payloads of polling: packets one behind the other, with 0x1e between them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::packet::Malformed;

/// What separates the packets of a payload.
const SEPARATOR: char = '\u{1e}';

/// Packets of one payload. A megabyte of separators is a million packets, each with a cost of its own.
pub(in crate::subscriber) const PACKETS_MAX: usize = 1_000;

/// The packets of what a client posted.
///
/// # Errors
/// When it is not UTF-8, or there are more than [`PACKETS_MAX`].
pub(in crate::subscriber) fn split(body: &[u8]) -> Result<impl Iterator<Item = &str>, Malformed> {
    let text = str::from_utf8(body).map_err(|_| Malformed)?;
    if text.split(SEPARATOR).nth(PACKETS_MAX).is_some() {
        return Err(Malformed);
    }
    Ok(text.split(SEPARATOR))
}

/// Appends a packet to a payload.
pub(in crate::subscriber) fn push(payload: &mut String, packet: &str) {
    separate(payload);
    payload.push_str(packet);
}

/// Appends a binary message to a payload.
pub(in crate::subscriber) fn push_binary(payload: &mut String, bytes: &[u8]) {
    separate(payload);
    payload.push('b');
    STANDARD.encode_string(bytes, payload);
}

fn separate(payload: &mut String) {
    if !payload.is_empty() {
        payload.push(SEPARATOR);
    }
}

#[cfg(test)]
mod tests;
