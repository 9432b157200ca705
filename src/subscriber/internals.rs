//! What `benches/codec.rs` measures of the formats. No part of the interface.

use super::wire::frame::{self, Decoder};
use super::wire::packet::{EnginePacket, SocketPacket};

/// Encodes a websocket frame as an event is.
pub fn encode_text(parts: &[&str]) -> Vec<u8> {
    frame::text(parts).0
}

/// Decodes a client's frames. Returns how many messages they are; none where they break the protocol.
pub fn decode(mut bytes: &[u8], message_bytes_max: usize) -> Option<usize> {
    let mut decoder = Decoder::new(message_bytes_max);
    let mut messages = 0;
    while decoder.next(&mut bytes).ok()?.is_some() {
        messages += 1;
    }
    Some(messages)
}

/// Reads a packet of a client, down to Socket.IO's. False where it is malformed.
pub fn read_packet(text: &str) -> bool {
    match EnginePacket::read(text) {
        Ok(EnginePacket::Message(text)) => SocketPacket::read(text).is_ok(),
        packet => packet.is_ok(),
    }
}
