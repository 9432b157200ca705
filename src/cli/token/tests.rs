//! `roomcast token` as its user sees it.

use chrono::{DateTime, Utc};
use clap::Parser;
use tempfile::TempDir;

use super::{Args, run};
use crate::config::{Machine, Sources};

/// What vrchats gives for `some-nasty-secret` on 2026-11-21.
const TOKEN: &str = "6266c998f848a723b1599fde93c5e5083c8eff7e959257424f2a0a70d4433b417a7ccb7e2806f21749d5852db161288d6391239b587fa68f5edf96515500442b";

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

struct Ran {
    exit: u8,
    out: String,
}

fn token(now: &str, words: &[&str], env: &[(&str, &str)], input: &str) -> anyhow::Result<Ran> {
    let args = Line::try_parse_from(["token"].iter().chain(words))?.args;
    let now: DateTime<Utc> = now.parse()?;
    let sources = Sources {
        flags: Default::default(),
        environment: env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        env_file: None,
        default_env_file: None,
        machine: Machine::here(),
    };
    let mut out = Vec::new();
    let exit = run(&args, now, &sources, &mut input.as_bytes(), &mut out)?;
    Ok(Ran { exit, out: String::from_utf8(out)? })
}

const NOON: &str = "2026-11-21T12:00:00Z";
const ENV: [(&str, &str); 1] = [("WEBSOCKET_AUTH_TOKEN_SECRET", "some-nasty-secret")];

#[test]
fn makes_the_token_of_today_and_of_a_day() {
    assert_eq!(token(NOON, &["make"], &ENV, "").unwrap().out, format!("{TOKEN}\n"));
    let other = token("1999-01-01T00:00:00Z", &["make", "--date", "2026-11-21"], &ENV, "").unwrap();
    assert_eq!(other.out, format!("{TOKEN}\n"));
}

#[test]
fn the_day_changes_at_the_start_hour() {
    let at = |now, hour| token(now, &["make", "--start-hour", hour], &ENV, "").unwrap().out.trim() == TOKEN;
    assert!(at("2026-11-22T02:59:59Z", "3"));
    assert!(!at("2026-11-22T03:00:00Z", "3"));
    assert!(!at("2026-11-22T00:00:00Z", "0"));
}

#[test]
fn the_start_hour_is_the_gateways_unless_it_is_given() {
    let at = |now, words: &[&str], hour: (&'static str, &'static str)| {
        token(now, &[&["make"], words].concat(), &[ENV[0], hour], "").map(|ran| ran.out.trim() == TOKEN)
    };
    let key = "WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR";
    for (name, hour, is_todays) in [(key, "3", true), ("IO_TOKEN_RENEW_START_HOUR", "3", true), (key, "", false)] {
        assert_eq!(at("2026-11-22T02:59:59Z", &[], (name, hour)).unwrap(), is_todays, "{name}={hour}");
    }
    assert!(!at("2026-11-22T02:59:59Z", &["--start-hour", "2"], (key, "3")).unwrap());
    let error = at(NOON, &[], (key, "24")).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{key}: \"24\" is no whole number from 0 to 23")), "{error}");
    assert!(at(NOON, &["--start-hour", "0"], (key, "24")).unwrap());
}

#[test]
fn the_secret_comes_from_a_file_or_a_variable_and_never_from_an_argument() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "some-nasty-secret\n").unwrap();
    let file = file.to_str().unwrap();
    for (words, env) in [
        (vec!["make", "--secret-file", file], vec![]),
        (vec!["make", "--secret-env", "MINE"], vec![("MINE", "some-nasty-secret")]),
        (vec!["make", "--secret-env", "MINE"], vec![("MINE", ""), ("MINE_FILE", file)]),
        (vec!["make"], vec![("WEBSOCKET_AUTH_TOKEN_SECRET_FILE", file)]),
        (vec!["make"], vec![("AUTH_TOKEN_SECRET", "some-nasty-secret")]),
    ] {
        assert_eq!(token(NOON, &words, &env, "").unwrap().out.trim(), TOKEN, "{words:?} {env:?}");
    }
    assert!(token(NOON, &["make", "--secret", "some-nasty-secret"], &[], "").is_err());
    assert!(token(NOON, &["make", "--secret-file", file, "--secret-env", "MINE"], &[], "").is_err());
}

#[test]
fn a_secret_that_is_missing_or_empty_is_an_error_that_says_how_to_give_one() {
    for env in [vec![], vec![("WEBSOCKET_AUTH_TOKEN_SECRET", "")]] {
        let error = token(NOON, &["make"], &env, "").err().unwrap().to_string();
        assert!(error.contains("set WEBSOCKET_AUTH_TOKEN_SECRET, or use --secret-file FILE"), "{error}");
    }
    let error = token(NOON, &["make", "--secret-env", "MINE"], &ENV, "").err().unwrap().to_string();
    assert!(error.contains("set MINE, or"), "{error}");
    let error = token(NOON, &["make"], &[("WEBSOCKET_AUTH_TOKEN_SECRET_FILE", "/x/y")], "");
    assert!(
        error.err().unwrap().to_string().contains("cannot use the file that WEBSOCKET_AUTH_TOKEN_SECRET_FILE names")
    );
    let error = token(NOON, &["make", "--secret-file", "/nowhere/x"], &[], "").err().unwrap().to_string();
    assert_eq!(error, "cannot read the secret file /nowhere/x");
}

#[test]
fn tells_which_day_a_token_is_of() {
    for (now, verdict, exit) in [
        (NOON, "today's token", 0),
        ("2026-11-22T00:00:00Z", "yesterday's token", 0),
        ("2026-11-20T23:59:59Z", "tomorrow's token", 0),
        ("2026-11-23T00:00:00Z", "no token", 1),
    ] {
        let ran = token(now, &["check", TOKEN], &ENV, "").unwrap();
        assert!(ran.out.starts_with(verdict), "{now}: {}", ran.out);
        assert_eq!(ran.exit, exit, "{now}");
    }
    let upper = token(NOON, &["check", &TOKEN.to_uppercase()], &ENV, "").unwrap();
    assert_eq!(upper.exit, 1, "a gateway compares letter for letter");
}

#[test]
fn reads_the_token_from_standard_input() {
    assert_eq!(token(NOON, &["check", "-"], &ENV, &format!("{TOKEN}\n")).unwrap().exit, 0);
    assert_eq!(token(NOON, &["check", "-"], &ENV, "").unwrap().exit, 1);
}

#[test]
fn a_day_that_is_none_is_refused_with_its_form() {
    for bad in ["2026-13-01", "2026-02-29", "21.11.2026", ""] {
        let error = token(NOON, &["make", "--date", bad], &ENV, "").err().unwrap().to_string();
        assert!(error.contains("a day is written YYYY-MM-DD"), "{error}");
    }
}
