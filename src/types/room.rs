//! Names of rooms and of events. An event that is published to a room carries the room's name.

use std::fmt;
use std::sync::Arc;

/// The longest name of a room, in bytes.
pub const ROOM_NAME_BYTES_MAX: usize = 255;

/// A room: what subscribers join and publications go to. Not empty, at most [`ROOM_NAME_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(Arc<str>);

/// The name cannot be a room's: it is empty or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a room's name has 1 to {ROOM_NAME_BYTES_MAX} bytes")]
pub struct RoomNameError;

impl RoomName {
    /// Takes `name` as a room's.
    ///
    /// # Errors
    /// When the name is empty or longer than [`ROOM_NAME_BYTES_MAX`] bytes.
    pub fn new(name: &str) -> Result<Self, RoomNameError> {
        if name.is_empty() || name.len() > ROOM_NAME_BYTES_MAX {
            return Err(RoomNameError);
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of the event that subscribers receive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventName(Arc<str>);

impl EventName {
    /// The event's name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// vrchats names the event after the room it goes to, and so do we.
impl From<&RoomName> for EventName {
    fn from(room: &RoomName) -> Self {
        Self(Arc::clone(&room.0))
    }
}
