//! Each setting wrong in every way that its kind can be, and the one line that says so: all of them stand in `faults.txt`.

use super::*;

/// What a start says of each wrong text, a line each: `KEY=text -> problem and mend`. Where it does not begin with the
/// setting and its place, it is a warning, or a fault of another setting, which is named then.
const TOLD: &str = include_str!("faults.txt");

/// Texts that are wrong for a setting.
fn wrong(key: &Key) -> Vec<&'static str> {
    let of_kind: &[&str] = match key.kind {
        Kind::Address => &["localhost", "1.2.3", "10.0.0.0/8", "0.0.0.0 ::"],
        Kind::Listener => &["127.0.0.1", "localhost:1", "127.0.0.1:65536", ":18190"],
        Kind::Port => &["http", "-1", "65536", "80 81", "80 # web", "8443.0"],
        Kind::Switch => &["yes", "2", "-1", "0 1"],
        Kind::Choice => &["other", "0 1"],
        Kind::Number | Kind::Bytes | Kind::Milliseconds => &["many", "-7", "1.5", "1e6", "1 2", "99999999999999999999"],
        Kind::List => &["?", "one two", "\u{fffd}"],
        Kind::Path => &["/nowhere/a.pem", "/", "/dev/null/a.pem", "  ", "\u{fffd}"],
        Kind::Pattern => &["(", "[", "a{2,1}", "^(?=a)", "^(?!a)", "(?<=a)b", "(?<!a)b", "(a)\\1", "a\\", "\u{fffd}"],
        Kind::Text | Kind::Secret => &["\u{fffd}"],
    };
    let of_key: &[&str] = match key.name {
        "ADMIN_ADDR" => &["127.0.0.1:2053", "127.0.0.1:8443", "0.0.0.0:18190"],
        "ADMIN_TOKEN" | "WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS" | SECRET => &["short"],
        "TRUST_CIDR_LIST" | "TRUST_PROXY_LIST" | "RATE_LIMIT_EXEMPT" => {
            &["10.0.0.0/8,10.0.0.0/33", "010.0.0.1", "[::1]", "fe80::1%eth0", "10.0.0.1:80", "10.1"]
        }
        "TRUST_ORIGIN_LIST" => &["https://a.example,b.example", "https://a.example/page", "*"],
        "PROXY_HEADER" => &["x-real-ip", "x-forwarded-for,forwarded"],
        "WEBSOCKET_AUTH" => &["yes", "2", "1,jwt", "token,", "nonce"],
        "WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR" => &["24"],
        "WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL" => &["1d", "3600000"],
        "WEBSOCKET_AUTH_TOKEN_GRACE_MS" => &["5m", "86400001"],
        "JWT_KEY" => &["https://id.example/jwks", "{\"keys\":[]}", "short"],
        "PUBLISH_BODY_LIMIT" => &["0", "100kb", "67108865"],
        "MAX_HTTP_BUFFER_SIZE" => &["0", "1MB", "67108865"],
        "CLIENT_QUEUE_MAX_BYTES" => &["0", "1MiB", "1073741825"],
        "RATE_LIMIT_PER_IP" | "RATE_LIMIT_PER_USER" => &["0", "1000001"],
        "PUBLISH_RATE_LIMIT" => &["1000001", "none"],
        "MAX_CONNECTIONS" => &["0", "4294967297", "4294967296"],
        "MAX_CONNECTIONS_PER_IP" => &["none", "4294967297"],
        "CLUSTER_INSTANCES" => &["-2", "1025", "all"],
        "PING_INTERVAL" | "PING_TIMEOUT" | "CLIENT_WRITE_TIMEOUT_MS" => &["0", "20s", "86400001"],
        "DRAIN_TIMEOUT_MS" => &["30s", "3600001"],
        _ => &[],
    };
    let of_proxies: &[&str] = if key.name == "TRUST_PROXY_LIST" { &["@/nowhere/list", "@/"] } else { &[] };
    [of_kind, of_key, of_proxies].concat()
}

/// What makes a setting count that does not count by itself.
fn case_for(key: &Key) -> Case {
    let case = Case::sound();
    if key.name == "CA_PATH" { case.env("VERIFY_ORIGIN", "1") } else { case }
}

/// The one line that is said, be it a fault or a warning.
fn told(case: &Case) -> String {
    match load(&case.sources) {
        Ok(_) => format!("warning: {}", case.warning()),
        Err(_) => case.fault(),
    }
}

#[test]
fn each_wrong_text_gives_one_line_that_names_the_setting_and_the_mend() {
    let mut lines = String::new();
    for key in keys() {
        assert!(!wrong(key).is_empty(), "{} has no wrong text", key.name);
        for text in wrong(key) {
            let line = told(&case_for(key).env(key.name, text));
            let start = format!("{} (environment): ", key.name);
            let problem = line.strip_prefix(&start).unwrap_or(&line);
            lines.push_str(&format!("{}={} -> {problem}\n", key.name, text.escape_debug()));
        }
    }
    let differing = lines.lines().zip(TOLD.lines()).find(|(now, then)| now != then);
    assert!(lines == TOLD, "{differing:?}; faults.txt should hold\n{lines}");
}

#[test]
fn the_same_line_names_file_and_line_or_the_flag_and_holds_no_secret() {
    for key in keys() {
        for text in wrong(key) {
            let flag = format!("--{}", key.flag());
            let quoted = text.replace('\'', "'\\''");
            let file =
                case_for(key).without(key.name).file(&format!("# a comment\n\n{}='{quoted}' # behind\n", key.name));
            let of_environment = told(&case_for(key).env(key.name, text));
            let place = "(environment)";
            if of_environment.contains(place) {
                let in_file = format!("({}:3)", file.path("settings.env"));
                assert_eq!(told(&file), of_environment.replace(place, &in_file));
                if !key.is_secret() {
                    let given = told(&case_for(key).flag(key.name, text));
                    assert_eq!(given, of_environment.replace(place, &format!("({flag})")));
                }
            }
            assert!(!key.is_secret() || text.contains('\u{fffd}') || !of_environment.contains(&format!("{text:?}")));
        }
    }
}

/// Nobody means a setting that is empty: it is as if it were not there.
#[test]
fn an_empty_text_or_blanks_are_as_if_the_setting_were_not_there() {
    for key in keys().iter().filter(|key| key.kind != Kind::Listener) {
        for text in ["", " \t "].into_iter().filter(|text| text.is_empty() || !key.is_verbatim()) {
            let (without, with) = (Case::sound().without(key.name), Case::sound().env(key.name, text));
            let said = |case: &Case| load(&case.sources).map(|_| case.warnings()).map_err(|faults| faults.to_string());
            assert_eq!(said(&with), said(&without), "{}={text:?}", key.name);
        }
    }
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
