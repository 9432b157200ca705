//! The inputs that fuzzing began with and those that it found.

use std::fs;
use std::path::Path;

use super::*;

#[test]
fn bodies() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/publish_splice");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        println!("{}", file.display()); // shown with a failure
        publish_splice(&fs::read(&file).unwrap());
    }
}
