//! Certificates in a folder of the test's own, made as `roomcast cert` makes them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use roomcast::cli::cert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// An authority, a server certificate for localhost, and a client certificate.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub fn make() -> Self {
        let certificates = Self { folder: tempfile::tempdir().unwrap() };
        certificates.issue(Some("backend"), Utc::now());
        certificates
    }

    /// Replaces the server certificate by another of the same authority.
    pub fn renew_server(&self) {
        self.renew_server_at(Utc::now());
    }

    /// The same with one that was made at another time, and is good for thirty days from then.
    pub fn renew_server_at(&self, now: DateTime<Utc>) {
        self.issue(None, now);
    }

    fn issue(&self, client: Option<&str>, now: DateTime<Utc>) {
        let hosts = vec!["localhost".to_owned()];
        let client = client.map(str::to_owned);
        let args = cert::Args { out: self.folder.path().to_owned(), hosts, client, days: 30, force: true };
        cert::run(&args, now, &mut Vec::new()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The settings that use them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let path = |name| self.path(name).to_str().unwrap().to_owned();
        vec![
            ("TLS", "1".to_owned()),
            ("PUB_KEY_PATH", path(cert::SERVER)),
            ("PRIV_KEY_PATH", path(cert::SERVER_KEY)),
            ("CA_PATH", path(cert::CA)),
        ]
    }

    /// A client that trusts the authority and shows no certificate.
    pub fn stranger(&self) -> ClientConfig {
        self.client().with_no_client_auth()
    }

    /// A client that trusts the authority and shows the certificate that `issuer` gave it.
    pub fn bearer(&self, issuer: &Self) -> ClientConfig {
        let chain = issuer.read("client-backend.pem");
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(issuer.read("client-backend-key.pem").as_bytes()).unwrap();
        self.client().with_client_auth_cert(chain, key).unwrap()
    }

    /// A client that trusts the authority and shows this chain.
    pub fn showing(&self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> ClientConfig {
        self.client().with_client_auth_cert(chain, key).unwrap()
    }

    fn client(&self) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.read(cert::CA).as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots)
    }
}
