//! Browser origins: the list, its wildcards, and the comparison.

use std::net::Ipv6Addr;

use http::HeaderMap;
use http::header::{HeaderValue, ORIGIN};

/// Origins that may use the gateway. Empty: no browser may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginList(Vec<Pattern>);

/// One entry, in the form in which browsers write origins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// The origin as it stands.
    Exact(String),
    /// `https://*.example.com:8443`: what stands before and after the labels that may be anything.
    Subdomains {
        /// `https://`
        before: String,
        /// `.example.com:8443`
        after: String,
    },
}

/// The `Origin` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOrigin<'a> {
    /// There is none: no browser, or a request to the page's own origin.
    Absent,
    /// One that the list allows.
    Allowed(&'a HeaderValue),
    /// Any other: not in the list, not text, or given twice.
    Foreign,
}

impl OriginList {
    /// Reads origins that commas separate: `https://example.com`, `https://*.example.com`, with a port if need be.
    ///
    /// # Errors
    /// One sentence for each entry that is no origin, naming the entry and the mend.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let (mut patterns, mut faults) = (Vec::new(), Vec::new());
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match pattern(entry) {
                Ok(pattern) => patterns.push(pattern),
                Err(mend) => faults.push(format!("`{entry}` is no origin: {mend}")),
            }
        }
        if faults.is_empty() { Ok(Self(patterns)) } else { Err(faults) }
    }

    /// Whether the value of an `Origin` header is in the list. Browsers write it in lower case, without a default port.
    pub fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Exact(exact) => exact == origin,
            Pattern::Subdomains { before, after } => origin
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(is_name),
        })
    }

    /// Judges the `Origin` of a request.
    pub fn judge<'a>(&self, headers: &'a HeaderMap) -> RequestOrigin<'a> {
        let mut values = headers.get_all(ORIGIN).iter();
        match (values.next(), values.next()) {
            (None, _) => RequestOrigin::Absent,
            (Some(value), None) if value.to_str().is_ok_and(|origin| self.allows(origin)) => {
                RequestOrigin::Allowed(value)
            }
            _ => RequestOrigin::Foreign,
        }
    }
}

fn pattern(entry: &str) -> Result<Pattern, &'static str> {
    let entry = entry.to_ascii_lowercase();
    match entry.as_str() {
        "*" => return Err("a list of all origins protects nothing; name each, as in https://example.com"),
        "null" => return Err("every sandboxed page and local file has this origin; serve the page from a host"),
        _ => {}
    }
    let (scheme, rest) = entry.split_once("://").ok_or("write the scheme too, as in https://example.com")?;
    if !is_scheme(scheme) {
        return Err("the scheme has letters, digits, `+`, `-` and `.`, as in https://example.com");
    }
    if rest.contains(['/', '?', '#', '\\']) {
        return Err("cut everything after the host and port, a closing slash too");
    }
    let (host, port) = split_port(rest)?;
    let port = match (scheme, port) {
        // A browser leaves the scheme's own port out, so with it the entry would never match.
        ("https" | "wss", Some(443)) | ("http" | "ws", Some(80)) | (_, None) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    match host.strip_prefix("*.") {
        Some(parent) if is_name(parent) => {
            Ok(Pattern::Subdomains { before: format!("{scheme}://"), after: format!(".{parent}{port}") })
        }
        None if is_name(host) || is_bracketed_ipv6(host) => Ok(Pattern::Exact(format!("{scheme}://{host}{port}"))),
        _ if !host.is_ascii() => Err("write the host as browsers send it, in its xn-- form"),
        _ if host.contains('*') => Err("a wildcard stands for whole labels in front, as in https://*.example.com"),
        _ => Err("the host is a name or an address, as in https://example.com"),
    }
}

fn split_port(rest: &str) -> Result<(&str, Option<u16>), &'static str> {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port > 0);
            Ok((host, Some(port.ok_or("the port is a number from 1 to 65535")?)))
        }
        _ => Ok((rest, None)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

/// Labels of lower-case letters, digits, `-` and `_`, with dots between.
fn is_name(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    })
}

fn is_bracketed_ipv6(host: &str) -> bool {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests;
