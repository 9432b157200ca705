//! Which rooms may be published to.

use regex::Regex;
use serde_json::value::RawValue;

use super::splice;
use crate::types::RoomName;

/// Names of events that the stock client or server raises itself; a subscriber would take ours for its own.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// How the names of roomcast's own events begin.
const RESERVED_PREFIX: &str = "roomcast:";

/// Why a target is no room that may be published to, as it follows the name of the member in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// It is a number, an array or anything else that a pattern could be coerced to match.
    #[error("is not a string")]
    NotAString,
    /// It holds half of a surrogate pair, which no UTF-8 text can carry.
    #[error("is not valid Unicode")]
    NotUnicode,
    /// It cannot be a room's name.
    #[error("is empty or too long: a room's name has 1 to 255 bytes")]
    Length,
    /// It is the name of an event that the protocol or roomcast itself uses.
    #[error("is a reserved event name")]
    Reserved,
    /// It does not match `EVENT_ID_REGEX_VALIDATION_PATTERN`.
    #[error("does not match EVENT_ID_REGEX_VALIDATION_PATTERN")]
    Mismatch,
}

/// The room that a target names.
///
/// # Errors
/// When it is no string, no room's name, does not match `pattern`, or is reserved; without a pattern, a control character
/// is the mismatch.
pub(super) fn room(target: &RawValue, pattern: Option<&Regex>) -> Result<RoomName, TargetFault> {
    if !target.get().starts_with('"') {
        return Err(TargetFault::NotAString);
    }
    let name = splice::text(target).ok_or(TargetFault::NotUnicode)?;
    let room = RoomName::new(&name).map_err(|_| TargetFault::Length)?;
    if !pattern.map_or_else(|| !name.contains(char::is_control), |pattern| pattern.is_match(&name)) {
        return Err(TargetFault::Mismatch);
    }
    if RESERVED.contains(&&*name) || name.starts_with(RESERVED_PREFIX) {
        return Err(TargetFault::Reserved);
    }
    Ok(room)
}

#[cfg(test)]
mod tests;
