//! The proxy rows: vrchats' answers as they were measured, and ours where we differ on purpose.

use super::*;

/// Headers, vrchats' answer, and ours for each setting of the header: 200, or 403 with its cause.
type Row = (&'static [(&'static str, &'static str)], u16, [Result<&'static str, Cause>; 2]);

const UNTRUSTED: Result<&str, Cause> = Err(Cause::UntrustedAddress);
const UNREADABLE: Result<&str, Cause> = Err(Cause::UnreadableAddress);
const XFF: &str = "X-Forwarded-For";
const CF: &str = "CF-Connecting-IP";

/// Trusted proxies 127.0.0.0/8, publishers 1.2.3.0/24 and 2001:db8::/32. Ours: by X-Forwarded-For, by CF-Connecting-IP.
const ROWS: [Row; 17] = [
    (&[], 403, [UNREADABLE, UNREADABLE]),
    (&[(XFF, "1.2.3.4")], 200, [Ok("1.2.3.4"), UNREADABLE]),
    (&[(XFF, "9.9.9.9")], 403, [UNTRUSTED, UNREADABLE]),
    // vrchats takes the whole list for an address.
    (&[(XFF, "1.2.3.4, 127.0.0.1")], 403, [Ok("1.2.3.4"), UNREADABLE]),
    (&[(XFF, "1.2.3.4"), (XFF, "127.0.0.1")], 403, [Ok("1.2.3.4"), UNREADABLE]),
    // What stands left of the first stranger is the stranger's own word.
    (&[(XFF, "1.2.3.4, 9.9.9.9")], 403, [UNTRUSTED, UNREADABLE]),
    (&[(XFF, "1.2.3.4, 9.9.9.9, 127.0.0.1")], 403, [UNTRUSTED, UNREADABLE]),
    // vrchats believes CF-Connecting-IP whoever sends it; one header counts, and it is chosen.
    (&[(CF, "1.2.3.4"), (XFF, "9.9.9.9")], 200, [UNTRUSTED, Ok("1.2.3.4")]),
    (&[(CF, "9.9.9.9"), (XFF, "1.2.3.4")], 403, [Ok("1.2.3.4"), UNTRUSTED]),
    (&[(CF, "1.2.3.4")], 200, [UNREADABLE, Ok("1.2.3.4")]),
    (&[(XFF, "2001:db8::5")], 200, [Ok("2001:db8::5"), UNREADABLE]),
    // vrchats does not unmap.
    (&[(XFF, "::ffff:1.2.3.4")], 403, [Ok("1.2.3.4"), UNREADABLE]),
    (&[(XFF, "::ffff:9.9.9.9")], 403, [UNTRUSTED, UNREADABLE]),
    (&[(XFF, "garbage")], 403, [UNREADABLE, UNREADABLE]),
    // 16909060 is 1.2.3.4 as a decimal number, which vrchats lets in.
    (&[(XFF, "16909060")], 200, [UNREADABLE, UNREADABLE]),
    (&[(XFF, "01.2.3.4")], 200, [UNREADABLE, UNREADABLE]),
    (&[(XFF, "")], 403, [UNREADABLE, UNREADABLE]),
];

#[test]
fn v_20_v_21_the_rows_of_the_producer() {
    for (at, header) in [ProxyHeader::XForwardedFor, ProxyHeader::CfConnectingIp].into_iter().enumerate() {
        for (lines, vrchats, ours) in ROWS {
            let house = House::new(Config { proxy: behind(header), ..config() });
            let found = house.gate.publisher(peer("127.0.0.1"), &headers(lines));
            match ours[at] {
                Ok(ip) => {
                    let expected =
                        Client { peer: peer("127.0.0.1"), addr: addr(ip), forwarded: Some(addr(ip)), limited: true };
                    assert_eq!(found, Ok(expected), "{header:?} {lines:?}, vrchats {vrchats}");
                    assert_eq!(house.all_refusals(), 0);
                }
                Err(cause) => {
                    assert_eq!(found, Err(Refusal::lasting(cause)), "{header:?} {lines:?}, vrchats {vrchats}");
                    assert_eq!((house.refusals(cause), house.all_refusals()), (1, 1));
                    assert_eq!(found.unwrap_err().status().as_u16(), 403);
                }
            }
        }
    }
}

#[test]
fn the_same_rows_on_the_consumer_refuse_nobody() {
    for (lines, _, [ours, _]) in ROWS {
        let house = House::new(Config { proxy: behind(ProxyHeader::XForwardedFor), ..config() });
        let found = house.gate.client(peer("127.0.0.1"), &headers(lines));
        if ours == UNREADABLE {
            // A header that says nothing counts as the proxy's own address; only one that is not there exempts.
            let is_there = lines.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"));
            let expected = Client { limited: is_there, ..client("127.0.0.1") };
            assert_eq!(found, expected, "{lines:?}");
        } else {
            assert!(found.limited && found.forwarded == Some(found.addr), "{lines:?}: {found:?}");
        }
        assert_eq!(house.all_refusals(), 0);
    }
}

#[test]
fn an_untrusted_peer_may_not_publish_through_headers_and_counts_as_itself_on_the_consumer() {
    let house = House::new(Config { proxy: behind(ProxyHeader::XForwardedFor), ..config() });
    for ip in ["9.9.9.9", "1.2.3.4"] {
        let headers = headers(&[(XFF, "1.2.3.4")]);
        let refusal = house.gate.publisher(peer(ip), &headers).unwrap_err();
        assert_eq!(refusal, Refusal::lasting(Cause::UntrustedAddress), "with a proxy, publishers come through it");
        assert_eq!(house.gate.client(peer(ip), &headers), client(ip));
    }
}

#[test]
fn without_a_proxy_no_header_counts() {
    let house = House::new(config());
    let forged = headers(&[(XFF, "1.2.3.4"), (CF, "1.2.3.4"), ("forwarded", "for=1.2.3.4")]);
    let refusal = house.gate.publisher(peer("9.9.9.9"), &forged).unwrap_err();
    assert_eq!(refusal.cause, Cause::UntrustedAddress);
    assert_eq!(house.gate.client(peer("9.9.9.9"), &forged), client("9.9.9.9"));
    assert_eq!(house.gate.publisher(peer("::ffff:1.2.3.4"), &forged), Ok(client("1.2.3.4")));
}

#[test]
fn a_proxy_without_a_header_is_warned_of_once_a_minute() {
    let house = House::new(Config { proxy: behind(ProxyHeader::XForwardedFor), ..config() });
    let lines = || {
        let log = logged(|| {
            for _ in 0..3 {
                house.gate.client(peer("127.0.0.1"), &HeaderMap::new());
            }
        });
        log.lines().count()
    };
    assert_eq!(lines(), 1);
    assert_eq!(lines(), 0);
    house.rate_clock.advance(Duration::from_secs(60));
    assert_eq!(lines(), 1);
}
