//! The pipeline as a whole: what is taken reaches the room once, what is refused reaches nobody.

use std::sync::Mutex;

use proptest::prelude::*;
use regex::Regex;
use serde_json::value::RawValue;

use super::*;
use crate::hub::Membership;
use crate::types::RoomName;

/// A publisher whose hub records what it emits.
struct Bench {
    publisher: Arc<Publisher>,
    hub: Arc<Hub>,
    stats: Arc<Stats>,
    emitted: Mutex<Vec<[String; 3]>>,
}

impl Bench {
    fn new(pattern: Option<&str>) -> Self {
        Self::with(pattern, false)
    }

    fn with(pattern: Option<&str>, takes_uuid: bool) -> Self {
        let stats = Arc::new(Stats::default());
        let hub = Hub::new(1, stats.clone());
        let config = Config { target_pattern: pattern.map(|text| Regex::new(text).unwrap()), takes_uuid };
        Self { publisher: Publisher::new(config, hub.clone(), stats.clone()), hub, stats, emitted: Mutex::default() }
    }

    fn join(&self, room: &str) -> Membership {
        self.hub.join(0, &[RoomName::new(room).unwrap()])
    }

    fn emitted(&self) -> Vec<[String; 3]> {
        let mut emitted = self.emitted.lock().unwrap();
        let inbox = self.hub.inbox(0).unwrap();
        while let [first, rest @ ..] = inbox.take(usize::MAX).as_slice() {
            emitted.extend(std::iter::once(first).chain(rest).map(|job| {
                let Publication { room, event, payload } = &*job.publication;
                [room.as_str(), event.as_str(), payload.json()].map(str::to_owned)
            }));
        }
        emitted.clone()
    }
}

#[test]
fn a_publication_reaches_its_room_under_its_own_name() {
    let bench = Bench::new(None);
    let _members = [bench.join("a"), bench.join("a"), bench.join("b")];
    let body = r#"{"text":"hi","target_id":"a","n":9007199254740993}"#;
    assert_eq!(bench.publisher.publish(body.as_bytes()), Ok(Receipt { receivers: 2 }));
    assert_eq!(bench.emitted(), [["a", "a", r#"{"text":"hi","n":9007199254740993}"#].map(String::from)]);
    assert_eq!(bench.stats.publishes.get(), 1);
}

#[test]
fn a_publication_to_an_empty_room_is_taken() {
    let bench = Bench::new(None);
    assert_eq!(bench.publisher.publish(br#"{"target_id":"a"}"#), Ok(Receipt { receivers: 0 }));
    assert_eq!(bench.stats.publishes.get(), 1);
}

#[test]
fn one_byte_order_mark_is_cut_and_a_second_is_refused() {
    let bench = Bench::new(None);
    let _member = bench.join("a");
    assert_eq!(bench.publisher.publish("\u{feff}{\"target_id\":\"a\"}".as_bytes()), Ok(Receipt { receivers: 1 }));
    let twice = "\u{feff}\u{feff}{\"target_id\":\"a\"}".as_bytes();
    assert_eq!(bench.publisher.publish(twice), Err(PublishError::NoMembers));
    assert_eq!(bench.emitted(), [["a", "a", "{}"].map(String::from)]);
}

#[test]
fn a_hundred_and_twenty_eight_levels_are_delivered_and_one_more_is_refused() {
    let bench = Bench::new(None);
    let _member = bench.join("a");
    let nested = |arrays: usize| format!(r#"{{"target_id":"a","x":{}{}}}"#, "[".repeat(arrays), "]".repeat(arrays));
    assert!(bench.publisher.publish(nested(127).as_bytes()).is_ok());
    assert_eq!(bench.publisher.publish(nested(128).as_bytes()), Err(PublishError::TooDeep));
    assert_eq!(bench.publisher.publish(nested(40_000).as_bytes()), Err(PublishError::TooDeep));
    assert_eq!(bench.emitted().len(), 1);
}

#[test]
fn uuid_is_the_target_of_a_body_without_a_target_id_where_it_is_taken() {
    let (today, legacy) = (Bench::new(Some("^[ab]$")), Bench::with(Some("^[ab]$"), true));
    let _members = [today.join("a"), legacy.join("a"), legacy.join("b")];
    let old = r#"{"x":1e400,"uuid":"b","\u0075uid":"a","from":{"uuid":"c"}}"#.as_bytes();
    assert_eq!(legacy.publisher.publish(old), Ok(Receipt { receivers: 1 }));
    assert_eq!(today.publisher.publish(old), Err(PublishError::TargetMissing));
    assert_eq!(legacy.emitted(), [["a", "a", r#"{"x":1e400,"from":{"uuid":"c"}}"#].map(String::from)]);
    for body in [r#"{"uuid":"b","target_id":"a","x":1}"#, r#"{"target_id":"a","uuid":5}"#] {
        assert_eq!(legacy.publisher.publish(body.as_bytes()), today.publisher.publish(body.as_bytes()), "{body}");
    }
    assert_eq!(legacy.emitted()[1..], today.emitted(), "beside a target_id it belongs to the argument");
    assert_eq!(today.emitted()[0][2], r#"{"uuid":"b","x":1}"#);
}

#[test]
fn a_bad_uuid_is_refused_by_its_name() {
    let bench = Bench::with(Some("^(a|connect)$"), true);
    let _member = bench.join("a");
    for (body, text) in [
        (r#"{"uuid":["a"]}"#, "uuid is not a string"),
        (r#"{"uuid":"b"}"#, "uuid does not match EVENT_ID_REGEX_VALIDATION_PATTERN"),
        (r#"{"uuid":"connect"}"#, "uuid is a reserved event name"),
        (r#"{"uuid":"a","target_id":null}"#, "target_id is not a string"),
        (r#"{"UUID":"a","to":{"uuid":"a"}}"#, "target_id is missing"),
    ] {
        let error = bench.publisher.publish(body.as_bytes()).expect_err(body);
        assert_eq!((error.to_string().as_str(), error.cause()), (text, Cause::InvalidTarget), "{body}");
    }
    assert_eq!(bench.emitted(), Vec::<[String; 3]>::new());
}

#[test]
fn bad_bodies_are_refused_and_nothing_is_emitted() {
    // The member's room is what a coerced target would have named.
    let bench = Bench::new(Some(""));
    let _members = ["undefined", "null", "5", "a", "true", "[object Object]", "connect"].map(|room| bench.join(room));
    let long = format!(r#"{{"target_id":"{}"}}"#, "x".repeat(65_000));
    let rows: [(&[u8], Cause); 24] = [
        (b"", Cause::InvalidBody),
        (b"{", Cause::InvalidBody),
        (b"null", Cause::InvalidBody),
        (b"5", Cause::InvalidBody),
        (b"\"a\"", Cause::InvalidBody),
        (br#"[{"target_id":"a"}]"#, Cause::InvalidBody),
        (br#"{"target_id":"a"} x"#, Cause::InvalidBody),
        (br#"{"target_id":"a","x":NaN}"#, Cause::InvalidBody),
        (b"{\"target_id\":\"a\",\"x\":\"\xff\"}", Cause::InvalidBody),
        (b"{\"target_id\":\"a\xc3\"}", Cause::InvalidBody),
        (b"{\"target_id\":\"\xed\xa0\x80\"}", Cause::InvalidBody),
        (b"\xff\xfe{\x00}\x00", Cause::InvalidBody),
        (b"{}", Cause::InvalidTarget),
        (br#"{"id":"a"}"#, Cause::InvalidTarget),
        (br#"{"target_id":null}"#, Cause::InvalidTarget),
        (br#"{"target_id":5}"#, Cause::InvalidTarget),
        (br#"{"target_id":true}"#, Cause::InvalidTarget),
        (br#"{"target_id":["a"]}"#, Cause::InvalidTarget),
        (br#"{"target_id":{}}"#, Cause::InvalidTarget),
        (br#"{"target_id":""}"#, Cause::InvalidTarget),
        (br#"{"target_id":"\ud800"}"#, Cause::InvalidTarget),
        (br#"{"target_id":"connect"}"#, Cause::InvalidTarget),
        (br#"{"target_id":"a","target\u005fid":5}"#, Cause::InvalidTarget),
        (long.as_bytes(), Cause::InvalidTarget),
    ];
    for (body, cause) in rows {
        let error = bench.publisher.publish(body).expect_err(&String::from_utf8_lossy(body));
        assert_eq!(error.cause(), cause, "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(bench.emitted(), Vec::<[String; 3]>::new());
    assert_eq!(bench.stats.publishes.get(), 0);
}

#[test]
fn the_text_of_an_error_never_repeats_the_body() {
    let bench = Bench::new(Some("^x$"));
    for body in [
        r#""hunter2""#,
        r#"["hunter2"]"#,
        r#"{"hunter2":}"#,
        r#"{"target_id":"hunter2"}"#,
        r#"{"target_id":["hunter2"]}"#,
        r#"{"target_id":"roomcast:hunter2"}"#,
        r#"{"target_id":"x"}hunter2"#,
    ] {
        let text = bench.publisher.publish(body.as_bytes()).expect_err(body).to_string();
        assert!(!text.contains("hunter2") && text.len() < 200, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let bench = Bench::new(None);
        let _member = bench.join("a");
        let taken = bench.publisher.publish(&bytes).is_ok();
        prop_assert_eq!(bench.stats.publishes.get(), u64::from(taken));
    }

    #[test]
    fn bytes_that_look_like_a_body_are_taken_or_refused(
        inner in r#"[\[\]{}":,\\u0a\n ]{0,64}"#,
        tail in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let bench = Bench::new(None);
        let _member = bench.join("a");
        let body = [format!(r#"{{"target_id":"a",{inner}"#).as_bytes(), &tail, b"}"].concat();
        let taken = bench.publisher.publish(&body).is_ok();
        prop_assert_eq!(bench.emitted().len(), usize::from(taken));
        if taken {
            prop_assert!(serde_json::from_slice::<&RawValue>(&body).is_ok());
        }
    }
}
