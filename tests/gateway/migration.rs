//! The environment files of every version of vrchats, those of v0.5 to v0.7 reconstructed: what they lack is told, and
//! with that they serve as they are.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::certificates::Certificates;
use crate::harness::dial::dial_tls;
use crate::harness::http::Connection;
use crate::harness::process::{Process, Shell, free_port, roomcast, token_now};
use crate::harness::socket::Socket;

/// A room that the pattern of vrchats' example accepts.
const UUID: &str = "5f0d7c52-8d6b-4c0e-9a3d-6b1f2e7a9c04";

const REQUIRED: &str = "is required with TLS=1; give the path of a PEM file (\"roomcast cert\" makes one)";

/// A file of some versions.
struct Fixture {
    name: &'static str,
    text: &'static str,
    /// The key's name in the old file for the list of those who may publish, if it names nobody.
    publishers: Option<&'static str>,
    /// Whether target ids are held to the pattern of the file.
    has_pattern: bool,
}

macro_rules! fixture {
    ($name:literal, $publishers:expr, $has_pattern:expr) => {
        Fixture {
            name: $name,
            text: include_str!(concat!("migration/fixtures/", $name, ".env")),
            publishers: $publishers,
            has_pattern: $has_pattern,
        }
    };
}

const FIXTURES: [Fixture; 7] = [
    fixture!("v0.1", Some("ALLOWED_IPS"), false),
    fixture!("v0.2.0-v0.2.4", Some("ALLOWED_IPS"), false),
    fixture!("v0.2.5-v0.3", Some("ALLOWED_IPS"), false),
    fixture!("v0.4", Some("ALLOWED_IPS"), false),
    fixture!("v0.5", None, true),
    fixture!("v0.6-v0.7", None, true),
    fixture!("v0.8-v0.13", None, true),
];

/// The text with values put in, comments behind them kept.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let fill = |line: &str| {
        let (name, rest) = line.split_once('=').unwrap_or((line, ""));
        match values.iter().find(|(key, _)| *key == name) {
            Some((_, value)) => {
                let comment = rest.find(" #").map_or("", |at| &rest[at..]);
                format!("{name}=\"{value}\"{comment}\n")
            }
            None => format!("{line}\n"),
        }
    };
    text.lines().map(fill).collect()
}

/// What must be filled in: the certificates, and who may publish.
fn filled_in(fixture: &Fixture, certificates: &Certificates) -> String {
    let path = |name: &str| certificates.path(name).to_str().unwrap().to_owned();
    let (cert, key, ca) = (path("cert.pem"), path("key.pem"), path("ca.pem"));
    let mut values = vec![("PUB_KEY_PATH", cert.as_str()), ("PRIV_KEY_PATH", &key), ("CA_PATH", &ca)];
    values.extend(fixture.publishers.map(|name| (name, "127.0.0.1/32")));
    filled(fixture.text, &values)
}

/// The names that the versions gave the two ports; a service of v0.2 and v0.3 may hold both.
const PORTS: [[&str; 2]; 2] = [["PRODUCER_PORT", "HTTP_PORT"], ["CONSUMER_PORT", "WEBSOCKET_PORT"]];

/// Starts `roomcast` as vrchats was started, without an argument in a folder with this `.env`, on free ports that are
/// written into the file's own lines, and expects that an event goes through it.
async fn serves(fixture: &Fixture, text: &str, certificates: &Certificates) -> String {
    let numbers = [free_port(), free_port()].map(|port| port.to_string());
    let mut environment = BTreeMap::from([("HOST", "127.0.0.1"), ("ADMIN_ADDR", "127.0.0.1:0")]);
    let mut lines = Vec::new();
    for (names, number) in PORTS.iter().zip(&numbers) {
        match names.iter().find(|name| text.lines().any(|line| line.starts_with(&format!("{name}=")))) {
            Some(name) => lines.push((*name, number.as_str())),
            None => drop(environment.insert(names[1], number)), // v0.1 has one port for both, whose line says nothing here
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), filled(text, &lines)).unwrap();
    let environment = environment.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let command = roomcast(&folder, &[], &environment);
    let mut process = Process::spawn(folder, command);
    let ports = process.ports().await;
    assert_eq!([ports.producer, ports.consumer].map(|addr| addr.port().to_string()), numbers, "{}", fixture.name);

    let stream = dial_tls(ports.consumer, certificates.bearer(certificates)).await.unwrap();
    let query = format!("&uniqueUserId={UUID}");
    let origin = [("Origin", "https://example.com")];
    let opened = Socket::open_over(stream, ports.consumer, &query, &origin).await;
    let mut subscriber = opened.unwrap_or_else(|answer| panic!("{}: {}", fixture.name, answer.status));
    let wrong = Socket::open_over(
        dial_tls(ports.consumer, certificates.bearer(certificates)).await.unwrap(),
        ports.consumer,
        "&uniqueUserId=b",
        &origin,
    );
    let refused = wrong.await.unwrap_or_else(|answer| panic!("{}", answer.status)).authenticate(json!({})).await;
    assert_eq!(refused, r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#, "{}", fixture.name);
    let answer = subscriber.authenticate(json!({ "token": token_now() })).await;
    assert!(answer.starts_with("40{"), "{}: {answer}", fixture.name);

    let mut publisher = Connection::over(dial_tls(ports.producer, certificates.bearer(certificates)).await.unwrap());
    let mut publish = async |target: &str| {
        let body = json!({ "target_id": target, "of": fixture.name }).to_string();
        publisher.request("POST /publish\nContent-Type: application/json", body).await.status
    };
    assert_eq!(publish(UUID).await, 200, "{}", fixture.name);
    assert_eq!(subscriber.event().await, (UUID.to_owned(), json!({ "of": fixture.name })));
    assert_eq!(publish("room-1").await, if fixture.has_pattern { 400 } else { 200 }, "{}", fixture.name);

    let is_asked = fixture.text.contains("VERIFY_ORIGIN=1");
    let stranger = dial_tls(ports.producer, certificates.stranger()).await.unwrap();
    let mut stranger = Connection::over(stranger);
    stranger.send_what_is_taken("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(stranger.answer(false).await.is_none(), is_asked, "{}", fixture.name);
    process.stop().await;
    serde_json::to_string(&process.lines).unwrap()
}

#[tokio::test]
async fn v_41_every_file_of_vrchats_serves_once_it_names_its_certificates() {
    let certificates = Certificates::make();
    for fixture in &FIXTURES {
        let text = filled_in(fixture, &certificates);
        let log = serves(fixture, &text, &certificates).await;
        assert!(log.contains("NODE_ENV"), "{log}");
        assert_eq!(log.contains("WEBSOCKET_AUTH is not set: token"), !text.contains("WEBSOCKET_AUTH=1"), "{log}");
        assert_eq!(log.contains("`172.0.0.1/8` covers public addresses"), fixture.publishers.is_none(), "{log}");
    }
}

#[tokio::test]
async fn what_migrate_env_makes_of_every_file_serves_as_it_does() {
    let certificates = Certificates::make();
    let shell = Shell::new(&[]);
    for fixture in &FIXTURES {
        let old = shell.write(fixture.name, &filled_in(fixture, &certificates));
        let new = shell.run(&["migrate-env", &old]).await.ok();
        let log = serves(fixture, &new, &certificates).await;
        for word in ["old name", "without effect", "host bits", "is ignored"] {
            assert!(!log.contains(word), "{}: {word}: {log}", fixture.name);
        }
    }
}

#[tokio::test]
async fn an_untouched_file_of_vrchats_is_told_what_it_lacks_in_a_line_each() {
    let shell = Shell::new(&[]);
    for fixture in &FIXTURES {
        let path = shell.write(fixture.name, fixture.text);
        let expected: Vec<String> = if fixture.name == "v0.1" {
            let missing = |key: &str, line: usize, name: &str| {
                format!(
                    "fault: {key} ({path}:{line}): cannot read {name:?}: No such file or directory (os error 2); give \
                     the path of a PEM file (\"roomcast cert\" makes one)"
                )
            };
            vec![
                missing("PUB_KEY_PATH", 10, "pubkey.pem"),
                missing("PRIV_KEY_PATH", 11, "privkey.pem"),
                missing("CA_PATH", 12, "ca.pem"),
            ]
        } else {
            ["PUB_KEY_PATH", "PRIV_KEY_PATH"].map(|key| format!("fault: {key}: {REQUIRED}")).into()
        };
        let checked = shell.run(&["check", "--env-file", &path]).await;
        let faults: Vec<_> = checked.out.lines().filter(|line| line.starts_with("fault: ")).collect();
        assert_eq!((checked.code, faults), (64, expected.iter().map(String::as_str).collect()), "{}", fixture.name);
        let nobody = "warning: TRUST_CIDR_LIST: is not set: nobody may publish; name the backends' addresses\n";
        assert_eq!(checked.out.contains(nobody), fixture.publishers.is_some(), "{}", checked.out);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_migrated_is_told_with_its_line_and_is_left_alone() {
    let shell = Shell::new(&[]);
    let old = shell.write("old.env", "ALLOWED_IPS=010.0.0.1\n");
    let finished = shell.run(&["migrate-env", &old]).await;
    assert!(finished.out.contains("\nTRUST_CIDR_LIST=010.0.0.1\n"), "{finished:?}");
    let told = finished.fault(1);
    assert!(told.starts_with(&format!("TRUST_CIDR_LIST ({old}:1): `010.0.0.1` is no address")), "{told}");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "ALLOWED_IPS=010.0.0.1\n");
    assert!(shell.run(&["migrate-env"]).await.fault(64).contains("OLD"));
    assert!(shell.run(&["migrate-env", "missing.env"]).await.fault(1).contains("cannot read missing.env"));
}
