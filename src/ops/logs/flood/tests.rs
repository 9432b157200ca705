//! The limit, with moments of our own making instead of waiting.

use tracing::callsite::{Callsite, Identifier};
use tracing::metadata::Kind;

use super::*;

fn callsites() -> (Identifier, Identifier) {
    let first = tracing::callsite! { name: "first", kind: Kind::EVENT, fields: message };
    let second = tracing::callsite! { name: "second", kind: Kind::EVENT, fields: message };
    (first.metadata().callsite(), second.metadata().callsite())
}

/// How many of `offered` lines pass at one moment.
fn passed(limit: &FloodLimit, callsite: &Identifier, level: Level, now: Instant, offered: u32) -> usize {
    (0..offered).filter(|_| limit.admit(callsite.clone(), level, now).is_some()).count()
}

#[test]
fn a_burst_passes_then_fifty_a_second() {
    let (limit, start, (callsite, _)) = (FloodLimit::default(), Instant::now(), callsites());
    assert_eq!(passed(&limit, &callsite, Level::INFO, start, 1000), 100);
    assert_eq!(passed(&limit, &callsite, Level::INFO, start + Duration::from_millis(19), 1000), 0);
    assert_eq!(passed(&limit, &callsite, Level::INFO, start + Duration::from_secs(1), 1000), 50);
    // A pause fills the bucket, and not beyond the burst.
    assert_eq!(passed(&limit, &callsite, Level::INFO, start + Duration::from_secs(3600), 1000), 100);
}

#[test]
fn over_a_long_flood_the_rate_holds() {
    let (limit, start, (callsite, _)) = (FloodLimit::default(), Instant::now(), callsites());
    let passed: usize =
        (0..10_000).map(|ms| passed(&limit, &callsite, Level::ERROR, start + Duration::from_millis(ms), 3)).sum();
    assert_eq!(passed, 100 + 10 * 50 - 1, "the burst and ten seconds' worth, less the line of the second 10");
}

#[test]
fn the_next_line_that_passes_tells_how_many_did_not() {
    let (limit, start, (callsite, _)) = (FloodLimit::default(), Instant::now(), callsites());
    assert_eq!(limit.admit(callsite.clone(), Level::WARN, start), Some(0));
    assert_eq!(passed(&limit, &callsite, Level::WARN, start, 99 + 7), 99);
    let later = start + Duration::from_secs(1);
    assert_eq!(limit.admit(callsite.clone(), Level::WARN, later), Some(7));
    assert_eq!(limit.admit(callsite, Level::WARN, later), Some(0));
}

#[test]
fn a_flood_in_one_place_leaves_the_others_alone() {
    let (limit, start, (flooding, other)) = (FloodLimit::default(), Instant::now(), callsites());
    assert_eq!(passed(&limit, &flooding, Level::INFO, start, 1000), 100);
    assert_eq!(limit.admit(other, Level::INFO, start), Some(0));
}

#[test]
fn debug_and_trace_may_say_ten_times_as_much() {
    let (limit, start, (debug, trace)) = (FloodLimit::default(), Instant::now(), callsites());
    assert_eq!(passed(&limit, &debug, Level::DEBUG, start, 5000), 1000);
    assert_eq!(passed(&limit, &trace, Level::TRACE, start, 5000), 1000);
    assert_eq!(passed(&limit, &trace, Level::TRACE, start + Duration::from_secs(1), 5000), 500);
}

#[test]
fn a_moment_that_comes_late_from_another_thread_gains_nothing() {
    let (limit, start, (callsite, _)) = (FloodLimit::default(), Instant::now(), callsites());
    let later = start + Duration::from_secs(10);
    assert_eq!(passed(&limit, &callsite, Level::INFO, later, 1000), 100);
    assert_eq!(passed(&limit, &callsite, Level::INFO, start, 1000), 0);
}

#[test]
fn who_panics_while_the_buckets_are_held_poisons_nothing() {
    let (limit, start, (callsite, _)) = (FloodLimit::default(), Instant::now(), callsites());
    let panicked = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _buckets = limit.buckets.lock();
            panic!("a defect, while the lock is held");
        });
        holder.join()
    });
    assert!(panicked.is_err() && limit.buckets.is_poisoned());
    assert_eq!(passed(&limit, &callsite, Level::INFO, start, 1000), 100);
}
