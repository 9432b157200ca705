//! The numbers of streams, rooms and members agree with each other.

use std::collections::HashMap;

use proptest::prelude::*;

use super::Plan;

#[test]
fn rooms_default_to_one_a_subscriber_and_look_like_uuids() {
    let plan = Plan::new(0xab, 5, 0, 2);
    assert_eq!((plan.rooms, plan.streams(), plan.members(4)), (5, 5, 1));
    assert_eq!(plan.room_name(255), "000000ab-0000-4000-8000-0000000000ff");
}

proptest! {
    #[test]
    fn every_stream_has_one_publisher_and_one_room(subscribers in 1u32..60, rooms in 0u32..60, publishers in 1u32..60) {
        let plan = Plan::new(1, subscribers, rooms, publishers);
        let mut published: Vec<_> = (0..publishers).flat_map(|publisher| plan.streams_of_publisher(publisher)).collect();
        published.sort_unstable();
        prop_assert_eq!(&published, &(0..plan.streams()).collect::<Vec<_>>());
        for room in 0..plan.rooms {
            for (place, stream) in plan.streams_of_room(room).enumerate() {
                prop_assert_eq!(plan.room_of_stream(stream), room);
                prop_assert_eq!(plan.place_in_room(room, stream), Some(place));
                prop_assert_eq!(plan.place_in_room((room + 1) % plan.rooms, stream).is_some(), plan.rooms == 1);
            }
            prop_assert!(plan.streams_of_room(room).next().is_some());
        }
        prop_assert_eq!(plan.place_in_room(0, plan.streams()), None);
        let mut members = HashMap::new();
        for subscriber in 0..subscribers {
            *members.entry(plan.room_of_subscriber(subscriber)).or_insert(0) += 1;
        }
        for room in 0..plan.rooms {
            prop_assert_eq!(plan.members(room), members.get(&room).copied().unwrap_or(0));
        }
    }
}
