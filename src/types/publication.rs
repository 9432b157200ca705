//! What a publisher sent, ready to be delivered.

use serde_json::value::RawValue;

use super::{EventName, RoomName};

/// The one argument of the event: JSON text that is known to be valid, kept byte for byte.
#[derive(Clone, Debug)]
pub struct Payload(Box<str>);

impl Payload {
    /// An argument that was put together of valid JSON, which is not read once more.
    pub fn of_valid_json(json: String) -> Self {
        // Space that it does not fill would wait with it and count for nothing.
        Self(json.into())
    }

    /// The JSON.
    pub fn json(&self) -> &str {
        &self.0
    }
}

impl From<Box<RawValue>> for Payload {
    fn from(json: Box<RawValue>) -> Self {
        Self(json.into())
    }
}

/// One event for one room.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The room whose members receive it.
    pub room: RoomName,
    /// The event's name, which is what a subscriber listens for.
    pub event: EventName,
    /// The event's argument.
    pub payload: Payload,
}

impl Publication {
    /// Bytes of its text, which is what it costs to keep it.
    pub fn bytes(&self) -> usize {
        self.event.as_str().len() + self.payload.json().len()
    }
}
