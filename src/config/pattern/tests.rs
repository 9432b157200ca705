//! Patterns mean what they mean to JavaScript, or are refused with the reason.

use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    compile(pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem}")).is_match(text)
}

#[test]
fn a_pattern_matches_anywhere_unless_anchored() {
    assert!(matches("b", "abc") && !matches("^b", "abc"));
    assert!(matches("^a$", "a") && !matches("^a$", "a\n"));
}

#[test]
fn classes_know_ascii_only() {
    for (pattern, ascii, other) in [
        (r"^\d+$", "42", "٤٢"),
        (r"^\w+$", "a_B9", "ä"),
        (r"^[\d-]+$", "4-2", "٤"),
        (r"^[\w.]+$", "a.b", "ä"),
        (r"^[^\D]+$", "42", "٤"),
        (r"a\b", "a!", "ab"),
    ] {
        assert!(matches(pattern, ascii), "{pattern}");
        assert!(!matches(pattern, other), "{pattern}");
    }
    assert!(matches(r"^\D$", "٤") && matches(r"^\W$", "ä") && matches("^.$", "ä") && matches("^[^a]$", "ä"));
    assert!(matches(r"a\b", "aä"), "ä is no word character");
}

#[test]
fn javascript_has_no_classes_in_classes() {
    assert!(matches(r"^[[]$", "[") && matches("^[a&&b]$", "&") && matches("^[~~]$", "~"));
    assert!(matches(r"^[\b]$", "\u{8}") && matches(r"^[(?=]$", "(") && matches(r"^\(\?=$", "(?="));
    assert!(matches(r"^a\/b\-c$", "a/b-c") && matches("^[a-z]{2}-(?:x|y)(?<name>z)$", "ab-xz"));
}

#[test]
fn what_the_engine_does_not_have_is_refused_by_name() {
    for pattern in ["a(?=b)", "(?!a)b", "(?<=a)b", "(?<!a)b", "^(?!.*--)[a-z]+$"] {
        assert!(compile(pattern).unwrap_err().contains(": look-around, (?"), "{pattern}");
    }
    for pattern in [r"(a)\1", r"(?<x>a)\k<x>"] {
        assert!(compile(pattern).unwrap_err().contains(": a back-reference"), "{pattern}");
    }
    for pattern in ["(", "a)", "[a", "a{2,1}", "*", r"\", "a{99999999}"] {
        let problem = compile(pattern).unwrap_err();
        assert!(!problem.contains('\n') && problem.len() > 15, "{problem}");
    }
}
