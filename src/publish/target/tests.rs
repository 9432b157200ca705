//! Which targets are rooms: strings of 1 to 255 bytes that are not reserved and match the pattern.

use super::*;

fn judge(json: &str, pattern: Option<&str>) -> Result<String, TargetFault> {
    let target: &RawValue = serde_json::from_str(json).unwrap();
    let pattern = pattern.map(|text| Regex::new(text).unwrap());
    room(target, pattern.as_ref()).map(|room| room.as_str().to_owned())
}

#[test]
fn only_a_string_is_a_target() {
    for json in ["null", "5", "-1.5e3", "true", "false", "[]", r#"["a"]"#, "{}", r#"{"a":"b"}"#] {
        assert_eq!(judge(json, None), Err(TargetFault::NotAString), "{json}");
        assert_eq!(judge(json, Some("")), Err(TargetFault::NotAString), "{json}");
    }
}

#[test]
fn a_target_has_1_to_255_bytes_of_unicode() {
    let quoted = |text: String| format!("\"{text}\"");
    assert_eq!(judge(r#""""#, Some("")), Err(TargetFault::Length));
    assert_eq!(judge(&quoted("x".repeat(255)), None), Ok("x".repeat(255)));
    assert_eq!(judge(&quoted("x".repeat(256)), Some("")), Err(TargetFault::Length));
    assert_eq!(judge(&quoted("x".repeat(65_000)), None), Err(TargetFault::Length));
    assert_eq!(judge(&quoted("é".repeat(127)), None), Ok("é".repeat(127)));
    assert_eq!(judge(&quoted("é".repeat(128)), None), Err(TargetFault::Length));
    assert_eq!(judge(&quoted(r"\u0061".repeat(255)), None), Ok("a".repeat(255)));
    for surrogates in [r#""\ud800""#, r#""\udc00""#, r#""a\ud83dx""#, r#""\ude00\ud83d""#] {
        assert_eq!(judge(surrogates, Some("")), Err(TargetFault::NotUnicode), "{surrogates}");
    }
}

#[test]
fn without_a_pattern_a_target_has_no_control_characters() {
    for json in [r#""a\u0000""#, r#""\n""#, r#""a\tb""#, r#""\u001f""#, r#""\u007f""#, r#""\u0085""#] {
        assert_eq!(judge(json, None), Err(TargetFault::Mismatch), "{json}");
        assert!(judge(json, Some("(?s).")).is_ok(), "{json}");
    }
    for (json, name) in [(r#""\u2028""#, "\u{2028}"), (r#"" ""#, " "), (r#""a/é😀""#, "a/é😀"), (r#""\"""#, "\"")]
    {
        assert_eq!(judge(json, None).as_deref(), Ok(name));
    }
}

#[test]
fn the_pattern_judges_the_decoded_text_and_is_not_anchored() {
    assert_eq!(judge(r#""\u0061b""#, Some("^a")).as_deref(), Ok("ab"));
    assert_eq!(judge(r#""xay""#, Some("a")).as_deref(), Ok("xay"));
    assert_eq!(judge(r#""b""#, Some("a")), Err(TargetFault::Mismatch));
    assert_eq!(judge(r#""a\n""#, Some("^a$")), Err(TargetFault::Mismatch));
}

#[test]
fn reserved_names_are_refused_whatever_the_pattern_says() {
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
        "roomcast:",
        "roomcast:gap",
        r"conn\u0065ct",
    ] {
        assert_eq!(judge(&format!("\"{name}\""), Some("")), Err(TargetFault::Reserved), "{name}");
    }
    for name in ["Connect", "connected", "roomcast", "Roomcast:gap", " connect", "error", "message", "ping"] {
        assert_eq!(judge(&format!("\"{name}\""), None).as_deref(), Ok(name));
    }
}
