//! Who is in which room, of one worker.

use std::collections::HashMap;
use std::rc::Rc;

use super::session::{Joined, Session};
use crate::types::RoomName;

/// The members of each room that has any. A room's members stand close together, in no order.
#[derive(Default)]
pub(super) struct Members(HashMap<RoomName, Vec<Rc<Session>>>);

impl Members {
    /// The members of a room.
    pub(super) fn of(&self, room: &RoomName) -> &[Rc<Session>] {
        self.0.get(room).map(Vec::as_slice).unwrap_or_default()
    }

    /// Rooms that have members.
    #[cfg(any(test, fuzzing))]
    pub(super) fn rooms(&self) -> usize {
        self.0.len()
    }

    /// Adds a session to rooms, and tells its place in each.
    pub(super) fn add(&mut self, session: &Rc<Session>, rooms: &[RoomName]) -> Vec<usize> {
        let add = |room: &RoomName| {
            let members = self.0.entry(room.clone()).or_default();
            members.push(Rc::clone(session));
            members.len() - 1
        };
        rooms.iter().map(add).collect()
    }

    /// Takes a session out of its rooms. The last member of each takes its place.
    pub(super) fn remove(&mut self, joined: &Joined) {
        for (room, place) in joined.membership.rooms().iter().zip(&joined.places) {
            let Some(members) = self.0.get_mut(room) else { continue };
            if *place < members.len() {
                members.swap_remove(*place);
            }
            match members.get(*place) {
                Some(moved) => moved.is_moved(room, *place),
                None if members.is_empty() => {
                    self.0.remove(room);
                }
                None => {}
            }
        }
    }
}
