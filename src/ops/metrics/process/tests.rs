//! The numbers of a process that is known: this one.

use super::*;

#[test]
fn resident_memory_is_read_from_its_line() {
    let status = "Name:\troomcast\nVmHWM:\t    9000 kB\nVmRSS:\t    1234 kB\nRssAnon:\t 5 kB\n";
    assert_eq!(parse_resident_bytes(status), Some(1234 * 1024));
    for status in ["", "VmRSS:\t\n", "VmRSS:\tmany kB\n", "VmRSS:\t12 MB\n", "VmRSS:\t18446744073709551615 kB\n"] {
        assert_eq!(parse_resident_bytes(status), None, "{status:?}");
    }
}

#[test]
fn this_process_has_files_memory_and_time() {
    let before = open_fds().unwrap();
    assert!(before >= 3, "{before}");
    assert!(max_fds().is_none_or(|max| max >= before));
    assert!(resident_bytes().unwrap() > 1 << 20);
    assert!(cpu_seconds() > 0.0);
}

#[test]
fn files_that_are_opened_are_counted() {
    // Other tests open and close files too, so many are opened here.
    let before = open_fds().unwrap();
    let files: Vec<_> = (0..200).map(|_| fs::File::open("/dev/null").unwrap()).collect();
    assert!(open_fds().unwrap() >= before + 100, "{} files", files.len());
}
