//! What proxies say of the client, and what clients say of themselves. The producer trusts 1.2.3.0/24 and nobody else; the
//! consumer lets everybody open a session, whatever such a header holds.

use super::{BODY, Case, Expected, HEARD, Port};

/// Names, what stands behind the first `X-Forwarded-For: `, and whether the client may publish.
const FORWARDED_FOR: [(&str, &str, bool); 35] = [
    ("one address", "1.2.3.4", true),
    ("another address", "9.9.9.9", false),
    ("an empty header", "", false),
    ("an address of blanks", "   ", false),
    ("a comma", ",", false),
    ("a list that ends in a proxy", "1.2.3.4, 10.0.0.1", true),
    ("a list without blanks", "9.9.9.9,1.2.3.4,10.0.0.1", true),
    ("a list with many blanks", "  1.2.3.4   ,\t 10.0.0.1 ", true),
    ("a list that begins as it likes", "garbage, 1.2.3.4", true),
    ("a list that ends in garbage", "1.2.3.4, garbage", false),
    ("a list that ends in nothing", "1.2.3.4,", false),
    ("a list with nothing inside", "1.2.3.4, , 10.0.0.1", false),
    ("a list of the trusted and the other", "1.2.3.4, 9.9.9.9", false),
    ("two lines, the trusted last", "9.9.9.9\r\nX-Forwarded-For: 1.2.3.4", true),
    ("two lines, the trusted first", "1.2.3.4\r\nX-Forwarded-For: 9.9.9.9", false),
    ("a port", "1.2.3.4:5678", true),
    ("IPv6 with brackets and a port", "[2001:db8::1]:443", false),
    ("IPv6 with a zone", "fe80::1%eth0", false),
    ("IPv6 with half of its brackets", "[::ffff:1.2.3.4", false),
    ("an IPv4 address in IPv6", "::ffff:1.2.3.4", true),
    ("the same in hex", "::ffff:102:304", true),
    ("an IPv4 address in IPv6 of old", "::1.2.3.4", false),
    ("octal", "01.02.03.04", false),
    ("hex", "0x1.0x2.0x3.0x4", false),
    ("decimal", "16909060", false),
    ("three numbers", "1.2.3", false),
    ("a number over 255", "1.2.3.260", false),
    ("a point at the end", "1.2.3.4.", false),
    ("quotes", "\"1.2.3.4\"", false),
    ("a prefix", "1.2.3.4/32", false),
    ("unknown", "unknown", false),
    ("a name", "localhost", false),
    ("letters that only look like digits", "\u{661}.2.3.4", false),
    ("what Cloudflare says besides", "9.9.9.9\r\nCF-Connecting-IP: 1.2.3.4", false),
    (
        "what everybody says besides",
        "9.9.9.9\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nTrue-Client-IP: 1.2.3.4",
        false,
    ),
];

/// Names, peers, header lines, and whether the client may publish.
const CLOUDFLARE: [(&str, [u8; 4], &str, bool); 11] = [
    ("from a proxy", [127, 0, 0, 1], "CF-Connecting-IP: 1.2.3.4", true),
    ("from a proxy, of another", [127, 0, 0, 1], "CF-Connecting-IP: 9.9.9.9", false),
    ("from a stranger", [127, 0, 0, 2], "CF-Connecting-IP: 1.2.3.4", false),
    ("from a stranger who calls itself a proxy", [127, 0, 0, 2], "CF-Connecting-IP: 127.0.0.1", false),
    ("none from a proxy", [127, 0, 0, 1], "X: y", false),
    ("none from a stranger", [127, 0, 0, 2], "X: y", false),
    ("a list", [127, 0, 0, 1], "CF-Connecting-IP: 1.2.3.4, 1.2.3.4", false),
    ("twice", [127, 0, 0, 1], "CF-Connecting-IP: 1.2.3.4\r\nCF-Connecting-IP: 1.2.3.4", false),
    ("empty", [127, 0, 0, 1], "CF-Connecting-IP:", false),
    ("no ASCII", [127, 0, 0, 1], "CF-Connecting-IP: 1.2.3.4\u{e9}", false),
    ("another header besides", [127, 0, 0, 1], "CF-Connecting-IP: 9.9.9.9\r\nX-Forwarded-For: 1.2.3.4", false),
];

pub(super) fn forwarded_for() -> Vec<Case> {
    let mut cases: Vec<_> = FORWARDED_FOR
        .iter()
        .flat_map(|(name, value, may)| both(name, &format!("X-Forwarded-For: {value}"), *may))
        .collect();
    let chain = |count| format!("X-Forwarded-For: 1.2.3.4{}", ", 10.0.0.1".repeat(count));
    cases.extend(both("a thousand proxies", &chain(1_000), false));
    cases.extend(both("no header", "X: y", false));
    for (port, request) in [(Port::Producer, publish(&chain(10_000))), (Port::Consumer, open(&chain(10_000)))] {
        cases.push(Case::new("ten thousand proxies", port, request, Expected::refused(431, "")));
    }
    let stranger = publish("X-Forwarded-For: 1.2.3.4");
    cases.push(Case::new("a stranger who names a client", Port::Producer, stranger, forbidden()).from([127, 0, 0, 2]));
    cases
}

pub(super) fn cf_connecting_ip() -> Vec<Case> {
    let cases =
        CLOUDFLARE.iter().flat_map(|(name, peer, lines, may)| both(name, lines, *may).map(|case| case.from(*peer)));
    cases.collect()
}

/// The same header lines on a publish, and on a handshake.
fn both(name: &'static str, lines: &str, may_publish: bool) -> [Case; 2] {
    let judged = if may_publish { Expected::kept(200, "OK").hearing(HEARD) } else { forbidden() };
    let opened = Expected::new(super::Then::Opened, 200, r#"0{"sid":""#);
    [Case::new(name, Port::Producer, publish(lines), judged), Case::new(name, Port::Consumer, open(lines), opened)]
}

/// The body is not read, so the connection is closed.
fn forbidden() -> Expected {
    Expected::refused(403, "FORBIDDEN")
}

fn publish(lines: &str) -> String {
    format!(
        "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{lines}\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

fn open(lines: &str) -> String {
    format!("GET /socket.io/?EIO=4&transport=polling&uniqueUserId=room-2 HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n")
}
