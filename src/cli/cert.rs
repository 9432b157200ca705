//! `roomcast cert`: a certificate authority for development, and certificates signed by it.

pub mod authority;
pub mod files;

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use rustls_pki_types::DnsName;

use super::EXIT_OK;
use authority::{Authority, Issued};
use files::Mode;

/// The names that a server certificate always carries.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// The certificate authority's certificate.
pub const CA: &str = "ca.pem";
/// The certificate authority's private key.
pub const CA_KEY: &str = "ca-key.pem";
/// The server's certificate chain, leaf first.
pub const SERVER: &str = "cert.pem";
/// The server's private key.
pub const SERVER_KEY: &str = "key.pem";
/// How long a certificate lasts unless told otherwise: what public authorities may issue at most, less a day.
pub const DAYS_DEFAULT: u16 = 397;
/// The longest life of a server certificate that Apple's browsers accept from an authority that the user added.
const DAYS_MAX: i64 = 825;

/// Make certificates for development: an authority (kept if it is there) and a certificate for this machine
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder that the files go to
    #[arg(long, value_name = "FOLDER", default_value = "certs/dev")]
    pub out: PathBuf,
    /// Another name or address of the server, beside localhost, 127.0.0.1 and ::1; may be given several times
    #[arg(long = "host", value_name = "NAME", value_parser = host)]
    pub hosts: Vec<String>,
    /// Make a client certificate of this name too, for a publisher that VERIFY_ORIGIN asks for one
    #[arg(long, value_name = "NAME", value_parser = client)]
    pub client: Option<String>,
    /// Days that the certificates last
    #[arg(long, value_name = "N", default_value_t = DAYS_DEFAULT, value_parser = clap::value_parser!(u16).range(1..=DAYS_MAX))]
    pub days: u16,
    /// Replace certificates that are there; the authority is kept all the same
    #[arg(long)]
    pub force: bool,
}

/// Makes the files and tells of each what it is for. Returns the exit code.
///
/// # Errors
/// When a file that would be written is there already, the authority cannot be used, or the folder cannot be written.
pub fn run(args: &Args, now: DateTime<Utc>, out: &mut dyn Write) -> anyhow::Result<u8> {
    let server = wants_server(args).then(|| server_pair(&args.out));
    let client = args.client.as_deref().map(|name| client_pair(&args.out, name));
    if !args.force {
        for path in server.iter().chain(&client).flatten() {
            ensure!(!path.exists(), "{} is there already; --force replaces it", path.display());
        }
    }
    let authority = Authority::open_or_create(&args.out, now)?;
    describe(out, &args.out.join(CA), "the authority: CA_PATH, curl --cacert, NODE_EXTRA_CA_CERTS")?;
    describe(out, &args.out.join(CA_KEY), "its private key: whoever reads it can sign for any name")?;
    if let Some([certificate, key]) = server {
        let hosts = server_hosts(&args.hosts);
        save(&authority.issue_server(&hosts, args.days, now)?, &certificate, &key, args.force)?;
        let meaning = format!("PUB_KEY_PATH: for {}, {} days", hosts.join(", "), args.days);
        describe(out, &certificate, &meaning)?;
        describe(out, &key, "PRIV_KEY_PATH")?;
    }
    if let (Some([certificate, key]), Some(name)) = (client, &args.client) {
        save(&authority.issue_client(name, args.days, now)?, &certificate, &key, args.force)?;
        describe(out, &certificate, &format!("client certificate of {name}, {} days: curl --cert", args.days))?;
        describe(out, &key, "its private key: curl --key")?;
    }
    Ok(EXIT_OK)
}

/// Makes or renews the server's pair in `folder`, without further names.
///
/// # Errors
/// As [`run`], except that files that are there are replaced.
pub fn renew_server(folder: &Path, now: DateTime<Utc>) -> anyhow::Result<()> {
    let [certificate, key] = server_pair(folder);
    let issued = Authority::open_or_create(folder, now)?.issue_server(&server_hosts(&[]), DAYS_DEFAULT, now)?;
    save(&issued, &certificate, &key, true)
}

/// A run that is about a client certificate leaves a server certificate that is there in peace.
fn wants_server(args: &Args) -> bool {
    args.client.is_none() || !args.hosts.is_empty() || !server_pair(&args.out).iter().any(|path| path.exists())
}

fn server_pair(folder: &Path) -> [PathBuf; 2] {
    [folder.join(SERVER), folder.join(SERVER_KEY)]
}

fn client_pair(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(format!("client-{name}.pem")), folder.join(format!("client-{name}-key.pem"))]
}

fn server_hosts(more: &[String]) -> Vec<String> {
    let mut hosts: Vec<String> = LOCAL_HOSTS.map(str::to_owned).into();
    for host in more {
        if !hosts.contains(host) {
            hosts.push(host.clone());
        }
    }
    hosts
}

/// Writes the key first: a certificate without its key is of no use to anybody.
fn save(issued: &Issued, certificate: &Path, key: &Path, replace: bool) -> anyhow::Result<()> {
    files::write(key, &issued.key_pem, Mode::Private, replace)?;
    files::write(certificate, &issued.chain_pem, Mode::Public, replace)
}

fn describe(out: &mut dyn Write, path: &Path, meaning: &str) -> anyhow::Result<()> {
    writeln!(out, "{:<32} {meaning}", path.display()).context("standard output is closed")
}

fn host(text: &str) -> Result<String, String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(ip.to_string());
    }
    DnsName::try_from(text.strip_prefix("*.").unwrap_or(text)).map_err(
        |_| "neither an IP address nor a host name (without scheme and port; letters beyond ASCII as xn--…)",
    )?;
    Ok(text.to_ascii_lowercase())
}

fn client(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
        return Err("a client's name has 1 to 64 letters, digits, dots, dashes and underscores".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
