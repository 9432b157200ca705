//! TLS: certificates from PEM files, one configuration a port, swapped whole when the files are read again.

mod stream;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::DateTime;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

use super::TlsConfig;
pub(super) use stream::TlsStream;

/// A handshake that takes longer is given up.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What an encrypted private key has in its text: of PKCS#8, and of the older forms.
const ENCRYPTED: [&str; 2] = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];

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
    #[error("{key}: {} holds no {wanted} in PEM form; give the file with -----BEGIN {label}-----", path.display())]
    Empty {
        /// The setting that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// The label that PEM has for it.
        label: &'static str,
    },
    /// The private key is encrypted, and nobody is there to be asked.
    #[error("PRIV_KEY_PATH: {} is encrypted; write it without a passphrase (openssl pkey -in KEY -out NEW)", .0.display())]
    Encrypted(PathBuf),
    /// The server's certificate is not good at this time.
    #[error("PUB_KEY_PATH: {}: the certificate {problem}", path.display())]
    Validity {
        /// The file.
        path: PathBuf,
        /// Since when or until when, and the mend.
        problem: String,
    },
    /// The key does not fit the certificate, or either cannot be used.
    #[error("PUB_KEY_PATH, PRIV_KEY_PATH: the certificate and the private key cannot be used together: {0}; {mend}", mend = mend_of_pair(.0))]
    Pair(rustls::Error),
    /// The certificate is of a version without extensions.
    #[error(
        "PUB_KEY_PATH: {} is an X.509 certificate of version 1; have it signed anew with extensions, of version 3 (openssl \
         x509 -req with -extfile)", .0.display()
    )]
    Version(PathBuf),
    /// The authority of client certificates cannot be used.
    #[error("CA_PATH: {} cannot be used: {problem}; give the certificate of those who sign client certificates", path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
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
    /// When a file is missing, unreadable or does not hold what it should, when key and certificate do not fit, or when
    /// the certificate is not good today.
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
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let handshake = TlsStream::accept(self.current.load_full(), stream);
        tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await?
    }
}

fn server_config(config: &TlsConfig, wants_client_certificate: bool) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificates = read_certificates("PUB_KEY_PATH", &config.certificates)?;
    let key = read_key(&config.private_key)?;
    check_validity(&config.certificates, &certificates)?;
    let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?;
    let builder = match &config.client_ca {
        Some(ca) if wants_client_certificate => versions.with_client_cert_verifier(client_verifier(ca, provider)?),
        _ => versions.with_no_client_auth(),
    };
    let mut server = builder.with_single_cert(certificates, key).map_err(TlsError::Pair)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server.session_storage = Arc::new(NoServerSessionStorage {});
    if config.client_ca.is_some() && wants_client_certificate {
        // A ticket would stand for a certificate that may have expired since.
        server.send_tls13_tickets = 0;
    } else {
        // They leave with the first answer, so they cost no write of their own. A crowd that comes back all at once is
        // spared the signatures. Two, because a client that polls and upgrades comes back with two connections.
        server.send_tls13_tickets = 2;
        server.ticketer = Ticketer::new().map_err(TlsError::Pair)?;
    }
    Ok(server)
}

fn client_verifier(
    ca: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let unusable = |problem: String| TlsError::ClientCa { path: ca.to_owned(), problem };
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates("CA_PATH", ca)? {
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| unusable(error.to_string()))
}

/// Refuses a leaf that no client would take today. The rest of the chain is the clients' to judge: an expired authority
/// at its end does no harm where another path leads to one they trust.
fn check_validity(path: &Path, chain: &[CertificateDer<'_>]) -> Result<(), TlsError> {
    let Some(leaf) = chain.first() else { return Ok(()) };
    // What cannot be read here is told with the pair, which cannot be used then either.
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else { return Ok(()) };
    if leaf.version() != X509Version::V3 {
        return Err(TlsError::Version(path.to_owned()));
    }
    let (validity, now) = (leaf.validity(), ASN1Time::now());
    let problem = if now > validity.not_after {
        format!("expired on {}; renew it", utc(validity.not_after))
    } else if now < validity.not_before {
        format!("is not valid before {}; wait until then, or set this machine's clock", utc(validity.not_before))
    } else {
        return Ok(());
    };
    Err(TlsError::Validity { path: path.to_owned(), problem })
}

fn mend_of_pair(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InconsistentKeys(_) => "give those that belong together",
        _ => "give an RSA key of 2048 bits or more, or one for ECDSA or EdDSA, and the certificate that belongs to it",
    }
}

fn utc(time: ASN1Time) -> String {
    DateTime::from_timestamp(time.timestamp(), 0).map_or_else(|| time.to_string(), |time| time.to_string())
}

fn read_certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(key, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(TlsError::Empty {
            key,
            path: path.to_owned(),
            wanted: "certificate, or a broken one,",
            label: "CERTIFICATE",
        }),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let key = "PRIV_KEY_PATH";
    let pem = read(key, path)?;
    let text = String::from_utf8_lossy(&pem);
    if ENCRYPTED.iter().any(|mark| text.contains(mark)) {
        return Err(TlsError::Encrypted(path.to_owned()));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::Empty {
        key,
        path: path.to_owned(),
        wanted: "private key",
        label: "PRIVATE KEY",
    })
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { key, path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
