//! Whole files: ours, and those that deployments of vrchats have.

use std::process::Command;

use super::*;

const EXAMPLE: &str = include_str!("../../../.env_example");

#[test]
fn the_example_loads_once_it_has_certificates_and_a_secret() {
    let case = Case::bare().certificates().env(SECRET, GOOD_SECRET).file(EXAMPLE);
    assert_eq!(case.warnings(), [""; 0]);
    let suggested = EXAMPLE.lines().find_map(|line| line.strip_prefix("# ^")).map(|rest| format!("^{rest}")).unwrap();
    let case = case.env("EVENT_ID_REGEX_VALIDATION_PATTERN", &suggested);
    let pattern = case.config().publish.target_pattern.unwrap();
    assert!(pattern.is_match("6c84fb90-12c4-11e1-840d-7b25c5ee775a") && !pattern.is_match("6c84fb90"));
}

#[test]
fn the_example_without_a_secret_does_not_start_open() {
    let line = Case::bare().certificates().file(EXAMPLE).fault();
    assert!(line.starts_with("WEBSOCKET_AUTH_TOKEN_SECRET: is not set"), "{line}");
}

#[test]
fn the_example_holds_every_key_with_a_comment_above_and_its_default() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for key in keys() {
        let start = format!("{}=", key.name);
        let at = lines.iter().position(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {start}"));
        assert!(lines[at - 1].starts_with("# "), "{start}");
        let value = &lines[at][start.len()..];
        if let DefaultValue::Text(default) = key.default {
            assert_eq!(value, default, "{start}");
        }
    }
    let settings = lines.iter().filter(|line| !line.starts_with('#') && !line.is_empty());
    assert_eq!(settings.count(), keys().len());
}

#[test]
fn the_example_reads_alike_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("env");
    fs::write(&path, EXAMPLE).unwrap();
    let file = env_file::parse(EXAMPLE.as_bytes());
    assert!(file.faults.is_empty() && file.warnings.is_empty());
    for entry in &file.entries {
        // As systemd and Docker read it: everything behind the first `=`.
        assert_eq!(EXAMPLE.lines().nth(entry.line - 1), Some(format!("{}={}", entry.name, entry.value).as_str()));
        let script = format!(". \"$1\"; printf %s \"${}\"", entry.name);
        let output = Command::new("sh").args(["-c", &script, "sh"]).arg(&path).env_clear().output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), entry.value, "{}", entry.name);
    }
}

/// V-41: quotes, comments behind values, and escapes, as vrchats' own example has them.
#[test]
fn v_41_a_file_of_vrchats_is_read_as_its_container_sources_it() {
    let case = Case::bare().certificates();
    let text = format!(
        "NODE_ENV=\"development\"\n\nHTTP_PORT=2053\nWEBSOCKET_PORT=8443 # consumer\n\
         TRUST_ORIGIN_LIST=\"https://example.com,https://localhost\" # comma separated urls\n\
         TRUST_CIDR_LIST=\"127.0.0.1/32,10.0.0.0/8\" # comma separated\nUSE_PROXY=0 # 0 or 1\n\
         TRUST_PROXY_LIST= # comma separated \"ip/subnet,ip/subnet\" or empty\n\
         PUB_KEY_PATH={} # absolute path\nPRIV_KEY_PATH={} # absolute path\nCA_PATH= # absolute path\n\
         VERIFY_ORIGIN=0 # 0 or 1\n\
         EVENT_ID_REGEX_VALIDATION_PATTERN=\"^[0-9a-f]{{8}}-([0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}\\$\" # uuid\n\
         WEBSOCKET_AUTH=1 # 0 or 1\nWEBSOCKET_AUTH_TOKEN_SECRET=\"some-nasty-secret\"\n\
         WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL=86400000 # 24h\nWEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR=0\nENABLE_DEBUG=0\n",
        case.path("cert.pem"),
        case.path("key.pem"),
    );
    let case = case.without("PUB_KEY_PATH").without("PRIV_KEY_PATH").file(&text);
    assert_eq!(case.warning(), "NODE_ENV: accepted, without effect");
    let config = case.config();
    assert!(config.listen.tls.is_some() && config.admission.proxy.is_none());
    let pattern = config.publish.target_pattern.unwrap();
    assert!(pattern.is_match("6c84fb90-12c4-11e1-840d-7b25c5ee775a"));
    assert_eq!(config.admission.auth.token.unwrap().secret.expose(), "some-nasty-secret");
    assert_eq!(case.value("TRUST_ORIGIN_LIST").0, "https://example.com,https://localhost");
}

#[test]
fn the_names_of_the_first_versions_are_still_read() {
    let case = Case::bare().certificates().file(
        "NODE_ENV=\"production\"\nCLUSTER_MODE=1 # 0 or 1\nCLUSTER_INSTANCES=2\nPRODUCER_PORT=3053\nCONSUMER_PORT=3443\n\
         STANDALONE_PORT=8443\nALLOWED_ORIGINS=\"https://example.com\" # comma separated\n\
         ALLOWED_IPS=\"10.0.0.0/8,192.168.0.0/16\"\nUSE_PROXY= # 0 or 1\nTRUST_PROXY= # empty\n\
         IO_TOKEN_RENEW_INTERVAL=\nIO_TOKEN_RENEW_START_HOUR= # 0 to 23\nLOGS_DIR= # absolute path\n\
         AUTH_TOKEN_SECRET=\"some-nasty-secret\"\n",
    );
    let config = case.config();
    assert_eq!((config.listen.producer_port, config.listen.consumer_port), (3053, 3443));
    assert_eq!(config.cluster.workers, 2);
    assert_eq!(config.admission.auth.token.unwrap().secret.expose(), "some-nasty-secret");
    assert!(!config.admission.publishers.is_empty());
}

/// V-35: the variables of vrchats' unit start a cluster.
#[test]
fn v_35_the_variables_of_the_unit_are_read() {
    let case = Case::sound()
        .env("CLUSTER_MODE", "1")
        .env("CLUSTER_INSTANCES", "2")
        .env("PRODUCER_PORT", "2053")
        .env("CONSUMER_PORT", "8443")
        .env("STANDALONE_PORT", "8443");
    let config = case.config();
    assert_eq!((config.cluster.workers, config.listen.producer_port, config.listen.consumer_port), (2, 2053, 8443));
}

/// V-22: an empty list of proxies is told, not crashed on; blanks after commas are cut.
#[test]
fn v_22_lists_are_trimmed_and_may_be_missing() {
    assert!(Case::sound().env("USE_PROXY", "1").fault().contains("TRUST_PROXY_LIST"));
    Case::sound().env("USE_PROXY", "0").loaded();
    let spaced = Case::sound().env("TRUST_CIDR_LIST", " 10.0.0.0/8 , 192.168.0.0/16 ").config();
    let plain = Case::sound().env("TRUST_CIDR_LIST", "10.0.0.0/8,192.168.0.0/16").config();
    assert_eq!(spaced.admission.publishers, plain.admission.publishers);
}

/// V-32: a word that vrchats took for "off" is either understood or refused.
#[test]
fn v_32_no_word_turns_authentication_off_by_accident() {
    for word in ["true", "on", "1", ""] {
        assert!(Case::sound().env("WEBSOCKET_AUTH", word).config().admission.auth.token.is_some(), "{word}");
    }
    assert!(Case::sound().env("WEBSOCKET_AUTH", "yes").fault().starts_with("WEBSOCKET_AUTH (environment)"));
    assert!(Case::sound().env("WEBSOCKET_AUTH", "1").without(SECRET).fault().starts_with(SECRET));
}

/// V-23: a network that trusts strangers is told; the example names the private one.
#[test]
fn v_23_a_list_that_trusts_strangers_is_told() {
    let warnings = Case::sound().env("TRUST_CIDR_LIST", "172.0.0.1/8").warnings();
    assert!(!warnings.is_empty() && warnings.iter().all(|line| line.contains("172.0.0.1/8")), "{warnings:?}");
    assert!(EXAMPLE.contains("172.16.0.0/12") && !EXAMPLE.contains("172.0.0"));
}
