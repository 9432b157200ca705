//! An id is read as it was written, cannot be guessed, and is not shown.

use std::collections::HashSet;

use super::*;

#[test]
fn what_is_written_is_read() {
    let id = SessionId::new(3, 70_000);
    let read = SessionId::read(&id.to_string()).unwrap();
    assert!(read == id && read.worker == 3 && read.slot == 70_000);
}

#[test]
fn what_is_no_id_is_none() {
    let id = SessionId::new(0, 0).to_string();
    for text in ["", "x", &id[1..], &format!("{id}A"), &id.replace(&id[20..21], "="), "__proto__"] {
        assert!(SessionId::read(text).is_none(), "{text}");
    }
}

#[test]
fn no_two_are_alike_and_none_is_shown() {
    let ids: HashSet<String> = (0..100_000).map(|_| SessionId::new(1, 1).to_string()).collect();
    assert_eq!(ids.len(), 100_000);
    let id = SessionId::new(1, 1);
    assert!(!format!("{id:?}").contains(&id.to_string()[8..]), "{id:?}");
}
