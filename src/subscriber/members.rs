//! Who is in which room, of one worker.

use std::collections::HashMap;
use std::rc::Rc;

use super::session::{Joined, Session};
use super::worker::fan_out::FanOut;
use crate::types::RoomName;

/// The rooms that have any members, or had when the events that are on their way there were taken from the inbox.
#[derive(Default)]
pub(super) struct Members(HashMap<RoomName, Room>);

/// The members of a room. They stand close together, in no order but this: while a batch of events is under way, those
/// who are still to be served stand before all others.
#[derive(Default)]
pub(super) struct Room {
    pub(super) sessions: Vec<Rc<Session>>,
    /// What is under way, if the room is larger than a slice.
    pub(super) fan_out: Option<Box<FanOut>>,
}

impl Members {
    /// The room of this name.
    pub(super) fn room(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.0.get_mut(name)
    }

    /// The members of a room.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of(&self, room: &RoomName) -> &[Rc<Session>] {
        self.0.get(room).map(|room| room.sessions.as_slice()).unwrap_or_default()
    }

    /// Rooms that have members.
    #[cfg(any(test, fuzzing))]
    pub(super) fn rooms(&self) -> usize {
        self.0.len()
    }

    /// How many rooms, and how many members of them all, there is space for.
    #[cfg(any(test, fuzzing))]
    pub(super) fn capacity(&self) -> (usize, usize) {
        (self.0.capacity(), self.0.values().map(|room| room.sessions.capacity()).sum())
    }

    /// Adds a session to rooms, and tells its place in each.
    pub(super) fn add(&mut self, session: &Rc<Session>, rooms: &[RoomName]) -> Vec<usize> {
        let add = |name: &RoomName| {
            let room = self.0.entry(name.clone()).or_default();
            room.sessions.push(Rc::clone(session));
            room.sessions.len() - 1
        };
        rooms.iter().map(add).collect()
    }

    /// Takes a session out of its rooms.
    pub(super) fn remove(&mut self, joined: &Joined) {
        for (name, place) in joined.membership.rooms().iter().zip(&joined.places) {
            let Some(room) = self.0.get_mut(name) else { continue };
            room.remove(name, *place);
            if room.sessions.is_empty() {
                self.forget_if_empty(name);
            }
        }
    }

    /// Forgets a room without members, unless something is under way there.
    pub(super) fn forget_if_empty(&mut self, name: &RoomName) {
        if self.0.get(name).is_some_and(|room| room.sessions.is_empty() && room.fan_out.is_none()) {
            self.0.remove(name);
            if self.0.len() < self.0.capacity() / 4 {
                self.0.shrink_to(self.0.len() * 2);
            }
        }
    }
}

impl Room {
    /// Takes out the member at a place, which the last one takes. If that one was served already and the place is among
    /// those who were not, the last of these goes between.
    fn remove(&mut self, name: &RoomName, place: usize) {
        if place >= self.sessions.len() {
            return;
        }
        let mut free = place;
        if let Some(fan_out) = &mut self.fan_out
            && place < fan_out.left
        {
            fan_out.left -= 1;
            free = fan_out.left;
            self.sessions.swap(place, free);
        }
        self.sessions.swap_remove(free);
        if self.sessions.len() < self.sessions.capacity() / 4 {
            // The room that a crowd took is given back.
            self.sessions.shrink_to(self.sessions.len() * 2);
        }
        for place in [place, free] {
            if let Some(moved) = self.sessions.get(place) {
                moved.is_moved(name, place);
            }
        }
    }
}
