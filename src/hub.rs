//! Rooms and their members: takes a publication and hands it to everybody who listens.
//!
//! The hub is synchronous: it never waits, does no IO and knows no socket. What carries an event to the members'
//! queues is a [`Fanout`], which `subscriber` provides.

mod rooms;

use std::sync::Arc;

use crate::types::{Publication, RoomName, Stats};
pub use rooms::Membership;
use rooms::Rooms;

/// Puts an event into the queue of every member of a room.
pub trait Fanout: Send + Sync + 'static {
    /// Queues the event for every member and returns how many queues did not take it.
    fn emit(&self, publication: &Publication) -> usize;
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Members whose queue took the event.
    pub receivers: usize,
}

/// The rooms of this node.
pub struct Hub {
    rooms: Rooms,
    fanout: Arc<dyn Fanout>,
    stats: Arc<Stats>,
}

impl Hub {
    /// A hub without members.
    pub fn new(fanout: Arc<dyn Fanout>, stats: Arc<Stats>) -> Arc<Self> {
        Arc::new(Self { rooms: Rooms::default(), fanout, stats })
    }

    /// Counts one member into each of the rooms until the guard is dropped.
    pub fn join(self: &Arc<Self>, rooms: &[RoomName]) -> Membership {
        Membership::new(Arc::clone(self), rooms.into())
    }

    /// Hands the publication to every member of its room.
    pub fn deliver(&self, publication: &Publication) -> Delivered {
        let members = self.rooms.members(&publication.room);
        if members == 0 {
            return Delivered { receivers: 0 };
        }
        let undelivered = self.fanout.emit(publication);
        let receivers = members.saturating_sub(undelivered);
        self.stats.deliveries.add(receivers as u64);
        self.stats.undelivered.add(undelivered as u64);
        Delivered { receivers }
    }
}

#[cfg(test)]
mod tests;
