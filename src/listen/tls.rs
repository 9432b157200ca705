//! TLS: certificates from PEM files, one configuration a port, swapped whole when the files are read again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::TlsConfig;

/// A handshake that takes longer is given up.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key}: cannot read {}", path.display())]
    Read {
        /// The setting that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds nothing of the kind that is asked for.
    #[error("{key}: {} holds no {wanted} in PEM form", path.display())]
    Empty {
        /// The setting that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// The key does not fit the certificate, or either cannot be used.
    #[error("PUB_KEY_PATH, PRIV_KEY_PATH: the certificate and the private key cannot be used together")]
    Pair(#[source] rustls::Error),
    /// The authority of client certificates cannot be used.
    #[error("CA_PATH: {0}")]
    ClientCa(String),
}

/// The TLS side of one port. Clones share the configuration, also after it is read again.
#[derive(Clone, Debug)]
pub struct Tls {
    files: Arc<TlsConfig>,
    wants_client_certificate: bool,
    current: Arc<ArcSwap<ServerConfig>>,
}

impl Tls {
    /// Reads the files of `config`.
    ///
    /// # Errors
    /// When a file is missing, unreadable or does not hold what it should, or when key and certificate do not fit.
    pub fn load(config: &TlsConfig, wants_client_certificate: bool) -> Result<Self, TlsError> {
        let server = server_config(config, wants_client_certificate)?;
        Ok(Self {
            files: Arc::new(config.clone()),
            wants_client_certificate,
            current: Arc::new(ArcSwap::from_pointee(server)),
        })
    }

    /// Reads the files again. New handshakes use them; when they cannot be used, the old ones stay.
    ///
    /// # Errors
    /// As [`Tls::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let server = server_config(&self.files, self.wants_client_certificate)?;
        self.current.store(Arc::new(server));
        Ok(())
    }

    /// Shakes hands within [`HANDSHAKE_TIMEOUT`].
    ///
    /// # Errors
    /// When the handshake fails or takes too long.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await?
    }
}

fn server_config(config: &TlsConfig, wants_client_certificate: bool) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificates = read_certificates("PUB_KEY_PATH", &config.certificates)?;
    let key = read_key(&config.private_key)?;
    let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?;
    let builder = match &config.client_ca {
        Some(ca) if wants_client_certificate => versions.with_client_cert_verifier(client_verifier(ca, provider)?),
        _ => versions.with_no_client_auth(),
    };
    let mut server = builder.with_single_cert(certificates, key).map_err(TlsError::Pair)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A ticket costs about as much CPU as the rest of a handshake, and a session that lasts for hours seldom resumes.
    server.send_tls13_tickets = 0;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(server)
}

fn client_verifier(
    ca: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates("CA_PATH", ca)? {
        roots.add(certificate).map_err(|error| TlsError::ClientCa(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| TlsError::ClientCa(error.to_string()))
}

fn read_certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(key, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(TlsError::Empty { key, path: path.to_owned(), wanted: "certificate, or a broken one," }),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let key = "PRIV_KEY_PATH";
    let pem = read(key, path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::Empty {
        key,
        path: path.to_owned(),
        wanted: "private key without passphrase",
    })
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { key, path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
