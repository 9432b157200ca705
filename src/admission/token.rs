//! The daily token: lowercase hex SHA-512 of secret and date.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use sha2::{Digest, Sha512};
use subtle::{Choice, ConstantTimeEq};

use super::config::TokenConfig;
use crate::types::Secret;

/// Bytes of a SHA-512 digest.
const DIGEST_BYTES: usize = 64;

/// How long before the day's change tomorrow's token is good, for a backend whose clock is ahead.
const EARLY: TimeDelta = TimeDelta::minutes(1);

/// The longest grace: yesterday's token is never followed by an older one.
const GRACE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The token of a day: 128 hex characters over the secret and `Y-M-D`, month and day without zero padding.
pub fn daily_token(secret: &Secret, day: NaiveDate) -> String {
    use std::fmt::Write as _;
    digest(secret, day).iter().fold(String::with_capacity(2 * DIGEST_BYTES), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a String does not fail
        hex
    })
}

/// The day whose token is good at `now`: the UTC date, which changes at `start_hour` instead of midnight.
pub fn active_day(now: DateTime<Utc>, start_hour: u8) -> NaiveDate {
    shifted(now, -TimeDelta::hours(start_hour.into())).date_naive()
}

/// The days whose tokens are good at `now`: the active one, yesterday's in the grace, tomorrow's one minute early.
///
/// There are always three, equal ones among them, so that a check always does the same work.
pub fn good_days(config: &TokenConfig, now: DateTime<Utc>) -> [NaiveDate; 3] {
    let grace = TimeDelta::from_std(config.grace.min(GRACE_MAX)).unwrap_or_default();
    [TimeDelta::zero(), -grace, EARLY].map(|shift| active_day(shifted(now, shift), config.start_hour))
}

/// Whether `shown` is a good token at `now`. Hex in upper case is not.
///
/// Nothing is kept between checks, so no timer can be late and no step of the clock leaves a stale token: at most six
/// digests of some microseconds are computed each time. All candidates are compared, each in constant time.
pub fn check(config: &TokenConfig, now: DateTime<Utc>, shown: &str) -> bool {
    let Some(shown) = decode_hex(shown) else {
        return false;
    };
    let secrets = std::iter::once(&config.secret).chain(&config.previous);
    let candidates = secrets.flat_map(|secret| good_days(config, now).map(|day| digest(secret, day)));
    candidates.fold(Choice::from(0), |found, candidate| found | candidate.ct_eq(&shown)).into()
}

/// Whether a text has the shape of a daily token, in either case, rather than that of a JSON Web Token.
pub(super) fn looks_daily(text: &str) -> bool {
    text.len() == 2 * DIGEST_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn digest(secret: &Secret, day: NaiveDate) -> [u8; DIGEST_BYTES] {
    let date = format!("{}-{}-{}", day.year(), day.month(), day.day());
    Sha512::new().chain_update(secret.expose()).chain_update(date).finalize().into()
}

fn decode_hex(text: &str) -> Option<[u8; DIGEST_BYTES]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != DIGEST_BYTES || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; DIGEST_BYTES];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// `now` moved by `shift`; at the ends of the calendar it stays.
fn shifted(now: DateTime<Utc>, shift: TimeDelta) -> DateTime<Utc> {
    now.checked_add_signed(shift).unwrap_or(now)
}

#[cfg(test)]
mod tests;
