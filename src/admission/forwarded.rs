//! The client's address behind trusted proxies: one algorithm for both ports.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;

use super::cidr::CidrList;
use super::config::ProxyConfig;
use crate::types::{ClientAddr, PeerAddr};

/// How many elements are looked at from the right. A real chain has a handful; a longer one is unreadable.
const HOPS_MAX: usize = 128;

/// The one header that tells the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: a list, the last proxy's entry last.
    #[default]
    XForwardedFor,
    /// `CF-Connecting-IP`: one address.
    CfConnectingIp,
    /// `Forwarded` (RFC 7239): the `for` parameters.
    Forwarded,
}

impl ProxyHeader {
    /// The header's name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::CfConnectingIp => "cf-connecting-ip",
            Self::Forwarded => "forwarded",
        }
    }
}

impl std::str::FromStr for ProxyHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        [Self::XForwardedFor, Self::CfConnectingIp, Self::Forwarded]
            .into_iter()
            .find(|header| header.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("`{text}` is not supported: write x-forwarded-for, cf-connecting-ip or forwarded"))
    }
}

/// Whose address counts for a request, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origination {
    /// No proxy is configured: the peer speaks for itself.
    Peer(ClientAddr),
    /// A trusted proxy reported it.
    Forwarded(ClientAddr),
    /// A proxy is configured, and the peer is none of the trusted ones.
    UntrustedProxy,
    /// A trusted proxy sent no header.
    Missing,
    /// A trusted proxy sent a header that holds no address where it must.
    Unreadable,
}

/// Finds the address that counts: the peer's, or with a trusted proxy as the peer the right-most element of its header
/// that is not a trusted proxy itself; if all are, the left-most. Several lines of the header are one list.
///
/// Only the elements up to the answer are read: what is further left came from the client, who may write anything.
pub fn origination(peer: PeerAddr, headers: &HeaderMap, proxy: Option<&ProxyConfig>) -> Origination {
    let Some(proxy) = proxy else {
        return Origination::Peer(peer.into());
    };
    if !proxy.trusted.contains(peer.ip()) {
        return Origination::UntrustedProxy;
    }
    let lines = headers.get_all(proxy.header.name());
    let lines = lines.iter().rev().map(http::HeaderValue::as_bytes);
    let found = match proxy.header {
        ProxyHeader::XForwardedFor => {
            walk(lines.flat_map(|line| rsplit_unquoted(line, b',')).map(address), &proxy.trusted)
        }
        ProxyHeader::Forwarded => {
            walk(lines.flat_map(|line| rsplit_unquoted(line, b',')).map(for_parameter), &proxy.trusted)
        }
        ProxyHeader::CfConnectingIp => only(lines.map(address)),
    };
    match found {
        None => Origination::Missing,
        Some(None) => Origination::Unreadable,
        Some(Some(ip)) => Origination::Forwarded(ClientAddr::new(ip)),
    }
}

/// The first address from the right that is not trusted, else the last one there is. Outer none: there is no element;
/// inner none: one of those that count is unreadable.
fn walk(elements: impl Iterator<Item = Option<IpAddr>>, trusted: &CidrList) -> Option<Option<IpAddr>> {
    let mut answer = None;
    for (hop, element) in elements.enumerate() {
        answer = Some(element.filter(|_| hop < HOPS_MAX));
        match answer {
            Some(Some(ip)) if trusted.contains(ip) => {}
            _ => break,
        }
    }
    answer
}

/// The address of a header that has one line.
fn only(mut lines: impl Iterator<Item = Option<IpAddr>>) -> Option<Option<IpAddr>> {
    let first = lines.next()?;
    Some(first.filter(|_| lines.next().is_none()))
}

/// Reads an address: bare, or with a port as some proxies add it (`192.0.2.1:80`, `[2001:db8::1]:443`), or in brackets.
/// Octal, decimal, hexadecimal and short forms, zones and names are none.
fn address(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
    if text.contains('%') {
        return None;
    }
    let bare = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    bare().or_else(with_port).or_else(bracketed).map(|ip| ip.to_canonical())
}

/// Reads the `for` parameter of one element of `Forwarded`. None if there is none, or more than one.
///
/// A backslash in the quoted string makes it unreadable: no address needs one.
fn for_parameter(element: &[u8]) -> Option<IpAddr> {
    let mut values = rsplit_unquoted(element, b';').filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair.get(..equals)?, pair.get(equals + 1..)?);
        name.trim_ascii().eq_ignore_ascii_case(b"for").then(|| value.trim_ascii())
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    address(unquoted.unwrap_or(value))
}

/// Splits at separators outside quoted strings, right-most part first.
///
/// Quotes are counted from the right, where the nearest proxy wrote: a quote that the client opened and never closed
/// must not swallow what the proxies added after it.
fn rsplit_unquoted(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        for (at, byte) in text.iter().enumerate().rev() {
            if *byte == b'"' && !is_escaped(text, at) {
                quoted = !quoted;
            } else if *byte == separator && !quoted {
                rest = text.get(..at);
                return text.get(at + 1..);
            }
        }
        rest = None;
        Some(text)
    })
}

/// Whether an odd number of backslashes stands before `at`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests;
