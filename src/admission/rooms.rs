//! The rooms that a subscriber asks for.

use serde_json::Value;

use super::Claim;
use crate::types::{Cause, RoomName};

/// Rooms of one subscriber.
pub const ROOMS_MAX: usize = 16;

/// The rooms that the handshake's query names; if it names none, those of the CONNECT packet's `auth`: `uniqueUserId`,
/// a string or an array of strings, or else `uuid`. Empty names and null say nothing; a repeated name says it once.
pub(super) fn asked_for(claim: &Claim<'_>) -> Result<Vec<RoomName>, Cause> {
    let rooms = rooms(claim.query_rooms.iter().map(|name| Some(name.as_str())))?;
    if !rooms.is_empty() {
        return Ok(rooms);
    }
    match claim.auth.and_then(named_by_auth) {
        None => Ok(Vec::new()),
        Some(Value::Array(names)) => self::rooms(names.iter().map(Value::as_str)),
        Some(name) => self::rooms(std::iter::once(name.as_str())),
    }
}

fn named_by_auth(auth: &Value) -> Option<&Value> {
    ["uniqueUserId", "uuid"].into_iter().filter_map(|key| auth.get(key)).find(|value| !value.is_null())
}

/// None among the names is one that is no string.
fn rooms<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Result<Vec<RoomName>, Cause> {
    let mut rooms: Vec<RoomName> = Vec::new();
    for name in names {
        let name = name.ok_or(Cause::InvalidRoom)?;
        if name.is_empty() || rooms.iter().any(|room| room.as_str() == name) {
            continue;
        }
        if rooms.len() == ROOMS_MAX {
            return Err(Cause::InvalidRoom);
        }
        rooms.push(RoomName::new(name).map_err(|_| Cause::InvalidRoom)?);
    }
    Ok(rooms)
}

#[cfg(test)]
mod tests;
