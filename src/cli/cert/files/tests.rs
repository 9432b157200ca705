//! Files that are whole, secret or left alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Mode, write};
use tempfile::TempDir;

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn makes_the_folder_and_hides_what_is_private() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a/b/secret");
    write(&path, "s", Mode::Private, false).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(path).unwrap(), "s");
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_asked_and_no_draft_stays() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, "old").unwrap();
    let error = write(&path, "new", Mode::Public, false).unwrap_err().to_string();
    assert!(error.ends_with("x is there already"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    write(&path, "new", Mode::Private, true).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(&folder), ["x"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = write(&folder.path().join("file/x"), "", Mode::Public, false).unwrap_err().to_string();
    assert!(error.contains("cannot make the folder") && error.ends_with("file"), "{error}");
}
