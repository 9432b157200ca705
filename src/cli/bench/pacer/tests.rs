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
    let given_up = pacer.sleep_until(Instant::now() + Duration::from_micros(200));
    assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
    let due = Instant::now() + Duration::from_millis(5);
    pacer.sleep_until(due).await.unwrap();
    assert!(Instant::now() >= due);
}
