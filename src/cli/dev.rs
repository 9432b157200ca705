//! `roomcast dev`: a gateway on this machine, with everything made that it needs, and a page that shows its events.

pub mod demo;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::cert::{self, authority, authority::Health, files};
use crate::admission::token::{active_day, daily_token};
use crate::types::{Clock, Secret};
use demo::Demo;

/// Where certificates and secret are kept, from the folder that the command runs in.
pub const FOLDER: &str = "certs/dev";
/// The stock client, as npm installs it.
const CLIENT_SCRIPT: &str = "client_example/node_modules/socket.io-client/dist/socket.io.min.js";
/// The secret's file in [`FOLDER`].
const SECRET: &str = "secret";
/// What the page listens to and the printed line publishes to. Fixed, so that a page that is open survives a restart.
const USER: &str = "5f0d7c52-8d6b-4c0e-9a3d-6b1f2e7a9c04";
/// Variables by which a machine says that it is no place for a development server.
const STAGE_KEYS: [&str; 2] = ["NODE_ENV", "APP_ENV"];

/// Run a gateway for development on this machine: certificates, a secret and a demo page are made if missing
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Port that events are posted to
    #[arg(long, value_name = "PORT", default_value_t = 2053, value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: u16,
    /// Port that browsers listen on, and that serves the demo page
    #[arg(long, value_name = "PORT", default_value_t = 8443, value_parser = clap::value_parser!(u16).range(1..))]
    pub websocket_port: u16,
    /// Origin of a page of your own that may listen too, as http://localhost:3000; may be given several times
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub origins: Vec<String>,
}

/// Why a development server may not run here.
#[derive(Debug, thiserror::Error)]
#[error(
    "{key}={value}: `roomcast dev` is not for production, its certificates and settings are not; use `roomcast serve`"
)]
pub struct NotForProduction {
    key: &'static str,
    value: String,
}

/// A development gateway, ready to be started.
#[derive(Clone, Debug)]
pub struct Dev {
    http_port: u16,
    websocket_port: u16,
    origins: Vec<String>,
    folder: PathBuf,
    client_script: PathBuf,
    secret: Secret,
    made: Vec<PathBuf>,
}

/// Refuses where the environment says production. `env` looks up a variable.
///
/// # Errors
/// When `NODE_ENV` or `APP_ENV` is `production`.
pub fn refuse_production(env: &dyn Fn(&str) -> Option<String>) -> Result<(), NotForProduction> {
    for key in STAGE_KEYS {
        if let Some(value) = env(key)
            && value.trim().eq_ignore_ascii_case("production")
        {
            return Err(NotForProduction { key, value });
        }
    }
    Ok(())
}

impl Dev {
    /// Makes what is missing under `base`, the folder that the command runs in (`.`).
    ///
    /// # Errors
    /// When the ports are the same, a file cannot be read or written, or the certificate is not the authority's.
    pub fn prepare(args: &Args, base: &Path, clock: &Clock) -> anyhow::Result<Self> {
        ensure!(args.http_port != args.websocket_port, "--http-port and --websocket-port must differ");
        let folder = if base == Path::new(".") { FOLDER.into() } else { base.join(FOLDER) };
        let mut made = Vec::new();
        if prepare_certificate(&folder, clock)? {
            made.push(folder.join(cert::SERVER));
        }
        let path = folder.join(SECRET);
        if !path.exists() {
            let secret = format!("{:032x}{:032x}\n", rand::random::<u128>(), rand::random::<u128>());
            files::write(&path, &secret, files::Mode::Private, false)?;
            made.push(path.clone());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let secret = Secret::from_file_text(&text);
        ensure!(!secret.expose().is_empty(), "{} is empty; remove it to have a new one made", path.display());
        Ok(Self {
            http_port: args.http_port,
            websocket_port: args.websocket_port,
            origins: args.origins.clone(),
            folder,
            client_script: base.join(CLIENT_SCRIPT),
            secret,
            made,
        })
    }

    /// The settings of the gateway, by key. They stand alone: nothing of the environment or an environment file is
    /// needed, and nothing of it should count.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        let own = ["localhost", "127.0.0.1"].map(|host| self.origin(host));
        let origins: Vec<_> = own.into_iter().chain(self.origins.iter().cloned()).collect();
        BTreeMap::from(
            [
                ("HOST", "127.0.0.1".to_owned()),
                ("HTTP_PORT", self.http_port.to_string()),
                ("WEBSOCKET_PORT", self.websocket_port.to_string()),
                ("ADMIN_ADDR", String::new()),
                ("TLS", "1".to_owned()),
                ("PUB_KEY_PATH", path(cert::SERVER)),
                ("PRIV_KEY_PATH", path(cert::SERVER_KEY)),
                ("TRUST_CIDR_LIST", "127.0.0.0/8,::1".to_owned()),
                ("TRUST_ORIGIN_LIST", origins.join(",")),
                ("WEBSOCKET_AUTH", "token".to_owned()),
                ("WEBSOCKET_AUTH_TOKEN_SECRET_FILE", path(SECRET)),
                ("CLUSTER_MODE", "0".to_owned()),
                ("LOG_FORMAT", "pretty".to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        )
    }

    /// The demo page's routes, for the consumer port.
    pub fn demo_router(&self, clock: Clock) -> axum::Router {
        demo::router(Demo {
            user: USER,
            curl: self.curl(),
            secret: self.secret.clone(),
            clock,
            client_script: self.client_script.clone(),
        })
    }

    /// What the terminal shows once both ports listen.
    pub fn banner(&self, clock: &Clock) -> String {
        let (origin, ca) = (self.origin("localhost"), self.folder.join(cert::CA));
        let token = daily_token(&self.secret, active_day(clock.now(), 0));
        let made: String = self.made.iter().map(|path| format!("  made     {}\n", path.display())).collect();
        let client_missing = match self.client_script.exists() {
            true => String::new(),
            false => format!("           {}\n", demo::CLIENT_MISSING),
        };
        format!(
            "
roomcast dev, on this machine only
{made}
  page     {origin}/demo
{client_missing}           The browser warns of the certificate: it does not know {ca}.
           Go on past the warning, or let the browser know the file: {trust}

  publish  paste this line into another terminal, in this folder:

{curl}

  listen   in that page's console, or with --origin in a page of your own; the token is today's and dies at midnight UTC:

const socket = io('{origin}', {{ query: {{ uniqueUserId: '{USER}' }}, auth: {{ token: '{token}' }} }});
socket.on('{USER}', (message) => console.log(message));
",
            ca = ca.display(),
            trust = trust_hint(&ca),
            curl = self.curl(),
        )
    }

    fn curl(&self) -> String {
        format!(
            "curl --cacert {} -H 'content-type: application/json' -d '{{\"target_id\":\"{USER}\",\"message\":\"hello\"}}' \
             https://localhost:{}/publish",
            self.folder.join(cert::CA).display(),
            self.http_port
        )
    }

    /// As a browser writes it: without the port that https implies.
    fn origin(&self, host: &str) -> String {
        match self.websocket_port {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }
}

/// Makes the certificate if it is missing and renews it if it is about to expire; tells whether it did.
fn prepare_certificate(folder: &Path, clock: &Clock) -> anyhow::Result<bool> {
    let there = |name: &str| folder.join(name).exists();
    let wanted = match (there(cert::SERVER), there(cert::SERVER_KEY)) {
        (true, true) => authority::server_health(folder, clock.now())? == Health::Expired,
        _ => true,
    };
    if wanted {
        cert::renew_server(folder, clock.now())?;
    }
    Ok(wanted)
}

fn trust_hint(ca: &Path) -> String {
    let ca = ca.display();
    if cfg!(target_os = "macos") {
        format!("security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {ca}")
    } else {
        format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n roomcast-dev -i {ca}")
    }
}

#[cfg(test)]
mod tests;
