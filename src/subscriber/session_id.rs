//! The secret name of an Engine.IO session, which also tells where the session is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const SECRET_BYTES: usize = 16;
const BYTES: usize = 2 + 4 + SECRET_BYTES;

/// A session's id. Whoever knows it can read and write the session, so it is told to nobody but its client, and never
/// equals the Socket.IO id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionId {
    /// The worker that owns the session.
    pub(super) worker: u16,
    /// The session's place in that worker's table.
    pub(super) slot: u32,
    secret: [u8; SECRET_BYTES],
}

impl SessionId {
    /// A new id with 128 random bits.
    pub(super) fn new(worker: u16, slot: u32) -> Self {
        Self { worker, slot, secret: rand::random() }
    }

    /// Reads an id as its client sends it back.
    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes: [u8; BYTES] = bytes.try_into().ok()?;
        let [a, b, c, d, e, f, secret @ ..] = bytes;
        Some(Self { worker: u16::from_be_bytes([a, b]), slot: u32::from_be_bytes([c, d, e, f]), secret })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; BYTES];
        let (worker, rest) = bytes.split_at_mut(2);
        let (slot, secret) = rest.split_at_mut(4);
        worker.copy_from_slice(&self.worker.to_be_bytes());
        slot.copy_from_slice(&self.slot.to_be_bytes());
        secret.copy_from_slice(&self.secret);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Hides the secret.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionId").field("worker", &self.worker).field("slot", &self.slot).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
