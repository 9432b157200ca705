//! `roomcast token make` and `token check`.

use crate::harness::SECRET;
use crate::harness::process::{Shell, token_now};

const KEY: &str = "WEBSOCKET_AUTH_TOKEN_SECRET";
/// vrchats' token of 2026-11-21 for this secret.
const VECTOR: &str = "6266c998f848a723b1599fde93c5e5083c8eff7e959257424f2a0a70d4433b41\
                      7a7ccb7e2806f21749d5852db161288d6391239b587fa68f5edf96515500442b";

#[tokio::test]
async fn tokens_are_those_of_vrchats() {
    let shell = Shell::new(&[(KEY, SECRET), ("OTHER", SECRET)]);
    let secret_file = shell.write("secret", &format!("{SECRET}\n"));
    let make = async |more: &[&str]| {
        shell.run(&[&["token", "make", "--date", "2026-11-21"], more].concat()).await.ok().trim_end().to_owned()
    };
    assert_eq!(make(&[]).await, VECTOR);
    assert_eq!(make(&["--secret-env", "OTHER"]).await, VECTOR);
    assert_eq!(make(&["--secret-file", &secret_file]).await, VECTOR);
    assert_eq!(shell.run(&["token", "make"]).await.ok().trim_end(), token_now());
}

#[tokio::test]
async fn the_settings_of_the_gateway_count() {
    let shell = Shell::new(&[(KEY, "")]);
    let secret_file = shell.write("secret", &format!("{SECRET}\n\n"));
    shell.write(".env", &format!("{KEY}_FILE={secret_file}\nTLS=maybe\n"));
    let old_names = shell.write("old", &format!("AUTH_TOKEN_SECRET={SECRET}\nIO_TOKEN_RENEW_START_HOUR=24\n"));
    let date = ["--date", "2026-11-21"];
    for options in [&["make"][..], &["make", "--env-file", &old_names], &["--env-file", &old_names, "make"]] {
        let made = shell.run(&[&["token"], options, &date].concat()).await;
        assert_eq!(made.ok().trim_end(), VECTOR, "{options:?}");
    }
    let told = shell.run(&["token", "make", "--env-file", &old_names]).await.fault(1);
    assert!(told.contains("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR: \"24\" is no whole number"), "{told}");
    let told = shell.run(&["token", "make", "--env-file", "missing"]).await.fault(1);
    assert!(told.contains("missing: cannot read the file of settings"), "{told}");
}

#[tokio::test]
async fn a_check_tells_the_day() {
    let shell = Shell::new(&[(KEY, SECRET)]);
    let today = token_now();
    assert_eq!(shell.run(&["token", "check", &today]).await.ok(), "today's token\n");
    assert_eq!(shell.run_with_input(&["token", "check", "-"], &format!("{today}\n")).await.ok(), "today's token\n");
    for wrong in [today.to_uppercase().as_str(), "-x", ""] {
        let finished = shell.run(&["token", "check", wrong]).await;
        assert_eq!((finished.code, finished.out.starts_with("no token of this secret")), (1, true), "{finished:?}");
    }
}

#[tokio::test]
async fn the_secret_comes_from_elsewhere_than_the_arguments() {
    let shell = Shell::new(&[]);
    let told = shell.run(&["token", "make"]).await.fault(1);
    assert_eq!(told, format!("roomcast: there is no secret: set {KEY}, or use --secret-file FILE\n"));
    let told = shell.run(&["token", "make", "--secret-file", "missing"]).await.fault(1);
    assert!(told.contains("missing"), "{told}");
    let empty = shell.write("empty", "\n");
    assert!(shell.run(&["token", "make", "--secret-file", &empty]).await.fault(1).contains("empty"));
    shell.run(&["token", "make", "--secret", SECRET]).await.fault(64);
}
