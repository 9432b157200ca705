//! The pipeline of a publication: check the target, keep the payload's bytes, hand it to the hub.

pub mod config;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[doc(hidden)]
pub mod internals;
mod splice;
mod target;

use std::sync::Arc;

use crate::hub::{Hub, Overloaded};
use crate::types::nesting::{NESTING_MAX, is_too_deep};
use crate::types::{Cause, EventName, Payload, Publication, Stats};
pub use config::Config;
use splice::Split;
pub use target::TargetFault;

/// The member of a body that names the room and the event.
const TARGET: &str = "target_id";

/// Its name in vrchats up to 0.4.
const LEGACY_TARGET: &str = "uuid";

/// Takes publications. Shared by all workers.
pub struct Publisher {
    config: Config,
    hub: Arc<Hub>,
    stats: Arc<Stats>,
}

/// What became of a publication that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Members of the room at the moment of the publish, who will receive the event or be closed for a reason that is
    /// counted.
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
    /// The body is empty or an array: to vrchats, one without a target.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// The body begins as neither object nor array: to vrchats, no JSON.
    #[error("the body is neither a JSON object nor an array")]
    NoMembers,
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
    /// The target may not be published to.
    #[error("{field} {fault}")]
    Target {
        /// The member that named it.
        field: &'static str,
        /// What is wrong with it.
        fault: TargetFault,
    },
    /// A worker that has members of the room is too far behind.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
}

impl PublishError {
    /// The metric's label.
    pub fn cause(&self) -> Cause {
        match self {
            Self::NotUtf8 { .. } | Self::TooDeep | Self::NotAnObject | Self::NoMembers | Self::Malformed { .. } => {
                Cause::InvalidBody
            }
            Self::TargetMissing | Self::Target { .. } => Cause::InvalidTarget,
            Self::Overloaded(_) => Cause::Overloaded,
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
    /// other members are the event's argument. When this returns, the event is in the inbox of every worker
    /// that has receivers.
    ///
    /// With `LEGACY_PUBLISH`, `uuid` is the target of a body that has no `target_id`; beside one it stays in the
    /// argument, so that the setting changes nothing for a body that is taken without it.
    ///
    /// # Errors
    /// When the body is no JSON object, its target may not be published to, or too many events wait; then nothing was
    /// delivered.
    pub fn publish(&self, body: &[u8]) -> Result<Receipt, PublishError> {
        let text = str::from_utf8(body).map_err(|error| PublishError::NotUtf8 { at: error.valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if is_too_deep(text) {
            return Err(PublishError::TooDeep);
        }
        let mut field = TARGET;
        let mut split = splice::split(text, field)?;
        if split.target.is_none() && self.config.takes_uuid {
            field = LEGACY_TARGET;
            split = splice::split(text, field)?;
        }
        let Split { target, payload } = split;
        let target = target.ok_or(PublishError::TargetMissing)?;
        let room = target::room(target, self.config.target_pattern.as_ref())
            .map_err(|fault| PublishError::Target { field, fault })?;
        let payload = Payload::of_valid_json(payload);
        let delivered = self.hub.deliver(Publication { event: EventName::from(&room), room, payload })?;
        self.stats.publishes.inc();
        Ok(Receipt { receivers: delivered.receivers })
    }
}

#[cfg(test)]
mod tests;
