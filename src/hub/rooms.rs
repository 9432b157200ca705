//! How many members each room has, worker by worker. A room without members is not kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Hub;
use crate::types::RoomName;

/// The member counts of every room that has members.
pub(super) struct Rooms {
    workers: usize,
    members: RwLock<HashMap<RoomName, Box<[u32]>>>,
}

impl Rooms {
    pub(super) fn new(workers: usize) -> Self {
        Self { workers, members: RwLock::default() }
    }

    /// The workers that have members of the room, and how many.
    pub(super) fn workers(&self, room: &RoomName) -> Vec<(usize, usize)> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let counts = members.get(room).map(AsRef::as_ref).unwrap_or_default();
        counts.iter().map(|count| *count as usize).enumerate().filter(|(_, count)| *count > 0).collect()
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn count(&self) -> usize {
        self.members.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Counts a member of the rooms, and gives back their names: those that all their members share, so that a large room
    /// does not keep its name once a member.
    fn enter(&self, worker: usize, names: &[RoomName]) -> Box<[RoomName]> {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let enter = |name: &RoomName| {
            let room = members.entry(name.clone());
            let name = room.key().clone();
            if let Some(count) = room.or_insert_with(|| vec![0; self.workers].into()).get_mut(worker) {
                *count += 1;
            }
            name
        };
        names.iter().map(enter).collect()
    }

    fn leave(&self, worker: usize, names: &[RoomName]) {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            let Some(counts) = members.get_mut(name) else { continue };
            if let Some(count) = counts.get_mut(worker) {
                *count -= 1;
            }
            if counts.iter().all(|count| *count == 0) {
                members.remove(name);
                if members.len() < members.capacity() / 4 {
                    // The space that a crowd of rooms took is given back.
                    let rooms = members.len();
                    members.shrink_to(rooms * 2);
                }
            }
        }
    }
}

/// One member of some rooms; dropping it leaves them.
pub struct Membership {
    hub: Arc<Hub>,
    worker: usize,
    rooms: Box<[RoomName]>,
    since: u64,
}

impl Membership {
    pub(super) fn new(hub: Arc<Hub>, worker: usize, rooms: &[RoomName], since: u64) -> Self {
        let rooms = hub.rooms.enter(worker, rooms);
        Self { hub, worker, rooms, since }
    }

    /// The rooms.
    pub fn rooms(&self) -> &[RoomName] {
        &self.rooms
    }

    /// The sequence number of the last publication before it began; the member receives all with higher ones.
    pub fn since(&self) -> u64 {
        self.since
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.hub.rooms.leave(self.worker, &self.rooms);
    }
}

#[cfg(test)]
mod tests;
