//! Publishers: address, origin and rate, in this order.

use super::*;

#[test]
fn an_address_outside_the_list_is_refused_and_an_empty_list_refuses_all() {
    let house = House::new(config());
    assert_eq!(house.gate.publisher(peer("1.2.3.4"), &HeaderMap::new()), Ok(client("1.2.3.4")));
    let refusal = house.gate.publisher(peer("1.2.4.4"), &HeaderMap::new()).unwrap_err();
    assert_eq!((refusal, refusal.status().as_u16()), (Refusal::lasting(Cause::UntrustedAddress), 403));
    let closed = House::new(Config { publishers: CidrList::default(), ..config() });
    assert!(closed.gate.publisher(peer("1.2.3.4"), &HeaderMap::new()).is_err());
}

#[test]
fn a_foreign_origin_may_not_publish_and_no_origin_may() {
    let house = House::new(config());
    let from = |origin: &str| house.gate.publisher(peer("1.2.3.4"), &headers(&[("origin", origin)]));
    assert_eq!(from("https://example.com"), Ok(client("1.2.3.4")));
    assert_eq!(from("https://evil.example"), Err(Refusal::lasting(Cause::ForeignOrigin)));
    assert_eq!(from("null"), Err(Refusal::lasting(Cause::ForeignOrigin)));
    assert_eq!(house.refusals(Cause::ForeignOrigin), 2);
}

#[test]
fn the_address_is_judged_before_the_origin_and_both_before_the_rate() {
    let house = House::new(Config { publishes_per_second: Some(number(1)), ..config() });
    let foreign = headers(&[("origin", "https://evil.example")]);
    for _ in 0..3 {
        assert_eq!(house.gate.publisher(peer("9.9.9.9"), &foreign).unwrap_err().cause, Cause::UntrustedAddress);
        assert_eq!(house.gate.publisher(peer("1.2.3.4"), &foreign).unwrap_err().cause, Cause::ForeignOrigin);
    }
    assert!(house.gate.publisher(peer("1.2.3.4"), &HeaderMap::new()).is_ok(), "refusals cost nothing");
}

#[test]
fn each_address_publishes_at_its_rate() {
    let house = House::new(Config { publishes_per_second: Some(number(10)), ..limited("1.2.3.4") });
    let publish = |ip| house.gate.publish(client(ip));
    assert_eq!((0..50).filter(|_| publish("1.2.3.4").is_ok()).count(), 10);
    let refusal = publish("1.2.3.4").unwrap_err();
    assert_eq!(refusal, Refusal::passing(Cause::PublishRate, Duration::from_millis(100)));
    assert_eq!((refusal.status().as_u16(), refusal.retry_after_secs()), (429, Some(1)));
    assert!(publish("1.2.3.5").is_ok());
    house.rate_clock.advance(Duration::from_millis(100));
    assert!(publish("1.2.3.4").is_ok());
    assert_eq!(house.refusals(Cause::PublishRate), 41);
}

#[test]
fn refusals_are_logged_as_vrchats_logs_them() {
    let direct = House::new(Config { publishes_per_second: Some(number(1)), ..config() });
    assert!(direct.gate.publish(client("1.2.3.4")).is_ok());
    assert!(logged(|| direct.gate.publish(client("1.2.3.4"))).contains("rate limit block"));
    let proxied = House::new(Config { proxy: behind(ProxyHeader::XForwardedFor), ..config() });
    let message = |house: &House, ip: &str, lines: &[(&str, &str)]| {
        let log = logged(|| house.gate.publisher(peer(ip), &headers(lines)));
        let line: Value = serde_json::from_str(log.trim()).unwrap();
        let fields = line["fields"].clone();
        (fields["message"].as_str().unwrap().to_owned(), fields)
    };
    let (text, fields) = message(&direct, "9.9.9.9", &[]);
    assert_eq!((text.as_str(), &fields["remoteIp"]), ("untrusted ip", &json!("9.9.9.9")));
    let (text, fields) = message(&direct, "1.2.3.4", &[("origin", "https://evil.example")]);
    assert_eq!((text.as_str(), &fields["origin"]), ("foreign origin", &json!("https://evil.example")));
    assert_eq!(message(&proxied, "127.0.0.1", &[]).0, "invalid proxy_ip or ip");
    assert_eq!(message(&proxied, "9.9.9.9", &[]).0, "untrusted proxy_ip or ip");
    let (text, fields) = message(&proxied, "127.0.0.1", &[("x-forwarded-for", "9.9.9.9")]);
    assert_eq!(text, "untrusted proxy_ip or ip");
    assert_eq!((&fields["remoteIp"], &fields["forwardedIp"]), (&json!("127.0.0.1"), &json!("9.9.9.9")));
}

#[test]
fn a_long_origin_does_not_fill_the_log() {
    let house = House::new(config());
    let long = format!("https://{}", "x".repeat(10_000));
    let log = logged(|| house.gate.browser(peer("9.9.9.9"), &headers(&[("origin", &long)])));
    assert!(log.contains("https://xxx") && log.len() < 500, "{}", log.len());
}
