//! Lists of addresses and networks: parsing, warnings, and membership.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks that are trusted for something. Empty: nobody is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CidrList(Vec<IpNet>);

/// A list that was read, and what its author should know of it.
#[derive(Debug)]
pub struct ParsedList {
    /// The networks, host bits cut.
    pub list: CidrList,
    /// One sentence for each entry with host bits or public addresses, naming the entry.
    pub warnings: Vec<String>,
}

impl CidrList {
    /// Reads entries that commas separate; blanks around them are cut, empty entries are skipped.
    ///
    /// # Errors
    /// One sentence for each entry that is no address or network, naming the entry and the mend.
    pub fn parse(_text: &str) -> Result<ParsedList, Vec<String>> {
        todo!()
    }

    /// Whether a network of the list holds the address. IPv4-mapped IPv6 is unmapped first.
    pub fn contains(&self, _ip: IpAddr) -> bool {
        todo!()
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
