//! The pipeline of a publication: check the target, keep the payload's bytes, hand it to the hub.

pub mod config;
mod depth;
mod splice;
mod target;

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::hub::Hub;
use crate::types::{Cause, EventName, Publication, Stats};
pub use config::Config;
pub use depth::NESTING_MAX;
use depth::is_too_deep;
use splice::Split;

/// Takes publications. Shared by all workers.
pub struct Publisher {
    config: Config,
    hub: Arc<Hub>,
    stats: Arc<Stats>,
}

/// What became of a publication that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Subscribers whose queue took the event, at the moment of the publish.
    pub receivers: usize,
}

/// Why a body was not taken. The text is for the log: it names the fault and never repeats the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// A browser would close its connection over such a text frame.
    #[error("the body is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Bytes before the first invalid one.
        at: usize,
    },
    /// More levels than receivers can be trusted to parse.
    #[error("the body nests more than {NESTING_MAX} levels")]
    TooDeep,
    /// The body is empty, or JSON of another kind.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// The body is not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    Malformed {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, in bytes.
        column: usize,
    },
    /// No `target_id`.
    #[error("target_id is missing")]
    TargetMissing,
    /// `target_id` is a number, an array or anything else that a pattern could be coerced to match.
    #[error("target_id is not a string")]
    TargetNotAString,
    /// `target_id` holds half of a surrogate pair, which no UTF-8 text can carry.
    #[error("target_id is not valid Unicode")]
    TargetNotUnicode,
    /// `target_id` cannot be a room's name.
    #[error("target_id is empty or too long: a room's name has 1 to 255 bytes")]
    TargetLength,
    /// `target_id` is the name of an event that the protocol or roomcast itself uses.
    #[error("target_id is a reserved event name")]
    TargetReserved,
    /// `target_id` does not match `EVENT_ID_REGEX_VALIDATION_PATTERN`.
    #[error("target_id does not match EVENT_ID_REGEX_VALIDATION_PATTERN")]
    TargetMismatch,
}

impl PublishError {
    /// The metric's label.
    pub fn cause(&self) -> Cause {
        match self {
            Self::NotUtf8 { .. } | Self::TooDeep | Self::NotAnObject | Self::Malformed { .. } => Cause::InvalidBody,
            Self::TargetMissing
            | Self::TargetNotAString
            | Self::TargetNotUnicode
            | Self::TargetLength
            | Self::TargetReserved
            | Self::TargetMismatch => Cause::InvalidTarget,
        }
    }
}

impl From<serde_json::Error> for PublishError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

impl Publisher {
    /// A publisher that hands what it takes to `hub` and counts it in `stats`.
    pub fn new(config: Config, hub: Arc<Hub>, stats: Arc<Stats>) -> Arc<Self> {
        Arc::new(Self { config, hub, stats })
    }

    /// Takes a body as it came from the wire: a JSON object whose `target_id` names the room and the event, and whose
    /// other members are the event's argument. When this returns, the event is in the queue of every receiver.
    ///
    /// # Errors
    /// When the body is no JSON object or its target may not be published to; then nothing was delivered.
    pub fn publish(&self, body: &[u8]) -> Result<Receipt, PublishError> {
        let text = str::from_utf8(body).map_err(|error| PublishError::NotUtf8 { at: error.valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if is_too_deep(text) {
            return Err(PublishError::TooDeep);
        }
        let Split { target, payload } = splice::split(text)?;
        let room = target::room(target, self.config.target_pattern.as_ref())?;
        // The splice of valid members is valid: this check cannot fail, and is the one way to a `RawValue`.
        let payload = RawValue::from_string(payload)?.into();
        let delivered = self.hub.deliver(&Publication { event: EventName::from(&room), room, payload });
        self.stats.publishes.inc();
        Ok(Receipt { receivers: delivered.receivers })
    }
}

#[cfg(test)]
mod tests;
