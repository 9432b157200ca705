//! Why a request, a session or a publication was refused: one closed set, which is also the metric's label.

/// The cause of a refusal. `admission` turns most of them into an answer; `producer` the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Cause {
    /// The publisher's address is not in `TRUST_CIDR_LIST`, or its proxy is not trusted.
    UntrustedAddress,
    /// A trusted proxy's header is missing or does not hold an address.
    UnreadableAddress,
    /// An `Origin` outside `TRUST_ORIGIN_LIST`.
    ForeignOrigin,
    /// Too many new sessions from one address.
    AddressRate,
    /// Too many new sessions of one user: the transport was closed after the wait, or, with `LEGACY_QUIRKS`, CONNECT was
    /// refused.
    UserRate,
    /// Too many publishes from one address.
    PublishRate,
    /// The node holds `MAX_CONNECTIONS` sessions.
    SessionsFull,
    /// One address holds `MAX_CONNECTIONS_PER_IP` sessions.
    AddressFull,
    /// The process holds as many sockets as it may; the new one was closed unheard.
    SocketsFull,
    /// The daily token or JWT is missing or wrong.
    InvalidToken,
    /// Too many rooms, a room that is too long, or one that the token does not allow.
    InvalidRoom,
    /// The publish body is not a JSON object in UTF-8, or is nested too deeply.
    InvalidBody,
    /// `target_id` is missing, not a string, reserved, or does not match the pattern.
    InvalidTarget,
    /// The publish body is larger than `PUBLISH_BODY_LIMIT`.
    BodyTooLarge,
    /// The body's type, charset or encoding is not supported.
    UnsupportedMedia,
    /// The body did not arrive in time.
    BodyTimeout,
    /// No such path or verb.
    NotFound,
    /// An Engine.IO request that the protocol does not allow.
    BadRequest,
    /// The TLS handshake failed or took too long.
    TlsHandshake,
    /// Too many events wait to be sent.
    Overloaded,
    /// The gateway is shutting down.
    Draining,
}

impl Cause {
    /// Every cause, in the order of their discriminants.
    pub const ALL: [Self; 21] = [
        Self::UntrustedAddress,
        Self::UnreadableAddress,
        Self::ForeignOrigin,
        Self::AddressRate,
        Self::UserRate,
        Self::PublishRate,
        Self::SessionsFull,
        Self::AddressFull,
        Self::SocketsFull,
        Self::InvalidToken,
        Self::InvalidRoom,
        Self::InvalidBody,
        Self::InvalidTarget,
        Self::BodyTooLarge,
        Self::UnsupportedMedia,
        Self::BodyTimeout,
        Self::NotFound,
        Self::BadRequest,
        Self::TlsHandshake,
        Self::Overloaded,
        Self::Draining,
    ];

    /// The value of the metric's `cause` label, and of the log's `cause` field.
    pub fn label(self) -> &'static str {
        match self {
            Self::UntrustedAddress => "untrusted_address",
            Self::UnreadableAddress => "unreadable_address",
            Self::ForeignOrigin => "foreign_origin",
            Self::AddressRate => "address_rate",
            Self::UserRate => "user_rate",
            Self::PublishRate => "publish_rate",
            Self::SessionsFull => "sessions_full",
            Self::AddressFull => "address_full",
            Self::SocketsFull => "sockets_full",
            Self::InvalidToken => "invalid_token",
            Self::InvalidRoom => "invalid_room",
            Self::InvalidBody => "invalid_body",
            Self::InvalidTarget => "invalid_target",
            Self::BodyTooLarge => "body_too_large",
            Self::UnsupportedMedia => "unsupported_media",
            Self::BodyTimeout => "body_timeout",
            Self::NotFound => "not_found",
            Self::BadRequest => "bad_request",
            Self::TlsHandshake => "tls_handshake",
            Self::Overloaded => "overloaded",
            Self::Draining => "draining",
        }
    }
}

#[cfg(test)]
mod tests;
