//! The timer wakes when it should, and never early.

use std::time::{Duration, Instant};

use super::Pacer;

#[tokio::test]
async fn it_wakes_at_the_time_and_can_be_used_again() {
    let pacer = Pacer::new().unwrap();
    for micros in [1500, 0, 300] {
        let due = Instant::now() + Duration::from_micros(micros);
        pacer.sleep_until(due).await.unwrap();
        assert!(Instant::now() >= due, "{micros} µs");
    }
}

#[tokio::test]
async fn a_wait_that_was_given_up_does_not_wake_the_next_one_early() {
    let pacer = Pacer::new().unwrap();
    let now = Instant::now();
    let mut given_up = Box::pin(pacer.sleep_until(now + Duration::from_millis(50)));
    assert!(futures_util::poll!(given_up.as_mut()).is_pending());
    drop(given_up);
    let due = now + Duration::from_millis(60);
    pacer.sleep_until(due).await.unwrap();
    assert!(Instant::now() >= due);
}
