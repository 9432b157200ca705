//! Where a subscriber's token comes from.

use chrono::Utc;
use clap::Parser;

use super::{Credential, CredentialArgs};

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    credential: CredentialArgs,
}

fn parse(args: &[&str]) -> Result<CredentialArgs, clap::Error> {
    Command::try_parse_from([&["test"], args].concat()).map(|command| command.credential)
}

#[test]
fn a_token_is_shown_as_it_is_and_never_printed() {
    let credential = parse(&["--token", "a\"b"]).unwrap().read().unwrap();
    assert_eq!(credential.auth(Utc::now()), r#"{"token":"a\"b"}"#);
    assert!(!format!("{credential:?}").contains("a\\\"b"));
    assert_eq!(parse(&[]).unwrap().read().unwrap().auth(Utc::now()), "");
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_line_break() {
    let folder = std::env::temp_dir().join(format!("roomcast-credential-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("secret");
    std::fs::write(&file, " some secret \n").unwrap();
    let path = file.to_str().unwrap();
    let credential = parse(&["--secret-file", path, "--start-hour", "3"]).unwrap().read().unwrap();
    let Credential::Daily { secret, start_hour } = credential else { panic!("{credential:?}") };
    assert_eq!((secret.expose(), start_hour), (" some secret ", 3));

    std::fs::write(&file, "\n").unwrap();
    let error = parse(&["--secret-file", path]).unwrap().read().unwrap_err();
    assert!(error.to_string().contains("the secret is empty"), "{error:#}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_missing_variable_is_named() {
    let error = parse(&["--secret-env", "ROOMCAST_TEST_NOT_SET"]).unwrap().read().unwrap_err();
    assert!(format!("{error:#}").contains("ROOMCAST_TEST_NOT_SET"), "{error:#}");
}

#[test]
fn only_one_credential_and_an_hour_of_the_day() {
    assert!(parse(&["--token", "a", "--secret-env", "B"]).is_err());
    assert!(parse(&["--start-hour", "24"]).is_err());
}
