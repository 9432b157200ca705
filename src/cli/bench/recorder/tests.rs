//! Measurements of several subscribers and threads come together.

use std::collections::BTreeMap;

use super::{Recorder, count_cause};
use crate::cli::bench::check::Outcome;
use crate::cli::bench::plan::Plan;
use crate::cli::bench::stamp::Stamp;

fn stamp(stream: u32, sequence: u32) -> Option<Stamp> {
    Some(Stamp { stream, sequence, sent_ns: 1000 })
}

/// Two subscribers in two rooms, each of which hears two of four publishers.
const PLAN: Plan = Plan { run: 1, subscribers: 2, rooms: 2, publishers: 4 };

#[test]
fn each_subscriber_is_checked_against_the_streams_of_its_room() {
    let mut recorder = Recorder::new(&PLAN, 0..2).unwrap();
    assert!(recorder.deliver(&PLAN, 0, stamp(0, 0), 3000));
    assert!(recorder.deliver(&PLAN, 0, stamp(2, 1), 4000));
    assert!(!recorder.deliver(&PLAN, 0, stamp(2, 1), 4000));
    assert!(recorder.deliver(&PLAN, 0, stamp(2, 0), 5000));
    assert!(recorder.deliver(&PLAN, 1, stamp(3, 0), 6000));
    // Another room's stream, no stamp, and no such subscriber.
    assert!(!recorder.deliver(&PLAN, 1, stamp(2, 2), 6000));
    assert!(!recorder.deliver(&PLAN, 1, None, 6000));
    assert!(!recorder.deliver(&PLAN, 2, stamp(0, 0), 6000));
    assert_eq!((recorder.duplicated, recorder.reordered, recorder.foreign), (1, 1, 3));
    assert_eq!((recorder.delivery_ns.len(), recorder.last_delivery_ns), (4, 6000));
    for stream in 0..4 {
        recorder.outcomes.insert(stream, Outcome { published: 2, unanswered: vec![] });
    }
    // Of 8 expected deliveries 4 came: stream 0 lacks one, 1 both, 2 none, 3 one.
    assert_eq!(recorder.lost(&PLAN), 4);
}

#[test]
fn threads_are_merged_before_loss_is_counted() {
    let mut first = Recorder::new(&PLAN, 0..1).unwrap();
    let mut second = Recorder::new(&PLAN, 1..2).unwrap();
    first.deliver(&PLAN, 0, stamp(0, 0), 3000);
    first.outcomes.insert(1, Outcome { published: 3, unanswered: vec![1] });
    first.accept(1000, 2000);
    count_cause(&mut first.disconnects, &"reset");
    second.deliver(&PLAN, 0, stamp(1, 2), 9000);
    second.outcomes.insert(0, Outcome { published: 1, unanswered: vec![] });
    second.reconnects = 1;
    count_cause(&mut second.disconnects, &"reset");
    first.merge(second).unwrap();
    assert_eq!((first.delivery_ns.len(), first.last_delivery_ns, first.last_answer_ns), (2, 9000, 2000));
    assert_eq!((first.reconnects, first.disconnects.get("reset")), (1, Some(&2)));
    assert_eq!(first.lost(&PLAN), 1);
}

#[test]
fn causes_without_end_become_one() {
    let mut causes = BTreeMap::new();
    for n in 0..100 {
        count_cause(&mut causes, &n);
    }
    assert_eq!((causes.len(), causes.get("other causes")), (17, Some(&84)));
}
