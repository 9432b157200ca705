//! What the subscriber side needs to know.

use std::time::Duration;

/// From the Engine.IO handshake to a CONNECT that was let in.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Members that events are written to before others have their turn: the events of other rooms, pings, new connections,
/// requests. A write takes microseconds, so a turn comes after a millisecond or two.
pub const SLICE: usize = 256;

/// The settings of the Socket.IO side.
#[derive(Clone, Debug)]
pub struct Config {
    /// `PING_INTERVAL`.
    pub ping_interval: Duration,
    /// `PING_TIMEOUT`.
    pub ping_timeout: Duration,
    /// [`CONNECT_TIMEOUT`]. It also ends the wait for a user's turn: whoever is not connected by then is closed without a
    /// word, and the stock client comes back with back-off.
    pub connect_timeout: Duration,
    /// `MAX_HTTP_BUFFER_SIZE`: bytes of one message from a client, on both transports.
    pub payload_bytes_max: usize,
    /// `CLIENT_QUEUE_MAX_BYTES`: what one subscriber may be owed before the policy acts.
    pub queue_bytes_max: usize,
    /// `CLIENT_QUEUE_POLICY`: what happens to one that is owed more.
    pub queue_policy: QueuePolicy,
    /// `CLIENT_WRITE_TIMEOUT_MS`: a subscriber that takes nothing of what it is owed for so long is closed.
    pub write_timeout: Duration,
    /// Whether a refused CONNECT is told a code beside the message; not with `LEGACY_QUIRKS`.
    pub tells_codes: bool,
    /// [`SLICE`], or what a test sets.
    pub slice: usize,
    /// What all subscribers of the node may be owed together before the worst of them is closed.
    pub node_queue_bytes_max: u64,
}

/// What happens to a subscriber that is owed more than its queue may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueuePolicy {
    /// Its session is closed; the stock client comes back.
    #[default]
    Disconnect,
    /// The oldest events that wait are dropped, and the client is told how many.
    DropOldest,
}
