//! JSON Web Tokens: keys, the algorithms that follow from a key's kind, and the check.

mod keys;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;

use crate::types::RoomName;
use keys::Key;

/// The longest token that is looked at, in bytes. Identity providers stay under the 8 KiB that servers allow a header.
const TOKEN_BYTES_MAX: usize = 8192;

/// How far the clocks of issuer and gateway may differ, in seconds.
const LEEWAY_SECS: f64 = 30.0;

/// The keys and claims that a token is checked against.
#[derive(Clone)]
pub struct JwtConfig {
    keys: Arc<[Key]>,
    warnings: Vec<String>,
    issuer: Option<String>,
    audience: Option<String>,
}

/// The claims that are read. NumericDate may have a fraction, so the times are no integers.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
}

impl JwtConfig {
    /// Reads `JWT_KEY` (an HS secret, a PEM public key or its path, or the path of a JWKS file), `JWT_ISSUER` and
    /// `JWT_AUDIENCE`. The text of a PEM or JWKS file will do as well, so that the key can come as `JWT_KEY_FILE`.
    ///
    /// # Errors
    /// A sentence that tells what is wrong with the key and how to mend it, without the key's text.
    pub fn parse(key: &str, issuer: Option<&str>, audience: Option<&str>) -> Result<Self, String> {
        let found = keys::read(key)?;
        Ok(Self {
            keys: found.keys.into(),
            warnings: found.warnings,
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
        })
    }

    /// One sentence for each key that is weak, or that was left out because its kind is not supported.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The room of a token that is good at `now`: its `sub`. None for any other token, whatever is wrong with it.
    ///
    /// `exp` must be there, and `iss` and `aud` if they are configured. A key is tried only with the one algorithm of
    /// its kind, so the token's header cannot choose another.
    pub fn room(&self, token: &str, now: DateTime<Utc>) -> Option<RoomName> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let header = decode_header(token).ok()?;
        if header.crit.is_some() {
            return None; // RFC 7515: what a critical extension asks for must be understood, and none is
        }
        let mut fitting = self.keys.iter().filter(|key| {
            let id_fits = header.kid.is_none() || key.id.is_none() || header.kid == key.id;
            key.algorithm == header.alg && id_fits
        });
        let claims = fitting.find_map(|key| {
            let validation = self.validation(key);
            decode::<Claims>(token, &key.key, &validation).ok().map(|data| data.claims)
        })?;
        claims.are_timely(now).then_some(())?;
        RoomName::new(&claims.sub).ok()
    }

    /// What the library checks: signature, issuer and audience. It knows the system's clock only, so times are ours.
    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        validation.validate_aud = self.audience.is_some();
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        validation
    }
}

impl Claims {
    fn are_timely(&self, now: DateTime<Utc>) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 take 41 of the 53 bits")]
        let now = now.timestamp_millis() as f64 / 1000.0;
        now < self.exp + LEEWAY_SECS && self.nbf.is_none_or(|begin| now >= begin - LEEWAY_SECS)
    }
}

impl fmt::Debug for JwtConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtConfig")
            .field("keys", &self.keys)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish()
    }
}

#[cfg(test)]
mod tests;
