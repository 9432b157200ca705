//! Lists of networks: what is read, what is refused, and membership against a bitwise model.

use proptest::prelude::*;

use super::*;

fn list(text: &str) -> CidrList {
    CidrList::parse(text).unwrap().list
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn addresses_and_networks_are_read_and_blanks_cut() {
    let list = list(" 192.0.2.7 ,\t10.0.0.0/8,, 2001:db8::/32\r\n2001:db9::1 ,");
    for inside in ["192.0.2.7", "10.255.0.1", "2001:db8:ffff::1", "2001:db9::1", "::ffff:10.1.2.3"] {
        assert!(list.contains(ip(inside)), "{inside}");
    }
    for outside in ["192.0.2.8", "11.0.0.0", "2001:db7::1", "2001:db9::2", "::10.0.0.1"] {
        assert!(!list.contains(ip(outside)), "{outside}");
    }
}

#[test]
fn an_empty_list_trusts_nobody() {
    let list = list(" , ");
    assert!(list.is_empty());
    assert!(!list.contains(ip("127.0.0.1")));
}

#[test]
fn mapped_entries_are_ipv4_entries() {
    assert_eq!(list("::ffff:10.0.0.0/104"), list("10.0.0.0/8"));
    assert_eq!(list("::ffff:10.1.2.3"), list("10.1.2.3/32"));
    assert!(CidrList::parse("::ffff:10.0.0.0/8").unwrap_err()[0].contains("IPv4 network"));
    assert!(!list("::/0").contains(ip("10.0.0.1")), "an IPv6 network holds no IPv4 address");
}

#[test]
fn ambiguous_forms_are_refused_with_the_entry_and_a_mend() {
    let forms = [
        "010.0.0.1",
        "10.0.0.010",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "10.1",
        "10",
        "fe80::1%eth0",
        "fe80::1%1/64",
        "[::1]",
        "[::1]/128",
        "localhost",
        "10.0.0.0/33",
        "2001:db8::/129",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0 /8",
        "10.0.0.1:80",
        "1.2.3.4.5",
        "::ffff:10.0.0.0/129",
        "*",
    ];
    for form in forms {
        let faults = CidrList::parse(&format!("10.0.0.1,{form},::1")).unwrap_err();
        assert_eq!(faults.len(), 1, "{form}");
        assert!(faults[0].starts_with(&format!("`{form}` is no address or network: ")), "{}", faults[0]);
    }
    assert_eq!(CidrList::parse("a,b,10.0.0.1").unwrap_err().len(), 2, "all faults at once");
}

#[test]
fn host_bits_are_cut_and_told() {
    let parsed = CidrList::parse("172.16.0.1/12,10.0.0.0/8,2001:db8::1/128").unwrap();
    assert_eq!(parsed.list, list("172.16.0.0/12,10.0.0.0/8,2001:db8::1"));
    assert_eq!(parsed.host_bits.len(), 1);
    assert!(parsed.host_bits[0].contains("`172.16.0.1/12`") && parsed.host_bits[0].contains("172.16.0.0/12"));
}

#[test]
fn v_23_the_example_of_vrchats_is_told_to_cover_public_addresses() {
    let parsed = CidrList::parse("172.0.0.1/8").unwrap();
    assert_eq!((parsed.host_bits.len(), parsed.public_ranges.len()), (1, 1));
    assert!(parsed.public_ranges[0].contains("172.0.0.0/8"));
}

#[test]
fn only_networks_wider_than_a_host_that_cover_public_addresses_are_told() {
    let quiet = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,172.24.0.0/13,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,::1,\
                 fe80::/10,fc00::/7,fd12:3456::/32,8.8.8.8,8.8.4.4/32,2606:4700::1,2606:4700::1/128,::ffff:10.0.0.0/104";
    assert_eq!(CidrList::parse(quiet).unwrap().public_ranges, Vec::<String>::new());
    for wide in ["0.0.0.0/0", "::/0", "172.16.0.0/11", "8.8.8.0/24", "100.64.0.0/9", "fe00::/7", "173.245.48.0/20"] {
        assert_eq!(CidrList::parse(wide).unwrap().public_ranges.len(), 1, "{wide}");
    }
}

/// Membership as one writes it without a library: the first bits are equal.
fn model_contains(nets: &[(IpAddr, u8)], ip: IpAddr) -> bool {
    nets.iter().any(|(net, prefix)| match (net, ip) {
        (IpAddr::V4(net), IpAddr::V4(ip)) => {
            (0..*prefix).all(|bit| (net.to_bits() ^ ip.to_bits()) & (1 << (31 - bit)) == 0)
        }
        (IpAddr::V6(net), IpAddr::V6(ip)) => {
            (0..*prefix).all(|bit| (net.to_bits() ^ ip.to_bits()) & (1 << (127 - bit)) == 0)
        }
        _ => false,
    })
}

/// Addresses that differ in few bits, so that some are members.
fn near(base: IpAddr, flip: Option<u8>, mapped: bool) -> IpAddr {
    match base {
        IpAddr::V4(v4) => {
            let v4 = Ipv4Addr::from_bits(v4.to_bits() ^ flip.map_or(0, |bit| 1 << (bit % 32)));
            if mapped { IpAddr::V6(v4.to_ipv6_mapped()) } else { IpAddr::V4(v4) }
        }
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() ^ flip.map_or(0, |bit| 1 << (bit % 128)))),
    }
}

fn network_strategy() -> impl Strategy<Value = (IpAddr, u8)> {
    prop_oneof![
        (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| (IpAddr::V4(Ipv4Addr::from_bits(bits)), prefix)),
        // Outside ::ffff:0:0/96, whose addresses are IPv4.
        (any::<u128>(), 0..=128_u8)
            .prop_map(|(bits, prefix)| (IpAddr::V6(Ipv6Addr::from_bits(bits | 1 << 127)), prefix)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn membership_is_that_of_the_bitwise_model(
        nets in prop::collection::vec(network_strategy(), 1..6),
        pick in any::<prop::sample::Index>(),
        flip in prop::option::of(any::<u8>()),
        mapped in any::<bool>(),
    ) {
        let text = nets.iter().map(|(ip, prefix)| format!("{ip}/{prefix}")).collect::<Vec<_>>().join(" , ");
        let list = list(&text);
        let ip = near(nets[pick.index(nets.len())].0, flip, mapped);
        prop_assert_eq!(list.contains(ip), model_contains(&nets, ip.to_canonical()));
    }

    #[test]
    fn no_text_ends_the_parser(text in "\\PC{0,40}") {
        let _ = CidrList::parse(&text);
    }
}
