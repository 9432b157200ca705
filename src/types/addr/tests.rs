//! Addresses: unmapping, and what a limiter counts.

use super::*;

#[test]
fn mapped_addresses_are_unmapped() {
    let peer = PeerAddr::new("[::ffff:192.0.2.7]:443".parse().unwrap());
    assert_eq!(peer.ip(), "192.0.2.7".parse::<IpAddr>().unwrap());
    assert_eq!(ClientAddr::new("::ffff:192.0.2.7".parse().unwrap()), ClientAddr::from(peer));
    assert_eq!(peer.to_string(), "192.0.2.7");
}

#[test]
fn an_ipv6_client_is_counted_by_its_slash_64() {
    let key = |text: &str| ClientAddr::new(text.parse().unwrap()).limit_key();
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2:ffff::1"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
}
