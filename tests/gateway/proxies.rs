//! The client's address behind proxies, on both ports: which element of which header counts, and for whom.

use std::net::Ipv4Addr;

use rustix::process::Signal;
use serde_json::json;

use crate::harness::Gateway;
use crate::harness::dial::dial_from;
use crate::harness::http::Connection;
use crate::harness::polling::Polling;
use crate::harness::process::Process;

const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A gateway behind 127.0.0.1, 10.0.0.0/8 and 2001:db8:ffff::/48, that trusts some clients with publishing.
async fn behind_a_proxy(more: &[(&str, &str)]) -> Gateway {
    let settings = [
        ("USE_PROXY", "1"),
        ("TRUST_PROXY_LIST", "127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48"),
        ("TRUST_CIDR_LIST", "1.2.3.0/24, 2001:db8:1::/48, 127.0.0.2"),
    ];
    Gateway::start(&[&settings, more].concat()).await
}

/// The status of a publish with these header lines from this peer.
async fn publish(gateway: &Gateway, peer: Ipv4Addr, lines: &str) -> u16 {
    let mut connection = Connection::over(dial_from(peer, gateway.producer()).await);
    let head = format!("POST /publish\nContent-Type: application/json{lines}");
    connection.request(&head, r#"{"target_id":"a"}"#).await.status
}

/// Elements of X-Forwarded-For, several lines with `\n`, and the client that counts; none: unreadable.
const FORWARDED_FOR: [(&str, Option<&str>); 34] = [
    ("1.2.3.4", Some("1.2.3.4")),
    ("9.9.9.9", Some("9.9.9.9")),
    ("1.2.3.4, 127.0.0.1", Some("1.2.3.4")),
    ("9.9.9.9, 1.2.3.4, 10.1.1.1 ,127.0.0.1", Some("1.2.3.4")),
    ("1.2.3.4, 9.9.9.9", Some("9.9.9.9")),
    ("1.2.3.4, 9.9.9.9, 10.0.0.1", Some("9.9.9.9")),
    ("10.0.0.9, 10.0.0.1", Some("10.0.0.9")),
    ("garbage, 1.2.3.4", Some("1.2.3.4")),
    (", 1.2.3.4", Some("1.2.3.4")),
    ("1.2.3.4\nX-Forwarded-For: 10.0.0.1", Some("1.2.3.4")),
    ("9.9.9.9\nX-Forwarded-For: 1.2.3.4", Some("1.2.3.4")),
    ("1.2.3.4\nX-Forwarded-For: 9.9.9.9", Some("9.9.9.9")),
    ("2001:db8:1::5", Some("2001:db8:1::5")),
    ("[2001:db8:1::5]", Some("2001:db8:1::5")),
    ("[2001:db8:1::5]:443", Some("2001:db8:1::5")),
    ("2001:db8:1::5, 2001:db8:ffff::1", Some("2001:db8:1::5")),
    ("1.2.3.4:5678", Some("1.2.3.4")),
    ("::ffff:1.2.3.4", Some("1.2.3.4")),
    ("::FFFF:102:304", Some("1.2.3.4")),
    ("1.2.3.4, ::ffff:10.0.0.1", Some("1.2.3.4")),
    ("2001:db8:1::5%eth0", None),
    ("fe80::1%1", None),
    ("001.2.3.4", None),
    ("01.02.03.04", None),
    ("0x1.2.3.4", None),
    ("16909060", None),
    ("1.2.3", None),
    ("1.2.3.4.", None),
    ("unknown", None),
    ("", None),
    ("1.2.3.4,", None),
    ("1.2.3.4, , 10.0.0.1", None),
    ("1.2.3.4, garbage", None),
    ("\"1.2.3.4\"", None),
];

fn may_publish(client: Option<&str>) -> bool {
    client.is_some_and(|client| client.starts_with("1.2.3.") || client.starts_with("2001:db8:1:"))
}

#[tokio::test]
async fn on_the_producer_the_right_most_element_that_is_no_proxy_counts_and_no_other_header() {
    let gateway = behind_a_proxy(&[]).await;
    for (value, client) in FORWARDED_FOR {
        let status = publish(&gateway, PROXY, &format!("\nX-Forwarded-For: {value}")).await;
        assert_eq!(status, if may_publish(client) { 200 } else { 403 }, "{value:?}");
    }
    for lines in ["", "\nCF-Connecting-IP: 1.2.3.4", "\nForwarded: for=1.2.3.4", "\nX-Real-IP: 1.2.3.4"] {
        assert_eq!(publish(&gateway, PROXY, lines).await, 403, "{lines}");
    }
    let spoofed = "\nX-Forwarded-For: 9.9.9.9\nCF-Connecting-IP: 1.2.3.4\nForwarded: for=1.2.3.4";
    assert_eq!(publish(&gateway, PROXY, spoofed).await, 403);
}

#[tokio::test]
async fn on_the_producer_a_peer_that_is_no_proxy_is_refused_whatever_it_says() {
    let gateway = behind_a_proxy(&[]).await;
    for lines in ["", "\nX-Forwarded-For: 1.2.3.4", "\nX-Forwarded-For: 127.0.0.2"] {
        assert_eq!(publish(&gateway, STRANGER, lines).await, 403, "{lines}");
    }
}

#[tokio::test]
async fn without_a_proxy_headers_say_nothing() {
    let gateway = Gateway::start(&[("TRUST_CIDR_LIST", "127.0.0.1,1.2.3.0/24")]).await;
    assert_eq!(publish(&gateway, PROXY, "\nX-Forwarded-For: 9.9.9.9\nCF-Connecting-IP: 9.9.9.9").await, 200);
    assert_eq!(publish(&gateway, STRANGER, "\nX-Forwarded-For: 1.2.3.4\nCF-Connecting-IP: 1.2.3.4").await, 403);
}

#[tokio::test]
async fn each_request_of_a_connection_is_judged_by_its_own_header() {
    let gateway = behind_a_proxy(&[]).await;
    let mut connection = Connection::over(dial_from(PROXY, gateway.producer()).await);
    for (client, status) in [("1.2.3.4", 200), ("1.2.3.5", 200), ("9.9.9.9", 403)] {
        let head = format!("GET /status\nX-Forwarded-For: {client}");
        assert_eq!(connection.request(&head, "").await.status, status, "{client}");
    }
}

#[tokio::test]
async fn cf_connecting_ip_is_one_address() {
    let gateway = behind_a_proxy(&[("PROXY_HEADER", "cf-connecting-ip")]).await;
    for (lines, status) in [
        ("\nCF-Connecting-IP: 1.2.3.4", 200),
        ("\nCF-Connecting-IP: 1.2.3.4\nX-Forwarded-For: 9.9.9.9", 200),
        ("\nCF-Connecting-IP: 9.9.9.9\nX-Forwarded-For: 1.2.3.4", 403),
        ("\nCF-Connecting-IP: 1.2.3.4, 1.2.3.4", 403),
        ("\nCF-Connecting-IP: 1.2.3.4\nCF-Connecting-IP: 1.2.3.4", 403),
        ("\nX-Forwarded-For: 1.2.3.4", 403),
    ] {
        assert_eq!(publish(&gateway, PROXY, lines).await, status, "{lines}");
    }
}

#[tokio::test]
async fn forwarded_is_read_by_its_for_parameters() {
    let gateway = behind_a_proxy(&[("PROXY_HEADER", "forwarded")]).await;
    for (value, status) in [
        ("for=1.2.3.4", 200),
        ("For=\"1.2.3.4:80\";proto=https;by=10.0.0.1", 200),
        ("for=\"[2001:db8:1::5]:443\"", 200),
        ("for=9.9.9.9, for=1.2.3.4, for=10.0.0.1;host=\"a,b\"", 200),
        ("for=1.2.3.4, for=9.9.9.9", 403),
        ("for=\"9.9.9.9, for=1.2.3.4", 200),
        ("for=_hidden", 403),
        ("for=1.2.3.4, proto=https", 403),
        ("for=1.2.3.4;for=1.2.3.4", 403),
        ("1.2.3.4", 403),
    ] {
        assert_eq!(publish(&gateway, PROXY, &format!("\nForwarded: {value}")).await, status, "{value}");
    }
}

/// Opens a session; its status.
async fn open(gateway: &Gateway, peer: Ipv4Addr, lines: &str) -> u16 {
    let stream = dial_from(peer, gateway.consumer()).await;
    match Polling::open_over(stream, "", lines).await {
        Ok(_) => 200,
        Err(answer) => answer.status,
    }
}

/// A gateway where each address may hold one session, which shows whose address counts.
async fn one_session_an_address() -> Gateway {
    behind_a_proxy(&[("MAX_CONNECTIONS_PER_IP", "1")]).await
}

#[tokio::test]
async fn on_the_consumer_the_same_element_counts() {
    for (value, client) in FORWARDED_FOR {
        let gateway = one_session_an_address().await;
        let first = open(&gateway, PROXY, &format!("\nX-Forwarded-For: {value}")).await;
        assert_eq!(first, 200, "{value:?}");
        match client {
            Some(client) => {
                assert_eq!(open(&gateway, PROXY, &format!("\nX-Forwarded-For: {client}")).await, 429, "{value:?}");
                assert_eq!(open(&gateway, PROXY, "\nX-Forwarded-For: 5.5.5.5").await, 200, "{value:?}");
            }
            None => {
                assert_eq!(open(&gateway, PROXY, &format!("\nX-Forwarded-For: {value}")).await, 429, "{value:?}");
                assert_eq!(open(&gateway, PROXY, "").await, 200, "a proxy without the header has no address limit");
            }
        }
        gateway.drain().await;
    }
}

#[tokio::test]
async fn on_the_consumer_a_peer_that_is_no_proxy_speaks_for_itself() {
    let gateway = one_session_an_address().await;
    assert_eq!(open(&gateway, STRANGER, "\nX-Forwarded-For: 5.5.5.5").await, 200);
    assert_eq!(open(&gateway, STRANGER, "\nX-Forwarded-For: 6.6.6.6").await, 429, "its own address counts");
    assert_eq!(open(&gateway, STRANGER, "").await, 429);
    assert_eq!(open(&gateway, PROXY, "\nX-Forwarded-For: 5.5.5.5").await, 200, "nothing was counted for it");
}

#[tokio::test]
async fn on_the_consumer_a_proxy_that_sends_no_address_has_no_address_limit() {
    let gateway = one_session_an_address().await;
    for lines in ["", "\nX-Forwarded-For: unknown", "\nCF-Connecting-IP: 1.2.3.4", ""] {
        assert_eq!(open(&gateway, PROXY, lines).await, 200, "{lines}");
    }
}

#[tokio::test]
async fn ipv6_addresses_are_counted_by_their_64() {
    let gateway = one_session_an_address().await;
    for (client, status) in [("2001:db8:5:1::1", 200), ("2001:db8:5:1:ffff::9", 429), ("2001:db8:5:2::1", 200)] {
        assert_eq!(open(&gateway, PROXY, &format!("\nX-Forwarded-For: {client}")).await, status, "{client}");
    }
}

#[tokio::test]
async fn an_endless_chain_is_unreadable() {
    let gateway = behind_a_proxy(&[]).await;
    let chain = format!("1.2.3.4{}", ", 10.0.0.1".repeat(1_000));
    assert_eq!(publish(&gateway, PROXY, &format!("\nX-Forwarded-For: {chain}")).await, 403);
    assert_eq!(open(&gateway, PROXY, &format!("\nX-Forwarded-For: {chain}")).await, 200);
}

#[tokio::test]
async fn a_dual_stack_listener_unmaps_its_peers() {
    let gateway = Gateway::start(&[("HOST", "::"), ("TRUST_CIDR_LIST", "127.0.0.1")]).await;
    let port = gateway.producer().port();
    let at = |peer| dial_from(peer, (Ipv4Addr::LOCALHOST, port).into());
    let body = r#"{"target_id":"a"}"#;
    for (peer, status) in [(PROXY, 200), (STRANGER, 403)] {
        let mut connection = Connection::over(at(peer).await);
        let answer = connection.request("POST /publish\nContent-Type: application/json", body).await;
        assert_eq!(answer.status, status, "{peer}");
    }
}

#[tokio::test]
async fn a_proxy_that_sends_no_address_is_warned_of_once_a_minute() {
    let mut process = Process::start(&[("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "127.0.0.1")]);
    let consumer = process.listening("consumer").await;
    for _ in 0..5 {
        assert!(Polling::open(consumer, "").await.is_ok());
    }
    process.signal(Signal::TERM);
    assert!(process.end().await.success());
    let said =
        |line: &&serde_json::Value| line["message"].as_str().is_some_and(|text| text.contains("trusted proxy sends"));
    let warnings: Vec<_> = process.lines.iter().filter(said).collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!((&warnings[0]["level"], &warnings[0]["remoteIp"]), (&json!("warn"), &json!("127.0.0.1")));
}
