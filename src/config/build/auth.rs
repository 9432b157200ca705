//! What a subscriber must show: which methods are on, and that each has its key.

use std::time::Duration;

use super::SECRET_BYTES_MIN;
use crate::admission::config::{AuthConfig, TokenConfig};
use crate::admission::jwt::JwtConfig;
use crate::config::parse::{self, Methods, milliseconds, number};
use crate::config::raw::Raw;
use crate::config::reader::{Noted, Reader};
use crate::types::Secret;

/// A day: what `WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL` is, whatever it says.
const DAY_MILLIS: u64 = 86_400_000;
/// Yesterday's token for longer than a day would be the token of the day before.
const GRACE_MILLIS_MAX: u64 = DAY_MILLIS;

const AUTH: &str = "WEBSOCKET_AUTH";
const SECRET: &str = "WEBSOCKET_AUTH_TOKEN_SECRET";

/// The settings of authentication.
///
/// Without `WEBSOCKET_AUTH` every method is on whose secret or key is set: who sets `JWT_KEY` alone means to check
/// tokens, and a gateway that left the door open then would fail in the dangerous direction.
pub(super) fn config(reader: &mut Reader<'_>, raw: &Raw) -> Result<AuthConfig, Noted> {
    let methods = reader.optional(AUTH, raw.websocket_auth.as_deref(), parse::methods);
    let token = token(reader, raw);
    let has_key = raw.jwt_key.is_some();
    let methods = methods?.unwrap_or(Methods { token: raw.websocket_auth_token_secret.is_some(), jwt: has_key });
    let jwt = if methods.jwt { jwt(reader, raw).map(Some) } else { Ok(None) };
    if has_key && !methods.jwt {
        reader.warn("JWT_KEY", "has no effect: WEBSOCKET_AUTH does not name jwt");
    }
    if !methods.token && !methods.jwt {
        reader.warn(AUTH, "is off: everybody who names a room may listen to it");
    }
    let token = token?;
    if methods.token && token.is_none() {
        return Err(reader.fault(
            SECRET,
            "is not set, and WEBSOCKET_AUTH asks for tokens; set it or the file that holds it \
             (`openssl rand -hex 32` makes one), or WEBSOCKET_AUTH=0",
        ));
    }
    reader.settings.resolve(AUTH, words(methods).to_owned());
    Ok(AuthConfig { token: token.filter(|_| methods.token), jwt: jwt? })
}

fn words(methods: Methods) -> &'static str {
    match (methods.token, methods.jwt) {
        (true, true) => "token,jwt",
        (true, false) => "token",
        (false, true) => "jwt",
        (false, false) => "0",
    }
}

/// The daily token's settings, checked even if the method is off; none without a secret.
fn token(reader: &mut Reader<'_>, raw: &Raw) -> Result<Option<TokenConfig>, Noted> {
    let secret_text = raw.websocket_auth_token_secret.as_deref();
    let token_secret = secret(reader, SECRET, secret_text);
    let previous_text = raw.websocket_auth_token_secret_previous.as_deref();
    let previous = secret(reader, "WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS", previous_text);
    let hour = raw.websocket_auth_token_renew_start_hour.as_deref();
    let hour = reader.required("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", hour, number(0..=23));
    let key = "WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL";
    let interval = raw.websocket_auth_token_renew_interval.as_deref();
    let interval = reader.required(key, interval, milliseconds(0..=u64::MAX));
    if interval.is_ok_and(|interval| interval != Duration::from_millis(DAY_MILLIS)) {
        reader.warn(key, "has no effect: the token depends on the date alone, and changes once a day");
    }
    let grace = raw.websocket_auth_token_grace_ms.as_deref();
    let grace = reader.required("WEBSOCKET_AUTH_TOKEN_GRACE_MS", grace, milliseconds(0..=GRACE_MILLIS_MAX));
    interval?;
    let start_hour = u8::try_from(hour?).unwrap_or_default();
    let grace = grace?;
    Ok(token_secret.map(|secret| TokenConfig { secret, previous, start_hour, grace }))
}

fn jwt(reader: &mut Reader<'_>, raw: &Raw) -> Result<JwtConfig, Noted> {
    let key = "JWT_KEY";
    let Some(text) = raw.jwt_key.as_deref() else {
        return Err(reader.fault(key, "is not set, and WEBSOCKET_AUTH names jwt; set a secret, a PEM key or a path"));
    };
    if reader.notes.is_faulty(key) {
        return Err(Noted); // its file cannot be read; what stands here is no key
    }
    let lower = text.trim_start().to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") {
        return Err(
            reader.fault(key, "a URL is not supported by this version; save the JWKS to a file and give its path")
        );
    }
    // Taken for an HS secret, a public document would let everybody sign.
    if lower.starts_with('{') {
        return Err(reader.fault(key, "a JWKS must stand in a file; give the file's path as JWT_KEY"));
    }
    let config = JwtConfig::parse(text, raw.jwt_issuer.as_deref(), raw.jwt_audience.as_deref())
        .map_err(|problem| reader.fault(key, problem))?;
    for warning in config.warnings() {
        reader.warn(key, warning);
    }
    Ok(config)
}

/// A secret that is set, with a warning if it can be guessed.
pub(super) fn secret(reader: &mut Reader<'_>, key: &str, text: Option<&str>) -> Option<Secret> {
    let text = text?;
    if text.len() < SECRET_BYTES_MIN {
        reader.warn(
            key,
            format!(
                "is shorter than {SECRET_BYTES_MIN} bytes, and can be guessed; `openssl rand -hex 32` makes a good one"
            ),
        );
    }
    Some(Secret::new(text))
}
