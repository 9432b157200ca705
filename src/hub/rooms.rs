//! How many members each room has. A room without members is not kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Hub;
use crate::types::RoomName;

/// The member count of every room that has members.
#[derive(Default)]
pub(super) struct Rooms(RwLock<HashMap<RoomName, usize>>);

impl Rooms {
    pub(super) fn members(&self, room: &RoomName) -> usize {
        let rooms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rooms.get(room).copied().unwrap_or(0)
    }

    fn enter(&self, names: &[RoomName]) {
        let mut rooms = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            *rooms.entry(name.clone()).or_default() += 1;
        }
    }

    fn leave(&self, names: &[RoomName]) {
        let mut rooms = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if let Some(members) = rooms.get_mut(name) {
                *members -= 1;
                if *members == 0 {
                    rooms.remove(name);
                }
            }
        }
    }
}

/// One member of some rooms; dropping it leaves them.
pub struct Membership {
    hub: Arc<Hub>,
    rooms: Box<[RoomName]>,
}

impl Membership {
    pub(super) fn new(hub: Arc<Hub>, rooms: Box<[RoomName]>) -> Self {
        hub.rooms.enter(&rooms);
        Self { hub, rooms }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.hub.rooms.leave(&self.rooms);
    }
}
