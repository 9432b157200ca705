//! Which source wins, old names, secrets in files, and the words said about them.

use super::*;

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let case = Case::sound().file("HTTP_PORT=3\nWEBSOCKET_PORT=30\nPING_TIMEOUT=300\n");
    let file = case.path("settings.env");
    let case = case.env("HTTP_PORT", "2").env("WEBSOCKET_PORT", "20").flag("HTTP_PORT", "1");
    assert_eq!(case.value("HTTP_PORT"), ("1".to_owned(), "--http-port".to_owned()));
    assert_eq!(case.value("WEBSOCKET_PORT"), ("20".to_owned(), "environment".to_owned()));
    assert_eq!(case.value("PING_TIMEOUT"), ("300".to_owned(), format!("{file}:3")));
    assert_eq!(case.value("PING_INTERVAL"), ("25000".to_owned(), "default".to_owned()));
    let listen = case.config().listen;
    assert_eq!((listen.producer_port, listen.consumer_port), (1, 20));
}

#[test]
fn the_usual_file_is_read_if_it_is_there_and_no_other_is_asked_for() {
    let mut case = Case::sound();
    case.sources.default_env_file = Some(case.folder.path().join(".env"));
    assert_eq!(case.config().listen.producer_port, 2053);
    case.write(".env", "HTTP_PORT=7\n");
    assert_eq!(case.value("HTTP_PORT"), ("7".to_owned(), format!("{}:1", case.path(".env"))));
    assert_eq!(case.file("HTTP_PORT=8\n").config().listen.producer_port, 8);
}

#[test]
fn an_empty_text_is_as_if_it_were_not_there() {
    let case = Case::sound()
        .file("HTTP_PORT=7\nPING_TIMEOUT=\nLOG_LEVEL=  # none\n")
        .env("HTTP_PORT", "")
        .flag("HTTP_PORT", " ");
    let config = case.config();
    assert_eq!(config.listen.producer_port, 7);
    assert_eq!(config.subscriber.ping_timeout.as_millis(), 20_000);
}

#[test]
fn an_empty_admin_address_turns_the_listener_off() {
    assert!(Case::sound().config().ops.admin_addr.is_some());
    let case = Case::sound().file("ADMIN_ADDR=0.0.0.0:1\n").env("ADMIN_ADDR", "");
    assert_eq!(case.config().ops.admin_addr, None);
    assert_eq!(case.value("ADMIN_ADDR"), (String::new(), "environment".to_owned()));
}

#[test]
fn old_names_mean_the_same_and_are_told_of() {
    for key in keys() {
        for alias in key.aliases {
            let text = match key.name {
                "HTTP_PORT" | "WEBSOCKET_PORT" => "4000",
                "TRUST_ORIGIN_LIST" => "https://old.example",
                "TRUST_CIDR_LIST" | "TRUST_PROXY_LIST" => "10.1.0.0/16",
                "WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR" => "3",
                "WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL" => "86400000",
                _ => GOOD_SECRET,
            };
            let case = Case::sound().without(key.name).env(alias, text);
            let shown = if key.is_secret() { "***" } else { text };
            assert_eq!(case.value(key.name), (shown.to_owned(), format!("environment, as {alias}")));
            let warning = case.warning();
            assert!(warning.starts_with(&format!("{}: {alias} (environment) is its old name", key.name)), "{warning}");
        }
    }
}

#[test]
fn a_fault_names_the_old_name_too() {
    let line = Case::sound().env("PRODUCER_PORT", "x").fault();
    assert!(line.starts_with("HTTP_PORT (environment, as PRODUCER_PORT): "), "{line}");
}

#[test]
fn the_new_name_wins_in_one_source_and_the_higher_source_always() {
    let case = Case::sound().env("PRODUCER_PORT", "1").env("HTTP_PORT", "2");
    assert_eq!(case.config().listen.producer_port, 2);
    assert_eq!(case.warning(), "HTTP_PORT: PRODUCER_PORT (environment) is ignored, as HTTP_PORT stands beside it");
    let case = Case::sound().env("PRODUCER_PORT", "1").file("HTTP_PORT=2\n");
    assert_eq!(case.config().listen.producer_port, 1);
}

#[test]
fn standalone_port_is_the_consumer_port_of_a_cluster_that_is_off() {
    let case = |mode| Case::sound().env("CLUSTER_MODE", mode).env("STANDALONE_PORT", "9000");
    assert_eq!(case("0").config().listen.consumer_port, 9000);
    assert_eq!(case("0").config().listen.producer_port, 2053);
    assert_eq!(case("0").warnings().len(), 1);
    assert_eq!(case("1").config().listen.consumer_port, 8443);
    assert!(case("1").warning().starts_with("STANDALONE_PORT: has no effect"));
    assert_eq!(case("").config().listen.consumer_port, 8443);
    assert_eq!(case("0").file("CONSUMER_PORT=1\n").config().listen.consumer_port, 1);
    assert_eq!(case("0").env("WEBSOCKET_PORT", "2").config().listen.consumer_port, 2);
    assert!(case("0").env("STANDALONE_PORT", "x").fault().contains("as STANDALONE_PORT"));
}

#[test]
fn standalone_port_is_both_ports_of_the_versions_that_had_it() {
    let case = || Case::sound().env("CLUSTER_MODE", "0").env("LEGACY_PUBLISH", "1").env("STANDALONE_PORT", "9000");
    let ports = |case: Case| {
        let listen = case.config().listen;
        (listen.producer_port, listen.consumer_port)
    };
    assert_eq!(ports(case()), (9000, 9000));
    assert_eq!(case().value("HTTP_PORT"), ("9000".to_owned(), "environment, as STANDALONE_PORT".to_owned()));
    assert!(case().warnings().iter().all(|line| line.contains("STANDALONE_PORT (environment) is its old name")));
    // The container of 0.3 set all three, and only this one said something.
    let all = || case().env("PRODUCER_PORT", "2053").env("CONSUMER_PORT", "8443");
    assert_eq!(ports(all()), (9000, 9000));
    assert!(all().warnings().iter().any(|line| line.starts_with("PRODUCER_PORT: has no effect with CLUSTER_MODE=0")));
    assert_eq!(ports(case().env("HTTP_PORT", "1")), (1, 9000));
    assert_eq!(ports(case().env("LEGACY_PUBLISH", "off")), (2053, 9000));
    assert_eq!(ports(case().env("CLUSTER_MODE", "1")), (2053, 8443));
    assert_eq!(ports(case().env("STANDALONE_PORT", " ")), (2053, 8443));
}

#[test]
fn a_secret_may_stand_in_a_file() {
    for (content, expected) in [
        ("a-secret-of-the-file", "a-secret-of-the-file"),
        ("a-secret-of-the-file\n", "a-secret-of-the-file"),
        ("a-secret-of-the-file\r\n", "a-secret-of-the-file"),
        (" a-secret of-the-file \n\n", " a-secret of-the-file "),
    ] {
        let case = Case::sound().without(SECRET);
        let path = case.write("secret", content).to_str().unwrap().to_owned();
        let name = format!("{SECRET}_FILE");
        let token = case.env(&name, &path).config().admission.auth.token.unwrap();
        assert_eq!(token.secret.expose(), expected, "{content:?}");
    }
}

#[test]
fn a_secret_file_that_cannot_serve_is_a_fault() {
    for key in keys().iter().filter(|key| key.is_secret()) {
        let name = key.file_name().unwrap();
        let case = || Case::sound().without(key.name);
        let line = case().env(&name, "/nowhere/secret").fault();
        let start = format!("{} (environment, as {name}): cannot use the file", key.name);
        assert!(line.starts_with(&start), "{line}");
        let with_both = case().env(key.name, GOOD_SECRET).flag(&name, "/nowhere/secret");
        let flag = key.flag();
        let start = format!("{} (--{flag}-file): {name} is set, and the secret itself too (environment)", key.name);
        assert!(with_both.faults().iter().any(|line| line.starts_with(&start)), "{:?}", with_both.faults());
        for content in ["\n", ""] {
            let case = case();
            let path = case.write("secret", content).to_str().unwrap().to_owned();
            let faults = case.env(&name, &path).faults();
            assert!(faults.iter().any(|line| line.contains("it is empty")), "{faults:?}");
        }
    }
    let case = Case::sound();
    fs::write(case.folder.path().join("secret"), b"\xff\xfe").unwrap();
    let path = case.path("secret");
    assert!(case.env("ADMIN_TOKEN_FILE", &path).fault().contains("UTF-8"));
}

#[test]
fn a_secret_on_the_command_line_is_warned_of() {
    let warning = Case::sound().flag("ADMIN_TOKEN", GOOD_SECRET).warning();
    assert!(warning.starts_with("ADMIN_TOKEN: a secret on the command line") && warning.contains("ADMIN_TOKEN_FILE"));
}

#[test]
fn unknown_names_of_the_file_are_told_with_what_was_meant() {
    let case = Case::sound().file("WEBSOKET_PORT=1\nPORT=2\nMY_OWN=3\nROOMCAST_HOST=::1\nhttp_port=4\nTLSS=0\n");
    let file = case.path("settings.env");
    let expected = [
        format!("WEBSOKET_PORT: is not a setting, and is ignored; did you mean WEBSOCKET_PORT? ({file}:1)"),
        format!("PORT: is not a setting, and is ignored; the ports are HTTP_PORT and WEBSOCKET_PORT ({file}:2)"),
        format!("MY_OWN: is not a setting, and is ignored ({file}:3)"),
        format!("ROOMCAST_HOST: is not a setting, and is ignored; did you mean HOST? ({file}:4)"),
        format!("http_port: is not a setting, and is ignored; did you mean HTTP_PORT? ({file}:5)"),
        format!("TLSS: is not a setting, and is ignored; did you mean TLS? ({file}:6)"),
    ];
    assert_eq!(case.warnings(), expected);
}

#[test]
fn a_misspelt_name_is_told_beside_the_fault_it_causes() {
    let faults = load(&Case::bare().env("PUB_KEY_PTH", "x").sources).unwrap_err();
    assert!(faults.warnings.iter().any(|warning| warning.to_string().contains("did you mean PUB_KEY_PATH?")));
}

#[test]
fn settings_without_effect_take_one_line() {
    let case = Case::sound().env("NODE_ENV", "production").file("V8_HEAP=1\nLOGS_DIR=/x\nNODE_ENV=a\n");
    assert_eq!(case.warning(), "LOGS_DIR, NODE_ENV, V8_HEAP: accepted, without effect");
}

#[test]
fn settings_of_a_later_version_are_not_accepted_in_silence() {
    for (name, off) in keys::LATER {
        assert_eq!(Case::sound().env(name, off).warnings(), [""; 0], "{name}");
        assert_eq!(
            Case::sound().env(name, "some").warning(),
            format!("{name}: has no effect in this version (environment)")
        );
        assert!(keys().iter().all(|key| key.name != *name));
    }
}

#[test]
fn a_quote_that_swallows_a_setting_is_told() {
    let case =
        Case::sound().without(SECRET).file(&format!("{SECRET}='a-secret-that-goes-on\nHTTP_PORT=1\nPING_TIMEOUT='x"));
    assert!(case.warnings().iter().any(|line| line.contains("the line of HTTP_PORT")), "{:?}", case.warnings());
}
