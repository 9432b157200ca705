//! Who listens to which room, and who publishes to it.

/// How subscribers, rooms and publishers belong together.
///
/// Publishes are numbered by stream. A stream is one publisher's events for one room, so its order is the publisher's
/// own, and a subscriber can expect to hear it in that order. There are as many streams as rooms or publishers,
/// whichever are more: stream `s` goes from publisher `s % publishers` to room `s % rooms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What tells this run's rooms and events from any other's.
    pub(crate) run: u32,
    /// Number of subscribers.
    pub(crate) subscribers: u32,
    /// Number of rooms, at least one.
    pub(crate) rooms: u32,
    /// Number of publishers, at least one.
    pub(crate) publishers: u32,
}

impl Plan {
    /// `rooms` of 0 gives each subscriber a room of its own.
    pub(crate) fn new(run: u32, subscribers: u32, rooms: u32, publishers: u32) -> Self {
        let rooms = if rooms == 0 { subscribers } else { rooms };
        Self { run, subscribers, rooms: rooms.max(1), publishers: publishers.max(1) }
    }

    /// Number of streams.
    pub(crate) fn streams(&self) -> u32 {
        self.rooms.max(self.publishers)
    }

    /// The streams that a publisher sends, one after the other.
    pub(crate) fn streams_of_publisher(&self, publisher: u32) -> impl Iterator<Item = u32> + use<> {
        (publisher..self.streams()).step_by(self.publishers as usize)
    }

    /// The streams that a room hears.
    pub(crate) fn streams_of_room(&self, room: u32) -> impl Iterator<Item = u32> + use<> {
        (room..self.streams()).step_by(self.rooms as usize)
    }

    /// Where a stream stands in [`streams_of_room`](Self::streams_of_room), or none if the room does not hear it.
    pub(crate) fn place_in_room(&self, room: u32, stream: u32) -> Option<usize> {
        let heard = stream < self.streams() && stream % self.rooms == room;
        heard.then_some((stream / self.rooms) as usize)
    }

    /// The room that a stream goes to.
    pub(crate) fn room_of_stream(&self, stream: u32) -> u32 {
        stream % self.rooms
    }

    /// The room that a subscriber listens to.
    pub(crate) fn room_of_subscriber(&self, subscriber: u32) -> u32 {
        subscriber % self.rooms
    }

    /// Number of a room's subscribers.
    pub(crate) fn members(&self, room: u32) -> u32 {
        self.subscribers / self.rooms + u32::from(room < self.subscribers % self.rooms)
    }

    /// A room's name: a version 4 UUID to look at, which is what gateways are often told to accept.
    pub(crate) fn room_name(&self, room: u32) -> String {
        format!("{:08x}-0000-4000-8000-{room:012x}", self.run)
    }
}

#[cfg(test)]
mod tests;
