//! The old route, and vrchats' statuses: what they change, and what they leave as it is.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_root_publishes_and_tells_the_status_where_it_is_asked_to() {
    let bench = Bench::with(None, Config { has_legacy_route: true, ..CONFIG });
    let body = r#"{"uuid":"a","n":1.0}"#;
    let root = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(bench.talk(root.replace("POST / ", "POST /?x=1 ")).await.one(), (200, "OK", true));
    assert_eq!(bench.talk(json(body)).await.one(), (200, "OK", true));
    assert_eq!(bench.emitted(), [r#"{"n":1.0}"#; 2]);
    assert_eq!(bench.talk(request("GET /")).await.one(), (200, "OK", true));
    assert_eq!(bench.talk(request("GET http://x")).await.one(), (200, "OK", true));
    assert_eq!(bench.talk(request("HEAD /")).await.one(), (200, "", true));
    let heard = bench.talk(request("OPTIONS /")).await;
    assert_eq!((heard.one(), heard.header("allow")), ((200, "GET,HEAD,POST", true), Some("GET,HEAD,POST")));
    assert_eq!(bench.talk(request("PUT /")).await.one().0, 404);
    assert_eq!(bench.talk_from(UNTRUSTED, request("GET /").as_bytes()).await.one(), (403, "FORBIDDEN", true));
    assert_eq!(bench.talk(root.replace(r#""a""#, "555")).await.one(), (400, "BAD REQUEST", true));
    assert_eq!(Bench::new().talk(root).await.one().0, 404);
    assert_eq!(bench.emitted().len(), 2);
}

/// Each refusal of a body: its status, and the one with vrchats' statuses.
fn refusals() -> Vec<(u16, u16, Vec<u8>)> {
    let typed = |lines: &str, body: &[u8]| post(&format!("Content-Type: application/json{lines}\r\n"), body);
    let good = br#"{"target_id":"a"}"#;
    let nested = format!(r#"{{"target_id":"a","x":{}{}}}"#, "[".repeat(128), "]".repeat(128));
    let cut = gzip(good);
    vec![
        // Malformed JSON, and what vrchats' strict parser takes for it.
        (400, 500, json("{")),
        (400, 500, json(r#"{"target_id":"a"}}"#)),
        (400, 500, json("[")),
        (400, 500, json(" ")),
        (400, 500, json("5")),
        (400, 500, json("null")),
        (400, 500, json(r#""a""#)),
        (400, 500, json(nested)),
        (400, 500, json(r#"{"target_id":"connect"}"#)),
        (400, 500, typed("\r\nContent-Encoding: gzip", &cut[..cut.len() - 1])),
        (413, 500, json(body_of(BODY_BYTES_MAX + 1))),
        (413, 500, typed("\r\nContent-Encoding: gzip", &gzip(body_of(BODY_BYTES_MAX + 1).as_bytes()))),
        (415, 500, typed("; charset=latin1", good)),
        (415, 500, typed("\r\nContent-Encoding: br", good)),
        // To vrchats, bodies without a target.
        (400, 400, json("")),
        (400, 400, json("[]")),
        (400, 400, json("{}")),
        (415, 400, post("", good)),
        (415, 400, post("Content-Type: text/plain\r\n", "{")),
        (415, 400, post("Content-Type: application/vnd.api+json\r\nContent-Encoding: br\r\n", good)),
        // Targets, and what vrchats takes and roomcast does not.
        (400, 400, json(r#"{"target_id":"a\u0000"}"#)),
        (400, 400, json(r#"{"target_id":["a"]}"#)),
        (400, 400, json(b"{\"target_id\":\"a\",\"x\":\"\xff\"}")),
        (404, 404, request("GET /nope").into_bytes()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_refusal_has_the_status_of_vrchats_where_it_is_asked_for_and_emits_nothing_all_the_same() {
    let quirky = Bench::with(None, Config { has_legacy_statuses: true, ..CONFIG });
    let plain = Bench::new();
    for (status, legacy_status, sent) in refusals() {
        let shown = String::from_utf8_lossy(&sent).into_owned();
        for (bench, status) in [(&plain, status), (&quirky, legacy_status)] {
            // On the same connection, a publish that is taken.
            let heard = bench.talk([sent.clone(), json(r#"{"target_id":"a","good":1}"#)].concat()).await;
            assert_eq!((heard.statuses(), heard.closed), (vec![status, 200], false), "{shown:.300}");
            if status == 500 {
                assert!(heard.text.contains("\r\n\r\nINTERNAL SERVER ERRORHTTP/1.1 200 OK"), "{}", heard.text);
                assert_eq!(heard.header("etag"), Some(r#"W/"15-vuWIZDC/qEBXXsOYai2QOmayB8w""#));
            }
        }
    }
    let count = refusals().len();
    assert_eq!(quirky.emitted(), vec![r#"{"good":1}"#; count]);
    let causes = [Cause::InvalidBody, Cause::InvalidTarget, Cause::BodyTooLarge, Cause::UnsupportedMedia];
    assert_eq!(causes.map(|cause| quirky.refused(cause)), causes.map(|cause| plain.refused(cause)));
}

#[tokio::test(start_paused = true)]
async fn vrchats_statuses_come_after_the_address_and_leave_waits_as_they_are() {
    let bench = Bench::with(NonZeroU32::new(1), Config { has_legacy_statuses: true, ..CONFIG });
    assert_eq!(bench.talk_from(UNTRUSTED, &json("{")).await.one(), (403, "FORBIDDEN", false));
    let sent = json(r#"{"target_id":"a"}"#);
    assert_eq!(bench.talk(&sent[..sent.len() - 1]).await.one(), (408, "REQUEST TIMEOUT", false));
    let limited = bench.talk(json("{").repeat(20)).await.statuses();
    assert!(limited.contains(&429) && limited.iter().all(|status| [429, 500].contains(status)), "{limited:?}");
    bench.producer.stopping.cancel();
    assert_eq!(bench.talk(json("{")).await.one().0, 503);
    assert_eq!(bench.emitted(), Vec::<String>::new());
}
