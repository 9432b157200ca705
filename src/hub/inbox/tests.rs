//! What is taken together, what is counted, and who is woken.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::value::RawValue;

use super::*;
use crate::types::{EventName, RoomName};

/// A job for a room with a name of one byte, whose text has so many bytes with it.
fn job(room: &str, bytes: usize, sequence: u64) -> Job {
    let room = RoomName::new(room).unwrap();
    let payload = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes - 3))).unwrap().into();
    Job {
        publication: Arc::new(Publication { event: EventName::from(&room), room, payload }),
        position: Position { epoch: 0, sequence },
    }
}

fn inbox(jobs: &[(&str, usize)]) -> Inbox {
    let inbox = Inbox::new(BYTES_MAX);
    for (sequence, (room, bytes)) in (1..).zip(jobs) {
        inbox.put(job(room, *bytes, sequence));
    }
    inbox
}

fn take(inbox: &Inbox, bytes_max: usize) -> Vec<u64> {
    inbox.take(bytes_max).iter().map(|job| job.position.sequence).collect()
}

#[test]
fn neighbours_of_one_room_are_taken_together_and_the_order_stays() {
    let inbox = inbox(&[("a", 10), ("a", 10), ("b", 10), ("a", 10), ("a", 10)]);
    assert_eq!(take(&inbox, 100), [1, 2]);
    assert_eq!(take(&inbox, 100), [3]);
    assert_eq!(take(&inbox, 100), [4, 5]);
    assert!(take(&inbox, 100).is_empty());
}

#[test]
fn a_batch_has_at_most_so_many_bytes_and_at_least_one_event() {
    let inbox = inbox(&[("a", 10), ("a", 10), ("a", 11), ("a", 500), ("a", 10)]);
    assert_eq!(take(&inbox, 20), [1, 2]);
    assert_eq!(take(&inbox, 20), [3]);
    assert_eq!(take(&inbox, 20), [4], "larger than a batch, alone");
    assert_eq!(take(&inbox, 0), [5]);
}

#[test]
fn what_waits_is_bounded_in_bytes_with_what_each_event_costs_besides() {
    let inbox = Inbox::new(BYTES_MAX);
    assert!(inbox.has_room_for(BYTES_MAX) && !inbox.has_room_for(BYTES_MAX + 1));
    inbox.put(job("a", 10, 1));
    assert!(!inbox.has_room_for(BYTES_MAX - 10 - JOB_BYTES + 1));
    assert!(inbox.has_room_for(BYTES_MAX - 10 - JOB_BYTES));
    let taken = inbox.take(0);
    assert!(!inbox.has_room_for(BYTES_MAX), "what is taken is still to be sent");
    inbox.is_sent(&taken);
    assert!(inbox.has_room_for(BYTES_MAX), "what is sent counts no more");
}

#[test]
fn a_burst_gives_its_space_back() {
    let jobs: Vec<_> = (0..5_000).map(|_| ("a", 10)).collect();
    let inbox = inbox(&jobs);
    assert!(inbox.lock().capacity() >= 5_000);
    for _ in 0..5_000 - 10 {
        inbox.take(0);
    }
    assert!(inbox.lock().capacity() <= 2 * CAPACITY_MIN, "{}", inbox.lock().capacity());
    assert_eq!(inbox.take(usize::MAX).len(), 10);
}

#[test]
fn who_waits_is_told_of_what_is_put_even_if_it_came_before() {
    let mut context = Context::from_waker(Waker::noop());
    let inbox = inbox(&[("a", 10)]);
    assert_eq!(pin!(inbox.filled()).poll(&mut context), Poll::Ready(()));
    let mut waiting = pin!(inbox.filled());
    assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
    inbox.put(job("a", 10, 2));
    assert_eq!(waiting.poll(&mut context), Poll::Ready(()));
}

#[test]
fn who_panics_while_an_inbox_is_held_poisons_nothing() {
    let inbox = inbox(&[("a", 10)]);
    let held = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _waiting = inbox.waiting.lock();
            panic!("a defect, while the lock is held");
        });
        holder.join()
    });
    assert!(held.is_err() && inbox.waiting.is_poisoned());
    assert!(inbox.has_room_for(10));
    inbox.put(job("a", 10, 2));
    assert_eq!(take(&inbox, 100), [1, 2]);
}
