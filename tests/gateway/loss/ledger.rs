//! What one subscriber heard, held against what was published.

use serde::Deserialize;

use super::load::{Load, PUBLISHERS, room_name};

/// The events of one subscriber in its room: of each publisher, the number that has to come next.
pub struct Ledger {
    room: usize,
    /// How many publishes of each publisher had begun when CONNECT was answered: from there on, all are heard.
    begun: [u64; PUBLISHERS],
    next: [Option<u64>; PUBLISHERS],
    heard: usize,
}

#[derive(Deserialize)]
struct Event {
    /// The publisher, and its count in this room.
    number: Option<[u64; 2]>,
}

impl Ledger {
    /// The ledger of a subscriber whose CONNECT was answered just now.
    pub fn new(load: &Load, room: usize) -> Self {
        Self { room, begun: load.begun(room), next: [None; PUBLISHERS], heard: 0 }
    }

    /// Notes an event; false when it is the last. Events of other rooms are passed over.
    pub fn hear(&mut self, load: &Load, packet: &str) -> bool {
        let json = packet.strip_prefix("42").unwrap_or_else(|| panic!("no event: {packet}"));
        let (name, event): (String, Event) =
            serde_json::from_str(json).unwrap_or_else(|_| panic!("no event: {packet}"));
        if name != room_name(self.room) {
            return true;
        }
        let Some([publisher, number]) = event.number else { return false };
        self.note(publisher, number);
        load.is_heard(self.room, publisher, number);
        true
    }

    /// Notes a number of a publisher.
    pub fn note(&mut self, publisher: u64, number: u64) {
        let publisher = usize::try_from(publisher).unwrap();
        match self.next[publisher] {
            Some(next) => assert_eq!(number, next, "twice, out of order, or one before it is lost"),
            None => assert!(number <= self.begun[publisher], "{number} comes first, of {}", self.begun[publisher]),
        }
        self.next[publisher] = Some(number + 1);
        self.heard += 1;
    }

    /// How many events were noted.
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// Asserts that nothing is missing at the end.
    pub fn is_complete(&self, load: &Load) {
        let published = load.begun(self.room);
        for (publisher, published) in published.into_iter().enumerate() {
            // Who came after the last event of a publisher hears none of it.
            let next = self.next[publisher].unwrap_or(self.begun[publisher]);
            assert_eq!(next, published, "the last events of publisher {publisher} are lost");
        }
    }
}
