//! What the command prints, and how it ends.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::Value;

use super::*;
use crate::cli::cert;
use crate::config::{Machine, keys};

fn check(arguments: &[&str], environment: &[(&str, &str)]) -> (u8, String) {
    let matches = command().try_get_matches_from(std::iter::once(&"check").chain(arguments)).unwrap();
    let mut sources = settings::sources(&matches);
    sources.environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    sources.default_env_file = None;
    sources.machine = Machine { stdout_is_terminal: false, files_max: 65_536, cores: 2, memory_bytes: 8 << 30 };
    let mut out = Vec::new();
    let code = run(&matches, &sources, &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

const SOUND: &[(&str, &str)] = &[("TLS", "0"), ("WEBSOCKET_AUTH_TOKEN_SECRET", "hunter2-hunter2-hunter2")];

#[test]
fn a_sound_configuration_is_printed_with_its_sources() {
    let (code, out) = check(&["--http-port", "1"], SOUND);
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    for line in [
        "HTTP_PORT=1 (--http-port)",
        "TLS=0 (environment)",
        "WEBSOCKET_PORT=8443 (default)",
        "WEBSOCKET_AUTH_TOKEN_SECRET=*** (environment)",
        "CLUSTER_INSTANCES=2 (default)",
    ] {
        assert!(lines.contains(&line), "{line}: {out}");
    }
    let warnings = lines.iter().filter(|line| line.starts_with("warning: ")).count();
    assert_eq!(lines.len(), keys().len() + warnings);
    assert!(warnings > 0 && lines[lines.len() - warnings..].iter().all(|line| line.starts_with("warning: ")));
    assert!(!out.contains("hunter2"));
}

#[test]
fn every_fault_is_printed_and_the_code_is_64() {
    let (code, out) = check(&["--http-port", "x"], &[("TLS", "maybe")]);
    assert_eq!(code, 64);
    let faults: Vec<&str> = out.lines().filter(|line| line.starts_with("fault: ")).collect();
    assert_eq!(faults.len(), 2, "{out}");
    assert!(faults.iter().any(|line| line.starts_with("fault: HTTP_PORT (--http-port): \"x\" is no port")));
    assert!(faults.iter().any(|line| line.starts_with("fault: TLS (environment): \"maybe\"")));
}

/// The settings of a folder's certificate and key, and of an authority for the consumer port alone.
fn tls<'a>(certificate: &'a str, key: &'a str, ca: &'a str) -> Vec<(&'a str, &'a str)> {
    let consumer = [("CA_PATH", ca), ("VERIFY_ORIGIN", "consumer"), ("WEBSOCKET_AUTH", "0")];
    [[("TLS", "1"), ("PUB_KEY_PATH", certificate), ("PRIV_KEY_PATH", key)], consumer].concat()
}

#[test]
fn certificates_that_cannot_start_are_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["ours", "theirs"] {
        cert::renew_server(&folder.path().join(name), Utc::now()).unwrap();
    }
    std::fs::write(path("garbage"), "no certificate").unwrap();
    let (certificate, key, ca) = (path("ours/cert.pem"), path("ours/key.pem"), path("ours/ca.pem"));
    let (garbage, other_key) = (path("garbage"), path("theirs/key.pem"));
    assert_eq!(check(&[], &tls(&certificate, &key, &ca)).0, 0);
    for (settings, keys, place, problem) in [
        (tls(&garbage, &key, &ca), "PUB_KEY_PATH", Some("environment"), "holds no certificate"),
        (tls(&certificate, &garbage, &ca), "PRIV_KEY_PATH", Some("environment"), "holds no private key"),
        (tls(&certificate, &other_key, &ca), "PUB_KEY_PATH, PRIV_KEY_PATH", None, "cannot be used together: "),
        (tls(&certificate, &key, &garbage), "CA_PATH", Some("environment"), "holds no certificate"),
    ] {
        let (code, out) = check(&[], &settings);
        let faults: Vec<&str> = out.lines().filter(|line| line.starts_with("fault: ")).collect();
        assert_eq!((code, faults.len()), (64, 1), "{out}");
        let start = place.map_or(format!("fault: {keys}: "), |place| format!("fault: {keys} ({place}): "));
        assert!(faults[0].starts_with(&start) && faults[0].contains(problem), "{out}");
        assert!(!out.contains("HTTP_PORT="), "{out}");

        let (code, out) = check(&["--json"], &settings);
        let object: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &object["ok"]), (64, &Value::Bool(false)));
        let fault = &object["faults"][0];
        assert_eq!((fault["key"].as_str(), fault["place"].as_str()), (Some(keys), place));
        assert!(fault["problem"].as_str().unwrap().contains(problem), "{out}");
        assert!(object["warnings"].is_array() && object["faults"].as_array().unwrap().len() == 1);
    }
}

#[test]
fn json_says_the_same() {
    let (code, out) = check(&["--json"], SOUND);
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &object["ok"]), (0, &Value::Bool(true)));
    let settings = object["settings"].as_array().unwrap();
    let values: BTreeMap<_, _> = settings.iter().map(|it| (it["key"].as_str().unwrap(), &it["value"])).collect();
    assert_eq!(values["WEBSOCKET_AUTH_TOKEN_SECRET"], "***");
    assert_eq!(values["HTTP_PORT"], "2053");
    let (code, out) = check(&["--json"], &[("TLS", "maybe")]);
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &object["ok"]), (64, &Value::Bool(false)));
    assert_eq!(object["faults"][0]["key"], "TLS");
    assert_eq!(object["faults"][0]["place"], "environment");
    assert!(object["warnings"].is_array());
}
