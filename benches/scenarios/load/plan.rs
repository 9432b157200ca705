//! Who listens to which room, and who publishes to it.

/// Streams are numbered: stream `s` goes from publisher `s % publishers` to room `s % rooms`, and there are as many as
/// rooms or publishers, whichever are more. Subscriber `n` listens to room `n % rooms`.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// At least one.
    pub rooms: usize,
    /// At least one.
    pub publishers: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { rooms: 1, publishers: 1 }
    }
}

impl Plan {
    fn streams(&self) -> usize {
        self.rooms.max(self.publishers)
    }

    /// What a publisher sends, by turns.
    pub fn streams_of_publisher(&self, publisher: usize) -> impl Iterator<Item = usize> + use<> {
        (publisher..self.streams()).step_by(self.publishers)
    }

    /// What a room hears.
    pub fn streams_of_room(&self, room: usize) -> impl Iterator<Item = usize> + use<> {
        (room..self.streams()).step_by(self.rooms)
    }

    /// Where a stream stands among those that its room hears.
    pub fn place_in_room(&self, stream: usize) -> usize {
        stream / self.rooms
    }

    /// The room that a stream goes to.
    pub fn room_of_stream(&self, stream: usize) -> usize {
        stream % self.rooms
    }

    /// Who sends a stream.
    pub fn publisher_of_stream(&self, stream: usize) -> usize {
        stream % self.publishers
    }

    /// The room that a subscriber listens to.
    pub fn room_of_subscriber(&self, subscriber: usize) -> usize {
        subscriber % self.rooms
    }
}

/// A room's name: a UUID of version 4 to look at.
pub fn room_name(room: usize) -> String {
    format!("{room:08x}-0000-4000-8000-{room:012x}")
}
