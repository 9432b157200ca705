//! Buckets: rate, burst, waits, and a table that stays bounded.

use governor::clock::FakeRelativeClock;
use proptest::prelude::*;

use super::*;

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn limiter(per_second: u32, bursts: u32, buckets_max: usize) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (Limiter::with_buckets_max(number(per_second), number(bursts), buckets_max, clock.clone()), clock)
}

/// How many of `tries` the key gets through.
fn passed(limiter: &Limiter<FakeRelativeClock>, key: &str, tries: usize) -> usize {
    (0..tries).filter(|_| limiter.check(&key).is_ok()).count()
}

#[test]
fn a_key_gets_its_burst_and_then_its_rate() {
    let (limiter, clock) = limiter(20, 2, BUCKETS_MAX);
    assert_eq!(passed(&limiter, "a", 100), 40);
    assert_eq!(limiter.check(&"a"), Err(Duration::from_millis(50)));
    clock.advance(Duration::from_millis(30));
    assert_eq!(limiter.check(&"a"), Err(Duration::from_millis(20)), "asking costs nothing");
    clock.advance(Duration::from_millis(20));
    assert_eq!(passed(&limiter, "a", 100), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(passed(&limiter, "a", 100), 20);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(passed(&limiter, "a", 100), 40);
}

#[test]
fn keys_do_not_share_their_buckets() {
    let (limiter, _clock) = limiter(1, 5, BUCKETS_MAX);
    assert_eq!(passed(&limiter, "a", 9), 5);
    assert_eq!(passed(&limiter, "b", 9), 5);
}

#[test]
fn the_largest_rate_is_a_rate() {
    let clock = FakeRelativeClock::default();
    let limiter = Limiter::new(NonZeroU32::MAX, NonZeroU32::MAX, clock);
    assert_eq!(passed(&limiter, "a", 1000), 1000);
}

#[test]
fn a_sweep_forgets_full_buckets_only() {
    let (limiter, clock) = limiter(1, 5, BUCKETS_MAX);
    assert_eq!(passed(&limiter, "busy", 5), 5);
    assert_eq!(passed(&limiter, "idle", 1), 1);
    clock.advance(Duration::from_secs(3));
    limiter.sweep();
    assert_eq!(limiter.table.0.len(), 1);
    assert_eq!(passed(&limiter, "busy", 5), 3, "what is not full yet is kept");
}

#[test]
fn a_full_table_is_swept_before_a_newcomer_is_refused() {
    let (limiter, clock) = limiter(1, 1, 100);
    for key in 0..100 {
        assert_eq!(limiter.check(&key), Ok(()));
    }
    clock.advance(Duration::from_secs(2));
    assert_eq!(passed(&limiter, "newcomer", 2), 1);
    assert_eq!(limiter.table.0.len(), 1);
}

#[test]
fn newcomers_of_a_table_that_stays_full_share_one_bucket() {
    let (limiter, clock) = limiter(1, 2, 100);
    for key in 0..100 {
        assert_eq!(limiter.check(&key), Ok(()));
    }
    let newcomers = (1000..100_000).filter(|key| limiter.check(key).is_ok()).count();
    assert_eq!(newcomers, 2, "one burst for all of them");
    assert_eq!(limiter.check(&5_000_000), Err(Duration::from_secs(1)));
    assert_eq!(limiter.table.0.len(), 101, "the table holds its keys and the shared bucket");
    assert!((0..100).all(|key| limiter.check(&key).is_ok()), "those that it knows are not disturbed");

    clock.advance(Duration::from_secs(3));
    assert_eq!((1000..1050).filter(|key| limiter.check(key).is_ok()).count(), 50, "room again");
}

#[test]
fn threads_share_the_buckets() {
    let (limiter, _clock) = limiter(100, 1, BUCKETS_MAX);
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| passed(&limiter, "a", 100))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 100);
}

/// vrchats' limiter: a window of a second from the first of a key, in which each attempt counts and one is let through.
#[derive(Default)]
struct Window {
    /// When it opened, in milliseconds, and the attempts since then.
    open: Option<(u64, u32)>,
}

impl Window {
    fn lets_through(&mut self, now_ms: u64) -> bool {
        let (opened, attempts) = self.open.filter(|(opened, _)| now_ms < opened + 1000).unwrap_or((now_ms, 0));
        self.open = Some((opened, attempts + 1));
        attempts == 0
    }
}

proptest! {
    #[test]
    fn one_a_second_without_a_burst_is_the_window_of_vrchats(
        attempts in prop::collection::vec((0..3_usize, prop_oneof![0..1500_u64, Just(999), Just(1000), Just(1)]), 1..80),
    ) {
        let (limiter, clock) = limiter(1, 1, BUCKETS_MAX);
        let mut windows = [Window::default(), Window::default(), Window::default()];
        let mut now_ms = 0;
        for (key, pause_ms) in attempts {
            clock.advance(Duration::from_millis(pause_ms));
            now_ms += pause_ms;
            prop_assert_eq!(limiter.check(&key).is_ok(), windows[key].lets_through(now_ms), "{} at {}", key, now_ms);
        }
    }

    #[test]
    fn no_schedule_gets_more_than_rate_and_burst(
        rate in 1..50_u32,
        bursts in 1..6_u32,
        pauses_ms in prop::collection::vec(0..400_u64, 1..60),
    ) {
        let (limiter, clock) = limiter(rate, bursts, BUCKETS_MAX);
        let mut passes = 0;
        for pause in &pauses_ms {
            clock.advance(Duration::from_millis(*pause));
            match limiter.check(&"a") {
                Ok(()) => passes += 1,
                Err(wait) => {
                    clock.advance(wait);
                    prop_assert_eq!(limiter.check(&"a"), Ok(()), "the wait is long enough");
                    passes += 1;
                }
            }
        }
        let elapsed = Clock::now(&clock).as_u64();
        let allowed = u64::from(rate * bursts) + elapsed * u64::from(rate) / 1_000_000_000 + 1;
        prop_assert!(passes <= allowed, "{passes} of {allowed}");
    }
}
