//! The API over a real HTTP/1 connection: every row of good and bad input, and what the connection does afterwards.

mod bench;
mod legacy;

use std::io::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::*;
use crate::types::Cause;
use bench::{BODY_BYTES_MAX, Bench, CONFIG, Log, TRUSTED, UNTRUSTED, body_of, gzip, json, post, request};

#[test]
fn paths_are_matched_as_express_does() {
    let (today, legacy) = (CONFIG, Config { has_legacy_route: true, ..CONFIG });
    for path in ["/publish", "/PUBLISH", "/Publish/", "/status", "/sTaTuS/"] {
        assert!(today.serves(path) && legacy.serves(path), "{path}");
    }
    for path in
        ["", "*", "//", "//publish", "/publish//", "publish", "/publish/x", "/publishx", "/%70ublish", "/socket.io/"]
    {
        assert!(!today.serves(path) && !legacy.serves(path), "{path}");
    }
    assert!(legacy.serves("/") && !today.serves("/"));
}

#[tokio::test(start_paused = true)]
async fn a_publish_is_answered_as_vrchats_does() {
    let bench = Bench::new();
    let heard = bench.talk(json(r#"{"target_id":"a","n":1.0}"#)).await;
    assert_eq!(heard.one(), (200, "OK", true));
    assert_eq!(heard.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(heard.header("content-length"), Some("2"));
    assert_eq!(heard.header("etag"), Some(r#"W/"2-nOO9QiTIwXgNtWtBJezz8kv3SLc""#));
    assert_eq!(heard.header("x-powered-by"), None);
    assert_eq!(bench.emitted(), [r#"{"n":1.0}"#]);
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_was_taken_is_told_how_many_receive_it() {
    let bench = Bench::new();
    for (body, receivers) in
        [(r#"{"target_id":"a"}"#, Some("1")), (r#"{"target_id":"b"}"#, Some("0")), (r#"{"target_id":5}"#, None)]
    {
        assert_eq!(bench.talk(json(body)).await.header("x-receivers"), receivers, "{body}");
    }
    assert_eq!(bench.talk(request("GET /status")).await.header("x-receivers"), None);
}

#[tokio::test(start_paused = true)]
async fn a_publish_is_503_while_too_many_events_wait() {
    let bench = Bench::with(None, Config { body_bytes_max: 32 << 20, ..CONFIG });
    let large = json(body_of((32 << 20) - 1024));
    assert_eq!(bench.talk(&large).await.one(), (200, "OK", true));
    assert_eq!(bench.talk(&large).await.one(), (200, "OK", true));
    let heard = bench.talk(&large).await;
    assert_eq!(heard.one(), (503, "SERVICE UNAVAILABLE", true));
    assert_eq!((heard.header("retry-after"), heard.header("x-receivers")), (Some("1"), None));
    assert_eq!(bench.refused(Cause::Overloaded), 1);
    assert_eq!(bench.emitted().len(), 2);
    assert_eq!(bench.talk(&large).await.one(), (200, "OK", true), "the events that waited are sent");
}

#[tokio::test(start_paused = true)]
async fn status_answers_get_and_head() {
    let bench = Bench::new();
    for line in ["GET /status", "GET /Status/?x=1", "GET http://x/STATUS"] {
        assert_eq!(bench.talk(request(line)).await.one(), (200, "OK", true), "{line}");
    }
    let heard = bench.talk(request("HEAD /status")).await;
    assert_eq!(heard.one(), (200, "", true));
    assert_eq!(heard.header("content-length"), Some("2"));
    let known = "GET /status HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"2-nOO9QiTIwXgNtWtBJezz8kv3SLc\"\r\n\r\n";
    let heard = bench.talk(known).await;
    assert_eq!(heard.one(), (304, "", true));
    assert_eq!((heard.header("content-length"), heard.header("transfer-encoding")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn other_paths_and_verbs_are_express_page() {
    let bench = Bench::new();
    for line in ["GET /publish", "DELETE /publish", "PUT /publish", "POST /status", "GET /", "GET //status", "BREW /x"]
    {
        let heard = bench.talk(request(line)).await;
        let (status, page, kept) = heard.one();
        assert_eq!((status, kept), (404, true), "{line}");
        assert!(page.contains(&format!("<pre>Cannot {line}</pre>")), "{page}");
        assert_eq!(heard.header("content-security-policy"), Some("default-src 'none'"));
    }
    assert_eq!(bench.talk(request("HEAD /nope")).await.one(), (404, "", true));
    assert_eq!(bench.refused(Cause::NotFound), 8);
}

#[tokio::test(start_paused = true)]
async fn options_tells_the_verbs() {
    let bench = Bench::new();
    for (line, allow) in [("OPTIONS /publish", "POST"), ("OPTIONS /STATUS/", "GET,HEAD")] {
        let heard = bench.talk(request(line)).await;
        assert_eq!(heard.one(), (200, allow, true));
        assert_eq!(heard.header("allow"), Some(allow));
        assert_eq!(heard.header("access-control-allow-origin"), None);
    }
    let heard = bench.talk(request("OPTIONS /x")).await;
    assert_eq!(heard.one().0, 404);
    assert!(heard.text.contains("Cannot OPTIONS /x"));
    assert_eq!(bench.talk(request("OPTIONS *")).await.one().0, 404);
}

#[tokio::test(start_paused = true)]
async fn an_untrusted_peer_is_refused_before_its_body_is_read() {
    let bench = Bench::new();
    // No byte of the body is sent: whoever waited for one would not answer.
    let waiting = "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n";
    let started = Instant::now();
    let heard = bench.talk_from(UNTRUSTED, waiting.as_bytes()).await;
    assert_eq!(heard.one(), (403, "FORBIDDEN", false));
    assert_eq!(started.elapsed(), Duration::ZERO);
    for line in ["GET /status", "OPTIONS /publish", "GET /nope"] {
        let heard = bench.talk_from(UNTRUSTED, request(line).as_bytes()).await;
        assert_eq!(heard.one(), (403, "FORBIDDEN", true), "{line}");
    }
    assert_eq!(heard.header("etag"), Some(r#"W/"9-pM/WUZBosidgidXDj9h+v093/Vs""#));
    assert_eq!(bench.talk_from(UNTRUSTED, &json("{")).await.one().0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_refused_publish_leaves_the_connection_to_the_next_one() {
    let bench = Bench::new();
    let bad: [(u16, Vec<u8>); 10] = [
        (400, json("{")),
        (400, json("")),
        (400, json(r#"{"target_id":5}"#)),
        (400, json(b"{\"target_id\":\"a\",\"x\":\"\xff\"}")),
        (400, post("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "not gzip")),
        (413, json(body_of(BODY_BYTES_MAX + 1))),
        (415, post("", r#"{"target_id":"a"}"#)),
        (415, post("Content-Type: application/json; charset=latin1\r\n", r#"{"target_id":"a"}"#)),
        (415, post("Content-Type: application/json\r\nContent-Encoding: br\r\n", r#"{"target_id":"a"}"#)),
        (404, request("GET /nope").into_bytes()),
    ];
    let mut pipeline = Vec::new();
    let mut expected = Vec::new();
    for (status, sent) in bad {
        pipeline.extend(sent);
        pipeline.extend(json(r#"{"target_id":"a","good":1}"#));
        expected.extend([status, 200]);
    }
    let heard = bench.talk(pipeline).await;
    assert_eq!(heard.statuses(), expected);
    assert!(!heard.closed);
    assert_eq!(bench.emitted(), [r#"{"good":1}"#; 10]);
    let causes = [Cause::InvalidBody, Cause::InvalidTarget, Cause::BodyTooLarge, Cause::UnsupportedMedia];
    assert_eq!(causes.map(|cause| bench.refused(cause)), [4, 1, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_exact_with_and_without_a_length() {
    let bench = Bench::new();
    let chunked = |body: String| {
        let head =
            "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (first, second) = body.split_at(1);
        format!("{head}1\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len())
    };
    let (fits, over) = (body_of(BODY_BYTES_MAX), body_of(BODY_BYTES_MAX + 1));
    assert_eq!(bench.talk(json(&fits)).await.one(), (200, "OK", true));
    assert_eq!(bench.talk(chunked(fits)).await.one(), (200, "OK", true));
    assert_eq!(bench.talk(json(&over)).await.one(), (413, "PAYLOAD TOO LARGE", true));
    assert_eq!(bench.talk(chunked(over)).await.one(), (413, "PAYLOAD TOO LARGE", true));
    assert_eq!(bench.emitted().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_far_too_large_is_answered_and_the_connection_closed() {
    let bench = Bench::new();
    let announced = |bytes: u64, lines: &str| {
        let head = "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        format!("{head}Content-Length: {bytes}\r\n{lines}\r\n")
    };
    let started = Instant::now();
    let endless = bench.talk(announced(10_000_000_000, "")).await;
    assert_eq!(endless.one(), (413, "PAYLOAD TOO LARGE", false));
    let asked_first = bench.talk(announced(200_000, "Expect: 100-continue\r\n")).await;
    assert_eq!(asked_first.one(), (413, "PAYLOAD TOO LARGE", false));
    assert_eq!(started.elapsed(), Duration::ZERO);

    assert_eq!(bench.talk(json(body_of(1 << 20))).await.one(), (413, "PAYLOAD TOO LARGE", true));
    assert_eq!(bench.talk(json(body_of((1 << 20) + 1))).await.one(), (413, "PAYLOAD TOO LARGE", false));
    assert_eq!(bench.emitted(), Vec::<String>::new());
    assert_eq!(bench.refused(Cause::BodyTooLarge), 4);
}

#[tokio::test(start_paused = true)]
async fn compressed_bodies_are_inflated_within_the_limit() {
    let bench = Bench::new();
    let send = |encoding: &str, body: &[u8]| {
        post(&format!("Content-Type: application/json\r\nContent-Encoding: {encoding}\r\n"), body)
    };
    let body = body_of(BODY_BYTES_MAX);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(body.as_bytes()).unwrap();
    assert_eq!(bench.talk(send("gzip", &gzip(body.as_bytes()))).await.one().0, 200);
    assert_eq!(bench.talk(send("Deflate", &zlib.finish().unwrap())).await.one().0, 200);
    assert_eq!(bench.talk(send("identity", br#"{"target_id":"a"}"#)).await.one().0, 200);
    assert_eq!(bench.emitted().len(), 3);

    let over = gzip(body_of(BODY_BYTES_MAX + 1).as_bytes());
    assert_eq!(bench.talk(send("gzip", &over)).await.one(), (413, "PAYLOAD TOO LARGE", true));
    let bomb = gzip(&vec![b' '; 10 << 20]);
    assert_eq!(bench.talk(send("gzip", &bomb)).await.one(), (413, "PAYLOAD TOO LARGE", true));
    assert_eq!(bench.talk(send("gzip", &bomb.repeat(1_000))).await.one().0, 413);
    let whole = gzip(br#"{"target_id":"a"}"#);
    assert_eq!(bench.talk(send("gzip", &whole[..whole.len() - 1])).await.one(), (400, "BAD REQUEST", true));
    assert_eq!(bench.talk(send("gzip, gzip", &gzip(&over))).await.one().0, 415);
    assert_eq!(bench.emitted().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up_after_30_s() {
    let bench = Bench::new();
    let sent = json(r#"{"target_id":"a"}"#);
    let started = Instant::now();
    let heard = bench.talk(&sent[..sent.len() - 1]).await;
    assert_eq!(heard.one(), (408, "REQUEST TIMEOUT", false));
    assert_eq!(started.elapsed(), body::BODY_TIME_MAX);
    assert_eq!(bench.refused(Cause::BodyTimeout), 1);
    assert_eq!(bench.emitted(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_body_whose_chunks_are_malformed_emits_nothing() {
    let bench = Bench::new();
    let head =
        "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in
        ["11\r\n{\"target_id\":\"a\"}x", "zz\r\n", "fffffffffffffffff\r\n", "11\r\n{\"target_id\":\"a\"}\r\n-1\r\n"]
    {
        let heard = bench.talk(format!("{head}{chunks}")).await;
        assert_eq!(heard.one(), (400, "BAD REQUEST", false), "{chunks}");
    }
    assert_eq!(bench.emitted(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_body_in_other_codings_than_chunks_alone_is_not_read_and_nothing_after_it() {
    let bench = Bench::new();
    let chunks = "11\r\n{\"target_id\":\"a\"}\r\n0\r\n\r\n";
    let after = String::from_utf8(json(r#"{"target_id":"a"}"#)).unwrap();
    for line in ["POST /publish", "GET /status", "GET /nope"] {
        for codings in ["chunked, chunked", "gzip, chunked", "chunked\r\nTransfer-Encoding: chunked", ", chunked"] {
            let head = format!("{line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
            let heard = bench.talk(format!("{head}Transfer-Encoding: {codings}\r\n\r\n{chunks}{after}")).await;
            assert_eq!(heard.one(), (400, "BAD REQUEST", false), "{line} {codings}");
        }
    }
    assert_eq!(bench.emitted(), Vec::<String>::new());
    assert_eq!(bench.refused(Cause::InvalidBody), 12);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_continue_and_does_not_is_given_up_after_30_s() {
    let bench = Bench::new();
    let head = "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n";
    let started = Instant::now();
    let heard = bench.talk(format!("{head}Expect: 100-continue\r\n\r\n")).await;
    assert_eq!((heard.statuses(), heard.closed), (vec![100, 408], true), "{}", heard.text);
    assert_eq!(started.elapsed(), body::BODY_TIME_MAX);
    assert_eq!(bench.refused(Cause::BodyTimeout), 1);
    assert_eq!(bench.emitted(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_body_of_chunks_that_never_ends_is_given_up_after_30_s() {
    let bench = Bench::new();
    let (mut client, server) = tokio::io::duplex(4_096);
    let server = bench.serve(PeerAddr::new(TRUSTED.parse().unwrap()), server);
    let started = Instant::now();
    let dribble = async {
        let head = "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        client.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
        while client.write_all(b"1\r\n \r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let (_, ()) = tokio::join!(async { drop(server.await) }, dribble);
    assert!(started.elapsed() <= body::BODY_TIME_MAX + Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(bench.refused(Cause::BodyTimeout), 1);
    assert_eq!(bench.emitted(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_is_cut_off_emits_nothing() {
    let bench = Bench::new();
    let sent = json(r#"{"target_id":"a"}"#);
    for cut in 0..sent.len() {
        let (mut client, server) = tokio::io::duplex(4_096);
        client.write_all(&sent[..cut]).await.unwrap();
        drop(client);
        let _ = bench.serve(PeerAddr::new(TRUSTED.parse().unwrap()), server).await;
    }
    assert_eq!(bench.emitted(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_only_for_who_wants_it() {
    let bench = Bench::new();
    let close = "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(bench.talk(close).await.one(), (200, "OK", false));
    let old = bench.talk("GET /status HTTP/1.0\r\n\r\n").await;
    assert!(old.closed && old.text.starts_with("HTTP/1.0 200 OK"), "{}", old.text);
    let old = bench.talk("GET /status HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    assert_eq!((old.closed, old.header("keep-alive")), (false, Some("timeout=75")));
}

#[tokio::test(start_paused = true)]
async fn publishes_over_the_rate_are_told_when_to_come_back() {
    let bench = Bench::limited(NonZeroU32::new(1));
    let heard = bench.talk(json(r#"{"target_id":"a"}"#).repeat(20)).await;
    let statuses = heard.statuses();
    assert_eq!((statuses.len(), statuses[0], statuses[19]), (20, 200, 429));
    let refusal = heard.text.split("HTTP/1.1 ").find(|answer| answer.starts_with("429")).unwrap();
    assert!(refusal.ends_with("\r\n\r\nTOO MANY REQUESTS"), "{refusal}");
    let wait = refusal.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!(wait.parse::<u64>().unwrap() >= 1);
    assert_eq!(bench.refused(Cause::PublishRate), statuses.iter().filter(|status| **status == 429).count() as u64);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_logged_in_vrchats_words_and_without_the_body() {
    let bench = Bench::new();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(log.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    bench.talk(json(r#"{"target_id":5,"x":"hunter2"}"#)).await;
    bench.talk(json(r#""hunter2"#)).await;
    bench.talk(json(r#"{"target_id":"a","x":"hunter2"}"#)).await;
    bench.talk(request("GET /hunter2")).await;
    drop(logging);
    let lines = log.lines();
    let said =
        lines.iter().map(|line| ["message", "remoteIp", "cause", "error"].map(|key| line[key].as_str().unwrap()));
    let [first, second] = [
        ["Invalid req.body.id", "192.0.2.7", "invalid_target", "target_id is not a string"],
        ["req/res error", "192.0.2.7", "invalid_body", "the body is neither a JSON object nor an array"],
    ];
    assert_eq!(said.collect::<Vec<_>>(), [first, second]);
    assert!(!lines.iter().any(|line| line.to_string().contains("hunter2")));
}
