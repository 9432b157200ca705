//! A room is kept for as long as it has members, and no longer.

use super::*;
use crate::types::Stats;

fn kept(hub: &Hub) -> usize {
    hub.rooms.members.read().unwrap().len()
}

#[test]
fn members_share_the_name_of_their_room() {
    let hub = Hub::new(2, Arc::new(Stats::default()));
    let join = |worker| hub.join(worker, &[RoomName::new("a").unwrap(), RoomName::new("b").unwrap()]);
    let (first, second) = (join(0), join(1));
    let places = |member: &Membership| member.rooms().iter().map(|name| name.as_str().as_ptr()).collect::<Vec<_>>();
    assert_eq!(places(&first), places(&second));
    assert_ne!(places(&first)[0], places(&first)[1]);
}

#[test]
fn a_crowd_of_rooms_gives_its_space_back() {
    let hub = Hub::new(1, Arc::new(Stats::default()));
    let room = |number: u32| RoomName::new(&number.to_string()).unwrap();
    let mut members: Vec<_> = (0..10_000).map(|number| hub.join(0, &[room(number)])).collect();
    let capacity = || hub.rooms.members.read().unwrap().capacity();
    assert!(capacity() >= 10_000);
    members.truncate(100);
    assert!(capacity() < 1_000, "{}", capacity());
    drop(members);
    assert!(capacity() < 4, "{}", capacity());
}

#[test]
fn a_room_without_members_is_not_kept() {
    let hub = Hub::new(2, Arc::new(Stats::default()));
    let [a, b, c] = ["a", "b", "c"].map(|name| RoomName::new(name).unwrap());
    assert!(hub.rooms.workers(&a).is_empty());
    assert_eq!(kept(&hub), 0, "asking for a room does not make it");

    let first = hub.join(0, &[a.clone(), b.clone()]);
    let second = hub.join(1, &[b.clone(), c.clone()]);
    let third = hub.join(1, std::slice::from_ref(&b));
    assert_eq!(kept(&hub), 3);
    assert_eq!(hub.rooms.workers(&b), [(0, 1), (1, 2)]);
    drop(first);
    assert_eq!((kept(&hub), hub.rooms.workers(&b)), (2, vec![(1, 2)]));
    drop(second);
    assert_eq!((kept(&hub), hub.rooms.workers(&b)), (1, vec![(1, 1)]));
    drop(third);
    assert_eq!(kept(&hub), 0);
    drop(hub.join(0, &[]));
    assert_eq!(kept(&hub), 0, "a member of no room makes none");
}

#[test]
fn who_panics_while_the_rooms_are_held_poisons_nothing() {
    let hub = Hub::new(1, Arc::new(Stats::default()));
    let [a, b] = ["a", "b"].map(|name| RoomName::new(name).unwrap());
    let member = hub.join(0, std::slice::from_ref(&a));
    let holder = Arc::clone(&hub);
    let held = std::thread::spawn(move || {
        let _members = holder.rooms.members.write();
        panic!("a defect, while the lock is held");
    });
    assert!(held.join().is_err() && hub.rooms.members.is_poisoned());
    let other = hub.join(0, &[a.clone(), b.clone()]);
    assert_eq!((hub.rooms.workers(&a), hub.rooms.workers(&b)), (vec![(0, 2)], vec![(0, 1)]));
    drop((member, other));
    assert_eq!(hub.rooms.count(), 0);
}
