//! Each setting wrong in every way that is known, and the one line that says so.

use std::collections::BTreeSet;

use super::*;

/// A setting, a text that is wrong for it, and a word of the line that says so.
const WRONG: &[(&str, &str, &str)] = &[
    ("HOST", "localhost", "IP address"),
    ("HOST", "1.2.3", "IP address"),
    ("HTTP_PORT", "65536", "port"),
    ("HTTP_PORT", "-1", "port"),
    ("HTTP_PORT", "80 # web", "port"),
    ("WEBSOCKET_PORT", "eight", "port"),
    ("ADMIN_ADDR", "127.0.0.1", "127.0.0.1:18190"),
    ("ADMIN_ADDR", "localhost:1", "127.0.0.1:18190"),
    ("ADMIN_ADDR", "127.0.0.1:2053", "HTTP_PORT"),
    ("ADMIN_ADDR", "127.0.0.1:8443", "WEBSOCKET_PORT"),
    ("ADMIN_TOKEN", "\u{fffd}", "UTF-8"),
    ("TLS", "yes", "neither 0 nor 1"),
    ("TLS", "2", "neither 0 nor 1"),
    ("PUB_KEY_PATH", "/nowhere/cert.pem", "roomcast cert"),
    ("PUB_KEY_PATH", "/", "folder"),
    ("PRIV_KEY_PATH", "/nowhere/key.pem", "roomcast cert"),
    ("CA_PATH", "\u{fffd}", "UTF-8"),
    ("VERIFY_ORIGIN", "both", "producer"),
    ("TRUST_CIDR_LIST", "10.0.0.0/8,10.0.0.0/33", "10.0.0.0/33"),
    ("TRUST_ORIGIN_LIST", "https://a.example,b.example", "b.example"),
    ("USE_PROXY", "maybe", "neither 0 nor 1"),
    ("TRUST_PROXY_LIST", "nginx", "nginx"),
    ("TRUST_PROXY_LIST", "@/nowhere/list", "/nowhere/list"),
    ("PROXY_HEADER", "x-real-ip", "x-real-ip"),
    ("WEBSOCKET_AUTH", "yes", "token"),
    ("WEBSOCKET_AUTH", "2", "token"),
    ("WEBSOCKET_AUTH", "1,jwt", "token"),
    ("WEBSOCKET_AUTH", "token,", "token"),
    ("WEBSOCKET_AUTH", "nonce", "not supported by this version"),
    ("WEBSOCKET_AUTH_TOKEN_SECRET", "\u{fffd}", "UTF-8"),
    ("WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS", "\u{fffd}", "UTF-8"),
    ("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", "24", "from 0 to 23"),
    ("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", "-1", "from 0 to 23"),
    ("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL", "1d", "whole number"),
    ("WEBSOCKET_AUTH_TOKEN_GRACE_MS", "5m", "milliseconds"),
    ("WEBSOCKET_AUTH_TOKEN_GRACE_MS", "86400001", "86400000"),
    ("JWT_KEY", "https://id.example/jwks", "save the JWKS to a file and give its path"),
    ("JWT_KEY", "{\"keys\":[]}", "path"),
    ("JWT_ISSUER", "\u{fffd}", "UTF-8"),
    ("JWT_AUDIENCE", "\u{fffd}", "UTF-8"),
    ("EVENT_ID_REGEX_VALIDATION_PATTERN", "^(?=a)", "look-around"),
    ("EVENT_ID_REGEX_VALIDATION_PATTERN", "(a)\\1", "back-reference"),
    ("EVENT_ID_REGEX_VALIDATION_PATTERN", "(", "unclosed group"),
    ("PUBLISH_BODY_LIMIT", "100kb", "whole number"),
    ("PUBLISH_BODY_LIMIT", "0", "from 1"),
    ("PUBLISH_RATE_LIMIT", "many", "nor off"),
    ("RATE_LIMIT", "20", "neither 0 nor 1"),
    ("RATE_LIMIT_PER_IP", "0", "RATE_LIMIT=0"),
    ("RATE_LIMIT_PER_USER", "0.5", "whole number"),
    ("RATE_LIMIT_EXEMPT", "me", "me"),
    ("MAX_CONNECTIONS", "0", "from 1"),
    ("MAX_CONNECTIONS", "1e6", "whole number"),
    ("MAX_CONNECTIONS_PER_IP", "none", "nor off"),
    ("CLUSTER_MODE", "auto", "neither 0 nor 1"),
    ("CLUSTER_INSTANCES", "-2", "max"),
    ("CLUSTER_INSTANCES", "1025", "1024"),
    ("PING_INTERVAL", "0", "milliseconds"),
    ("PING_TIMEOUT", "20s", "milliseconds"),
    ("MAX_HTTP_BUFFER_SIZE", "1MB", "whole number"),
    ("MAX_HTTP_BUFFER_SIZE", "67108865", "67108864"),
    ("CLIENT_WRITE_TIMEOUT_MS", "0", "milliseconds"),
    ("DRAIN_TIMEOUT_MS", "3600001", "3600000"),
    ("LOG_LEVEL", "verbose", "neither error"),
    ("LOG_FORMAT", "xml", "neither json"),
    ("ENABLE_DEBUG", "*", "neither 0 nor 1"),
    ("LEGACY_PUBLISH", "v0.3", "neither 0 nor 1"),
    ("LEGACY_QUIRKS", "all", "neither 0 nor 1"),
];

#[test]
fn each_wrong_text_gives_one_line_that_names_the_setting() {
    for (key, text, word) in WRONG {
        let line = Case::sound().env(key, text).fault();
        assert!(line.starts_with(&format!("{key} (environment): ")), "{line}");
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[test]
fn the_same_line_names_file_and_line_or_the_flag() {
    for (key, text, _) in WRONG {
        let quoted = text.replace('\'', "'\\''");
        let case = Case::sound().without(key).file(&format!("# a comment\n\n{key}='{quoted}' # behind\n"));
        let line = case.fault();
        assert!(line.starts_with(&format!("{key} ({}:3): ", case.path("settings.env"))), "{line}");
        let flag = key.to_lowercase().replace('_', "-");
        let line = Case::sound().flag(key, text).fault();
        assert!(line.starts_with(&format!("{key} (--{flag}): ")), "{line}");
    }
}

#[test]
fn every_key_of_the_table_is_wrong_once() {
    let wrong: BTreeSet<_> = WRONG.iter().map(|(key, ..)| *key).collect();
    let keys: BTreeSet<_> = keys().iter().map(|key| key.name).collect();
    assert_eq!(wrong, keys);
}

#[test]
fn a_message_shows_little_of_a_long_value_and_stays_on_its_line() {
    let line = Case::sound().env("HOST", &format!("a\nb{}", "c".repeat(5000))).fault();
    assert!(line.contains("\\n") && line.len() < 200, "{line}");
}

#[test]
fn a_file_of_settings_that_was_asked_for_must_be_there() {
    let mut case = Case::sound();
    case.sources.env_file = Some(case.folder.path().join("missing.env"));
    assert!(case.fault().starts_with(&format!("{}: cannot read", case.path("missing.env"))));
    case.sources.env_file = Some(case.folder.path().to_owned());
    assert!(case.fault().contains("cannot read"));
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let text = "#".repeat(1 << 20);
    Case::sound().file(&text).loaded();
    assert!(Case::sound().file(&(text + "#")).fault().contains("mebibyte"));
}

#[test]
fn what_one_setting_asks_of_another_is_checked() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("TLS", "1"), ("PUB_KEY_PATH", "")], "PUB_KEY_PATH: is required"),
        (&[("TLS", "1"), ("PRIV_KEY_PATH", "")], "PRIV_KEY_PATH: is required"),
        (&[("VERIFY_ORIGIN", "1")], "CA_PATH: is required with VERIFY_ORIGIN"),
        (&[("VERIFY_ORIGIN", "producer"), ("CA_PATH", "/nowhere")], "CA_PATH (environment): cannot read"),
        (&[("VERIFY_ORIGIN", "1"), ("TLS", "0")], "VERIFY_ORIGIN (environment): needs TLS=1"),
        (&[("USE_PROXY", "1")], "TRUST_PROXY_LIST: names no proxy"),
        (&[("USE_PROXY", "1"), ("TRUST_PROXY_LIST", " , ")], "TRUST_PROXY_LIST (environment): names no proxy"),
        (&[("WEBSOCKET_AUTH", "1"), (SECRET, "")], "WEBSOCKET_AUTH_TOKEN_SECRET: is not set"),
        (&[("WEBSOCKET_AUTH", "jwt")], "JWT_KEY: is not set"),
        (&[("ADMIN_ADDR", "0.0.0.0:18190")], "ADMIN_TOKEN: is required"),
        (&[("ADMIN_ADDR", "[::]:18190")], "ADMIN_TOKEN: is required"),
    ];
    for (settings, start) in cases {
        let case = settings.iter().fold(Case::sound(), |case, (key, text)| case.env(key, text));
        let line = case.fault();
        assert!(line.starts_with(start), "{start}: {line}");
    }
}

#[test]
fn one_shared_port_cannot_ask_one_side_for_certificates() {
    for side in ["producer", "consumer"] {
        let case = Case::sound().env("WEBSOCKET_PORT", "2053").env("VERIFY_ORIGIN", side);
        let ca = case.write("ca.pem", "").to_str().unwrap().to_owned();
        let case = case.env("CA_PATH", &ca);
        assert!(case.fault().starts_with("VERIFY_ORIGIN (environment): one port serves both sides"));
        case.env("VERIFY_ORIGIN", "1").loaded();
    }
}
