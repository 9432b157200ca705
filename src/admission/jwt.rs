//! JSON Web Tokens: keys, the algorithms that follow from a key's kind, and the check.

/// The keys and claims that a token is checked against.
#[derive(Clone)]
pub struct JwtConfig {}

impl std::fmt::Debug for JwtConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JwtConfig(***)")
    }
}

impl JwtConfig {
    /// Reads `JWT_KEY` (an HS secret, a PEM public key or its path, or the path of a JWKS file), `JWT_ISSUER` and
    /// `JWT_AUDIENCE`.
    ///
    /// # Errors
    /// A sentence that tells what is wrong with the key and how to mend it, without the key's text.
    pub fn parse(_key: &str, _issuer: Option<&str>, _audience: Option<&str>) -> Result<Self, String> {
        todo!()
    }
}
