//! What the lifecycle needs to know.

use std::time::Duration;

/// The settings of the end of the process.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// `DRAIN_TIMEOUT_MS`: hard end of a drain.
    pub drain_timeout: Duration,
}
