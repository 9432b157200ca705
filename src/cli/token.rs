//! `roomcast token`: makes and checks daily tokens without a gateway.

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{EXIT_FAULT, EXIT_OK};
use crate::admission::token::{active_day, daily_token};
use crate::types::Secret;

const SECRET_KEY: &str = "WEBSOCKET_AUTH_TOKEN_SECRET";
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
        /// The token's day; today in UTC if it is not given
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

/// Where the secret comes from. It cannot be given as an argument: every user of the machine can read those.
#[derive(Clone, Debug, clap::Args)]
struct Source {
    /// File that holds the secret; line ends after it do not count
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Environment variable that holds the secret; NAME_FILE may name a file instead
    #[arg(long, value_name = "NAME", default_value = SECRET_KEY, conflicts_with = "secret_file")]
    secret_env: String,
    /// UTC hour at which the day changes
    #[arg(long, value_name = "HOUR", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=23))]
    start_hour: u8,
}

/// Runs the command; `env` looks up an environment variable. Returns the exit code.
///
/// # Errors
/// When the secret cannot be had, or standard input or output fails.
pub fn run(
    args: &Args,
    now: DateTime<Utc>,
    env: &dyn Fn(&str) -> Option<String>,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    match &args.command {
        Command::Make { date, source } => {
            let secret = source.secret(env)?;
            let day = date.unwrap_or_else(|| active_day(now, source.start_hour));
            writeln!(out, "{}", daily_token(&secret, day))?;
            Ok(EXIT_OK)
        }
        Command::Check { token, source } => {
            let secret = source.secret(env)?;
            let (verdict, exit) = judge(&read_token(token, input)?, &secret, active_day(now, source.start_hour));
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
    fn secret(&self, env: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Secret> {
        let name = &self.secret_env;
        let text = match (&self.secret_file, env(name), env(&format!("{name}_FILE"))) {
            (Some(file), _, _) => read_secret(file)?,
            (None, Some(text), _) => text,
            (None, None, Some(file)) => read_secret(file.as_ref())?,
            (None, None, None) => bail!("there is no secret: set {name}, or use --secret-file FILE"),
        };
        if text.is_empty() {
            bail!("the secret is empty: set {name}, or use --secret-file FILE");
        }
        Ok(Secret::new(text))
    }
}

fn read_secret(file: &std::path::Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read the secret file {}", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "a day is written YYYY-MM-DD, as 2026-11-21".to_owned())
}

#[cfg(test)]
mod tests;
