//! Once in a period, and for one caller.

use governor::clock::FakeRelativeClock;

use super::*;

#[test]
fn it_is_due_at_once_and_then_once_in_each_period() {
    let clock = FakeRelativeClock::default();
    let pace = Pace::new(Duration::from_secs(60), clock.clone());
    assert!(pace.is_due());
    assert!(!pace.is_due());
    clock.advance(Duration::from_millis(59_999));
    assert!(!pace.is_due());
    clock.advance(Duration::from_millis(1));
    assert!(pace.is_due());
    clock.advance(Duration::from_secs(600));
    assert!(pace.is_due());
    assert!(!pace.is_due(), "periods that passed unused are not made up for");
}

#[test]
fn one_of_many_threads_is_told() {
    let pace = Pace::new(Duration::from_secs(60), FakeRelativeClock::default());
    let told: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| usize::from(pace.is_due()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(told, 1);
}
