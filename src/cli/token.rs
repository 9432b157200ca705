//! `roomcast token`: makes and checks daily tokens without a gateway.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{EXIT_FAULT, EXIT_OK};
use crate::admission::token::{active_day, daily_token};
use crate::config::{self, Sources, parse};
use crate::types::Secret;

const SECRET_KEY: &str = "WEBSOCKET_AUTH_TOKEN_SECRET";
const START_HOUR_KEY: &str = "WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR";
/// A token has 128 bytes; what is longer need not be read to its end.
const TOKEN_INPUT_BYTES_MAX: u64 = 4096;

/// Make or check the daily token of subscribers
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Print the token of today, or of another day
    Make {
        /// The token's day; today, which begins at the start hour, if it is not given
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
        date: Option<NaiveDate>,
        #[command(flatten)]
        source: Source,
    },
    /// Tell whether a token is today's, yesterday's or tomorrow's; exit 1 if it is none of them
    Check {
        /// The token, or - to read it from standard input
        #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
        token: String,
        #[command(flatten)]
        source: Source,
    },
}

/// Where the secret comes from, if not from the gateway's settings. It cannot be given as an argument: every user of the machine can read those.
#[derive(Clone, Debug, clap::Args)]
struct Source {
    /// File that holds the secret; line ends after it do not count
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Environment variable that holds the secret, instead of the setting WEBSOCKET_AUTH_TOKEN_SECRET; NAME_FILE names a file of it
    #[arg(long, value_name = "NAME", conflicts_with = "secret_file")]
    secret_env: Option<String>,
    /// UTC hour at which the day changes, instead of the setting WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(u8).range(0..=23))]
    start_hour: Option<u8>,
}

/// Runs the command; what its options do not say, the gateway's settings do. Returns the exit code.
///
/// # Errors
/// When the secret or the hour cannot be had, or standard input or output fails.
pub fn run(
    args: &Args,
    now: DateTime<Utc>,
    sources: &Sources,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    match &args.command {
        Command::Make { date, source } => {
            let secret = source.secret(sources)?;
            let day = match date {
                Some(day) => *day,
                None => active_day(now, source.start_hour(sources)?),
            };
            writeln!(out, "{}", daily_token(&secret, day))?;
            Ok(EXIT_OK)
        }
        Command::Check { token, source } => {
            let secret = source.secret(sources)?;
            let today = active_day(now, source.start_hour(sources)?);
            let (verdict, exit) = judge(&read_token(token, input)?, &secret, today);
            writeln!(out, "{verdict}")?;
            Ok(exit)
        }
    }
}

fn judge(token: &str, secret: &Secret, today: NaiveDate) -> (&'static str, u8) {
    let is_token_of = |days: i64| {
        today.checked_add_signed(TimeDelta::days(days)).is_some_and(|day| daily_token(secret, day) == token)
    };
    if is_token_of(0) {
        ("today's token", EXIT_OK)
    } else if is_token_of(-1) {
        ("yesterday's token: good for WEBSOCKET_AUTH_TOKEN_GRACE_MS after the day's change", EXIT_OK)
    } else if is_token_of(1) {
        ("tomorrow's token: good from one minute before the day's change", EXIT_OK)
    } else {
        ("no token of this secret for yesterday, today or tomorrow", EXIT_FAULT)
    }
}

fn read_token(argument: &str, input: &mut dyn Read) -> anyhow::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    input.take(TOKEN_INPUT_BYTES_MAX).read_to_string(&mut text).context("cannot read the token from standard input")?;
    Ok(text.trim().to_owned())
}

impl Source {
    fn secret(&self, sources: &Sources) -> anyhow::Result<Secret> {
        let secret = match (&self.secret_file, &self.secret_env) {
            (Some(file), _) => Some(read_secret(file)?),
            (None, Some(name)) => secret_of_variable(name, &sources.environment)?,
            (None, None) => {
                let [text] = config::lookup(sources, [SECRET_KEY])?;
                text.map(Secret::new)
            }
        };
        let name = self.secret_env.as_deref().unwrap_or(SECRET_KEY);
        let Some(secret) = secret else { bail!("there is no secret: set {name}, or use --secret-file FILE") };
        ensure!(!secret.expose().is_empty(), "the secret is empty: set {name}, or use --secret-file FILE");
        Ok(secret)
    }

    fn start_hour(&self, sources: &Sources) -> anyhow::Result<u8> {
        if let Some(hour) = self.start_hour {
            return Ok(hour);
        }
        let [text] = config::lookup(sources, [START_HOUR_KEY])?;
        let hour = parse::number(0..=23)(&text.unwrap_or_default());
        Ok(u8::try_from(hour.map_err(|problem| anyhow!("{START_HOUR_KEY}: {problem}"))?)?)
    }
}

/// What a variable holds, or the file that `NAME_FILE` names. An empty variable is none, as everywhere.
fn secret_of_variable(name: &str, environment: &BTreeMap<String, String>) -> anyhow::Result<Option<Secret>> {
    let get = |name: &str| environment.get(name).filter(|text| !text.is_empty());
    match (get(name), get(&format!("{name}_FILE"))) {
        (Some(text), _) => Ok(Some(Secret::new(text))),
        (None, Some(file)) => read_secret(file.as_ref()).map(Some),
        (None, None) => Ok(None),
    }
}

fn read_secret(file: &Path) -> anyhow::Result<Secret> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read the secret file {}", file.display()))?;
    Ok(Secret::from_file_text(&text))
}

fn date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "a day is written YYYY-MM-DD, as 2026-11-21".to_owned())
}

#[cfg(test)]
mod tests;
