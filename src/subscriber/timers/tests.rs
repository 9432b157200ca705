//! No deadline is missed, and none comes early but those that lie beyond the wheel.

use proptest::prelude::*;

use super::*;

#[test]
fn a_deadline_comes_up_once_and_not_before() {
    let start = Instant::now();
    let mut timers = Timers::new(start);
    assert_eq!(timers.next(), None);
    timers.set(7, start + Duration::from_secs(1));
    assert_eq!(timers.take_due(start + Duration::from_millis(999)), [] as [u32; 0]);
    assert_eq!(timers.next(), Some(start + Duration::from_secs(1)));
    assert_eq!(timers.take_due(start + Duration::from_secs(1)), [7]);
    assert_eq!((timers.next(), timers.take_due(start + Duration::from_secs(100))), (None, vec![]));
}

#[test]
fn a_deadline_that_is_over_comes_up_at_the_next_tick() {
    let start = Instant::now();
    let mut timers = Timers::new(start);
    timers.take_due(start + Duration::from_secs(500));
    timers.set(1, start);
    assert_eq!(timers.take_due(start + Duration::from_secs(500) + TICK), [1]);
}

proptest! {
    #[test]
    fn every_deadline_comes_up_in_time(deadlines in prop::collection::vec(0..200_000u64, 1..50), step in 10..5_000u64) {
        let start = Instant::now();
        let mut timers = Timers::new(start);
        let deadline = |slot: u32| start + Duration::from_millis(deadlines[slot as usize]);
        for slot in 0..deadlines.len() {
            let slot = u32::try_from(slot).unwrap();
            timers.set(slot, deadline(slot));
        }
        let mut left: std::collections::HashSet<u32> = (0..u32::try_from(deadlines.len()).unwrap()).collect();
        let mut now = start;
        while !left.is_empty() {
            now += Duration::from_millis(step);
            for slot in timers.take_due(now) {
                // One from beyond the wheel is early and put back, as a session does.
                if deadline(slot) <= now {
                    left.remove(&slot);
                } else {
                    timers.set(slot, deadline(slot));
                }
            }
            let late = left.iter().find(|slot| deadline(**slot) + TICK * 2 < now);
            prop_assert_eq!(late, None);
        }
        prop_assert_eq!(timers.next(), None);
    }
}
