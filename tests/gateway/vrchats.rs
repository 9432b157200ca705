//! The defects of vrchats, each by the number that the migration document gives it: what roomcast does instead, and
//! what of the wire it keeps.

mod consumer;
mod delivery;
mod limits;
mod process;
mod producer;
mod shipped;
mod tokens;

use crate::harness::Gateway;

/// A gateway that takes only these targets.
async fn with_pattern(pattern: &str) -> Gateway {
    Gateway::start(&[("EVENT_ID_REGEX_VALIDATION_PATTERN", pattern)]).await
}
