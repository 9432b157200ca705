//! The walk along proxies: forms of addresses, headers of several lines, and a naive model.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const TRUSTED: &str = "10.0.0.0/8,fd00::/8";

fn proxy(header: ProxyHeader) -> ProxyConfig {
    ProxyConfig { trusted: CidrList::parse(TRUSTED).unwrap().list, header }
}

fn peer(ip: &str) -> PeerAddr {
    PeerAddr::new(SocketAddr::new(ip.parse().unwrap(), 40_000))
}

fn client(ip: &str) -> ClientAddr {
    ClientAddr::new(ip.parse().unwrap())
}

fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (name.parse().unwrap(), HeaderValue::from_bytes(line.as_bytes()).unwrap())).collect()
}

fn found(header: ProxyHeader, lines: &[&str]) -> Origination {
    origination(peer("10.0.0.1"), &headers(header.name(), lines), Some(&proxy(header)))
}

#[test]
fn without_a_proxy_the_peer_counts_and_headers_do_not() {
    let headers = headers("x-forwarded-for", &["1.2.3.4"]);
    assert_eq!(origination(peer("::ffff:192.0.2.1"), &headers, None), Origination::Peer(client("192.0.2.1")));
}

#[test]
fn a_peer_that_is_no_trusted_proxy_is_not_believed() {
    let headers = headers("x-forwarded-for", &["1.2.3.4"]);
    let config = proxy(ProxyHeader::XForwardedFor);
    assert_eq!(origination(peer("192.0.2.1"), &headers, Some(&config)), Origination::UntrustedProxy);
    let mapped = peer("::ffff:10.0.0.1");
    assert_eq!(origination(mapped, &headers, Some(&config)), Origination::Forwarded(client("1.2.3.4")));
}

#[test]
fn the_right_most_element_that_is_no_proxy_counts() {
    let rows: [(&[&str], &str); 9] = [
        (&["1.2.3.4"], "1.2.3.4"),
        (&["1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        (&["6.6.6.6, 1.2.3.4,10.0.0.2 , 10.0.0.3"], "1.2.3.4"),
        (&["6.6.6.6", "1.2.3.4", "10.0.0.2"], "1.2.3.4"),
        (&["6.6.6.6, 1.2.3.4", "fd00::1, 10.0.0.2"], "1.2.3.4"),
        (&["10.0.0.9, 10.0.0.2", "10.0.0.3"], "10.0.0.9"),
        (&["2001:db8::5"], "2001:db8::5"),
        (&["::ffff:1.2.3.4"], "1.2.3.4"),
        (&["1.2.3.4, ::ffff:10.0.0.2"], "1.2.3.4"),
    ];
    for (lines, expected) in rows {
        assert_eq!(found(ProxyHeader::XForwardedFor, lines), Origination::Forwarded(client(expected)), "{lines:?}");
    }
}

#[test]
fn ports_and_brackets_are_cut() {
    for element in ["2001:db8::5", "[2001:db8::5]", "[2001:db8::5]:443", " \t[2001:db8::5]:443 "] {
        let found = found(ProxyHeader::XForwardedFor, &[element]);
        assert_eq!(found, Origination::Forwarded(client("2001:db8::5")), "{element}");
    }
    let with_port = found(ProxyHeader::XForwardedFor, &["1.2.3.4:5678, 10.0.0.2:80"]);
    assert_eq!(with_port, Origination::Forwarded(client("1.2.3.4")));
}

#[test]
fn what_is_no_address_is_unreadable() {
    let forms = [
        "",
        " ",
        "unknown",
        "_hidden",
        "010.0.0.1",
        "2130706433",
        "0x7f.0.0.1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "fe80::1%eth0",
        "[fe80::1%1]:80",
        "[1.2.3.4]",
        "1.2.3.4:",
        "1.2.3.4:99999",
        "1.2.3.4:_x",
        "1.2.3.4/32",
        "\"1.2.3.4\"",
        "1.2.3.4;5.6.7.8",
        "1.2.3.4 5.6.7.8",
        "for=1.2.3.4",
        "localhost",
        "\u{661}.2.3.4",
    ];
    for form in forms {
        assert_eq!(found(ProxyHeader::XForwardedFor, &[form]), Origination::Unreadable, "{form:?}");
        let before_a_proxy = format!("1.2.3.4,{form},10.0.0.2");
        assert_eq!(found(ProxyHeader::XForwardedFor, &[&before_a_proxy]), Origination::Unreadable, "{form:?}");
        let before_the_answer = format!("{form}, 1.2.3.4, 10.0.0.2");
        let answer = Origination::Forwarded(client("1.2.3.4"));
        assert_eq!(found(ProxyHeader::XForwardedFor, &[&before_the_answer]), answer, "{form:?}");
    }
    assert_eq!(found(ProxyHeader::XForwardedFor, &["1.2.3.4,"]), Origination::Unreadable);
    assert_eq!(found(ProxyHeader::XForwardedFor, &["1.2.3.4", ""]), Origination::Unreadable);
}

#[test]
fn only_the_chosen_header_counts() {
    for header in [ProxyHeader::XForwardedFor, ProxyHeader::CfConnectingIp, ProxyHeader::Forwarded] {
        let mut headers = headers("x-real-ip", &["1.2.3.4"]);
        for other in [ProxyHeader::XForwardedFor, ProxyHeader::CfConnectingIp, ProxyHeader::Forwarded] {
            if other != header {
                headers.insert(other.name(), HeaderValue::from_static("1.2.3.4"));
            }
        }
        assert_eq!(origination(peer("10.0.0.1"), &headers, Some(&proxy(header))), Origination::Missing, "{header:?}");
    }
}

#[test]
fn cf_connecting_ip_is_one_line_with_one_address() {
    let found = |lines: &[&str]| found(ProxyHeader::CfConnectingIp, lines);
    assert_eq!(found(&["1.2.3.4"]), Origination::Forwarded(client("1.2.3.4")));
    assert_eq!(found(&["10.0.0.7"]), Origination::Forwarded(client("10.0.0.7")));
    for lines in [&["1.2.3.4", "1.2.3.4"][..], &["1.2.3.4, 5.6.7.8"], &[""], &["unknown"]] {
        assert_eq!(found(lines), Origination::Unreadable, "{lines:?}");
    }
}

#[test]
fn forwarded_is_read_by_its_for_parameters() {
    let rows: [(&[&str], &str); 10] = [
        (&["for=1.2.3.4"], "1.2.3.4"),
        (&["For=\"[2001:db8::1]:4711\""], "2001:db8::1"),
        (&["for=\"[2001:db8::1]\";proto=https;by=10.0.0.1"], "2001:db8::1"),
        (&["proto=http ; FOR = \"1.2.3.4:80\" ;by=unknown"], "1.2.3.4"),
        (&["for=6.6.6.6, for=1.2.3.4;by=10.0.0.2, for=10.0.0.2"], "1.2.3.4"),
        (&["for=6.6.6.6", "for=1.2.3.4", "for=10.0.0.2;proto=https"], "1.2.3.4"),
        (&["for=1.2.3.4;ext=\"a,for=6.6.6.6;\\\"b\""], "1.2.3.4"),
        (&["for=10.0.0.9, for=10.0.0.2"], "10.0.0.9"),
        (&["for=unknown, for=1.2.3.4"], "1.2.3.4"),
        (&["for=1.2.3.4;"], "1.2.3.4"),
    ];
    for (lines, expected) in rows {
        assert_eq!(found(ProxyHeader::Forwarded, lines), Origination::Forwarded(client(expected)), "{lines:?}");
    }
}

#[test]
fn an_element_of_forwarded_without_one_address_is_unreadable() {
    let elements = [
        "by=10.0.0.1",
        "for=unknown",
        "for=_hidden",
        "for=",
        "for",
        "for=\"1.2.3.4",
        "for=1.2.3.4;for=1.2.3.4",
        "1.2.3.4",
        "for=\"\\1.2.3.4\"",
        "for=1.2.3.4:_port",
        "",
        "xfor=1.2.3.4",
    ];
    for element in elements {
        assert_eq!(found(ProxyHeader::Forwarded, &[element]), Origination::Unreadable, "{element}");
    }
}

#[test]
fn a_quote_that_the_client_left_open_swallows_nothing_that_proxies_wrote() {
    for forged in ["for=\"", "for=\"6.6.6.6", "for=6.6.6.6;ext=\"\\\"", "\""] {
        let line = format!("{forged}, for=1.2.3.4, for=10.0.0.2");
        assert_eq!(found(ProxyHeader::Forwarded, &[&line]), Origination::Forwarded(client("1.2.3.4")), "{forged}");
    }
}

#[test]
fn a_chain_without_end_is_unreadable() {
    let chain = |hops: usize| vec!["10.0.0.2"; hops].join(",");
    let answer = Origination::Forwarded(client("10.0.0.2"));
    assert_eq!(found(ProxyHeader::XForwardedFor, &[&chain(HOPS_MAX)]), answer);
    assert_eq!(found(ProxyHeader::XForwardedFor, &[&chain(HOPS_MAX + 1)]), Origination::Unreadable);
    assert_eq!(found(ProxyHeader::XForwardedFor, &[&chain(100_000)]), Origination::Unreadable);
}

#[test]
fn the_setting_names_the_three_headers_only() {
    assert_eq!("X-Forwarded-For".parse(), Ok(ProxyHeader::XForwardedFor));
    assert_eq!(" cf-connecting-ip ".parse(), Ok(ProxyHeader::CfConnectingIp));
    assert_eq!("FORWARDED".parse(), Ok(ProxyHeader::Forwarded));
    let fault = "x-real-ip".parse::<ProxyHeader>().unwrap_err();
    assert!(fault.contains("`x-real-ip`") && fault.contains("cf-connecting-ip"), "{fault}");
}

/// An element as it is written, and what it means.
fn element() -> impl Strategy<Value = (String, Option<IpAddr>)> {
    let trusted = (0..4_u8).prop_map(|last| IpAddr::from([10, 0, 0, last]));
    let foreign = (0..4_u8).prop_map(|last| IpAddr::from([192, 0, 2, last]));
    let v6 = (0..4_u16).prop_map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
    let readable = prop_oneof![4 => trusted, 1 => foreign, 1 => v6];
    prop_oneof![
        9 => (readable, 0..3_u8).prop_map(|(ip, form)| match form {
            0 => (ip.to_string(), Some(ip)),
            1 => (format!("  {ip}\t"), Some(ip)),
            _ => (SocketAddr::new(ip, 80).to_string(), Some(ip)),
        }),
        1 => prop::sample::select(vec!["", "unknown", "010.0.0.1", "10.1"]).prop_map(|text| (text.to_owned(), None)),
    ]
}

/// The rule word by word, over the list from left to right.
fn model(elements: &[Option<IpAddr>]) -> Origination {
    let is_proxy =
        |element: &Option<IpAddr>| element.is_some_and(|ip| ip.is_ipv4() && ip.to_string().starts_with("10."));
    match elements.iter().rposition(|element| !is_proxy(element)) {
        _ if elements.is_empty() => Origination::Missing,
        Some(at) => elements[at].map_or(Origination::Unreadable, |ip| Origination::Forwarded(ClientAddr::new(ip))),
        None => Origination::Forwarded(ClientAddr::new(elements[0].unwrap())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_walk_is_that_of_the_model(lines in prop::collection::vec(prop::collection::vec(element(), 1..5), 0..4)) {
        let text: Vec<String> = lines
            .iter()
            .map(|line| line.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(","))
            .collect();
        let text: Vec<&str> = text.iter().map(String::as_str).collect();
        let meant: Vec<_> = lines.iter().flatten().map(|(_, ip)| *ip).collect();
        prop_assert_eq!(found(ProxyHeader::XForwardedFor, &text), model(&meant));

        let quoted: Vec<String> = lines
            .iter()
            .map(|line| line.iter().map(|(text, _)| format!("for=\"{text}\";by=\"a,b\"")).collect::<Vec<_>>().join(" , "))
            .collect();
        let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
        prop_assert_eq!(found(ProxyHeader::Forwarded, &quoted), model(&meant));
    }

    #[test]
    fn no_bytes_end_the_walk(line in prop::collection::vec(any::<u8>(), 0..60)) {
        let Ok(value) = HeaderValue::from_bytes(&line) else { return Ok(()) };
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::CfConnectingIp, ProxyHeader::Forwarded] {
            let headers = HeaderMap::from_iter([(header.name().parse().unwrap(), value.clone())]);
            origination(peer("10.0.0.1"), &headers, Some(&proxy(header)));
        }
    }
}
