//! The list of websocket frames. The codes are those of ws, which was played the same, but for two: it calls a length from
//! 2^63 on too big (1009), where RFC 6455 (5.2) forbids its first bit; and it bounds a message at 16,384 fragments (1008),
//! where 262,144 are taken here, and one more is too big. What ws leaves to its user, as any message, is judged as Node's
//! Socket.IO judges it.

use std::fmt;

use crate::hostile::frame;

/// When a case is sent.
#[derive(Clone, Copy)]
pub enum Stage {
    /// Right after the open packet.
    Opened,
    /// When the client is let in.
    Connected,
    /// Over a websocket that wants to take over a session, before it probes.
    Candidate,
    /// The same, when its probe is answered.
    Probed,
}

/// What is answered.
pub enum Expected {
    /// A close frame, with this code or without one, and then the end.
    Close(Option<u16>),
    /// The end alone.
    CutOff,
    /// These frames, and then the subscriber is served as before.
    Served(Vec<(u8, Vec<u8>)>),
}

/// Something that is sent, and what it is answered.
pub struct Case {
    pub name: &'static str,
    pub stage: Stage,
    pub input: Vec<u8>,
    pub expected: Expected,
}

impl Expected {
    /// What the payload of a close frame says.
    pub fn of_close(payload: &[u8]) -> Self {
        Self::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close(Some(code)) => write!(f, "close {code}"),
            Self::Close(None) => write!(f, "close"),
            Self::CutOff => write!(f, "cut off"),
            Self::Served(answers) => write!(f, "{} frames, and served", answers.len()),
        }
    }
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const FIRST: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

/// A head of an endless payload: masked, with a length of 64 bits.
fn long(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0xff], length.to_be_bytes().as_slice(), &[0; 4]].concat()
}

fn closed_with(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// The text in frames of one byte.
fn byte_by_byte(text: &[u8]) -> Vec<u8> {
    let (first, rest) = text.split_first().unwrap();
    let rest = rest.iter().flat_map(|byte| frame(MORE, &[*byte]));
    frame(FIRST, &[*first]).into_iter().chain(rest).chain(frame(LAST, b"")).collect()
}

/// An event of so many bytes.
fn event(length: usize) -> Vec<u8> {
    format!(r#"42["a","{}"]"#, "x".repeat(length - 10)).into_bytes()
}

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |stage, rows: Vec<(&'static str, Vec<u8>)>, expected: fn() -> Expected| {
        let case = |(name, input)| Case { name, stage, input, expected: expected() };
        cases.extend(rows.into_iter().map(case));
    };
    add(Stage::Connected, broken_frames(), || Expected::Close(Some(1002)));
    add(Stage::Connected, broken_closes(), || Expected::Close(Some(1002)));
    add(Stage::Connected, broken_texts(), || Expected::Close(Some(1007)));
    add(Stage::Connected, large_messages(), || Expected::Close(Some(1009)));
    add(Stage::Connected, messages_that_say_nothing(), || Expected::Close(None));
    add(Stage::Connected, allowed(), || Expected::Served(Vec::new()));
    add(Stage::Opened, broken_before_connect(), || Expected::Close(Some(1002)));
    add(Stage::Opened, messages_before_connect(), || Expected::Close(None));
    add(Stage::Candidate, broken_candidates(), || Expected::CutOff);
    add(Stage::Probed, broken_after_the_probe(), || Expected::CutOff);
    cases.extend(closes());
    cases.extend(pings());
    cases
}

fn broken_frames() -> Vec<(&'static str, Vec<u8>)> {
    let forged = br#"42["room-1",{}]"#;
    vec![
        ("an unmasked text", b"\x81\x013".to_vec()),
        ("an unmasked text that is empty", b"\x81\x00".to_vec()),
        ("an unmasked event", [b"\x81\x0f".as_slice(), forged].concat()),
        ("an unmasked ping", b"\x89\x00".to_vec()),
        ("an unmasked close", b"\x88\x02\x03\xe8".to_vec()),
        ("the first reserved bit", frame(0xc1, forged)),
        ("the second reserved bit", frame(0xa1, forged)),
        ("the third reserved bit", frame(0x91, forged)),
        ("all reserved bits", frame(0xf1, forged)),
        ("a reserved bit of a ping", frame(0xc9, b"x")),
        ("a reserved bit of a close", frame(0xc8, b"\x03\xe8")),
        ("a reserved bit of a continuation", [frame(FIRST, b"3"), frame(0xc0, b"")].concat()),
        ("opcode 3", frame(0x83, forged)),
        ("opcode 4", frame(0x84, forged)),
        ("opcode 5", frame(0x85, forged)),
        ("opcode 6", frame(0x86, forged)),
        ("opcode 7", frame(0x87, forged)),
        ("opcode 11", frame(0x8b, b"x")),
        ("opcode 12", frame(0x8c, b"x")),
        ("opcode 13", frame(0x8d, b"x")),
        ("opcode 14", frame(0x8e, b"x")),
        ("opcode 15", frame(0x8f, b"x")),
        ("a ping of 126 bytes", frame(PING, &[b'x'; 126])),
        ("a pong of 126 bytes", frame(PONG, &[b'x'; 126])),
        ("a close of 126 bytes", frame(CLOSE, &[b'x'; 126])),
        ("a ping of 65,536 bytes", frame(PING, &[b'x'; 65_536])),
        ("a ping of 2^63-1 bytes", long(PING, i64::MAX as u64)),
        ("a ping whose length is longer than it must be", b"\x89\xfe\0\x01\0\0\0\0x".to_vec()),
        ("a ping in fragments", frame(0x09, b"x")),
        ("a pong in fragments", frame(0x0a, b"x")),
        ("a close in fragments", frame(0x08, b"\x03\xe8")),
        ("a continuation of nothing", frame(LAST, forged)),
        ("a continuation of nothing, to be continued", frame(MORE, forged)),
        ("a continuation of a whole message", [frame(TEXT, b"3"), frame(LAST, b"")].concat()),
        ("a text inside a text", [frame(FIRST, b"3"), frame(TEXT, forged)].concat()),
        ("a binary message inside a text", [frame(FIRST, b"3"), frame(BINARY, b"x")].concat()),
        ("the beginning of a text inside a text", [frame(FIRST, b"3"), frame(FIRST, b"3")].concat()),
        ("a length of 2^63", long(TEXT, 1 << 63)),
        ("a length of 2^64-1", long(TEXT, u64::MAX)),
        ("a request of HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("a hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
    ]
}

fn broken_closes() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("close code 0", closed_with(0)),
        ("close code 999", closed_with(999)),
        ("close code 1004", closed_with(1004)),
        ("close code 1005", closed_with(1005)),
        ("close code 1006", closed_with(1006)),
        ("close code 1015", closed_with(1015)),
        ("close code 1016", closed_with(1016)),
        ("close code 2999", closed_with(2999)),
        ("close code 5000", closed_with(5000)),
        ("close code 65,535", closed_with(65_535)),
        ("half a close code", frame(CLOSE, b"\x03")),
    ]
}

fn broken_texts() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a close reason that is no UTF-8", frame(CLOSE, b"\x03\xe8\xff")),
        ("a close reason of half a letter", frame(CLOSE, b"\x03\xe8\xc3")),
        ("a byte that is no UTF-8", frame(TEXT, b"42[\"\xff\"]")),
        ("half a letter", frame(TEXT, b"42[\"a\"]\xc3")),
        ("half a letter at the end of the last fragment", [frame(FIRST, b"42[\"\xc3"), frame(LAST, b"\"]")].concat()),
        ("a letter broken by its second fragment", [frame(FIRST, b"42[\"\xe2\x82"), frame(LAST, b"\xff\"]")].concat()),
        ("a surrogate", frame(TEXT, b"42[\"\xed\xa0\x80\"]")),
        ("a pair of surrogates", frame(TEXT, b"42[\"\xed\xa0\xbd\xed\xb8\x80\"]")),
        ("a NUL that is longer than it must be", frame(TEXT, b"42[\"\xc0\x80\"]")),
        ("a letter behind the last", frame(TEXT, b"42[\"\xf4\x90\x80\x80\"]")),
        ("a letter of five bytes", frame(TEXT, b"42[\"\xf8\x88\x80\x80\x80\"]")),
    ]
}

fn large_messages() -> Vec<(&'static str, Vec<u8>)> {
    let empty = frame(MORE, b"");
    vec![
        ("a text of a megabyte and a byte", frame(TEXT, &event(1_000_001))),
        ("a binary message of a megabyte and a byte", frame(BINARY, &[0; 1_000_001])),
        ("a megabyte and a byte in two", [frame(FIRST, &[b'4'; 1_000_000]), frame(LAST, b"4")].concat()),
        (
            "a megabyte and a byte in two, to be continued",
            [frame(FIRST, &[b'4'; 500_000]), long(MORE, 500_001)].concat(),
        ),
        ("the head of a megabyte and a byte", long(TEXT, 1_000_001)),
        ("a length of 2^32", long(TEXT, 1 << 32)),
        ("a length of 2^63-1", long(TEXT, i64::MAX as u64)),
        ("a binary length of 2^63-1", long(BINARY, i64::MAX as u64)),
        ("a million empty fragments", [frame(FIRST, b""), empty.repeat(1_000_000)].concat()),
        ("a million empty binary fragments", [frame(0x02, b""), empty.repeat(1_000_000)].concat()),
        ("a megabyte in fragments of a byte", byte_by_byte(&event(1_000_000))),
        (
            "empty fragments with pings between them",
            [frame(FIRST, b""), [empty, frame(PONG, b"")].concat().repeat(300_000)].concat(),
        ),
    ]
}

fn messages_that_say_nothing() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a text that is empty", frame(TEXT, b"")),
        ("a text that is empty, in fragments", [frame(FIRST, b""), frame(MORE, b""), frame(LAST, b"")].concat()),
        ("a binary message", frame(BINARY, b"abc")),
        ("a binary message that is empty", frame(BINARY, b"")),
        ("a binary message that reads as an event", frame(BINARY, br#"42["room-1",{}]"#)),
        ("a binary message in fragments", [frame(0x02, b"a"), frame(LAST, b"b")].concat()),
        ("a binary message of a megabyte", frame(BINARY, &[0; 1_000_000])),
        ("a text of a megabyte that is no packet", frame(TEXT, &[b'x'; 1_000_000])),
        ("a text of NULs", frame(TEXT, &[0; 100])),
    ]
}

fn allowed() -> Vec<(&'static str, Vec<u8>)> {
    let masked = |mask: [u8; 4]| {
        let payload = br#"42["a"]"#.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key);
        [&[TEXT, 0x87], mask.as_slice(), &payload.collect::<Vec<_>>()].concat()
    };
    vec![
        ("a pong that nobody asked for", frame(PONG, b"x")),
        ("a thousand pongs that nobody asked for", frame(PONG, &[b'x'; 125]).repeat(1_000)),
        ("a mask of ones", masked([0xff; 4])),
        ("a mask of the first letters", masked(*b"42[\"")),
        ("a length of 16 bits that fits into 7", b"\x81\xfe\0\x01\0\0\0\x003".to_vec()),
        ("a length of 64 bits that fits into 7", [long(TEXT, 1), b"3".to_vec()].concat()),
        ("a letter in two fragments", [frame(FIRST, b"42[\"\xc3"), frame(LAST, b"\xa9\"]")].concat()),
        ("a letter in three fragments", {
            [frame(FIRST, b"42[\"\xe2"), frame(MORE, b"\x82"), frame(LAST, b"\xac\"]")].concat()
        }),
        ("a pong inside a message", [frame(FIRST, b"42[\"a"), frame(PONG, b"x"), frame(LAST, b"\"]")].concat()),
        ("200,000 empty fragments", [frame(FIRST, b""), frame(MORE, b"").repeat(200_000), frame(LAST, b"3")].concat()),
        ("200,000 bytes in fragments of a byte", byte_by_byte(&event(200_000))),
        ("a megabyte", frame(TEXT, &event(1_000_000))),
        ("a megabyte in two", [frame(FIRST, &event(1_000_000)[..7]), frame(LAST, &event(1_000_000)[7..])].concat()),
        ("ten thousand events in one piece", frame(TEXT, br#"42["room-1",{}]"#).repeat(10_000)),
    ]
}

fn broken_before_connect() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("the second reserved bit before CONNECT", frame(0xa1, b"40")),
        ("the third reserved bit before CONNECT", frame(0x91, b"40")),
        ("opcode 3 before CONNECT", frame(0x83, b"40")),
        ("an unmasked CONNECT", b"\x81\x0240".to_vec()),
        ("a continuation of nothing before CONNECT", frame(LAST, b"40")),
    ]
}

fn messages_before_connect() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a binary message before CONNECT", frame(BINARY, b"40")),
        ("a close before CONNECT", frame(CLOSE, b"")),
        ("CONNECT behind a close", [frame(CLOSE, b""), frame(TEXT, b"40")].concat()),
        ("an event before CONNECT", frame(TEXT, br#"42["room-1",{}]"#)),
    ]
}

/// A websocket that is not the session's yet is given up without a word, and the session goes on over polling.
fn broken_candidates() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("the second reserved bit before the probe", frame(0xa1, b"2probe")),
        ("the third reserved bit before the probe", frame(0x91, b"2probe")),
        ("an unmasked probe", b"\x81\x062probe".to_vec()),
        ("a binary probe", frame(BINARY, b"2probe")),
        ("opcode 3 before the probe", frame(0x83, b"2probe")),
        ("a close before the probe", frame(CLOSE, b"\x03\xe8")),
        ("a probe that is no UTF-8", frame(TEXT, b"2prob\xff")),
        ("a million bytes before the probe", frame(TEXT, &[b'2'; 1_000_000])),
        (
            "a million empty fragments before the probe",
            [frame(FIRST, b""), frame(MORE, b"").repeat(1_000_000)].concat(),
        ),
    ]
}

fn broken_after_the_probe() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("the second reserved bit after the probe", frame(0xa1, b"5")),
        ("the third reserved bit after the probe", frame(0x91, b"5")),
        ("an unmasked upgrade", b"\x81\x015".to_vec()),
        ("a binary upgrade", frame(BINARY, b"5")),
        ("a close after the probe", frame(CLOSE, b"")),
        ("a continuation of nothing after the probe", frame(LAST, b"5")),
    ]
}

/// Who closes hears its own code.
fn closes() -> Vec<Case> {
    let forged = frame(TEXT, br#"42["room-1",{}]"#);
    let reason = [b"\x03\xe8".as_slice(), &[b'x'; 123]].concat();
    let rows = [
        ("a close without a code", frame(CLOSE, b""), None),
        ("close code 1000", closed_with(1000), Some(1000)),
        ("close code 1003", closed_with(1003), Some(1003)),
        ("close code 1007", closed_with(1007), Some(1007)),
        ("close code 1014", closed_with(1014), Some(1014)),
        ("close code 3000", closed_with(3000), Some(3000)),
        ("close code 4999", closed_with(4999), Some(4999)),
        ("a close with the longest reason", frame(CLOSE, &reason), Some(1000)),
        ("an event behind a close", [closed_with(1000), forged.clone()].concat(), Some(1000)),
        ("an unmasked event behind a close", [closed_with(1000), b"\x81\x013".to_vec()].concat(), Some(1000)),
        ("a close behind a close", [closed_with(1000), closed_with(1001)].concat(), Some(1000)),
        ("a megabyte behind a close", [closed_with(1000), forged.repeat(50_000)].concat(), Some(1000)),
        ("a close inside a message", [frame(FIRST, b"42["), closed_with(1001)].concat(), Some(1001)),
    ];
    let case = |(name, input, code)| Case { name, stage: Stage::Connected, input, expected: Expected::Close(code) };
    rows.map(case).into()
}

/// Who pings hears its own payload, as often as it pinged.
fn pings() -> Vec<Case> {
    let rows = [
        ("a ping", frame(PING, b"x"), vec![(PONG, b"x".to_vec())]),
        ("a ping that is empty", frame(PING, b""), vec![(PONG, Vec::new())]),
        ("a ping of 125 bytes that are no UTF-8", frame(PING, &[0xff; 125]), vec![(PONG, vec![0xff; 125])]),
        (
            "a ping inside a message",
            { [frame(FIRST, b"42[\"a"), frame(PING, b"x"), frame(LAST, b"\"]")].concat() },
            vec![(PONG, b"x".to_vec())],
        ),
        ("ten thousand pings", frame(PING, b"x").repeat(10_000), vec![(PONG, b"x".to_vec()); 10_000]),
    ];
    let case = |(name, input, pongs)| Case { name, stage: Stage::Connected, input, expected: Expected::Served(pongs) };
    rows.map(case).into()
}
