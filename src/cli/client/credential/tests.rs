//! Where a subscriber's token comes from.

use chrono::Utc;
use clap::Parser;

use super::{Credential, CredentialArgs};

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    credential: CredentialArgs,
}

const UNSET: fn(&str) -> Option<String> = |_| None;

fn parse(args: &[&str]) -> Result<CredentialArgs, clap::Error> {
    Command::try_parse_from([&["test"], args].concat()).map(|command| command.credential)
}

#[test]
fn a_token_is_shown_as_it_is_and_never_printed() {
    let credential = parse(&["--token", "a\"b"]).unwrap().read(UNSET).unwrap();
    assert_eq!(credential.auth(Utc::now()), r#"{"token":"a\"b"}"#);
    assert!(!format!("{credential:?}").contains("a\\\"b"));
    assert_eq!(parse(&[]).unwrap().read(UNSET).unwrap().auth(Utc::now()), "");
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_line_break() {
    let folder = std::env::temp_dir().join(format!("roomcast-credential-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("secret");
    std::fs::write(&file, " some secret \n").unwrap();
    let path = file.to_str().unwrap();
    let credential = parse(&["--secret-file", path, "--start-hour", "3"]).unwrap().read(UNSET).unwrap();
    let Credential::Daily { secret, start_hour } = credential else { panic!("{credential:?}") };
    assert_eq!((secret.expose(), start_hour), (" some secret ", 3));

    std::fs::write(&file, "\n").unwrap();
    let error = parse(&["--secret-file", path]).unwrap().read(UNSET).unwrap_err();
    assert!(error.to_string().contains("the secret is empty"), "{error:#}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_missing_variable_is_named() {
    let error = parse(&["--secret-env", "ROOMCAST_TEST_NOT_SET"]).unwrap().read(UNSET).unwrap_err();
    assert!(format!("{error:#}").contains("ROOMCAST_TEST_NOT_SET"), "{error:#}");
}

#[test]
fn only_one_credential_and_an_hour_of_the_day() {
    assert!(parse(&["--token", "a", "--secret-env", "B"]).is_err());
    assert!(parse(&["--start-hour", "24"]).is_err());
}

#[test]
fn the_environment_names_the_secret_unless_an_option_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "from the file\n").unwrap();
    let file = file.to_str().unwrap();
    let secret = |args: &[&str], name: &'static str, value: &str| {
        let read = parse(args).unwrap().read(|asked| (asked == name).then(|| value.to_owned()));
        match read.unwrap() {
            Credential::Daily { secret, .. } => secret.expose().to_owned(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(secret(&[], "WEBSOCKET_AUTH_TOKEN_SECRET", "s"), "s");
    assert_eq!(secret(&[], "WEBSOCKET_AUTH_TOKEN_SECRET_FILE", file), "from the file");
    assert_eq!(secret(&["--secret-file", file], "WEBSOCKET_AUTH_TOKEN_SECRET", "s"), "from the file");
    assert_eq!(secret(&["--secret-env", "MINE"], "MINE", "m"), "m");
    assert_eq!(secret(&["--secret-env", "MINE"], "MINE_FILE", file), "from the file");
    let shown = parse(&["--token", "t"]).unwrap().read(|_| Some("s".to_owned())).unwrap();
    assert_eq!(shown.auth(Utc::now()), r#"{"token":"t"}"#);
    let missing = parse(&[]).unwrap().read(|name| name.ends_with("_FILE").then(|| "/nonexistent/s".to_owned()));
    let error = format!("{:#}", missing.unwrap_err());
    assert!(error.contains("WEBSOCKET_AUTH_TOKEN_SECRET_FILE=/nonexistent/s"), "{error}");
}
