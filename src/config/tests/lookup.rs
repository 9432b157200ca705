//! Single settings, for commands that need no more.

use super::*;

fn text(case: &Case, key: &'static str) -> Option<String> {
    let [text] = lookup(&case.sources, [key]).unwrap_or_else(|faults| panic!("{faults}"));
    text
}

#[test]
fn a_text_is_the_one_that_counts_for_the_gateway() {
    let case = Case::bare().file("PRODUCER_PORT=7\nPING_TIMEOUT=300\n").env("HTTP_PORT", "").env("CLUSTER_MODE", "off");
    let case = case.env("STANDALONE_PORT", "9000").flag("PING_TIMEOUT", "200").env("AUTH_TOKEN_SECRET", "old");
    for (key, expected) in [
        ("HTTP_PORT", Some("7")),
        ("WEBSOCKET_PORT", Some("9000")),
        ("PING_TIMEOUT", Some("200")),
        ("PING_INTERVAL", Some("25000")),
        (SECRET, Some("old")),
        ("CA_PATH", None),
        ("NO_SUCH_KEY", None),
    ] {
        assert_eq!(text(&case, key).as_deref(), expected, "{key}");
    }
    let [port, timeout] = lookup(&case.sources, ["HTTP_PORT", "PING_TIMEOUT"]).unwrap();
    assert_eq!((port.as_deref(), timeout.as_deref()), (Some("7"), Some("200")));
}

#[test]
fn a_secret_may_stand_in_a_file_and_an_empty_admin_address_is_one() {
    let case = Case::bare().env("ADMIN_ADDR", "");
    let path = case.write("secret", "of the file\n").to_str().unwrap().to_owned();
    let case = case.env(&format!("{SECRET}_FILE"), &path);
    assert_eq!(text(&case, SECRET).as_deref(), Some("of the file"));
    assert_eq!(text(&case, "ADMIN_ADDR").as_deref(), Some(""));
}

#[test]
fn only_faults_of_the_wanted_settings_and_of_the_file_count() {
    let case = Case::bare().env("HOST", "not parsed").env("LOG_LEVEL", "loud").env("JWT_KEY_FILE", "/nowhere/key");
    assert_eq!(text(&case, "HOST").as_deref(), Some("not parsed"));
    let faults = lookup(&case.sources, ["HOST", "JWT_KEY"]).unwrap_err();
    assert!(faults.to_string().starts_with("JWT_KEY (environment, as JWT_KEY_FILE): cannot use"), "{faults}");
    assert_eq!((faults.faults.len(), faults.warnings.len()), (1, 0));

    let mut case = Case::bare();
    case.sources.env_file = Some(case.folder.path().join("missing"));
    let faults = lookup(&case.sources, ["HOST"]).unwrap_err();
    assert!(faults.to_string().contains("cannot read the file of settings"), "{faults}");
}
