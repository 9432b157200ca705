//! Rooms, members and fan-out. Synchronous: the hub awaits nothing, does no input or output, and knows no socket.
//!
//! Every worker owns its subscribers and has an [`Inbox`] here. A publication is put into the inbox of each worker that
//! has members of its room: into all of them or into none, and in one order for all. Joining, leaving and delivering
//! exclude each other for a moment, so at every publication it is certain who is a member: the [`Membership`] knows how
//! many publications there had been when it began.

mod inbox;
mod rooms;

use std::sync::{Arc, Mutex, PoisonError};

use crate::types::{Position, Publication, RoomName, Stats};
pub use inbox::{Inbox, Job, batch};
pub use rooms::Membership;
use rooms::Rooms;

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Members of the room, who will receive the event or be closed for a reason that is counted.
    pub receivers: usize,
}

/// A worker that has members of the room is too far behind; nothing was put anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many events wait to be sent")]
pub struct Overloaded;

/// The rooms of this node.
pub struct Hub {
    rooms: Rooms,
    inboxes: Box<[Inbox]>,
    /// Tells the publications of this process from those of others.
    epoch: u64,
    /// How many publications were delivered. Held while one is put into its inboxes.
    sequence: Mutex<u64>,
    stats: Arc<Stats>,
}

impl Hub {
    /// A hub without members, with an inbox for each of `workers`.
    pub fn new(workers: usize, stats: Arc<Stats>) -> Arc<Self> {
        Self::with_inboxes(workers, inbox::BYTES_MAX, stats)
    }

    /// The same with inboxes that hold `inbox_bytes_max` each.
    pub(crate) fn with_inboxes(workers: usize, inbox_bytes_max: usize, stats: Arc<Stats>) -> Arc<Self> {
        let inboxes = (0..workers).map(|_| Inbox::new(inbox_bytes_max)).collect();
        let (rooms, epoch) = (Rooms::new(workers), rand::random());
        Arc::new(Self { rooms, inboxes, epoch, sequence: Mutex::default(), stats })
    }

    /// What a worker has to fan out; none when there is no such worker.
    pub fn inbox(&self, worker: usize) -> Option<&Inbox> {
        self.inboxes.get(worker)
    }

    /// Rooms that have members.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn rooms(&self) -> usize {
        self.rooms.count()
    }

    /// Makes a subscriber of `worker` a member of the rooms until the guard is dropped.
    pub fn join(self: &Arc<Self>, worker: usize, rooms: &[RoomName]) -> Membership {
        let sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        Membership::new(Arc::clone(self), worker, rooms, *sequence)
    }

    /// Hands the publication to every member of its room.
    ///
    /// # Errors
    /// When an inbox that it belongs into is full. Then nobody receives it.
    pub fn deliver(&self, publication: Publication) -> Result<Delivered, Overloaded> {
        let mut sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        let workers = self.rooms.workers(&publication.room);
        let receivers = workers.iter().map(|(_, members)| members).sum();
        let inboxes = || workers.iter().filter_map(|(worker, _)| self.inboxes.get(*worker));
        let bytes = publication.bytes();
        if !inboxes().all(|inbox| inbox.has_room_for(bytes)) {
            return Err(Overloaded);
        }
        *sequence += 1;
        let position = Position { epoch: self.epoch, sequence: *sequence };
        let job = Job { publication: Arc::new(publication), position };
        inboxes().for_each(|inbox| inbox.put(job.clone()));
        drop(sequence);
        self.stats.deliveries.add(receivers as u64);
        Ok(Delivered { receivers })
    }
}

#[cfg(test)]
mod tests;
