//! The client's address behind trusted proxies: one algorithm for both ports.

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

impl std::str::FromStr for ProxyHeader {
    type Err = String;

    fn from_str(_text: &str) -> Result<Self, Self::Err> {
        todo!()
    }
}
