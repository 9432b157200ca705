//! The grammar: lines of vrchats, lines that only a shell writes, and lines that nobody should.

use std::process::Command;

use proptest::prelude::*;

use super::*;

/// The value of `A` in a file that must have no fault.
fn value_of(text: &str) -> String {
    let file = parse(text.as_bytes());
    assert_eq!(file.faults, [], "{text:?}");
    file.get("A").unwrap_or_else(|| panic!("no A in {text:?}")).value.clone()
}

fn fault_of(text: &str) -> (usize, String) {
    let mut file = parse(text.as_bytes());
    assert_eq!(file.faults.len(), 1, "{text:?}: {:?}", file.faults);
    file.faults.remove(0)
}

/// What `sh` makes of the file, and of the variable `A`.
fn sourced(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("env");
    std::fs::write(&path, text).unwrap();
    let output =
        Command::new("sh").args(["-c", ". \"$1\"; printf %s \"$A\"", "sh"]).arg(&path).env_clear().output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "sh refuses {text:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Lines that this reader and a shell must read alike, without a warning.
const LINES: &[(&str, &str)] = &[
    ("A=0 # 0 or 1", "0"),
    ("A=\"https://example.com,https://localhost\" # comma separated", "https://example.com,https://localhost"),
    ("A=\"^[0-9a-f]{8}-[0-9a-f]{4}\\$\" # uuid", "^[0-9a-f]{8}-[0-9a-f]{4}$"),
    ("A= # absolute path", ""),
    ("A=", ""),
    ("A=\"\"", ""),
    ("A=''", ""),
    ("  A=1", "1"),
    ("\tA=1\t", "1"),
    ("export A=1", "1"),
    ("export   A='1 2'", "1 2"),
    ("A=a#b", "a#b"),
    ("A=#b", "#b"),
    ("A='a # b'", "a # b"),
    ("A=\"a\"#b", "a#b"),
    ("A=a'b'\"c\"d", "abcd"),
    ("A='$HOME `id` \\n \"'", "$HOME `id` \\n \""),
    ("A=\"\\$HOME \\`id\\` \\\" \\\\ \\n\"", "$HOME `id` \" \\ \\n"),
    ("A=a\\ b\\#c\\'d\\\\", "a b#c'd\\"),
    ("A=a\\\nb", "ab"),
    ("A=\"a\\\nb\"", "ab"),
    ("A='a\nb'", "a\nb"),
    ("A=\"a\nb=c\n\"", "a\nb=c\n"),
    ("A=^[a-z]{3}$", "^[a-z]{3}$"),
    ("A=\"$\"", "$"),
    ("A=a=b==", "a=b=="),
    ("A=10.0.0.0/8,192.168.0.0/16", "10.0.0.0/8,192.168.0.0/16"),
    ("A=[::1]:80", "[::1]:80"),
    ("A=a~b{c,d}*?!", "a~b{c,d}*?!"),
    ("A='it'\\''s'", "it's"),
    ("# A=0\n\n   \n  # b\nA=1", "1"),
    ("A=grün", "grün"),
    ("_B9=2\nA=1\n", "1"),
];

#[test]
fn lines_are_read_as_a_shell_reads_them() {
    for (text, expected) in LINES {
        assert_eq!(&value_of(text), expected, "{text:?}");
        assert_eq!(parse(text.as_bytes()).warnings, [], "{text:?}");
        assert_eq!(&sourced(text), expected, "sh: {text:?}");
    }
}

#[test]
fn nothing_is_expanded_and_what_a_shell_would_take_otherwise_is_warned_of() {
    for text in [
        "A=$HOME",
        "A=\"${HOME}\"",
        "A=a`id`",
        "A=\"`id`\"",
        "A=$(id)",
        "A=~/certs",
        "A=a;b",
        "A=a|b",
        "A=^(a)$",
        "A=a&b",
        "A=$'x'",
        "A=$$",
        "A=\"$1\"",
    ] {
        let file = parse(text.as_bytes());
        assert_eq!(file.faults, [], "{text:?}");
        assert_eq!(file.warnings.len(), 1, "{text:?}");
        assert_eq!(file.warnings[0].0, 1);
    }
    assert_eq!(value_of("A=$HOME/x"), "$HOME/x");
    assert_eq!(value_of("A=\"a`id`\""), "a`id`");
    assert_eq!(value_of("A=~/certs"), "~/certs");
    assert_eq!(value_of("A=^(a|b)$"), "^(a|b)$");
}

#[test]
fn a_file_from_windows_is_read() {
    let file = parse(b"\xef\xbb\xbfA=1\r\n# note\r\n\r\nB=\"x\" # y\r\nC=\r\nD=a\\\r\nb\r\nE=5\r");
    assert_eq!(file.faults, []);
    let values: Vec<_> = file.entries.iter().map(|e| (e.name.as_str(), e.value.as_str(), e.line)).collect();
    assert_eq!(values, [("A", "1", 1), ("B", "x", 4), ("C", "", 5), ("D", "ab", 6), ("E", "5", 8)]);
}

#[test]
fn blanks_within_a_value_are_kept_and_warned_of() {
    for (text, value) in [
        ("A=b c", "b c"),
        ("A= b", "b"),
        ("A=10.0.0.0/8, ::1 \t # lists", "10.0.0.0/8, ::1"),
        ("A=1 B=2", "1 B=2"),
        ("A=\"x\" y", "x y"),
    ] {
        let file = parse(text.as_bytes());
        assert_eq!(file.faults, [], "{text:?}");
        assert_eq!(file.get("A").unwrap().value, value, "{text:?}");
        assert_eq!(file.warnings.len(), 1, "{text:?}");
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named_by_its_number() {
    for (text, line, word) in [
        ("B=1\nA", 2, "\"=\""),
        ("export A\n", 1, "\"=\""),
        ("\nA=\"x", 2, "double quote"),
        ("A='x\nB=2\n", 1, "single quote"),
        ("A =1", 1, "blank before"),
        ("9A=1", 1, "no name"),
        ("A-B=1", 1, "no name"),
        ("=1", 1, "no name"),
        ("A+=1", 1, "no name"),
    ] {
        let fault = fault_of(text);
        assert_eq!(fault.0, line, "{text:?}");
        assert!(fault.1.contains(word), "{text:?}: {}", fault.1);
    }
}

#[test]
fn a_missing_quote_does_not_hide_the_faults_behind_it() {
    let file = parse(b"A=\"x\nB\nC=3\nD E=4\n");
    let lines: Vec<_> = file.faults.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 4]);
    assert_eq!(file.get("C").unwrap().value, "3");
}

#[test]
fn the_last_of_two_lines_counts_and_is_warned_of() {
    let file = parse(b"A=1\nB=2\nA=3\n");
    assert_eq!(file.get("A").unwrap().value, "3");
    assert_eq!(file.warnings.len(), 1);
    assert_eq!(file.warnings[0].0, 3);
    assert!(file.warnings[0].1.contains("line 1"));
}

#[test]
fn a_fault_does_not_repeat_what_the_line_holds() {
    for text in ["hunter2", "A=hunter2 x", "A=\"hunter2", "hunter2 hunter2=1", "A=$hunter2", "A=hunter2;"] {
        let file = parse(text.as_bytes());
        let told = format!("{:?}{:?}", file.faults, file.warnings);
        assert!(told.len() > 10 && !told.contains("hunter2"), "{told}");
    }
}

fn single(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}

fn double(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if "$\"\\`".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

proptest! {
    #[test]
    fn a_quoted_value_comes_back_the_same(value in any::<String>(), after in "[ \t]{1,3}#[^\n]{0,9}|") {
        for quoted in [single(&value), double(&value)] {
            let file = parse(format!("B=1\nA={quoted}{after}\nC=2\n").as_bytes());
            prop_assert_eq!(&file.faults, &[]);
            prop_assert_eq!(&file.warnings, &[]);
            prop_assert_eq!(&file.get("A").unwrap().value, &value);
            prop_assert_eq!(&file.get("C").unwrap().value, "2");
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parse(&bytes);
    }

    #[test]
    fn no_text_of_the_grammar_is_too_strange(text in "([A-C=#$'\"\\\\`~; \t\r\n]|export ){0,60}") {
        let lines = text.matches('\n').count() + 1;
        let file = parse(text.as_bytes());
        for (line, _) in file.faults.iter().chain(&file.warnings) {
            prop_assert!((1..=lines).contains(line));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_shell_reads_a_quoted_value_the_same(value in "[ -~\n\t]{0,30}") {
        for quoted in [single(&value), double(&value)] {
            let text = format!("A={quoted}\n");
            prop_assert_eq!(value_of(&text), sourced(&text));
        }
    }
}
