//! The inputs that fuzzing began with and those that it found.

use std::fs;
use std::path::Path;

use super::*;

fn play(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        println!("{}", file.display()); // shown with a failure
        check(&fs::read(&file).unwrap());
    }
}

#[test]
fn engine_packets() {
    play("engine_packet", engine_packet);
}

#[test]
fn polling_payloads() {
    play("polling_payload", polling_payload);
}

#[test]
fn socket_packets() {
    play("socket_packet", socket_packet);
}

#[test]
fn websockets() {
    play("websocket_frames", websocket_frames);
}

#[test]
fn queries() {
    play("query", query);
}

#[test]
fn sessions() {
    play("session", session);
}
