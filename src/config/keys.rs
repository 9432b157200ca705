//! The one table of settings: names, old names, defaults and meanings. Flags and help are made from it.

/// A setting: a variable, a flag and a line of the environment file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The variable's name.
    pub name: &'static str,
    /// Old names that mean the same.
    pub aliases: &'static [&'static str],
    /// What counts when it is not set.
    pub default: DefaultValue,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// What its text is.
    pub kind: Kind,
}

/// What counts when a setting is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing.
    Unset,
    /// This text, read as if it were given.
    Text(&'static str),
    /// What follows from other settings or the machine, in words.
    Derived(&'static str),
}

/// What a setting's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An IP address.
    Address,
    /// Address and port to listen on; empty turns the listener off.
    Listener,
    /// A port number.
    Port,
    /// 0 or 1.
    Switch,
    /// One of a few words.
    Choice,
    /// A whole number.
    Number,
    /// A whole number of bytes.
    Bytes,
    /// A whole number of milliseconds.
    Milliseconds,
    /// Entries that commas separate.
    List,
    /// The path of a file.
    Path,
    /// A regular expression.
    Pattern,
    /// Free text.
    Text,
    /// A text that is never shown, and that may stand in a file named by `NAME_FILE`.
    Secret,
}

impl Key {
    const fn new(name: &'static str, kind: Kind, default: DefaultValue, meaning: &'static str) -> Self {
        Self { name, aliases: &[], default, meaning, kind }
    }

    const fn was(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Whether the text must never be shown.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// The name of the flag, without the dashes in front: `HTTP_PORT` is `http-port`.
    pub fn flag(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }

    /// For a secret, the name of the setting that names a file to read it from.
    pub fn file_name(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_FILE", self.name))
    }

    /// The default in words; empty if there is none.
    pub fn default_text(&self) -> &'static str {
        match self.default {
            Unset => "",
            Text(text) | Derived(text) => text,
        }
    }

    /// Whether the empty text says something. For all other settings it is as if they were not set.
    pub(super) fn empty_counts(&self) -> bool {
        self.kind == Kind::Listener
    }

    /// Whether blanks around the text belong to it.
    pub(super) fn is_verbatim(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Pattern | Kind::Path)
    }
}

/// Every setting, in the order in which it is shown.
pub fn keys() -> &'static [Key] {
    KEYS
}

use DefaultValue::{Derived, Text, Unset};

#[rustfmt::skip] // a row a setting
const KEYS: &[Key] = &[
    Key::new("HOST", Kind::Address, Text("::"), "IP address that both ports bind to; :: takes IPv4 too"),
    Key::new("HTTP_PORT", Kind::Port, Text("2053"), "producer port: backends publish here")
        .was(&["PRODUCER_PORT"]),
    Key::new("WEBSOCKET_PORT", Kind::Port, Text("8443"),
        "consumer port: browsers listen here; the same number as HTTP_PORT serves both on one port")
        .was(&["CONSUMER_PORT"]),
    Key::new("ADMIN_ADDR", Kind::Listener, Text("127.0.0.1:18190"), "admin listener; empty turns it off"),
    Key::new("ADMIN_TOKEN", Kind::Secret, Unset, "Bearer token of the admin listener; required unless it is loopback"),

    Key::new("TLS", Kind::Switch, Text("1"), "0: plain, behind a proxy that ends TLS"),
    Key::new("PUB_KEY_PATH", Kind::Path, Unset, "PEM file of the certificate chain, leaf first"),
    Key::new("PRIV_KEY_PATH", Kind::Path, Unset, "PEM file of the leaf's private key"),
    Key::new("CA_PATH", Kind::Path, Unset, "PEM file of those who sign client certificates"),
    Key::new("VERIFY_ORIGIN", Kind::Choice, Text("0"),
        "client certificates: 1 on both ports, producer or consumer on one"),

    Key::new("TRUST_CIDR_LIST", Kind::List, Unset, "addresses and networks that may publish; none: nobody may")
        .was(&["ALLOWED_IPS"]),
    Key::new("TRUST_ORIGIN_LIST", Kind::List, Unset,
        "browser origins, on both ports, every request; https://*.example.com is allowed; none: no browser may")
        .was(&["ALLOWED_ORIGINS"]),
    Key::new("USE_PROXY", Kind::Switch, Text("0"), "1: the client address comes from a header of a trusted proxy"),
    Key::new("TRUST_PROXY_LIST", Kind::List, Unset, "trusted proxies; @FILE reads a list")
        .was(&["TRUST_PROXY"]),
    Key::new("PROXY_HEADER", Kind::Choice, Text("x-forwarded-for"),
        "the one header that counts: x-forwarded-for, cf-connecting-ip or forwarded"),

    Key::new("WEBSOCKET_AUTH", Kind::List, Derived("the methods whose secret or key is set"),
        "what a subscriber must show: 0, 1 (token), token, jwt, or token,jwt"),
    Key::new("WEBSOCKET_AUTH_TOKEN_SECRET", Kind::Secret, Unset, "secret of the daily token; at least 16 bytes")
        .was(&["AUTH_TOKEN_SECRET"]),
    Key::new("WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS", Kind::Secret, Unset,
        "also accepted while a secret is being changed"),
    Key::new("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", Kind::Number, Text("0"), "UTC hour at which the day changes")
        .was(&["IO_TOKEN_RENEW_START_HOUR"]),
    Key::new("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL", Kind::Milliseconds, Text("86400000"),
        "accepted; the token depends on the date alone")
        .was(&["IO_TOKEN_RENEW_INTERVAL"]),
    Key::new("WEBSOCKET_AUTH_TOKEN_GRACE_MS", Kind::Milliseconds, Text("300000"),
        "how long yesterday's token stays good"),
    Key::new("JWT_KEY", Kind::Secret, Unset,
        "HS secret, PEM public key or its path, or path of a JWKS file; the algorithms follow from its kind"),
    Key::new("JWT_ISSUER", Kind::Text, Unset, "claim iss, checked when set"),
    Key::new("JWT_AUDIENCE", Kind::Text, Unset, "claim aud, checked when set"),

    Key::new("EVENT_ID_REGEX_VALIDATION_PATTERN", Kind::Pattern, Derived("1 to 255 bytes, no control characters"),
        "which target ids may be published to; matches anywhere unless anchored"),
    Key::new("PUBLISH_BODY_LIMIT", Kind::Bytes, Text("102400"), "bytes of a publish body after inflation"),
    Key::new("PUBLISH_RATE_LIMIT", Kind::Number, Derived("off"), "publishes a second from one address"),

    Key::new("RATE_LIMIT", Kind::Switch, Text("1"), "0 turns the subscriber limits off"),
    Key::new("RATE_LIMIT_PER_IP", Kind::Number, Text("20"),
        "new sessions a second from one address (burst twice that; IPv6 by /64)"),
    Key::new("RATE_LIMIT_PER_USER", Kind::Number, Text("1"),
        "new sessions a second of one user (burst five times that)"),
    Key::new("RATE_LIMIT_EXEMPT", Kind::List, Unset, "addresses and networks without limits"),
    Key::new("MAX_CONNECTIONS", Kind::Number, Derived("what the file limit allows"), "sessions of the node"),
    Key::new("MAX_CONNECTIONS_PER_IP", Kind::Number, Derived("off"), "concurrent sessions of one address"),

    Key::new("CLUSTER_MODE", Kind::Switch, Derived("1"), "1: CLUSTER_INSTANCES workers; 0: one"),
    Key::new("CLUSTER_INSTANCES", Kind::Number, Derived("one worker a core"),
        "worker threads; -1: cores less one; 0 or max: cores"),
    Key::new("PING_INTERVAL", Kind::Milliseconds, Text("25000"), "time between pings, as Socket.IO"),
    Key::new("PING_TIMEOUT", Kind::Milliseconds, Text("20000"), "how long a pong may take, as Socket.IO"),
    Key::new("MAX_HTTP_BUFFER_SIZE", Kind::Bytes, Text("1000000"),
        "bytes of one message from a client, as Socket.IO"),
    Key::new("CLIENT_QUEUE_MAX_BYTES", Kind::Bytes, Text("1048576"),
        "what one subscriber may be owed before CLIENT_QUEUE_POLICY acts; each event counts 64 bytes besides its own"),
    Key::new("CLIENT_QUEUE_POLICY", Kind::Choice, Text("disconnect"),
        "disconnect ends such a session; drop_oldest drops its oldest events and tells it how many"),
    Key::new("CLIENT_WRITE_TIMEOUT_MS", Kind::Milliseconds, Text("10000"), "a write without progress closes"),
    Key::new("DRAIN_TIMEOUT_MS", Kind::Milliseconds, Text("30000"), "hard end of a drain"),

    Key::new("LOG_LEVEL", Kind::Choice, Derived("info"), "error, warn, info, debug or trace"),
    Key::new("LOG_FORMAT", Kind::Choice, Derived("json, pretty on a terminal"), "json or pretty"),
    Key::new("ENABLE_DEBUG", Kind::Switch, Text("0"), "1 is LOG_LEVEL=debug, unless LOG_LEVEL is set"),

    Key::new("LEGACY_PUBLISH", Kind::Switch, Text("0"),
        "1: POST / publishes too, and uuid may stand in place of target_id, as in vrchats up to 0.4"),
    Key::new("LEGACY_QUIRKS", Kind::Switch, Text("0"),
        "1: vrchats' 500 for bodies it cannot read, and its limit: one session a second of one user, or CONNECT_ERROR"),
];

/// A name that settings of one port had. With `CLUSTER_MODE=0` it is the consumer port if nothing else names that; with
/// `LEGACY_PUBLISH=1` too it is both ports, as in the versions that had it.
pub(super) const STANDALONE_PORT: &str = "STANDALONE_PORT";

/// Settings that this version knows and does not have, with the value that changes nothing.
pub(super) const LATER: &[(&str, &str)] = &[
    ("PROXY_PROTOCOL", "off"),
    ("PUBLISH_KEYS_FILE", ""),
    ("BUS", "none"),
    ("BUS_DOWN", "reject"),
    ("BUS_DURABLE", "0"),
    ("NODE_ID", "random"),
    ("REDIS_EMITTER_ALLOW", "emit"),
    ("HISTORY_FILE", ""),
    ("RECOVERY_WINDOW_MS", "0"),
];

/// Whether a setting of vrchats says nothing here: it is accepted, without effect.
pub(super) fn is_without_effect(name: &str) -> bool {
    matches!(name, "NODE_ENV" | "LOGS_DIR") || name.starts_with("V8_")
}

/// Whether a name means something, now or in another version.
pub(super) fn is_known(name: &str) -> bool {
    is_without_effect(name)
        || name == STANDALONE_PORT
        || LATER.iter().any(|(later, _)| *later == name)
        || KEYS.iter().any(|key| key.name == name || key.aliases.contains(&name))
        || KEYS.iter().any(|key| key.is_secret() && name.strip_suffix("_FILE") == Some(key.name))
}

#[cfg(test)]
mod tests;
