//! What admission needs to know.

use std::num::NonZeroU32;
use std::time::Duration;

use super::cidr::CidrList;
use super::forwarded::ProxyHeader;
use super::jwt::JwtConfig;
use super::origin::OriginList;
use crate::types::Secret;

/// The settings of admission, parsed and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TRUST_CIDR_LIST`: who may publish. Empty: nobody.
    pub publishers: CidrList,
    /// `TRUST_ORIGIN_LIST`: browser origins that may use either port.
    pub origins: OriginList,
    /// `USE_PROXY=1`: where the client address comes from.
    pub proxy: Option<ProxyConfig>,
    /// `PUBLISH_RATE_LIMIT`: publishes a second from one address.
    pub publishes_per_second: Option<NonZeroU32>,
    /// `WEBSOCKET_AUTH`: what a subscriber must show. Neither: everybody may listen.
    pub auth: AuthConfig,
    /// `RATE_LIMIT`, `RATE_LIMIT_PER_IP`, `RATE_LIMIT_PER_USER`, `LEGACY_QUIRKS`: none when the limits are off.
    pub rates: Option<RateConfig>,
    /// `MAX_CONNECTIONS`: sessions of the node.
    pub sessions_max: u64,
    /// `MAX_CONNECTIONS_PER_IP`: sessions of one address.
    pub sessions_per_address_max: Option<u64>,
    /// `RATE_LIMIT_EXEMPT`: subscribers' addresses without limits.
    pub exempt: CidrList,
}

/// The client address comes from a header when the peer is a trusted proxy.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// `TRUST_PROXY_LIST`.
    pub trusted: CidrList,
    /// `PROXY_HEADER`.
    pub header: ProxyHeader,
}

/// What a subscriber may show to be let in; either of the two is enough.
#[derive(Clone, Debug, Default)]
pub struct AuthConfig {
    /// The daily token.
    pub token: Option<TokenConfig>,
    /// A JSON Web Token.
    pub jwt: Option<JwtConfig>,
}

/// The daily token: SHA-512 of secret and date.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// `WEBSOCKET_AUTH_TOKEN_SECRET`.
    pub secret: Secret,
    /// `WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS`: also accepted.
    pub previous: Option<Secret>,
    /// `WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR`: UTC hour, 0 to 23, at which the day changes.
    pub start_hour: u8,
    /// `WEBSOCKET_AUTH_TOKEN_GRACE_MS`: how long yesterday's token stays good.
    pub grace: Duration,
}

/// How fast sessions may be opened.
#[derive(Clone, Debug)]
pub struct RateConfig {
    /// New sessions a second from one address; the burst is twice that.
    pub per_address: NonZeroU32,
    /// New sessions of one user.
    pub per_user: UserRate,
}

/// How fast one user may open sessions, and what becomes of those that come too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserRate {
    /// So many a second, and five times that at once; the others wait for their turn.
    Waits(NonZeroU32),
    /// `LEGACY_QUIRKS`: one, and the next a second later or more; the others are refused. So did vrchats, whose window of
    /// a second opened with the first session and was not made longer by those that it refused.
    OneOrRefused,
}
