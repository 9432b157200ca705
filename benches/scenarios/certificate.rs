//! A certificate for localhost of EC P-256, made anew for each run, and the TLS that trusts it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The certificate in a run's folder.
pub const CERTIFICATE: &str = "cert.pem";
/// Its private key.
pub const KEY: &str = "key.pem";

/// Makes both files.
///
/// # Errors
/// When the folder cannot be written.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    fs::write(folder.join(CERTIFICATE), cert.pem())?;
    fs::write(folder.join(KEY), signing_key.serialize_pem())?;
    Ok(())
}

/// The load's side. With `resumes`, a connection takes a ticket of an earlier one, if the server gave any.
///
/// # Errors
/// When the file is no certificate.
pub fn client(folder: &Path, resumes: bool) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join(CERTIFICATE))?)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let mut config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    config.resumption = if resumes { Resumption::in_memory_sessions(1) } else { Resumption::disabled() };
    Ok(Arc::new(config))
}

/// A server's side as rustls has it by default, with its cache of sessions and its tickets.
///
/// # Errors
/// When the files do not hold what they should.
pub fn server(folder: &Path) -> anyhow::Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join(CERTIFICATE))?;
    let key = PrivateKeyDer::from_pem_file(folder.join(KEY))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    Ok(builder.with_single_cert(vec![certificate], key)?)
}
