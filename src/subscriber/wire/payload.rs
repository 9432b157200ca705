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

/// The binary message that a packet of a payload is; none if it is another packet.
///
/// # Errors
/// When it is not base64 with its padding.
pub(in crate::subscriber) fn read_binary(packet: &str) -> Result<Option<Vec<u8>>, Malformed> {
    let base64 = packet.strip_prefix('b');
    base64.map(|base64| STANDARD.decode(base64)).transpose().map_err(|_| Malformed)
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
