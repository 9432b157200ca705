//! What settings come to: ports, certificates, workers, connections, authentication, lists, log.

use std::num::NonZeroU32;

use tracing::level_filters::LevelFilter;

use super::*;
use crate::admission::config::UserRate;
use crate::ops::LogFormat;

#[test]
fn the_defaults_are_those_of_the_table() {
    let config = Case::sound().config();
    assert_eq!(config.listen.host.to_string(), "::");
    assert_eq!((config.listen.producer_port, config.listen.consumer_port), (2053, 8443));
    assert_eq!(config.listen.write_timeout.as_millis(), 10_000);
    assert_eq!(config.ops.admin_addr, Some("127.0.0.1:18190".parse().unwrap()));
    assert_eq!(config.producer.body_bytes_max, 102_400);
    assert!(!config.producer.has_legacy_route && !config.producer.has_legacy_statuses);
    assert!(config.publish.target_pattern.is_none() && !config.publish.takes_uuid);
    assert_eq!(config.subscriber.ping_interval.as_millis(), 25_000);
    assert_eq!(config.subscriber.ping_timeout.as_millis(), 20_000);
    assert_eq!(config.subscriber.payload_bytes_max, 1_000_000);
    assert_eq!(config.lifecycle.drain_timeout.as_millis(), 30_000);
    assert_eq!(config.log.level, LevelFilter::INFO);
    assert_eq!(config.log.format, LogFormat::Json);
    let rates = config.admission.rates.unwrap();
    assert_eq!((rates.per_address.get(), rates.per_user), (20, UserRate::Waits(NonZeroU32::MIN)));
    assert!(config.admission.publishes_per_second.is_none());
    assert!(config.admission.sessions_per_address_max.is_none());
    assert!(config.admission.proxy.is_none());
    let token = config.admission.auth.token.unwrap();
    assert_eq!((token.start_hour, token.grace.as_millis()), (0, 300_000));
    assert!(token.previous.is_none() && config.admission.auth.jwt.is_none());
}

#[test]
fn every_switch_knows_six_words() {
    for (text, expected) in [("1", true), ("true", true), ("ON", true), ("0", false), ("false", false), ("Off", false)]
    {
        assert_eq!(Case::sound().env("TLS", text).config().listen.tls.is_some(), expected, "{text}");
        let case = Case::sound().env("LEGACY_PUBLISH", text);
        assert_eq!((case.config().producer.has_legacy_route, case.config().publish.takes_uuid), (expected, expected));
        assert_eq!(Case::sound().env("RATE_LIMIT", text).config().admission.rates.is_some(), expected, "{text}");
    }
}

#[test]
fn without_tls_no_certificate_is_asked_for() {
    let case = Case::sound().env("TLS", "0").env("PUB_KEY_PATH", "/nowhere").without("PRIV_KEY_PATH");
    assert!(case.config().listen.tls.is_none());
}

#[test]
fn client_certificates_are_asked_for_where_it_says() {
    for (text, producer, consumer) in [("1", true, true), ("producer", true, false), ("consumer", false, true)] {
        let case = Case::sound().env("VERIFY_ORIGIN", text);
        let ca = case.write("ca.pem", "");
        let tls = case.env("CA_PATH", ca.to_str().unwrap()).config().listen.tls.unwrap();
        assert_eq!((tls.client_certificates.producer, tls.client_certificates.consumer), (producer, consumer));
        assert_eq!(tls.client_ca, Some(ca));
    }
    let tls = Case::sound().env("CA_PATH", "/nowhere").config().listen.tls.unwrap();
    assert_eq!(tls.client_ca, None);
}

#[test]
fn a_private_key_that_everybody_reads_is_warned_of() {
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        let case = Case::sound();
        fs::set_permissions(case.path("key.pem"), Permissions::from_mode(mode)).unwrap();
        assert_eq!(case.warnings().iter().any(|line| line.starts_with("PRIV_KEY_PATH: everybody")), warns, "{mode:o}");
    }
}

#[test]
fn port_0_takes_a_free_one_on_both_sides() {
    let case = Case::sound().env("HTTP_PORT", "0").env("WEBSOCKET_PORT", "0").env("ADMIN_ADDR", "127.0.0.1:0");
    let config = case.config();
    assert_eq!((config.listen.producer_port, config.listen.consumer_port), (0, 0));
    assert_eq!(config.ops.admin_addr.unwrap().port(), 0);
}

#[test]
fn an_admin_listener_off_loopback_has_a_token() {
    let case = Case::sound().env("ADMIN_ADDR", "0.0.0.0:18190").env("ADMIN_TOKEN", GOOD_SECRET);
    assert_eq!(case.config().ops.admin_token.unwrap().expose(), GOOD_SECRET);
    for loopback in ["127.0.0.2:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(Case::sound().env("ADMIN_ADDR", loopback).config().ops.admin_token.is_none());
    }
}

#[test]
fn workers_follow_from_mode_instances_and_cores() {
    for (mode, instances, workers) in [
        ("", "", 4),
        ("1", "", 4),
        ("1", "0", 4),
        ("1", "max", 4),
        ("1", "-1", 3),
        ("1", "2", 2),
        ("", "2", 2),
        ("1", "9", 9),
        ("0", "", 1),
        ("0", "3", 1),
    ] {
        let case = Case::sound().env("CLUSTER_MODE", mode).env("CLUSTER_INSTANCES", instances);
        assert_eq!(case.config().cluster.workers, workers, "{mode:?} {instances:?}");
        assert_eq!(case.warnings().len(), usize::from(mode == "0" && instances == "3"));
    }
    let one_core = Case::sound().machine(|machine| machine.cores = 1).env("CLUSTER_INSTANCES", "-1");
    assert_eq!(one_core.config().cluster.workers, 1);
}

#[test]
fn connections_follow_from_the_file_limit() {
    let of = |files_max, asked: &str| {
        let case = Case::sound().machine(|machine| machine.files_max = files_max).env("MAX_CONNECTIONS", asked);
        let config = case.config();
        (config.listen.sockets_max, config.admission.sessions_max, case.warnings().len())
    };
    assert_eq!(of(65_536, ""), (61_312, 57_480, 0));
    assert_eq!(of(65_536, "1000"), (1000 + 62 + 16, 1000, 0));
    assert_eq!(of(65_536, "57000"), (60_578, 57_000, 0));
    assert_eq!(of(65_536, "1000000"), (61_312, 57_480, 1));
    assert_eq!(of(1024, ""), (832, 780, 0));
    assert_eq!(of(64, ""), (16, 15, 1));
    assert_eq!(of(u64::MAX, "4294967296").1, 4_294_967_296);
    assert_eq!(Case::sound().value("MAX_CONNECTIONS"), ("57480".to_owned(), "default".to_owned()));
}

#[test]
fn authentication_is_on_if_a_secret_or_a_key_is_set() {
    let of = |auth: &str, secret: &str, key: &str| {
        let case = Case::sound().env("WEBSOCKET_AUTH", auth).env(SECRET, secret).env("JWT_KEY", key);
        let config = case.config().admission.auth;
        (config.token.is_some(), config.jwt.is_some(), case.warnings())
    };
    let (secret, key, silent) =
        (GOOD_SECRET, "an-hs-secret-of-more-than-sixty-four-bytes-for-every-hs-algorithm", vec![]);
    assert_eq!(of("", secret, ""), (true, false, silent.clone()));
    assert_eq!(of("", "", key), (false, true, silent.clone()));
    assert_eq!(of("", secret, key), (true, true, silent.clone()));
    for on in ["1", "true", "on", "token", " Token "] {
        assert_eq!(of(on, secret, ""), (true, false, silent.clone()), "{on}");
    }
    assert_eq!(of("jwt", secret, key), (false, true, silent.clone()));
    assert_eq!(of("jwt, token", secret, key), (true, true, silent));
    let open = "WEBSOCKET_AUTH: is off: everybody who names a room may listen to it".to_owned();
    for off in ["0", "false", "off"] {
        assert_eq!(of(off, secret, ""), (false, false, vec![open.clone()]), "{off}");
    }
    assert_eq!(of("", "", ""), (false, false, vec![open]));
    assert_eq!(of("1", secret, key).2, ["JWT_KEY: has no effect: WEBSOCKET_AUTH does not name jwt"]);
    assert_eq!(Case::sound().value("WEBSOCKET_AUTH"), ("token".to_owned(), "default".to_owned()));
}

#[test]
fn short_secrets_and_odd_intervals_are_warned_of() {
    for key in ["ADMIN_TOKEN", SECRET, "WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS"] {
        assert!(Case::sound().env(key, "fifteen-bytes--").warning().contains("shorter than 16 bytes"));
        assert_eq!(Case::sound().env(key, "sixteen-bytes---").warnings(), [""; 0]);
    }
    let case = Case::sound().env("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL", "3600000");
    assert!(case.warning().starts_with("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL: has no effect"));
}

#[test]
fn who_is_trusted_with_nothing_is_told() {
    let case = Case::sound().without("TRUST_CIDR_LIST").without("TRUST_ORIGIN_LIST");
    let warnings = case.warnings();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("TRUST_CIDR_LIST: is not set: nobody may publish"));
    assert!(warnings[1].starts_with("TRUST_ORIGIN_LIST: is not set: no browser may listen"));
}

#[test]
fn a_list_warns_of_host_bits_and_not_without_end() {
    assert!(Case::sound().env("TRUST_CIDR_LIST", "10.0.0.1/8").warning().starts_with("TRUST_CIDR_LIST: "));
    let many: Vec<_> = (0..9).map(|i| format!("10.{i}.0.1/16")).collect();
    let warnings = Case::sound().env("TRUST_CIDR_LIST", &many.join(",")).warnings();
    assert_eq!(warnings.len(), 4);
    assert_eq!(warnings[3], "TRUST_CIDR_LIST: and 6 more entries like these");
}

#[test]
fn proxies_may_stand_in_a_file() {
    let case = Case::sound().env("USE_PROXY", "1").env("PROXY_HEADER", "cf-connecting-ip");
    let list = case.write("proxies", "# ours\n10.1.0.0/16\n\n10.2.0.0/16, 10.3.0.0/16 # and these\r\n");
    let proxy = case.env("TRUST_PROXY_LIST", &format!("@{}", list.display())).config().admission.proxy.unwrap();
    let expected = crate::admission::cidr::CidrList::parse("10.1.0.0/16,10.2.0.0/16,10.3.0.0/16").unwrap().list;
    assert_eq!(proxy.trusted, expected);
    assert_eq!(proxy.header, crate::admission::forwarded::ProxyHeader::CfConnectingIp);
}

#[test]
fn limits_that_are_off_by_default_can_be_set() {
    let case = |text| Case::sound().env("PUBLISH_RATE_LIMIT", text).env("MAX_CONNECTIONS_PER_IP", text);
    let admission = case("5").config().admission;
    assert_eq!(admission.publishes_per_second.unwrap().get(), 5);
    assert_eq!(admission.sessions_per_address_max, Some(5));
    for off in ["0", "off", ""] {
        let admission = case(off).config().admission;
        assert!(admission.publishes_per_second.is_none() && admission.sessions_per_address_max.is_none());
    }
}

#[test]
fn vrchats_quirks_are_its_statuses_and_its_limit_unless_limits_are_off() {
    let case = || Case::sound().env("LEGACY_QUIRKS", "1").env("RATE_LIMIT_PER_IP", "7");
    let config = case().config();
    assert!(config.producer.has_legacy_statuses && !config.producer.has_legacy_route);
    let rates = config.admission.rates.unwrap();
    assert_eq!((rates.per_address.get(), rates.per_user), (7, UserRate::OneOrRefused));
    assert_eq!(case().warnings(), [""; 0]);
    let off = case().env("RATE_LIMIT", "0").config();
    assert!(off.admission.rates.is_none() && off.producer.has_legacy_statuses);
    let replaced = case().env("RATE_LIMIT_PER_USER", "5");
    assert_eq!(replaced.config().admission.rates.unwrap().per_user, UserRate::OneOrRefused);
    assert!(replaced.warning().starts_with("RATE_LIMIT_PER_USER: has no effect with LEGACY_QUIRKS=1"));
    let word = case().env("LEGACY_QUIRKS", "off").env("RATE_LIMIT_PER_USER", "5").config();
    let five = NonZeroU32::new(5).unwrap();
    assert_eq!(word.admission.rates.unwrap().per_user, UserRate::Waits(five));
}

#[test]
fn the_log_follows_level_debug_and_terminal() {
    let log = |level, debug| Case::sound().env("LOG_LEVEL", level).env("ENABLE_DEBUG", debug).config().log.level;
    assert_eq!(log("", "1"), LevelFilter::DEBUG);
    assert_eq!(log("trace", "1"), LevelFilter::TRACE);
    assert_eq!(log("WARN", "0"), LevelFilter::WARN);
    assert!(Case::sound().env("ENABLE_DEBUG", "1").warning().starts_with("ENABLE_DEBUG: is on"));
    let terminal = || Case::sound().machine(|machine| machine.stdout_is_terminal = true);
    assert_eq!(terminal().config().log.format, LogFormat::Pretty);
    assert_eq!(terminal().env("LOG_FORMAT", "json").config().log.format, LogFormat::Json);
    assert_eq!(terminal().value("LOG_FORMAT"), ("pretty".to_owned(), "default".to_owned()));
}
