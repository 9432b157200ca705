//! What a subscriber shows at CONNECT: a token as given, the daily token of a secret, or nothing.

use std::path::PathBuf;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};

use crate::admission::token::daily_token;
use crate::types::Secret;

/// The options that say how a subscriber proves itself. Without any it shows no token.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct CredentialArgs {
    /// Token to show, a daily token or a JWT; other users of this machine can see it in the list of processes
    #[arg(long, value_name = "TOKEN", group = "credential")]
    token: Option<String>,
    /// File of the daily token's secret; the token is computed anew at each connect
    #[arg(long, value_name = "FILE", group = "credential")]
    secret_file: Option<PathBuf>,
    /// Environment variable that holds the daily token's secret
    #[arg(long, value_name = "NAME", group = "credential")]
    secret_env: Option<String>,
    /// UTC hour at which the gateway's day changes
    #[arg(long, value_name = "HOUR", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..24))]
    start_hour: u8,
}

impl CredentialArgs {
    /// Reads the secret from where the options say.
    ///
    /// # Errors
    /// When the file or the variable is not there, or is empty.
    pub(crate) fn read(&self) -> anyhow::Result<Credential> {
        if let Some(token) = &self.token {
            return Ok(Credential::Token(Secret::new(token)));
        }
        let (secret, from) = if let Some(file) = &self.secret_file {
            let text = std::fs::read_to_string(file).with_context(|| format!("--secret-file {}", file.display()))?;
            (Secret::from_file_text(&text), format!("--secret-file {}", file.display()))
        } else if let Some(name) = &self.secret_env {
            let text = std::env::var(name).with_context(|| format!("--secret-env {name}"))?;
            (Secret::new(text), format!("--secret-env {name}"))
        } else {
            return Ok(Credential::None);
        };
        if secret.expose().is_empty() {
            bail!("{from}: the secret is empty");
        }
        Ok(Credential::Daily { secret, start_hour: self.start_hour })
    }
}

/// How a subscriber proves itself.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// Not at all.
    None,
    /// By a token that someone else made.
    Token(Secret),
    /// By the daily token of this secret.
    Daily {
        /// The gateway's secret.
        secret: Secret,
        /// UTC hour at which the day changes, 0 to 23.
        start_hour: u8,
    },
}

impl Credential {
    /// The `auth` of a CONNECT packet sent at `now`, as JSON; empty when there is nothing to show.
    pub(crate) fn auth(&self, now: DateTime<Utc>) -> String {
        let token = match self {
            Self::None => return String::new(),
            Self::Token(token) => token.expose().to_owned(),
            Self::Daily { secret, start_hour } => {
                daily_token(secret, (now - TimeDelta::hours(i64::from(*start_hour))).date_naive())
            }
        };
        serde_json::json!({ "token": token }).to_string()
    }
}

#[cfg(test)]
mod tests;
