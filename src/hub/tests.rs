//! Members are counted by their guards, and only a room with members is handed to the fan-out.

use std::sync::Mutex;

use super::*;
use crate::types::EventName;

#[derive(Default)]
struct Recorder {
    emitted: Mutex<Vec<String>>,
    undelivered: usize,
}

impl Fanout for Recorder {
    fn emit(&self, publication: &Publication) -> usize {
        self.emitted.lock().unwrap().push(publication.payload.json().get().to_owned());
        self.undelivered
    }
}

fn publication(room: &str, json: &str) -> Publication {
    let room = RoomName::new(room).unwrap();
    let payload = serde_json::value::RawValue::from_string(json.to_owned()).unwrap().into();
    Publication { event: EventName::from(&room), room, payload }
}

#[test]
fn a_publication_reaches_the_fan_out_only_while_the_room_has_members() {
    let recorder = Arc::new(Recorder::default());
    let stats = Arc::new(Stats::default());
    let hub = Hub::new(recorder.clone(), stats.clone());
    let room = RoomName::new("a").unwrap();
    assert_eq!(hub.deliver(&publication("a", "1")).receivers, 0);

    let first = hub.join(&[room.clone(), RoomName::new("b").unwrap()]);
    let second = hub.join(std::slice::from_ref(&room));
    assert_eq!(hub.deliver(&publication("a", "2")).receivers, 2);
    drop(first);
    assert_eq!(hub.deliver(&publication("a", "3")).receivers, 1);
    assert_eq!(hub.deliver(&publication("b", "4")).receivers, 0);
    drop(second);

    assert_eq!(hub.rooms.members(&room), 0);
    assert_eq!(*recorder.emitted.lock().unwrap(), ["2", "3"]);
    assert_eq!(stats.deliveries.get(), 3);
}

#[test]
fn what_a_full_queue_did_not_take_is_counted_apart() {
    let recorder = Arc::new(Recorder { undelivered: 1, ..Recorder::default() });
    let stats = Arc::new(Stats::default());
    let hub = Hub::new(recorder, stats.clone());
    let room = RoomName::new("a").unwrap();
    let _members = [hub.join(std::slice::from_ref(&room)), hub.join(std::slice::from_ref(&room))];
    assert_eq!(hub.deliver(&publication("a", "{}")).receivers, 1);
    assert_eq!((stats.deliveries.get(), stats.undelivered.get()), (1, 1));
}
