//! Whatever is written into a line, it stays one line, short, and reads back as what was written.

use proptest::prelude::*;

use super::*;

fn quoted(value: &str) -> String {
    let mut line = Line::new();
    line.push_quoted(format_args!("{value}"));
    line.finish()
}

fn decoded(line: &str) -> String {
    serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"))
}

proptest! {
    #[test]
    fn a_value_reads_back_whole_or_as_its_own_beginning(value in any::<String>()) {
        let line = quoted(&value);
        prop_assert_eq!(line.lines().count(), 1);
        prop_assert!(line.len() <= VALUE_BYTES_MAX + "\"\"\n".len());
        let text = decoded(&line);
        match text.strip_suffix(ELLIPSIS) {
            Some(beginning) if text != value => prop_assert!(value.starts_with(beginning)),
            _ => prop_assert_eq!(text, value),
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters(unit in "[a-zß→😀\u{0}\"\\\\\n\u{2028}]{1,8}") {
        let value = unit.repeat(300);
        let line = quoted(&value);
        prop_assert!(line.len() <= VALUE_BYTES_MAX + "\"\"\n".len());
        let text = decoded(&line);
        prop_assert!(value.starts_with(text.strip_suffix(ELLIPSIS).expect("an ellipsis")));
    }
}

#[test]
fn what_a_terminal_or_a_line_reader_acts_on_is_escaped() {
    let nasty = "\u{1b}[31m \u{7f} \u{85} \u{9b}31m \u{2028} \u{2029} \u{202e} \u{2066} \u{200f} \r\n \0";
    let line = quoted(nasty);
    assert_eq!(decoded(&line), nasty);
    assert!(line.trim_end_matches('\n').chars().all(|ch| ch.is_ascii() && !ch.is_ascii_control()), "{line:?}");
}

#[test]
fn a_value_of_a_gigabyte_is_never_built() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("0123456789")?;
            }
        }
    }
    let mut line = Line::new();
    line.push_quoted(format_args!("{Endless}"));
    assert_eq!(line.finish().len(), VALUE_BYTES_MAX + "\"\"\n".len());
}

#[test]
fn what_does_not_fit_is_left_out_whole_and_remembered() {
    let mut line = Line::new();
    for _ in 0..10 {
        line.push_whole(|line| line.push_escaped(format_args!("{}", "x".repeat(VALUE_BYTES_MAX * 2))));
    }
    assert!(line.is_cut());
    let before = line.text.len();
    line.push_whole(|line| line.push(&"y".repeat(LINE_BYTES_MAX)));
    assert_eq!(line.text.len(), before);
    assert!(before <= BODY_BYTES_MAX);
}
