//! Which rooms may be published to.

use regex::Regex;
use serde_json::value::RawValue;

use super::{PublishError, splice};
use crate::types::RoomName;

/// Names of events that the stock client or server raises itself; a subscriber would take ours for its own.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// How the names of roomcast's own events begin.
const RESERVED_PREFIX: &str = "roomcast:";

/// The room that a `target_id` names.
///
/// # Errors
/// When it is missing, no string, no room's name, reserved, or does not match `pattern`; without a pattern, a control
/// character is the mismatch.
pub(super) fn room(target: Option<&RawValue>, pattern: Option<&Regex>) -> Result<RoomName, PublishError> {
    let target = target.ok_or(PublishError::TargetMissing)?;
    if !target.get().starts_with('"') {
        return Err(PublishError::TargetNotAString);
    }
    let name = splice::text(target).ok_or(PublishError::TargetNotUnicode)?;
    let room = RoomName::new(&name).map_err(|_| PublishError::TargetLength)?;
    if RESERVED.contains(&&*name) || name.starts_with(RESERVED_PREFIX) {
        return Err(PublishError::TargetReserved);
    }
    let matches = pattern.map_or_else(|| !name.contains(char::is_control), |pattern| pattern.is_match(&name));
    if matches { Ok(room) } else { Err(PublishError::TargetMismatch) }
}

#[cfg(test)]
mod tests;
