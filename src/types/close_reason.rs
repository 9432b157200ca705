//! Why a session ended: one closed set, which is also the metric's label.

/// The reason for which a subscriber's session was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum CloseReason {
    /// The client closed its transport or left the namespace.
    ClientClosed,
    /// The transport broke.
    TransportError,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// The client broke the protocol.
    ProtocolError,
    /// The gateway is shutting down.
    Shutdown,
    /// The client owed more than `CLIENT_QUEUE_MAX_BYTES`.
    SlowReader,
    /// A defect kept events from it.
    Defect,
    /// The client took nothing of what it was owed for `CLIENT_WRITE_TIMEOUT_MS`.
    WriteTimeout,
    /// All clients together were owed more than the node may hold for them, and this one the most.
    QueuesFull,
}

impl CloseReason {
    /// Every reason, in the order of their discriminants.
    pub const ALL: [Self; 9] = [
        Self::ClientClosed,
        Self::TransportError,
        Self::PingTimeout,
        Self::ProtocolError,
        Self::Shutdown,
        Self::SlowReader,
        Self::Defect,
        Self::WriteTimeout,
        Self::QueuesFull,
    ];

    /// The value of the metric's `reason` label, and of the log's `reason` field.
    pub fn label(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::TransportError => "transport_error",
            Self::PingTimeout => "ping_timeout",
            Self::ProtocolError => "protocol_error",
            Self::Shutdown => "shutdown",
            Self::SlowReader => "slow_reader",
            Self::Defect => "defect",
            Self::WriteTimeout => "write_timeout",
            Self::QueuesFull => "queues_full",
        }
    }
}
