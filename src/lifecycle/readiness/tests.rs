//! The phase goes forward only, and every clone sees it.

use super::*;

#[test]
fn a_process_starts_is_ready_and_drains() {
    let readiness = Readiness::default();
    let seen_elsewhere = readiness.clone();
    assert_eq!(seen_elsewhere.phase(), Phase::Starting);
    readiness.set_ready();
    assert_eq!(seen_elsewhere.phase(), Phase::Ready);
    readiness.set_draining();
    assert_eq!(seen_elsewhere.phase(), Phase::Draining);
}

#[test]
fn a_drain_is_not_undone_by_a_worker_that_is_late_to_be_ready() {
    let readiness = Readiness::default();
    readiness.set_draining();
    readiness.set_ready();
    assert_eq!(readiness.phase(), Phase::Draining);
}
