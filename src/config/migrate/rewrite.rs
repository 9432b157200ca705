//! What becomes of each setting: its present name, its value in its plainest form, and the reason of each change.

use ipnet::IpNet;

use super::lines::Old;
use crate::config::keys::{self, Key, Kind, keys};
use crate::config::near;
use crate::config::parse;

/// Switches that vrchats compared with 1 as a number.
const NUMERIC: [&str; 4] = ["USE_PROXY", "VERIFY_ORIGIN", "ENABLE_DEBUG", "WEBSOCKET_AUTH"];
/// Lists of addresses and networks.
const NETWORKS: [&str; 3] = ["TRUST_CIDR_LIST", "TRUST_PROXY_LIST", "RATE_LIMIT_EXEMPT"];
/// A day, which `WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL` is whatever it says.
const DAY: &str = "86400000";

/// What becomes of a setting.
pub(super) struct New {
    /// Why it differs.
    pub(super) reasons: Vec<String>,
    /// Its present name and value; none if it does not count, two of a port that served both sides.
    pub(super) settings: Vec<(String, String)>,
}

impl New {
    fn left_out(reason: impl Into<String>) -> Self {
        Self { reasons: vec![reason.into()], settings: Vec::new() }
    }
}

/// All settings of the old file, in its order.
pub(super) struct Olds<'a>(pub(super) Vec<&'a Old>);

impl Olds<'_> {
    /// What becomes of the setting at `index`.
    pub(super) fn rewrite(&self, index: usize) -> Option<New> {
        let old = self.0.get(index)?;
        if let Some(later) = self.0.iter().skip(index + 1).find(|later| later.name == old.name) {
            return Some(New::left_out(format!(
                "the name stands again on line {}, and the last one counts",
                later.line
            )));
        }
        if let Some(new) = self.of_one_port(old) {
            return Some(new);
        }
        let Some((key, name)) = self.key_of(old) else { return Some(unknown(old)) };
        if name != key.name {
            // The file that holds a secret.
            return Some(New { reasons: Vec::new(), settings: vec![(name, old.value.clone())] });
        }
        if let Some(winner) = self.winner(key).filter(|winner| winner.name != old.name) {
            return Some(New::left_out(format!("{} counts, on line {}", winner.name, winner.line)));
        }
        if let Some(reason) = self.idle(key, old) {
            return Some(New::left_out(reason));
        }
        let mut reasons = Vec::new();
        if old.name == keys::STANDALONE_PORT {
            reasons
                .push("was STANDALONE_PORT, for both sides; HTTP_PORT with the same number does that here".to_owned());
        } else if old.name != key.name {
            reasons.push(format!("was {}", old.name));
        }
        let value = if key.is_verbatim() { &old.value } else { old.value.trim() };
        if value.is_empty() {
            reasons.extend(default_of(key));
            return Some(New { reasons, settings: vec![(name, String::new())] });
        }
        self.remark(key, value, &mut reasons);
        let settings = vec![plain(key, value, &mut reasons)];
        Some(New { reasons, settings })
    }

    /// The methods that are on without `WEBSOCKET_AUTH`; none if it is set.
    pub(super) fn implied_methods(&self) -> Option<&'static str> {
        let is_set = |name: &str| {
            let key = keys().iter().find(|key| key.name == name)?;
            let direct = self.winner(key).filter(|old| !old.value.trim().is_empty());
            direct.or_else(|| self.filled(&key.file_name()?))
        };
        if is_set("WEBSOCKET_AUTH").is_some() {
            return None;
        }
        Some(match (is_set("WEBSOCKET_AUTH_TOKEN_SECRET").is_some(), is_set("JWT_KEY").is_some()) {
            (true, true) => "token,jwt",
            (true, false) => "token",
            (false, true) => "jwt",
            (false, false) => "0",
        })
    }

    /// A port where `STANDALONE_PORT` is both, which is with `CLUSTER_MODE=0` and `LEGACY_PUBLISH=1`.
    fn of_one_port(&self, old: &Old) -> Option<New> {
        let port = self.one_port()?;
        let both = ["HTTP_PORT", "WEBSOCKET_PORT"];
        match old.name.as_str() {
            "PRODUCER_PORT" | "CONSUMER_PORT" => {
                Some(New::left_out(format!("without effect: STANDALONE_PORT is both ports, on line {}", port.line)))
            }
            name if both.contains(&name) && self.filled(name).is_none() => {
                Some(New::left_out(format!("STANDALONE_PORT counts, on line {}", port.line)))
            }
            keys::STANDALONE_PORT => {
                let unnamed = both.into_iter().filter(|name| self.filled(name).is_none());
                let value = port.value.trim();
                let settings: Vec<_> = unnamed.map(|name| (name.to_owned(), value.to_owned())).collect();
                let reasons = vec!["was STANDALONE_PORT, which is both ports with LEGACY_PUBLISH=1".to_owned()];
                Some(New { reasons, settings })
            }
            _ => None,
        }
    }

    /// `STANDALONE_PORT`, if it is both ports.
    fn one_port(&self) -> Option<&Old> {
        let is = |name, expected| self.text(name).is_some_and(|text| parse::switch(text) == Ok(expected));
        let port = self.filled(keys::STANDALONE_PORT)?;
        (is("CLUSTER_MODE", false) && is("LEGACY_PUBLISH", true)).then_some(port)
    }

    /// The setting that an old one is, and its present name, which for a secret may be that of its file.
    fn key_of(&self, old: &Old) -> Option<(&'static Key, String)> {
        for key in keys() {
            let is_standalone = key.name == "WEBSOCKET_PORT" && self.standalone() == Some(old);
            if key.name == old.name || key.aliases.contains(&old.name.as_str()) || is_standalone {
                return Some((key, key.name.to_owned()));
            }
            if let Some(file_name) = key.file_name().filter(|file_name| *file_name == old.name) {
                return Some((key, file_name));
            }
        }
        None
    }

    /// The entry that counts for a setting: that of its present name before those of its old ones, an empty one last.
    fn winner(&self, key: &Key) -> Option<&Old> {
        let names = || std::iter::once(&key.name).chain(key.aliases);
        let counting = names().find_map(|name| self.filled(name));
        let counting = counting.or_else(|| self.standalone().filter(|_| key.name == "WEBSOCKET_PORT"));
        counting.or_else(|| names().find_map(|name| self.last(name)))
    }

    /// `STANDALONE_PORT`, if it names the consumer port.
    fn standalone(&self) -> Option<&Old> {
        let is_cluster_off = self.text("CLUSTER_MODE").is_some_and(|mode| parse::switch(mode) == Ok(false));
        let is_named = self.filled("WEBSOCKET_PORT").or_else(|| self.filled("CONSUMER_PORT")).is_some();
        self.filled(keys::STANDALONE_PORT).filter(|_| is_cluster_off && !is_named)
    }

    /// The last entry of a name, if it is not empty.
    pub(super) fn filled(&self, name: &str) -> Option<&Old> {
        self.last(name).filter(|last| !last.value.trim().is_empty())
    }

    fn last(&self, name: &str) -> Option<&Old> {
        self.0.iter().rev().find(|old| old.name == name).copied()
    }

    fn text(&self, name: &str) -> Option<&str> {
        Some(self.filled(name)?.value.trim())
    }

    /// Why a setting says nothing, if so.
    fn idle(&self, key: &Key, old: &Old) -> Option<&'static str> {
        let value = old.value.trim();
        match key.name {
            _ if value.is_empty() => None,
            "WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL" if value != DAY => {
                Some("without effect here: the token depends on the date alone, and changes once a day")
            }
            "CLUSTER_INSTANCES" if self.text("CLUSTER_MODE").is_some_and(|mode| parse::switch(mode) == Ok(false)) => {
                Some("without effect beside CLUSTER_MODE=0")
            }
            "ENABLE_DEBUG" if parse::switch(value) == Ok(true) && self.text("LOG_LEVEL").is_some() => {
                Some("without effect beside LOG_LEVEL")
            }
            _ => None,
        }
    }

    /// What the same value meant to vrchats.
    fn remark(&self, key: &Key, value: &str, reasons: &mut Vec<String>) {
        if NUMERIC.contains(&key.name) && matches!(value.to_ascii_lowercase().as_str(), "true" | "on") {
            reasons.push(format!("vrchats took {value} for 0, here it is 1; write the one that is meant"));
        }
        if matches!(key.name, "HTTP_PORT" | "WEBSOCKET_PORT") && value == "0" {
            reasons.push(format!("vrchats took 0 for {}, here it is a free port", key.default_text()));
        }
        if key.name == "WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR" && value != "0" {
            reasons.push("the day changes at this hour of UTC, whenever the gateway was started".to_owned());
        }
        if key.name == "USE_PROXY" && parse::switch(value) == Ok(true) && self.text("PROXY_HEADER").is_none() {
            let text =
                "one header counts, x-forwarded-for; vrchats preferred cf-connecting-ip, which PROXY_HEADER can name";
            reasons.push(text.to_owned());
        }
    }
}

/// What counts for a setting that is empty.
fn default_of(key: &Key) -> Option<String> {
    match (key.name, key.default_text()) {
        ("EVENT_ID_REGEX_VALIDATION_PATTERN", default) => Some(format!("empty: {default}; vrchats took every id")),
        (_, "") => None,
        (_, default) if !key.empty_counts() => Some(format!("empty: {default} counts")),
        _ => None,
    }
}

/// A name that is no setting here.
fn unknown(old: &Old) -> New {
    let name = old.name.as_str();
    if keys::is_without_effect(name) {
        New::left_out("without effect here")
    } else if keys::LATER.iter().any(|(later, _)| *later == name) {
        New::left_out("without effect in this version")
    } else if name == keys::STANDALONE_PORT {
        New::left_out("without effect: the ports are HTTP_PORT and WEBSOCKET_PORT")
    } else {
        let meant = near::hint(name).map(|meant| format!("; {meant}")).unwrap_or_default();
        New::left_out(format!("is not a setting{meant}"))
    }
}

/// A value in its plainest form, and under the name that has the same meaning without a warning.
fn plain(key: &Key, value: &str, reasons: &mut Vec<String>) -> (String, String) {
    let name = key.name.to_owned();
    if NUMERIC.contains(&key.name) {
        let number = match value.parse::<f64>() {
            Ok(1.0) => "1",
            Ok(0.0) => "0",
            _ => value,
        };
        if number != value {
            reasons.push(format!("was {value}"));
        }
        if key.name == "ENABLE_DEBUG" && parse::switch(number) == Ok(true) {
            reasons.push("was ENABLE_DEBUG; debug is not meant for production".to_owned());
            return ("LOG_LEVEL".to_owned(), "debug".to_owned());
        }
        return (name, number.to_owned());
    }
    if key.kind == Kind::List && !value.starts_with('@') {
        let entries: Vec<&str> = value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let trimmed = entries.join(",");
        if trimmed != value {
            reasons
                .push("blanks and empty entries are cut; to vrchats an entry with a blank matched nothing".to_owned());
        }
        if NETWORKS.contains(&key.name) {
            let entries: Vec<String> = entries.into_iter().map(|entry| network(entry, reasons)).collect();
            return (name, entries.join(","));
        }
        return (name, trimmed);
    }
    (name, value.to_owned())
}

/// An entry of a list of networks, its host bits cut.
fn network(entry: &str, reasons: &mut Vec<String>) -> String {
    let is_octal =
        |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit());
    if entry.split('/').next().is_some_and(|address| !address.contains(':') && address.split('.').any(is_octal)) {
        reasons.push(format!(
            "vrchats read {entry} as octal numbers; write the address that is meant, without zeros in front"
        ));
    }
    match entry.parse::<IpNet>() {
        Ok(net) if net.trunc() != net => {
            reasons.push(format!("was {entry}, which is the same"));
            net.trunc().to_string()
        }
        _ => entry.to_owned(),
    }
}
