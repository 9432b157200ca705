//! Pure parsers: from a setting's text to its value, or to a sentence that says what is wrong and how to mend it.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::listen::ClientCertificates;
use crate::ops::LogFormat;
use crate::subscriber::config::QueuePolicy;

/// Characters of a wrong value that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// What `WEBSOCKET_AUTH` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Methods {
    pub(super) token: bool,
    pub(super) jwt: bool,
}

/// A wrong value as a message shows it: in quotes, on one line, and not too long.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut:?}{dots}")
}

/// 0 or 1, in any of their words.
///
/// # Errors
/// The text is something else.
pub fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" => Ok(true),
        "0" | "false" | "off" => Ok(false),
        _ => Err(format!("{} is neither 0 nor 1", shown(text))),
    }
}

/// An IP address.
///
/// # Errors
/// The text is something else.
pub fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{} is no IP address; write one such as 0.0.0.0, ::1 or ::", shown(text)))
}

/// A port; 0 is a free one.
///
/// # Errors
/// The text is something else.
pub fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{} is no port; write a number from 1 to 65535, or 0 for a free one", shown(text)))
}

/// An address and a port; the empty text is none.
///
/// # Errors
/// The text is something else.
pub fn listener(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let mend = "write an IP address and a port such as 127.0.0.1:18190 or [::1]:18190, or nothing to turn it off";
    text.parse().map(Some).map_err(|_| format!("{} is no address with a port; {mend}", shown(text)))
}

/// A whole number of the range.
pub fn number(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (min, max) = (range.start(), range.end());
        number.ok_or_else(|| format!("{} is no whole number from {min} to {max}", shown(text)))
    }
}

/// A whole number of the range; `0` and `off` are none.
pub(super) fn number_or_off(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Option<u64>, String> {
    move |text| match text.to_ascii_lowercase().as_str() {
        "0" | "off" => Ok(None),
        _ => number(range.clone())(text).map(Some).map_err(|problem| format!("{problem}, nor off")),
    }
}

/// A whole number of bytes of the range.
pub(super) fn bytes(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> {
    move |text| number(range.clone())(text).map_err(|problem| format!("{problem}; it is in bytes, without a unit"))
}

/// A whole number of milliseconds of the range.
pub(super) fn milliseconds(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| match number(range.clone())(text) {
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(problem) => Err(format!("{problem}; it is in milliseconds, without a unit")),
    }
}

/// `CLUSTER_INSTANCES`, where `cores` are available.
pub(super) fn instances(cores: usize) -> impl Fn(&str) -> Result<usize, String> {
    move |text| match text.to_ascii_lowercase().as_str() {
        "0" | "max" => Ok(cores),
        "-1" => Ok(cores.saturating_sub(1).max(1)),
        _ => match text.parse() {
            Ok(workers @ 1..=WORKERS_MAX) => Ok(workers),
            _ => Err(format!(
                "{} is no number of workers; write 1 to {WORKERS_MAX}, 0 or max for the cores, -1 for one less",
                shown(text)
            )),
        },
    }
}

/// Far above any machine's cores: a typing error shall not start a million threads.
const WORKERS_MAX: usize = 1024;

/// `VERIFY_ORIGIN`.
pub(super) fn client_certificates(text: &str) -> Result<ClientCertificates, String> {
    match text.to_ascii_lowercase().as_str() {
        "producer" => Ok(ClientCertificates { producer: true, consumer: false }),
        "consumer" => Ok(ClientCertificates { producer: false, consumer: true }),
        _ => switch(text)
            .map(|both| ClientCertificates { producer: both, consumer: both })
            .map_err(|_| format!("{} is neither 0, 1, producer nor consumer", shown(text))),
    }
}

/// What happens to a subscriber that is owed too much.
pub(super) fn queue_policy(text: &str) -> Result<QueuePolicy, String> {
    match text {
        "disconnect" => Ok(QueuePolicy::Disconnect),
        "drop_oldest" => Ok(QueuePolicy::DropOldest),
        _ => Err(format!("{} is neither disconnect nor drop_oldest", shown(text))),
    }
}

/// `WEBSOCKET_AUTH`.
pub(super) fn methods(text: &str) -> Result<Methods, String> {
    if let Ok(token) = switch(text) {
        return Ok(Methods { token, jwt: false });
    }
    let mut methods = Methods { token: false, jwt: false };
    for word in text.split(',').map(str::trim) {
        match word.to_ascii_lowercase().as_str() {
            "token" => methods.token = true,
            "jwt" => methods.jwt = true,
            "nonce" => return Err("nonce is not supported by this version; use token or jwt".to_owned()),
            _ => return Err(format!("{} is neither 0, 1, token, jwt nor token,jwt", shown(word))),
        }
    }
    Ok(methods)
}

pub(super) fn log_level(text: &str) -> Result<LevelFilter, String> {
    match text.to_ascii_lowercase().as_str() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err(format!("{} is neither error, warn, info, debug nor trace", shown(text))),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.to_ascii_lowercase().as_str() {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err(format!("{} is neither json nor pretty", shown(text))),
    }
}

#[cfg(test)]
mod tests;
