//! What a subscriber shows at CONNECT: a token as given, the daily token of a secret, or nothing.

use std::path::PathBuf;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};

use crate::admission::token::daily_token;
use crate::types::Secret;

/// The gateway's own setting for the secret.
const SECRET_KEY: &str = "WEBSOCKET_AUTH_TOKEN_SECRET";

/// The options that say how a subscriber proves itself. Without any it shows the daily
/// token of the secret that the environment names as it does for the gateway, or none.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct CredentialArgs {
    /// Token to show, a daily token or a JWT; other users of this machine can see it in the list of processes
    #[arg(long, value_name = "TOKEN", group = "credential")]
    token: Option<String>,
    /// File of the daily token's secret; the token is computed anew at each connect
    #[arg(long, value_name = "FILE", group = "credential")]
    secret_file: Option<PathBuf>,
    /// Environment variable that holds the daily token's secret, WEBSOCKET_AUTH_TOKEN_SECRET if no option gives a token;
    /// NAME_FILE may name a file instead
    #[arg(long, value_name = "NAME", group = "credential")]
    secret_env: Option<String>,
    /// UTC hour at which the gateway's day changes
    #[arg(long, value_name = "HOUR", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..24))]
    start_hour: u8,
}

impl CredentialArgs {
    /// Reads the secret from where the options say; `env` looks up an environment variable.
    ///
    /// # Errors
    /// When the file or the named variable is not there, or is empty.
    pub(crate) fn read(&self, env: impl Fn(&str) -> Option<String>) -> anyhow::Result<Credential> {
        if let Some(token) = &self.token {
            return Ok(Credential::Token(Secret::new(token)));
        }
        let name = self.secret_env.as_deref().unwrap_or(SECRET_KEY);
        let file = match &self.secret_file {
            Some(file) => Some((file.clone(), format!("--secret-file {}", file.display()))),
            None if env(name).is_some() => None,
            None => env(&format!("{name}_FILE")).map(|file| (file.clone().into(), format!("{name}_FILE={file}"))),
        };
        let (secret, from) = if let Some((file, from)) = file {
            let text = std::fs::read_to_string(file).with_context(|| from.clone())?;
            (Secret::from_file_text(&text), from)
        } else if let Some(secret) = env(name) {
            (Secret::new(secret), name.to_owned())
        } else if self.secret_env.is_some() {
            bail!("--secret-env {name}: neither {name} nor {name}_FILE is set");
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
