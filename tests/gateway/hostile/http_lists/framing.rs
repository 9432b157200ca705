//! Where a body ends: lengths, codings and chunks that are ambiguous, malformed or endless. On the producer's port the body
//! is a publish, on the consumer's the payload of a session.

use Outcome::{BadBody, BadHead, Served, ServedAndClosed, TooLargeHead};

use super::{BODY, Case, ENGINE_BAD_REQUEST, Expected, HEARD, PACKET, Port, SESSION};

#[derive(Clone, Copy)]
enum Outcome {
    /// The body is taken.
    Served,
    /// The body is taken, and the connection is closed, so that what follows cannot be read in two ways.
    ServedAndClosed,
    /// The head is refused by hyper, which says nothing.
    BadHead,
    /// The same, as too large.
    TooLargeHead,
    /// The body is refused by us, and the connection is closed.
    BadBody,
}

const CHUNKED: &str = "Transfer-Encoding: chunked";
/// The body in one chunk.
const ONE_CHUNK: &str = "{hex}\r\n{body}\r\n0\r\n\r\n";
const BODY_ITSELF: &str = "{body}";

/// Names, header lines, and bodies. `{n}` and `{hex}` are the body's length, `{more}` that length and one, `{big}` is a
/// mebibyte.
const CASES: [(&str, &str, &str, Outcome); 54] = [
    ("a length", "Content-Length: {n}", BODY_ITSELF, Served),
    ("a length with a leading zero", "Content-Length: 0{n}", BODY_ITSELF, Served),
    ("a length between tabs", "Content-Length:\t{n}\t", BODY_ITSELF, Served),
    // RFC 9110 (8.6) allows it, as long as both are the same.
    ("the same length twice", "Content-Length: {n}\r\nContent-Length: {n}", BODY_ITSELF, Served),
    ("two lengths", "Content-Length: {n}\r\nContent-Length: {more}", BODY_ITSELF, BadHead),
    ("two lengths, the smaller last", "Content-Length: {more}\r\nContent-Length: {n}", BODY_ITSELF, BadHead),
    ("a list of the same length", "Content-Length: {n}, {n}", BODY_ITSELF, BadHead),
    ("a list of two lengths", "Content-Length: {n},{more}", BODY_ITSELF, BadHead),
    ("a length with a plus", "Content-Length: +{n}", BODY_ITSELF, BadHead),
    ("a length with a minus", "Content-Length: -{n}", BODY_ITSELF, BadHead),
    ("a length in hex", "Content-Length: 0x{hex}", BODY_ITSELF, BadHead),
    ("a length with a point", "Content-Length: {n}.0", BODY_ITSELF, BadHead),
    ("a length with a blank inside", "Content-Length: 3 6", BODY_ITSELF, BadHead),
    ("a length of nothing", "Content-Length:", BODY_ITSELF, BadHead),
    ("a length of 2^64", "Content-Length: 18446744073709551616", BODY_ITSELF, BadHead),
    // hyper keeps the two largest numbers for chunks and for the connection's end, and words it so.
    ("a length of 2^64-1", "Content-Length: 18446744073709551615", BODY_ITSELF, TooLargeHead),
    ("a blank before the length's colon", "Content-Length : {n}", BODY_ITSELF, BadHead),
    // RFC 9112 (6.3): chunks count, and the connection is closed.
    ("a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked", ONE_CHUNK, ServedAndClosed),
    ("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 4", ONE_CHUNK, ServedAndClosed),
    ("chunks and a length that is none", "Transfer-Encoding: chunked\r\nContent-Length: x", ONE_CHUNK, ServedAndClosed),
    ("chunks", CHUNKED, ONE_CHUNK, Served),
    ("chunks in capitals", "TRANSFER-ENCODING: CHUNKED", ONE_CHUNK, Served),
    ("chunks twice in a list", "Transfer-Encoding: chunked, chunked", ONE_CHUNK, BadBody),
    ("chunks twice in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", ONE_CHUNK, BadBody),
    ("identity and chunks", "Transfer-Encoding: identity, chunked", ONE_CHUNK, BadBody),
    ("gzip and chunks", "Transfer-Encoding: gzip, chunked", ONE_CHUNK, BadBody),
    ("gzip and chunks in two lines", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", ONE_CHUNK, BadBody),
    ("nothing and chunks", "Transfer-Encoding: , chunked", ONE_CHUNK, BadBody),
    ("chunks and nothing", "Transfer-Encoding: chunked,", ONE_CHUNK, BadHead),
    ("chunks and gzip", "Transfer-Encoding: chunked, gzip", ONE_CHUNK, BadHead),
    ("no chunks but xchunked", "Transfer-Encoding: xchunked", ONE_CHUNK, BadHead),
    ("no chunks but identity", "Transfer-Encoding: identity", ONE_CHUNK, BadHead),
    ("no coding", "Transfer-Encoding:", ONE_CHUNK, BadHead),
    ("chunks behind a vertical tab", "Transfer-Encoding: \x0bchunked", ONE_CHUNK, BadHead),
    ("chunks in quotes", "Transfer-Encoding: \"chunked\"", ONE_CHUNK, BadHead),
    ("chunks with a parameter", "Transfer-Encoding: chunked;q=1", ONE_CHUNK, BadHead),
    // RFC 9112 (7.1.1) has it read over.
    ("a chunk with a blank after its size", CHUNKED, "{hex} \r\n{body}\r\n0\r\n\r\n", Served),
    ("a chunk with an extension", CHUNKED, "{hex};a=b\r\n{body}\r\n0\r\n\r\n", Served),
    ("a trailer", CHUNKED, "{hex}\r\n{body}\r\n0\r\nX: hunter2\r\n\r\n", Served),
    // Trailers are dropped whatever they are named.
    ("a trailer that is a length", CHUNKED, "{hex}\r\n{body}\r\n0\r\nContent-Length: 5\r\n\r\n", Served),
    ("a chunk with a blank before its size", CHUNKED, " {hex}\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk of 2^68-1 bytes", CHUNKED, "fffffffffffffffff\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk of 0x and a size", CHUNKED, "0x{hex}\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk of a negative size", CHUNKED, "-{hex}\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk of no size", CHUNKED, "\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk that is longer than its size", CHUNKED, "{hex}\r\n{body}x\r\n0\r\n\r\n", BadBody),
    ("a chunk size that ends with LF", CHUNKED, "{hex}\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk that ends with LF", CHUNKED, "{hex}\r\n{body}\n0\r\n\r\n", BadBody),
    ("a chunk extension with LF inside", CHUNKED, "{hex};a\nb\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a chunk extension of a mebibyte", CHUNKED, "{hex};{big}\r\n{body}\r\n0\r\n\r\n", BadBody),
    ("a trailer without a colon", CHUNKED, "{hex}\r\n{body}\r\n0\r\nX\r\n\r\n", BadBody),
    ("a trailer that is folded", CHUNKED, "{hex}\r\n{body}\r\n0\r\nX: y\r\n z\r\n\r\n", BadBody),
    ("a trailer of a mebibyte", CHUNKED, "{hex}\r\n{body}\r\n0\r\nX: {big}\r\n\r\n", BadBody),
    ("a trailer that is no ASCII", CHUNKED, "{hex}\r\n{body}\r\n0\r\nX\u{e9}: y\r\n\r\n", BadBody),
];

/// Bodies of which the client says that no more comes.
const CUT: [(&str, &str, &str); 5] = [
    ("a body that ends before its length", "Content-Length: {more}", BODY_ITSELF),
    ("a chunk that ends before its size", CHUNKED, "{hex}\r\n{body}"),
    ("a chunk of 2^64-1 bytes", CHUNKED, "ffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
    ("no last chunk", CHUNKED, "{hex}\r\n{body}\r\n"),
    // Lines of a trailer end with CRLF, so it is not at its end.
    ("a trailer whose lines end with LF", CHUNKED, "{hex}\r\n{body}\r\n0\r\nX: y\n\n"),
];

pub(super) fn cases() -> Vec<Case> {
    let whole = CASES.iter().flat_map(|(name, headers, body, outcome)| {
        [Port::Producer, Port::Consumer]
            .map(|port| Case::new(name, port, request(port, headers, body), on(port, *outcome)))
    });
    let cut = CUT.iter().flat_map(|(name, headers, body)| {
        [Port::Producer, Port::Consumer]
            .map(|port| Case::new(name, port, request(port, headers, body), on(port, BadBody)).ending())
    });
    whole.chain(cut).chain(special()).collect()
}

fn on(port: Port, outcome: Outcome) -> Expected {
    let served = match port {
        Port::Producer => Expected::kept(200, "OK").hearing(HEARD),
        Port::Consumer => Expected::kept(200, "ok"),
    };
    match outcome {
        Served => served,
        ServedAndClosed => Expected { then: super::Then::Closed, ..served },
        BadHead => Expected::refused(400, ""),
        TooLargeHead => Expected::refused(431, ""),
        BadBody if port == Port::Producer => Expected::refused(400, "BAD REQUEST"),
        BadBody => Expected::refused(400, ENGINE_BAD_REQUEST),
    }
}

fn request(port: Port, headers: &str, body: &str) -> String {
    let (path, inner) = match port {
        Port::Producer => ("/publish", BODY),
        Port::Consumer => (SESSION, PACKET),
    };
    let filled = |text: &str| {
        text.replace("{n}", &inner.len().to_string())
            .replace("{more}", &(inner.len() + 1).to_string())
            .replace("{hex}", &format!("{:x}", inner.len()))
            .replace("{body}", inner)
            .replace("{big}", &"x".repeat(1 << 20))
    };
    let (headers, body) = (filled(headers), filled(body));
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}")
}

/// Those that differ by port.
fn special() -> Vec<Case> {
    use Port::{Consumer, Producer};
    let smuggled = request(Producer, "Content-Length: {n}", BODY_ITSELF);
    let behind = |headers: &str, body: &str| format!("{}{smuggled}", request(Producer, headers, body));
    let empty = Expected::refused(400, "BAD REQUEST");
    let expecting = |port| request(port, "Content-Length: {n}\r\nExpect: 100-continue", "");
    let old = |port: Port| request(port, CHUNKED, ONE_CHUNK).replace("HTTP/1.1", "HTTP/1.0");
    let huge = |port| request(port, "Content-Length: 9223372036854775808", BODY_ITSELF);
    vec![
        Case::new(
            "a publish behind no chunk and a length",
            Producer,
            behind("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            empty,
        ),
        Case::new(
            "a publish behind two codings",
            Producer,
            behind("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
            Expected::refused(400, "BAD REQUEST"),
        ),
        Case::new(
            "a body without a length",
            Producer,
            request(Producer, "X: y", BODY_ITSELF),
            Expected::refused(400, "BAD REQUEST").and_then(400, ""),
        ),
        Case::new(
            "a body without a length",
            Consumer,
            request(Consumer, "X: y", BODY_ITSELF),
            Expected::refused(400, ENGINE_BAD_REQUEST).and_then(400, ""),
        ),
        Case::new(
            "continue is expected and not followed",
            Producer,
            expecting(Producer),
            Expected::refused(100, "").and_then(400, "BAD REQUEST"),
        )
        .ending(),
        Case::new(
            "continue is expected and not followed",
            Consumer,
            expecting(Consumer),
            Expected::refused(100, "").and_then(400, ENGINE_BAD_REQUEST),
        )
        .ending(),
        Case::new("chunks in HTTP/1.0", Producer, old(Producer), Expected::refused(400, "")),
        Case::new("chunks in HTTP/1.0", Consumer, old(Consumer), Expected::refused(400, "")),
        Case::new("a length of 2^63", Producer, huge(Producer), Expected::refused(413, "PAYLOAD TOO LARGE")),
        Case::new("a length of 2^63", Consumer, huge(Consumer), Expected::refused(400, ENGINE_BAD_REQUEST)).ending(),
    ]
}
