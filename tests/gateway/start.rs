//! The start of the process: faults and their exit codes, where settings come from, and the settings of vrchats.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::node::StockClients;
use crate::harness::process::{Process, Shell, as_texts, free_port, post, roomcast, tls, token_now};
use crate::harness::{ORIGIN, SECRET, environment};

/// A room that the pattern of vrchats' example accepts.
const UUID: &str = "5f0d7c52-8d6b-4c0e-9a3d-6b1f2e7a9c04";

/// The value and the source of a setting, as `roomcast check --json` tells them.
async fn effective(shell: &Shell, arguments: &[&str], key: &str) -> (String, String) {
    let out = shell.run(&[&["check", "--json"], arguments].concat()).await.ok();
    let report: Value = serde_json::from_str(&out).unwrap();
    let settings = report["settings"].as_array().unwrap();
    let setting = settings.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("no {key}: {out}"));
    (setting["value"].as_str().unwrap().to_owned(), setting["source"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_nothing_is_bound() {
    // A port that is taken: whoever tried to bind it would tell of that.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let shell =
        Shell::new(&[("HTTP_PORT", &port), ("RATE_LIMIT_PER_IP", "many"), ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET)]);
    let file = shell.write(
        "settings",
        "# settings\nTLS=0\nTRUST_CIDR_LIST=10.0.0.300\n\nCLUSTER_INSTANCES=-7\nEVENT_ID_REGEX_VALIDATION_PATTERN='^(?!x)'\nUSE_PROXY=1\nTLD=1\n",
    );
    let finished = shell.run(&["--env-file", &file, "--ping-interval", "25s"]).await;
    assert_eq!(finished.out, "", "the log is not yet there");
    let told = finished.fault(64);
    for (fault, mend) in [
        ("RATE_LIMIT_PER_IP (environment): ", "no whole number"),
        ("TRUST_CIDR_LIST (FILE:3): ", "10.0.0.300"),
        ("CLUSTER_INSTANCES (FILE:5): ", "write 1 to"),
        (
            "EVENT_ID_REGEX_VALIDATION_PATTERN (FILE:6): ",
            "look-around, (?!...), is not supported; write the pattern without it",
        ),
        ("TRUST_PROXY_LIST: ", "name the proxies' addresses"),
        ("PING_INTERVAL (--ping-interval): ", "it is in milliseconds, without a unit"),
    ] {
        let fault = fault.replace("FILE", &file);
        let line = told.lines().find(|line| line.contains(&fault)).unwrap_or_else(|| panic!("no {fault}: {told}"));
        assert!(line.contains(mend), "{line}");
    }
    // A misspelt name may be why another is missing.
    assert!(told.contains("\nwarning: TLD: is not a setting, and is ignored; did you mean TLS?"), "{told}");
    assert!(told.ends_with('\n'), "{told:?}");
    assert!(!told.contains(&format!("listen on 127.0.0.1:{port}")) && !told.contains(SECRET), "{told}");
}

#[tokio::test]
async fn v_06_v_22_v32_what_crashed_or_opened_vrchats_is_a_fault_with_a_name() {
    for (settings, key) in [
        (&[("USE_PROXY", "1"), ("TRUST_PROXY_LIST", "")][..], "TRUST_PROXY_LIST"),
        (&[("WEBSOCKET_AUTH", "yes")], "WEBSOCKET_AUTH"),
        (&[("WEBSOCKET_AUTH", "1"), ("WEBSOCKET_AUTH_TOKEN_SECRET", "")], "WEBSOCKET_AUTH_TOKEN_SECRET"),
        (&[("TLS", "1")], "PUB_KEY_PATH"),
        (&[("ADMIN_ADDR", "0.0.0.0:0")], "ADMIN_TOKEN"),
        (&[("HTTP_PORT", "70000")], "HTTP_PORT"),
        (&[("HTTP_PORT", "21099"), ("ADMIN_ADDR", "127.0.0.1:21099")], "ADMIN_ADDR"),
    ] {
        let settings = environment(settings);
        let pairs: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let told = Shell::new(&pairs).run(&[]).await.fault(64);
        assert!(told.lines().any(|line| line.contains(key)), "{key}: {told}");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_by_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap();
    let port = addr.port().to_string();
    for (key, value) in [("HTTP_PORT", &port), ("WEBSOCKET_PORT", &port), ("ADMIN_ADDR", &addr.to_string())] {
        for mode in ["0", "1"] {
            let mut process = Process::start(&[(key, value), ("CLUSTER_MODE", mode), ("CLUSTER_INSTANCES", "2")]);
            let line = process.message("cannot start").await;
            let message = line["message"].as_str().unwrap();
            assert!(message.starts_with(&format!("cannot start: {key}: cannot listen on {addr}")), "{message}");
            assert_eq!(process.end().await.code(), Some(1));
        }
    }
}

#[tokio::test]
async fn flags_win_over_the_environment_and_that_over_the_file() {
    let shell = Shell::new(&[("TLS", "0"), ("PING_INTERVAL", "2000"), ("PING_TIMEOUT", "2000")]);
    shell.write(".env", "PING_INTERVAL=3000\nPING_TIMEOUT=3000\nRATE_LIMIT_PER_IP=3000\nDRAIN_TIMEOUT_MS=3000\n");
    let other = shell.write("other", "RATE_LIMIT_PER_IP=4000\n");
    let flags = ["--ping-interval", "1000"];
    for (key, value, source) in [
        ("PING_INTERVAL", "1000", "--ping-interval"),
        ("PING_TIMEOUT", "2000", "environment"),
        ("RATE_LIMIT_PER_IP", "3000", ".env:3"),
        ("MAX_HTTP_BUFFER_SIZE", "1000000", "default"),
    ] {
        assert_eq!(effective(&shell, &flags, key).await, (value.to_owned(), source.to_owned()), "{key}");
    }
    let other_file = ["--env-file", other.as_str()];
    assert_eq!(effective(&shell, &other_file, "RATE_LIMIT_PER_IP").await, ("4000".to_owned(), format!("{other}:1")));
    assert_eq!(effective(&shell, &other_file, "DRAIN_TIMEOUT_MS").await.1, "default", ".env is not read beside it");
    let told = shell.run(&["--env-file", "missing"]).await.fault(64);
    assert!(told.contains("missing"), "{told}");
}

#[tokio::test]
async fn standalone_port_is_the_consumer_port_without_a_cluster() {
    let at = async |settings: &[(&str, &str)]| {
        let shell = Shell::new(&[&[("TLS", "0"), ("STANDALONE_PORT", "9443")], settings].concat());
        effective(&shell, &[], "WEBSOCKET_PORT").await.0
    };
    assert_eq!(at(&[("CLUSTER_MODE", "0")]).await, "9443");
    assert_eq!(at(&[]).await, "8443");
    assert_eq!(at(&[("CLUSTER_MODE", "1")]).await, "8443");
    assert_eq!(at(&[("CLUSTER_MODE", "0"), ("CONSUMER_PORT", "7443")]).await, "7443");

    // The deployment of v0.3 with both sides on one port.
    let port = free_port().to_string();
    let mut settings = environment(&[("STANDALONE_PORT", &port), ("HTTP_PORT", &port)]);
    settings.remove("WEBSOCKET_PORT");
    let folder = tempfile::tempdir().unwrap();
    let command = roomcast(&folder, &[], &settings);
    let mut process = Process::spawn(folder, command);
    let ports = process.ports().await;
    assert_eq!((ports.producer.port().to_string(), ports.consumer), (port, ports.producer));
    let mut client = StockClients::one(&format!("http://{}", ports.consumer), "room-1", &token_now(), &["polling"]);
    client.connected(0).await;
    assert_eq!(post(ports.producer, r#"{"target_id":"room-1"}"#).await.status, 200);
    assert_eq!(client.event(0).await.0, "room-1");
    drop(client);
    process.stop().await;
}

#[tokio::test]
async fn a_secret_may_stand_in_a_file_of_its_own() {
    let mut settings = environment(&[]);
    settings.remove("WEBSOCKET_AUTH_TOKEN_SECRET");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    std::fs::write(folder.path().join(".env"), "WEBSOCKET_AUTH_TOKEN_SECRET_FILE=secret\n").unwrap();
    let command = roomcast(&folder, &[], &settings);
    let mut process = Process::spawn(folder, command);
    let ports = process.ports().await;
    let mut client = StockClients::one(&format!("http://{}", ports.consumer), "room-1", &token_now(), &["websocket"]);
    assert_eq!(client.connected(0).await, "websocket");
    drop(client);
    process.stop().await;

    let shell = Shell::new(&[
        ("TLS", "0"),
        ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET),
        ("WEBSOCKET_AUTH_TOKEN_SECRET_FILE", "missing"),
    ]);
    let told = shell.run(&[]).await.fault(64);
    assert!(told.contains("WEBSOCKET_AUTH_TOKEN_SECRET_FILE") && told.contains("keep one"), "{told}");
}

/// The environment of vrchats' unit, with every variable that any of its versions had, on ports of this test.
fn unit_of_vrchats<'a>(certificates: &'a [(&'a str, String)], ca: &'a str) -> Vec<(&'a str, &'a str)> {
    let rest = [
        ("NODE_ENV", "production"),
        ("CLUSTER_MODE", "1"),
        ("CLUSTER_INSTANCES", "2"),
        ("PRODUCER_PORT", "0"),
        ("CONSUMER_PORT", "0"),
        ("STANDALONE_PORT", "8443"),
        ("CA_PATH", ca),
        ("VERIFY_ORIGIN", "0"),
        ("USE_PROXY", "0"),
        ("TRUST_PROXY_LIST", "10.0.0.1, 10.0.0.2"),
        ("TRUST_CIDR_LIST", "127.0.0.1, 172.16.0.0/12"),
        ("TRUST_ORIGIN_LIST", "https://app.test, https://localhost"),
        ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET),
        ("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL", "86400000"),
        ("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", "0"),
        ("V8_OPTIMIZE_FOR_SIZE", "1"),
        ("V8_MAX_OLD_SPACE_SIZE", "8192"),
        ("LOGS_DIR", "/var/log/vrchats"),
        ("ENABLE_DEBUG", "0"),
        ("HOST", "127.0.0.1"),
        ("ADMIN_ADDR", "127.0.0.1:0"),
    ];
    as_texts(certificates).into_iter().chain(rest).collect()
}

/// Starts a gateway with nothing but these settings, and expects that eight stock clients over both transports hear
/// what `roomcast publish` sends.
async fn serves_over_tls(shell: &Shell, settings: &[(&str, &str)], publish_options: &[&str]) -> Vec<Value> {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let folder = tempfile::tempdir().unwrap();
    let command = roomcast(&folder, &[], &settings);
    let mut process = Process::spawn(folder, command);
    let ports = process.ports().await;
    let ca = std::fs::read_to_string(shell.path("certs/ca.pem")).unwrap();
    let clients = |transport: &str| {
        StockClients::start(&json!({
            "url": format!("https://localhost:{}", ports.consumer.port()), "rooms": [UUID, UUID, UUID, UUID],
            "token": token_now(), "transports": [transport], "ca": ca, "closeEachRequest": transport == "polling",
            "extraHeaders": { "Origin": ORIGIN },
        }))
    };
    let mut both = [clients("websocket"), clients("polling")];
    for clients in &mut both {
        for index in 0..4 {
            clients.connected(index).await;
        }
    }
    let url = format!("https://localhost:{}", ports.producer.port());
    if publish_options.contains(&"--cert") {
        let told =
            shell.run(&["publish", "--url", &url, "--target", UUID, "--cacert", publish_options[1]]).await.fault(1);
        assert!(told.contains("CertificateRequired"), "{told}");
    }
    for number in 0..3 {
        let data = json!({ "number": number }).to_string();
        let options = ["publish", "--url", &url, "--target", UUID, "--data", &data];
        assert_eq!(shell.run(&[&options, publish_options].concat()).await.ok(), "OK\n");
    }
    for clients in &mut both {
        for number in 0..3 {
            for index in 0..4 {
                assert_eq!(clients.event(index).await, (UUID.to_owned(), json!([{ "number": number }])));
            }
        }
        assert_eq!(clients.unread(), [] as [Value; 0], "nothing twice");
    }
    drop(both);
    process.stop().await;
    process.lines
}

#[tokio::test]
async fn v_35_the_settings_of_vrchats_unit_start_a_cluster_that_works() {
    let shell = Shell::new(&[]);
    let certificates = tls(&shell.certificates("certs").await);
    let ca = shell.path_text("certs/ca.pem");
    let unit = unit_of_vrchats(&certificates, &ca);
    let lines = serves_over_tls(&shell, &unit, &["--cacert", &ca]).await;
    let starting = lines.iter().find(|line| line["message"] == "starting").unwrap();
    assert_eq!(starting["workers"], 2);
    let log = serde_json::to_string(&lines).unwrap();
    for word in [
        "PRODUCER_PORT (environment) is its old name",
        "STANDALONE_PORT: has no effect",
        "LOGS_DIR, NODE_ENV, V8_",
        "WEBSOCKET_AUTH is not set: token",
        "EVENT_ID_REGEX_VALIDATION_PATTERN is not set: 1 to 255 bytes, no control characters",
    ] {
        assert!(log.contains(word), "no word of {word}: {log}");
    }
}

#[tokio::test]
async fn the_names_of_vrchats_first_versions_serve_and_ask_for_client_certificates() {
    let shell = Shell::new(&[]);
    shell.run(&["cert", "--out", "certs", "--client", "backend"]).await.ok();
    let certificates = tls(&shell.path("certs"));
    let ca = shell.path_text("certs/ca.pem");
    let settings = [
        as_texts(&certificates),
        vec![
            ("HOST", "127.0.0.1"),
            ("ADMIN_ADDR", "127.0.0.1:0"),
            ("CLUSTER_MODE", "1"),
            ("CLUSTER_INSTANCES", "2"),
            ("PRODUCER_PORT", "0"),
            ("CONSUMER_PORT", "0"),
            ("ALLOWED_IPS", "127.0.0.1"),
            ("ALLOWED_ORIGINS", ORIGIN),
            ("TRUST_PROXY", ""),
            ("AUTH_TOKEN_SECRET", SECRET),
            ("IO_TOKEN_RENEW_INTERVAL", "86400000"),
            ("IO_TOKEN_RENEW_START_HOUR", "0"),
            ("CA_PATH", &ca),
            ("VERIFY_ORIGIN", "producer"),
        ],
    ]
    .concat();
    let (cert, key) = (shell.path_text("certs/client-backend.pem"), shell.path_text("certs/client-backend-key.pem"));
    let lines = serves_over_tls(&shell, &settings, &["--cacert", &ca, "--cert", &cert, "--key", &key]).await;
    let log = serde_json::to_string(&lines).unwrap();
    for old in ["ALLOWED_IPS", "ALLOWED_ORIGINS", "AUTH_TOKEN_SECRET", "IO_TOKEN_RENEW_INTERVAL"] {
        assert!(log.contains(&format!("{old} (environment) is its old name")), "{old}: {log}");
    }
}
