//! `roomcast healthcheck`: is the gateway of this machine alive? One line and an exit code, for a container's probe.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::time::timeout;

use super::client::http::Connection;
use super::client::tls::{TlsArgs, probe_config};
use super::client::{Dialer, Endpoint, Error};
use super::{EXIT_FAULT, EXIT_OK};

/// How long the whole check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// `ADMIN_ADDR` unless it is set.
const ADMIN_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 18190);

/// Ask a gateway whether it is alive
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// URL to ask, instead of the admin listener and the ports that the environment names
    #[arg(long, value_name = "URL")]
    url: Option<Endpoint>,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Checks a URL, or this machine's gateway as the environment describes it. Prints one line.
///
/// # Errors
/// Never for a gateway that is not well; that is an exit code.
pub async fn run(args: Args) -> anyhow::Result<u8> {
    let check = async {
        match args.url {
            Some(url) => {
                let dialer = Dialer::resolve(url, || args.tls.config()).await?;
                ask(Connection::open(&dialer).await?, dialer.endpoint()).await
            }
            None => Local::from_settings(|name| std::env::var(name).ok())?.check().await,
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
    host: Option<IpAddr>,
    ports: Vec<u16>,
}

impl Local {
    /// Reads the settings that say where the gateway listens.
    fn from_settings(get: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let admin = match get("ADMIN_ADDR").as_deref() {
            None => Some(ADMIN_ADDR),
            Some("") => None,
            Some(addr) => match addr.parse() {
                Ok(addr) => Some(reachable(addr)),
                Err(_) => bail!("ADMIN_ADDR is not an address and a port"),
            },
        };
        let standalone = get("CLUSTER_MODE").is_some_and(|mode| mode.trim() == "0");
        let consumer_names: &[&str] = if standalone {
            &["WEBSOCKET_PORT", "CONSUMER_PORT", "STANDALONE_PORT"]
        } else {
            &["WEBSOCKET_PORT", "CONSUMER_PORT"]
        };
        let mut ports = vec![port(&get, &["HTTP_PORT", "PRODUCER_PORT"], 2053)?, port(&get, consumer_names, 8443)?];
        ports.dedup();
        let tls = !get("TLS").is_some_and(|tls| matches!(tls.trim(), "0" | "false" | "off"));
        let host = get("HOST").and_then(|host| host.trim().parse().ok()).filter(|host: &IpAddr| !host.is_unspecified());
        Ok(Self { admin, tls, host, ports })
    }

    async fn check(&self) -> anyhow::Result<String> {
        if let Some(admin) = self.admin {
            let endpoint: Endpoint = format!("http://{admin}/livez").parse()?;
            let dialer = Dialer::resolve(endpoint, probe).await?;
            if let Ok(connection) = Connection::open(&dialer).await {
                return ask(connection, dialer.endpoint()).await;
            }
        }
        let host = self.host.map_or_else(|| "localhost".to_owned(), |host| host.to_string());
        for &port in &self.ports {
            answers(Endpoint::local(self.tls, &host, port)).await?;
        }
        let ports: Vec<_> = self.ports.iter().map(ToString::to_string).collect();
        Ok(format!("healthy: port {} answers", ports.join(" and ")))
    }
}

fn probe() -> anyhow::Result<Arc<rustls::ClientConfig>> {
    Ok(probe_config()?)
}

/// The first of `names` that is set, as a port.
fn port(get: &impl Fn(&str) -> Option<String>, names: &[&str], default: u16) -> anyhow::Result<u16> {
    for name in names {
        match get(name).map(|text| text.trim().parse()) {
            None => {}
            Some(Ok(port)) => return Ok(port),
            Some(Err(_)) => bail!("{name} is not a port"),
        }
    }
    Ok(default)
}

/// Where to find a listener that is bound to `addr`: on every address also means on loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), addr.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), addr.port()),
        IpAddr::V4(_) | IpAddr::V6(_) => addr,
    }
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
