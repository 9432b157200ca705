//! Packets as the protocol has them.

use super::*;

fn json(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

/// The frames of the answers, without their heads, which are short.
fn said(answers: &Answers<'_>) -> Vec<String> {
    answers.items.iter().map(|item| String::from_utf8_lossy(&item.frame()[2..]).into_owned()).collect()
}

#[test]
fn an_event_carries_namespace_name_arguments_and_attachments() {
    let mut answers = Answers::new("/", Some(1));
    answers.emit("a\"b", &[json("1.0"), json(r#"{"x": [ ]}"#)], &[]);
    answers.emit("c", &[json(r#"{"_placeholder":true,"num":0}"#)], &[Bytes::from_static(b"xyz")]);
    let expected = [r#"42["a\"b",1.0,{"x": [ ]}]"#, r#"451-["c",{"_placeholder":true,"num":0}]"#, "xyz"];
    assert_eq!(said(&answers), expected);
    let mut answers = Answers::new("/custom", None);
    answers.emit("c", &[], &[]);
    assert_eq!(said(&answers), [r#"42/custom,["c"]"#]);
}

#[test]
fn an_event_is_acknowledged_once_and_only_if_that_is_wanted() {
    let mut answers = Answers::new("/custom", Some(12));
    answers.acknowledge(&[json("1"), json("null")], &[Bytes::from_static(b"x")]);
    answers.acknowledge(&[], &[]);
    assert_eq!(said(&answers), ["461-/custom,12[1,null]", "x"]);
    let mut answers = Answers::new("/", None);
    answers.acknowledge(&[], &[]);
    assert_eq!(said(&answers), [""; 0]);
}
