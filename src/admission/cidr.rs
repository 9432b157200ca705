//! Lists of addresses and networks: parsing, warnings, and membership.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Networks that are trusted for something. Empty: nobody is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CidrList(Vec<IpNet>);

/// A list that was read, and what its author should know of it.
#[derive(Debug)]
pub struct ParsedList {
    /// The networks, host bits cut.
    pub list: CidrList,
    /// One sentence for each entry with host bits, naming the entry and what was made of it.
    pub host_bits: Vec<String>,
    /// One sentence for each network, wider than one host, that covers public addresses. A list of trusted proxies may
    /// well hold such: a content network publishes its ranges.
    pub public_ranges: Vec<String>,
}

impl CidrList {
    /// Reads entries that commas or line ends separate; blanks around them are cut, empty entries are skipped.
    ///
    /// # Errors
    /// One sentence for each entry that is no address or network, naming the entry and the mend.
    pub fn parse(text: &str) -> Result<ParsedList, Vec<String>> {
        let mut parsed = ParsedList { list: Self::default(), host_bits: Vec::new(), public_ranges: Vec::new() };
        let mut faults = Vec::new();
        for entry in text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty()) {
            match network(entry) {
                Ok(net) => parsed.add(entry, net),
                Err(mend) => faults.push(format!("`{entry}` is no address or network: {mend}")),
            }
        }
        if faults.is_empty() { Ok(parsed) } else { Err(faults) }
    }

    /// Whether a network of the list holds the address. IPv4-mapped IPv6 is unmapped first.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|net| net.contains(&ip))
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ParsedList {
    fn add(&mut self, entry: &str, written: IpNet) {
        let net = written.trunc();
        if net != written {
            self.host_bits.push(format!("`{entry}` has host bits set: it is read as {net}; write that"));
        }
        if net.prefix_len() < net.max_prefix_len() && !is_private(&net) {
            self.public_ranges.push(format!("`{entry}` covers public addresses: all of {net} is trusted"));
        }
        self.list.0.push(net);
    }
}

/// Reads one entry. The standard library's parser is strict on purpose: `010.0.0.1` is octal to some programs and
/// decimal to others, and a list that two programs read differently is a hole.
fn network(entry: &str) -> Result<IpNet, &'static str> {
    if entry.contains(['[', ']']) {
        return Err("write it without brackets");
    }
    if entry.contains('%') {
        return Err("cut the zone from the `%` on");
    }
    let (addr, prefix) = match entry.split_once('/') {
        Some((addr, prefix)) => (addr, Some(prefix)),
        None => (entry, None),
    };
    let addr: IpAddr = addr.parse().map_err(
        |_| "write IPv4 as four decimal numbers without leading zeros (10.0.0.1, 10.0.0.0/8), IPv6 as in 2001:db8::/32",
    )?;
    match prefix {
        None => Ok(IpNet::from(addr.to_canonical())),
        Some(prefix) => with_prefix(addr, prefix),
    }
}

fn with_prefix(addr: IpAddr, prefix: &str) -> Result<IpNet, &'static str> {
    const MEND: &str = "the prefix is a number from 0 to 32 for IPv4, to 128 for IPv6";
    if !prefix.bytes().all(|byte| byte.is_ascii_digit()) || (prefix.len() > 1 && prefix.starts_with('0')) {
        return Err(MEND);
    }
    let prefix: u8 = prefix.parse().map_err(|_| MEND)?;
    match (addr, addr.to_canonical()) {
        (IpAddr::V6(_), IpAddr::V4(v4)) => {
            let prefix = prefix.checked_sub(96).ok_or("write it as an IPv4 network")?;
            Ipv4Net::new(v4, prefix).map(IpNet::V4).map_err(|_| MEND)
        }
        (IpAddr::V4(v4), _) => Ipv4Net::new(v4, prefix).map(IpNet::V4).map_err(|_| MEND),
        (IpAddr::V6(v6), _) => Ipv6Net::new(v6, prefix).map(IpNet::V6).map_err(|_| MEND),
    }
}

/// Addresses that the public network does not route: loopback, private (RFC 1918), link-local, shared (RFC 6598) and
/// unique local (RFC 4193).
const PRIVATE: [IpNet; 8] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)),
];

fn is_private(net: &IpNet) -> bool {
    PRIVATE.iter().any(|block| block.contains(net))
}

#[cfg(test)]
mod tests;
