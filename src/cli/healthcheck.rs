//! `roomcast healthcheck`: is the gateway of this machine alive? One line and an exit code, for a container's probe.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::time::timeout;

use super::client::http::Connection;
use super::client::tls::{TlsArgs, probe_config};
use super::client::{Dialer, Endpoint, Error};
use super::{EXIT_FAULT, EXIT_OK};
use crate::config::{self, Faults, Sources, parse};

/// How long the whole check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the admin listener has for its answer, before the ports are asked.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Ask a gateway whether it is alive
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// URL to ask, instead of the admin listener and the ports that the settings name
    #[arg(long, value_name = "URL")]
    url: Option<Endpoint>,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Checks a URL, or this machine's gateway as the settings describe it. Prints one line.
///
/// # Errors
/// Never for a gateway that is not well; that is an exit code.
pub async fn run(args: Args, sources: Sources) -> anyhow::Result<u8> {
    let check = async {
        match args.url {
            Some(url) => {
                let dialer = Dialer::resolve(url, || args.tls.config()).await?;
                ask(Connection::open(&dialer).await?, dialer.endpoint()).await
            }
            None => Local::from_settings(&sources)?.check().await,
        }
    };
    let verdict = match timeout(CHECK_TIMEOUT, check).await {
        Ok(verdict) => verdict,
        Err(_) => Err(Error::Timeout { step: "the check", limit: CHECK_TIMEOUT }.into()),
    };
    let (line, code) = match verdict {
        Ok(line) => (line, EXIT_OK),
        Err(error) => (format!("unhealthy: {error:#}"), EXIT_FAULT),
    };
    // The exit code is the answer; the line is for whoever reads the probe's log.
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{line}\n"));
    Ok(code)
}

/// The gateway of this machine.
#[derive(Debug, PartialEq, Eq)]
struct Local {
    admin: Option<SocketAddr>,
    tls: bool,
    host: IpAddr,
    ports: Vec<u16>,
}

impl Local {
    /// Reads the settings that say where the gateway listens.
    fn from_settings(sources: &Sources) -> anyhow::Result<Self> {
        let keys = ["ADMIN_ADDR", "HTTP_PORT", "WEBSOCKET_PORT", "TLS", "HOST"];
        let [admin, producer, consumer, tls, host] =
            config::lookup(sources, keys).map_err(|faults| in_one_line(&faults))?;
        let mut ports = vec![read("HTTP_PORT", producer, parse::port)?, read("WEBSOCKET_PORT", consumer, parse::port)?];
        ports.dedup();
        Ok(Self {
            admin: read("ADMIN_ADDR", admin, parse::listener)?
                .map(|addr| SocketAddr::new(reachable(addr.ip()), addr.port())),
            tls: read("TLS", tls, parse::switch)?,
            host: reachable(read("HOST", host, parse::ip)?),
            ports,
        })
    }

    /// The admin listener's word, or else a sign of life from each port.
    async fn check(&self) -> anyhow::Result<String> {
        if let Some(admin) = self.admin
            && let Ok(Ok(verdict)) = timeout(ADMIN_TIMEOUT, lives(admin)).await
        {
            return Ok(verdict);
        }
        for &port in &self.ports {
            answers(Endpoint::local(self.tls, &self.host.to_string(), port)).await?;
        }
        let ports: Vec<_> = self.ports.iter().map(ToString::to_string).collect();
        Ok(format!("healthy: port {} answers", ports.join(" and ")))
    }
}

fn probe() -> anyhow::Result<Arc<rustls::ClientConfig>> {
    Ok(probe_config()?)
}

/// A setting's value. Each of those that are read here has a default.
fn read<T>(key: &str, text: Option<String>, parse: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<T> {
    parse(&text.unwrap_or_default()).map_err(|problem| anyhow!("{key}: {problem}"))
}

/// A probe's log has a line for the verdict.
fn in_one_line(faults: &Faults) -> anyhow::Error {
    anyhow!("{}", faults.to_string().replace('\n', "; "))
}

/// Where to find a listener that is bound to `ip`: on every address, `::` too, also means on IPv4's loopback. It needs no
/// name to be resolved and no IPv6, neither of which a container need have.
fn reachable(ip: IpAddr) -> IpAddr {
    if ip.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { ip }
}

async fn lives(admin: SocketAddr) -> anyhow::Result<String> {
    let dialer = Dialer::resolve(format!("http://{admin}/livez").parse()?, probe).await?;
    ask(Connection::open(&dialer).await?, dialer.endpoint()).await
}

/// A GET of the endpoint's own path, which must succeed.
async fn ask(mut connection: Connection, endpoint: &Endpoint) -> anyhow::Result<String> {
    let answer = connection.get(endpoint.own_path(), CHECK_TIMEOUT).await?;
    if !answer.head.status.is_success() {
        return Err(Error::status(answer.head.status, &answer.body).into());
    }
    Ok(format!("healthy: {}{} answered {}", endpoint.authority(), endpoint.own_path(), answer.head.status.as_u16()))
}

/// Whether a port speaks: TLS up to the server's hello or an alert, or HTTP with any status.
async fn answers(endpoint: Endpoint) -> anyhow::Result<()> {
    let dialer = Dialer::resolve(endpoint, probe).await?;
    if dialer.endpoint().tls {
        return match dialer.dial().await {
            Ok(_) => Ok(()),
            Err(Error::Tls { cause, .. }) if is_answer(&cause) => Ok(()),
            Err(error) => Err(error.into()),
        };
    }
    Connection::open(&dialer).await?.get("/", CHECK_TIMEOUT).await?;
    Ok(())
}

/// Whether a failed handshake is the other side's word in TLS, and not silence or another protocol.
fn is_answer(error: &std::io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    cause.is_some_and(|cause| !matches!(cause, rustls::Error::InvalidMessage(_)))
}

#[cfg(test)]
mod tests;
