//! What operations need to know.

use std::net::SocketAddr;

use crate::types::Secret;

/// The settings of the admin listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// `ADMIN_ADDR`: none turns the admin listener off.
    pub admin_addr: Option<SocketAddr>,
    /// `ADMIN_TOKEN`: Bearer token, required unless the address is loopback.
    pub admin_token: Option<Secret>,
}

/// The settings of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `LOG_LEVEL`, or debug with `ENABLE_DEBUG=1`.
    pub level: tracing::level_filters::LevelFilter,
    /// `LOG_FORMAT`.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}
