//! Where a gateway's port is: a URL's scheme, host, port and path.

use std::str::FromStr;

use http::Uri;

/// The base of a gateway's URLs, such as `https://localhost:2053`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Whether TLS is spoken.
    pub(crate) tls: bool,
    /// A host's name or an address, IPv6 without brackets.
    pub(crate) host: String,
    /// The TCP port.
    pub(crate) port: u16,
    /// What precedes the gateway's own paths, without a slash at its end.
    base: String,
}

/// The text is not a URL that a client can connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    /// It does not read as a URL.
    #[error("not a URL; write it as https://host:port")]
    Syntax,
    /// Neither http nor https.
    #[error("a URL begins with https:// or http://")]
    Scheme,
    /// User names, queries and fragments have no meaning here.
    #[error("a URL here has a host, a port and a path, and nothing else")]
    Extra,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| EndpointError::Syntax)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(EndpointError::Scheme),
        };
        let authority = uri.authority().ok_or(EndpointError::Syntax)?;
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(EndpointError::Extra);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port_is_missing = authority.port().is_none() && authority.as_str().ends_with(':');
        if host.is_empty() || port_is_missing {
            return Err(EndpointError::Syntax);
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, base: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl Endpoint {
    /// A port of this machine.
    pub(crate) fn local(tls: bool, host: &str, port: u16) -> Self {
        Self { tls, host: host.to_owned(), port, base: String::new() }
    }

    /// Host and port, as the `Host` header has them.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The path of a request: `suffix` below the URL's own path.
    pub(crate) fn path(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.base)
    }

    /// The URL's own path.
    pub(crate) fn own_path(&self) -> &str {
        if self.base.is_empty() { "/" } else { &self.base }
    }
}

#[cfg(test)]
mod tests;
