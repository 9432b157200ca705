//! What `roomcast dev` makes, refuses and prints.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use clap::Parser;
use tempfile::TempDir;

use super::{Args, Dev, refuse_production};
use crate::types::Clock;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(words: &[&str]) -> Args {
    Line::try_parse_from(["dev"].iter().chain(words)).unwrap().args
}

fn clock() -> Clock {
    Clock::from_fn(|| "2026-11-21T12:00:00Z".parse().unwrap())
}

fn prepare(base: &TempDir) -> Dev {
    Dev::prepare(&args(&[]), base.path(), &clock()).unwrap()
}

#[test]
fn makes_what_is_missing_once_and_keeps_it() {
    let base = TempDir::new().unwrap();
    let first = prepare(&base);
    let secret = base.path().join("certs/dev/secret");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&secret).unwrap();
    assert_eq!(text.trim().len(), 64);
    assert_eq!(first.made.len(), 2);

    let second = prepare(&base);
    assert!(second.made.is_empty());
    assert_eq!(second.settings(), first.settings());
    assert_eq!(first.settings()["WEBSOCKET_AUTH_TOKEN_SECRET_FILE"], secret.to_string_lossy());
}

#[test]
fn a_certificate_that_expires_is_renewed_under_the_same_authority() {
    let base = TempDir::new().unwrap();
    prepare(&base);
    let read = |name: &str| fs::read_to_string(base.path().join("certs/dev").join(name)).unwrap();
    let (ca, leaf) = (read("ca.pem"), read("cert.pem"));
    let later = Clock::from_fn(|| "2028-01-01T00:00:00Z".parse().unwrap());
    let dev = Dev::prepare(&args(&[]), base.path(), &later).unwrap();
    assert_eq!(dev.made.len(), 1);
    assert_eq!(read("ca.pem"), ca);
    assert_ne!(read("cert.pem"), leaf);
}

#[test]
fn another_ones_certificate_is_left_alone_and_named() {
    let base = TempDir::new().unwrap();
    prepare(&base);
    let path = base.path().join("certs/dev/cert.pem");
    fs::write(&path, "mine").unwrap();
    let error = Dev::prepare(&args(&[]), base.path(), &clock()).unwrap_err().to_string();
    assert!(error.contains("cert.pem is not a certificate for localhost"), "{error}");
    assert_eq!(fs::read_to_string(path).unwrap(), "mine");
}

#[test]
fn listens_on_loopback_and_trusts_only_this_machine() {
    let base = TempDir::new().unwrap();
    let dev = Dev::prepare(&args(&["--http-port", "3053", "--websocket-port", "9443"]), base.path(), &clock()).unwrap();
    let settings = dev.settings();
    assert_eq!(settings["HOST"], "127.0.0.1");
    assert_eq!((settings["HTTP_PORT"].as_str(), settings["WEBSOCKET_PORT"].as_str()), ("3053", "9443"));
    assert_eq!(settings["TRUST_CIDR_LIST"], "127.0.0.0/8,::1");
    assert_eq!(settings["TRUST_ORIGIN_LIST"], "https://localhost:9443,https://127.0.0.1:9443");
    let banner = dev.banner(&clock());
    assert!(banner.contains("https://localhost:9443/demo"), "{banner}");
    assert!(banner.contains("https://localhost:3053/publish"), "{banner}");
    let curl = banner.lines().find(|line| line.starts_with("curl ")).unwrap();
    assert_eq!(curl, dev.curl(), "the line stands alone, to be copied whole");
}

#[test]
fn an_origin_on_the_https_port_is_written_without_it() {
    let base = TempDir::new().unwrap();
    let dev = Dev::prepare(&args(&["--websocket-port", "443"]), base.path(), &clock()).unwrap();
    assert_eq!(dev.settings()["TRUST_ORIGIN_LIST"], "https://localhost,https://127.0.0.1");
}

#[test]
fn says_what_to_do_while_the_client_is_not_installed() {
    let base = TempDir::new().unwrap();
    let dev = prepare(&base);
    assert!(dev.banner(&clock()).contains("make dev"));
    let script = base.path().join("client_example/node_modules/socket.io-client/dist/socket.io.min.js");
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::write(script, "").unwrap();
    assert!(!dev.banner(&clock()).contains("make dev"));
}

#[test]
fn the_secret_is_neither_printed_nor_in_a_debug_text() {
    let base = TempDir::new().unwrap();
    let dev = prepare(&base);
    let secret = dev.secret.expose();
    assert!(!dev.banner(&clock()).contains(secret));
    assert!(!format!("{dev:?} {:?}", dev.settings()).contains(secret));
}

#[test]
fn an_empty_secret_and_equal_ports_are_refused() {
    let base = TempDir::new().unwrap();
    prepare(&base);
    fs::write(base.path().join("certs/dev/secret"), "\n").unwrap();
    let error = Dev::prepare(&args(&[]), base.path(), &clock()).unwrap_err().to_string();
    assert!(error.contains("secret is empty"), "{error}");
    let error = Dev::prepare(&args(&["--http-port", "8443"]), base.path(), &clock()).unwrap_err().to_string();
    assert!(error.contains("must differ"), "{error}");
    assert!(Line::try_parse_from(["dev", "--http-port", "0"]).is_err());
}

#[test]
fn refuses_where_the_environment_says_production() {
    let env = |key: &'static str, value: &'static str| {
        refuse_production(&move |asked| (asked == key).then(|| value.to_owned()))
    };
    for (key, value) in [("NODE_ENV", "production"), ("APP_ENV", "Production"), ("APP_ENV", " production ")] {
        assert!(env(key, value).unwrap_err().to_string().starts_with(key));
    }
    env("NODE_ENV", "development").unwrap();
    env("OTHER", "production").unwrap();
}
