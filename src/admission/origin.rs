//! Browser origins: the list, its wildcards, and the comparison.

/// Origins that may use the gateway. Empty: no browser may.
#[derive(Clone, Debug, Default)]
pub struct OriginList {}

impl OriginList {
    /// Reads origins that commas separate: `https://example.com`, `https://*.example.com`, with a port if need be.
    ///
    /// # Errors
    /// One sentence for each entry that is no origin, naming the entry and the mend.
    pub fn parse(_text: &str) -> Result<Self, Vec<String>> {
        todo!()
    }

    /// Whether the value of an `Origin` header is in the list.
    pub fn allows(&self, _origin: &str) -> bool {
        todo!()
    }
}
