//! Packets one behind the other.

use super::*;

fn packets(body: &[u8]) -> Result<Vec<&str>, Malformed> {
    split(body).map(Iterator::collect)
}

#[test]
fn a_payload_is_split_at_its_separators() {
    assert_eq!(packets(b"3"), Ok(vec!["3"]));
    assert_eq!(packets("2\u{1e}4ü\u{1e}".as_bytes()), Ok(vec!["2", "4ü", ""]));
    assert_eq!(packets(b"\xff"), Err(Malformed));
}

#[test]
fn packets_are_counted() {
    let full = ["3"; PACKETS_MAX].join("\u{1e}");
    assert_eq!(packets(full.as_bytes()).map(|packets| packets.len()), Ok(PACKETS_MAX));
    assert_eq!(packets(format!("{full}\u{1e}3").as_bytes()), Err(Malformed));
}

#[test]
fn what_is_joined_is_what_is_split() {
    let mut payload = String::new();
    for packet in ["40{}", "2", "42[\"a\"]"] {
        push(&mut payload, packet);
    }
    assert_eq!(packets(payload.as_bytes()), Ok(vec!["40{}", "2", "42[\"a\"]"]));
}
