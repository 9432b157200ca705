//! The limit on nesting: 128 levels pass, 129 do not, and brackets in strings do not count.

use super::*;

fn arrays(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn a_hundred_and_twenty_eight_levels_pass_and_one_more_does_not() {
    assert!(!is_too_deep(&arrays(128)));
    assert!(is_too_deep(&arrays(129)));
    assert!(is_too_deep(&"[".repeat(129)));
    assert!(is_too_deep(&"{\"a\":".repeat(40_000)));
}

#[test]
fn brackets_that_were_closed_do_not_count() {
    assert!(!is_too_deep(&format!("[{}]", ["[{}]"; 1_000].join(","))));
    assert!(is_too_deep(&format!("[{},{}]", arrays(128), arrays(128))));
}

#[test]
fn brackets_in_strings_are_text() {
    let brackets = "[".repeat(1_000);
    assert!(!is_too_deep(&format!(r#"["{brackets}"]"#)));
    assert!(!is_too_deep(&format!(r#"["\"{brackets}"]"#)));
    assert!(!is_too_deep(&format!(r#"["\\\"{brackets}\\"]"#)));
    assert!(is_too_deep(&format!(r#"["\\",{brackets}]"#)));
}

#[test]
fn text_that_is_no_json_ends_the_scan_quietly() {
    for text in ["", "\"", "\"\\", "]]]]", "}{", "\\\"["] {
        assert!(!is_too_deep(text), "{text}");
    }
}
