//! The delays of the stock client.

use std::time::Duration;

use super::Backoff;

#[test]
fn delays_double_up_to_five_seconds_and_start_again_after_a_success() {
    let mut backoff = Backoff::default();
    let delays: Vec<_> = (0..20).map(|_| backoff.delay(1.0).as_secs()).collect();
    assert_eq!(delays.get(..4), Some([1, 2, 4, 5].as_slice()));
    assert!(delays.iter().skip(3).all(|&delay| delay == 5));
    backoff.reset();
    assert_eq!(backoff.delay(0.5), Duration::from_millis(500));
    assert_eq!(backoff.delay(1.5), Duration::from_secs(3));
}

#[test]
fn jitter_stays_within_half_of_the_delay() {
    for _ in 0..1000 {
        let first = Backoff::default().next();
        assert!((Duration::from_millis(500)..=Duration::from_millis(1500)).contains(&first), "{first:?}");
    }
}
