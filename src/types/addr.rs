//! Two addresses that must never be confused: the peer of the socket, and the client behind trusted proxies.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The other end of an accepted socket, with IPv4-mapped IPv6 addresses unmapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(SocketAddr);

impl PeerAddr {
    /// Unmaps `::ffff:a.b.c.d`, which is what a dual-stack listener reports for an IPv4 peer.
    pub fn new(addr: SocketAddr) -> Self {
        Self(SocketAddr::new(addr.ip().to_canonical(), addr.port()))
    }

    /// The address without the port.
    pub fn ip(self) -> IpAddr {
        self.0.ip()
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.ip().fmt(f)
    }
}

/// The address that trust lists and limits count: the peer's own, or the one that trusted proxies report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientAddr(IpAddr);

impl ClientAddr {
    /// Unmaps IPv4-mapped IPv6.
    pub fn new(ip: IpAddr) -> Self {
        Self(ip.to_canonical())
    }

    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// What a limiter counts: an IPv4 address, or the /64 of an IPv6 address, which one subscriber line owns whole.
    pub fn limit_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        }
    }
}

impl From<PeerAddr> for ClientAddr {
    fn from(peer: PeerAddr) -> Self {
        Self(peer.ip())
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
