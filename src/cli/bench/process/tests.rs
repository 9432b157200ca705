//! The kernel's files, as they look.

use super::{cpu_ticks, rss_kib, usage};

#[test]
fn times_are_found_behind_any_name() {
    let stat = "42 (a) (b c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 12345 1000 200";
    assert_eq!(cpu_ticks(stat), Some(300));
    assert_eq!(cpu_ticks("42 (a) S 1"), None);
    assert_eq!(cpu_ticks(""), None);
}

#[test]
fn memory_is_found_by_its_line() {
    assert_eq!(rss_kib("Name:\troomcast\nVmRSS:\t   12345 kB\nVmHWM:\t 1 kB\n"), Some(12_345));
    assert_eq!(rss_kib("Name:\tzombie\n"), None);
}

#[test]
fn this_process_has_memory_and_no_process_has_number_zero() {
    assert!(usage(&[std::process::id()]).unwrap().rss_kib > 0);
    assert!(usage(&[0]).is_err());
}
