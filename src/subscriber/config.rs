//! What the subscriber side needs to know.

use std::time::Duration;

/// The settings of the Socket.IO side.
#[derive(Clone, Debug)]
pub struct Config {
    /// `PING_INTERVAL`.
    pub ping_interval: Duration,
    /// `PING_TIMEOUT`.
    pub ping_timeout: Duration,
    /// `MAX_HTTP_BUFFER_SIZE`: bytes of one message from a client, on both transports.
    pub payload_bytes_max: usize,
}
