//! Request lines and headers: malformed, unusual, or huge.

use Outcome::{BadHead, Closed, NotFound, Served, TooLargeHead};

use super::{BODY, Case, Expected, HEARD, Port, TRANSPORT_UNKNOWN, Then, page};

#[derive(Clone, Copy)]
enum Outcome {
    /// The producer says that it is well, and the consumer that it was asked for no transport.
    Served,
    /// Express' page for this verb and path.
    NotFound(&'static str),
    /// hyper's refusal, which says nothing.
    BadHead,
    TooLargeHead,
    Closed,
}

/// Names and inputs; `{path}` is one that is there, `{big}` a mebibyte.
const CASES: [(&str, &str, Outcome); 60] = [
    ("an obsolete fold", "GET {path} HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", BadHead),
    ("a fold before the first header", "GET {path} HTTP/1.1\r\n Host: a\r\n\r\n", BadHead),
    // RFC 9112 (2.2) lets a server take LF for the end of a line; a front that does not would have refused it.
    ("lines that end with LF", "GET {path} HTTP/1.1\nHost: a\n\n", Served),
    ("one line that ends with LF", "GET {path} HTTP/1.1\r\nHost: a\r\nX: y\nZ: a\r\n\r\n", Served),
    ("lines that end with CR", "GET {path} HTTP/1.1\rHost: a\r\r", BadHead),
    ("lines that end with LF and CR", "GET {path} HTTP/1.1\n\rHost: a\n\r\n\r", BadHead),
    ("CR in a value", "GET {path} HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n", BadHead),
    ("NUL in a value", "GET {path} HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", BadHead),
    ("NUL in a name", "GET {path} HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n", BadHead),
    ("NUL in the path", "GET {path}\0 HTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("a control character in a value", "GET {path} HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n", BadHead),
    ("DEL in a value", "GET {path} HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n", BadHead),
    ("a control character in the path", "GET {path}\x01 HTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("a blank before a colon", "GET {path} HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", BadHead),
    ("a tab before a colon", "GET {path} HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n", BadHead),
    ("a header without a colon", "GET {path} HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", BadHead),
    ("a header without a name", "GET {path} HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", BadHead),
    ("a name that is no ASCII", "GET {path} HTTP/1.1\r\nHost: a\r\nX\u{e9}: y\r\n\r\n", BadHead),
    ("a name in brackets", "GET {path} HTTP/1.1\r\nHost: a\r\n[X]: y\r\n\r\n", BadHead),
    // RFC 9112 (3.2) asks for 400. Nothing is decided by Host here: there is one site, and its links are relative.
    ("no Host", "GET {path} HTTP/1.1\r\n\r\n", Served),
    ("two Hosts", "GET {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Served),
    ("a Host that is none", "GET {path} HTTP/1.1\r\nHost: a b/..\\@\r\n\r\n", Served),
    ("an empty Host", "GET {path} HTTP/1.1\r\nHost:\r\n\r\n", Served),
    ("an absolute target", "GET http://evil.example{path} HTTP/1.1\r\nHost: a\r\n\r\n", Served),
    (
        "an absolute target with a password",
        "GET http://u:hunter2@evil.example{path} HTTP/1.1\r\nHost: a\r\n\r\n",
        Served,
    ),
    ("an absolute target of another scheme", "GET ftp://evil.example{path} HTTP/1.1\r\nHost: a\r\n\r\n", Served),
    ("a fragment", "GET {path}#x HTTP/1.1\r\nHost: a\r\n\r\n", Served),
    ("empty lines before the request", "\r\n\r\n\r\nGET {path} HTTP/1.1\r\nHost: a\r\n\r\n", Served),
    ("a body that GET does not want", "GET {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nhunter2", Served),
    ("an expectation that nobody knows", "GET {path} HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", Served),
    (
        "a request for h2c",
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
        Served,
    ),
    (
        "secrets in headers",
        "GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer hunter2\r\nCookie: a=hunter2\r\n\r\n",
        Served,
    ),
    ("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("OPTIONS *")),
    ("GET *", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("GET *")),
    ("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("CONNECT ")),
    ("TRACE", "TRACE /x HTTP/1.1\r\nHost: a\r\nX: hunter2\r\n\r\n", NotFound("TRACE /x")),
    ("PRI in HTTP/1.1", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("PRI *")),
    ("a verb in small letters", "get /x HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("get /x")),
    (
        "a verb that nobody knows",
        "LONGVERBLONGVERBLONGVERB /x HTTP/1.1\r\nHost: a\r\n\r\n",
        NotFound("LONGVERBLONGVERBLONGVERB /x"),
    ),
    ("dots in the path", "GET /x/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("GET /x/../../etc/passwd")),
    ("an encoded path", "GET /%70ublish HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("GET /%70ublish")),
    ("markup in the path", "GET /<script> HTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("UTF-8 in the path", "GET /st\u{e4}tus HTTP/1.1\r\nHost: a\r\n\r\n", NotFound("GET /st%C3%A4tus")),
    ("HTTP/2 out of the blue", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", Closed),
    ("HTTP/2.0", "GET {path} HTTP/2.0\r\nHost: a\r\n\r\n", BadHead),
    ("HTTP/3", "GET {path} HTTP/3\r\nHost: a\r\n\r\n", BadHead),
    ("HTTP/1.2", "GET {path} HTTP/1.2\r\nHost: a\r\n\r\n", BadHead),
    ("HTTP/1.10", "GET {path} HTTP/1.10\r\nHost: a\r\n\r\n", BadHead),
    ("HTTP/0.9", "GET {path}\r\n\r\n", BadHead),
    ("http in small letters", "GET {path} http/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("two blanks in the request line", "GET  {path} HTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("tabs in the request line", "GET\t{path}\tHTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("a blank in the path", "GET {path} x HTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("a verb that is no token", "G@T {path} HTTP/1.1\r\nHost: a\r\n\r\n", BadHead),
    ("TLS on a plain port", "\x16\x03\x01\x02\0\x01\0\x01", BadHead),
    ("a header of a mebibyte", "GET {path} HTTP/1.1\r\nHost: a\r\nX: {big}\r\n\r\n", TooLargeHead),
    ("a name of a mebibyte", "GET {path} HTTP/1.1\r\nHost: a\r\n{big}: y\r\n\r\n", TooLargeHead),
    ("a path of a mebibyte", "GET /{big} HTTP/1.1\r\nHost: a\r\n\r\n", TooLargeHead),
    ("a query of a mebibyte", "GET {path}?{big} HTTP/1.1\r\nHost: a\r\n\r\n", TooLargeHead),
    ("a verb of a mebibyte", "{big} {path} HTTP/1.1\r\nHost: a\r\n\r\n", TooLargeHead),
];

pub(super) fn cases() -> Vec<Case> {
    let ports = [(Port::Producer, "/status"), (Port::Consumer, "/socket.io/")];
    let both = CASES.iter().flat_map(|(name, input, outcome)| {
        ports.map(|(port, path)| {
            let input = input.replace("{path}", path).replace("{big}", &"x".repeat(1 << 20));
            Case::new(name, port, input, on(port, *outcome))
        })
    });
    both.chain(ports.into_iter().flat_map(|(port, path)| special(port, path))).collect()
}

fn on(port: Port, outcome: Outcome) -> Expected {
    match outcome {
        Served if port == Port::Producer => Expected::kept(200, "OK"),
        Served => Expected::kept(400, TRANSPORT_UNKNOWN),
        NotFound(line) => Expected::kept(404, page(line)),
        BadHead => Expected::refused(400, ""),
        TooLargeHead => Expected::refused(431, ""),
        Closed => Expected::closed(),
    }
}

/// Inputs that are bytes rather than text, or many.
fn special(port: Port, path: &str) -> Vec<Case> {
    let get = |headers: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
    let many = |count: usize| (0..count).map(|index| format!("x{index}: y\r\n")).collect::<String>();
    let mut pipeline = Expected::kept(404, page("GET /x"));
    pipeline.answers = vec![(404, page("GET /x")); 1_000];
    let mut cases = vec![
        Case::new("99 headers and Host", port, get(&many(99)), on(port, Served)),
        Case::new("100 headers and Host", port, get(&many(100)), on(port, TooLargeHead)),
        Case::new("2,100 headers", port, get(&many(2_100)), on(port, TooLargeHead)),
        Case::new("20,000 headers", port, get(&many(20_000)), on(port, TooLargeHead)),
        Case::new("a mebibyte of empty lines", port, "\r\n".repeat(1 << 19) + &get(""), on(port, TooLargeHead)),
        Case::new("Latin-1 in the path", port, b"GET /st\xe4tus HTTP/1.1\r\nHost: a\r\n\r\n", on(port, BadHead)),
        Case::new(
            "Latin-1 in a value",
            port,
            [b"GET ", path.as_bytes(), b" HTTP/1.1\r\nHost: \xe4\r\n\r\n"].concat(),
            on(port, Served),
        ),
        Case::new(
            "bytes that are no request behind one",
            port,
            get("") + "\0\x01\x02",
            on(port, Served).and_then(400, ""),
        ),
        Case::new("1,000 requests at once", port, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000), pipeline),
        Case::new("nothing", port, "", Expected::closed()).ending(),
        Case::new("half a head", port, "GET /x HTTP/1.1\r\nHost", Expected::closed()).ending(),
    ];
    if port == Port::Producer {
        let publish = format!(
            "POST /publish HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: {}\n\n{BODY}",
            BODY.len()
        );
        cases.push(Case::new(
            "a publish whose lines end with LF",
            port,
            publish.clone(),
            Expected::kept(200, "OK").hearing(HEARD),
        ));
        let mut many =
            Expected { then: Then::Kept, answers: vec![(400, "BAD REQUEST".to_owned()); 1_000], heard: Vec::new() };
        many.answers.push((200, "OK".to_owned()));
        let refused =
            "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                .repeat(1_000);
        cases.push(Case::new(
            "1,000 publishes that are refused before one that is not",
            port,
            refused + &publish,
            many.hearing(HEARD),
        ));
    }
    cases
}
