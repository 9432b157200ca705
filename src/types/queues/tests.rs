//! What is queued is counted worker by worker, and counted out when its queue is gone.

use super::*;

#[test]
fn the_sum_follows_every_queue_until_it_is_dropped() {
    let queues = Queues::default();
    queues.open(2);
    let [mut first, mut second, mut other] = [0, 0, 1].map(|worker| QueuedBytes::new(queues.of(worker)));
    assert_eq!((queues.bytes(), queues.worst_worker()), (0, None));
    first.set(100);
    second.set(50);
    other.set(120);
    assert_eq!((queues.bytes(), queues.of(0).bytes(), queues.of(1).bytes()), (270, 150, 120));
    first.set(30);
    assert_eq!(queues.bytes(), 200);
    drop((first, other));
    assert_eq!(queues.bytes(), 50);
    drop(second);
    assert_eq!(queues.bytes(), 0);
}

#[test]
fn the_worst_worker_is_who_had_the_longest_queue_until_it_says_otherwise() {
    let queues = Queues::default();
    queues.open(3);
    let [mut short, mut long] = [1, 2].map(|worker| QueuedBytes::new(queues.of(worker)));
    short.set(10);
    long.set(20);
    assert_eq!(queues.worst_worker(), Some(2));
    long.set(5);
    assert_eq!(queues.worst_worker(), Some(2), "it has not looked");
    queues.of(2).set_longest(5);
    assert_eq!(queues.worst_worker(), Some(1));
    queues.of(1).set_longest(0);
    queues.of(2).set_longest(0);
    assert_eq!(queues.worst_worker(), None);
}

#[test]
fn who_was_told_of_no_workers_counts_all_as_one() {
    let queues = Queues::default();
    let mut queued = QueuedBytes::new(queues.of(7));
    queued.set(3);
    assert_eq!((queues.bytes(), queues.worst_worker()), (3, Some(0)));
}
