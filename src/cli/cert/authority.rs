//! The certificate authority of a folder: made once, then kept, so that a browser that trusts it need not be told again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::files::{self, Mode};
use super::{CA, CA_KEY, SERVER};

/// Ten years: it serves one developer, and a new one must be trusted by hand.
const CA_DAYS: u16 = 3650;
/// Certificates are good from an hour ago on, so that a clock that lags does not refuse them.
const BACKDATED: Duration = Duration::from_secs(3600);

/// A certificate authority that can sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A certificate and its key, as PEM.
pub struct Issued {
    /// The leaf, then the authority.
    pub chain_pem: String,
    /// The private key, PKCS#8.
    pub key_pem: String,
}

/// What there is to say of a folder's server certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The folder's authority signed it for localhost, and it is good for a day at least.
    Good,
    /// It has expired, or does so within a day.
    Expired,
}

impl Authority {
    /// Reads `ca.pem` and `ca-key.pem` of the folder, or makes both if neither is there.
    ///
    /// # Errors
    /// When one of the two is missing or they cannot be used, with what to do about it.
    pub fn open_or_create(folder: &Path, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let (certificate, key) = (folder.join(CA), folder.join(CA_KEY));
        match (certificate.exists(), key.exists()) {
            (true, true) => Self::open(&certificate, &key).with_context(|| {
                format!("{} and {CA_KEY} cannot be used; move both away to have new ones made", certificate.display())
            }),
            (false, false) => Self::create(&certificate, &key, now),
            (true, false) => {
                bail!("{} has no {CA_KEY} beside it; bring the key or move it away", certificate.display())
            }
            (false, true) => bail!("{} has no {CA} beside it; bring the certificate or move it away", key.display()),
        }
    }

    fn open(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let certificate_pem = fs::read_to_string(certificate)?;
        let key = KeyPair::from_pem(&fs::read_to_string(key)?)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key)?;
        Ok(Self { issuer, certificate_pem })
    }

    fn create(certificate: &Path, key_path: &Path, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        // The number tells the authorities of several folders apart in a browser's list.
        let name = format!("roomcast development CA {:08x}", rand::random::<u32>());
        let mut params = params(&name, CA_DAYS, now);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = params.self_signed(&key)?.pem();
        files::write(key_path, &key.serialize_pem(), Mode::Private, false)?;
        files::write(certificate, &certificate_pem, Mode::Public, false)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem })
    }

    /// Signs a server certificate for the host names and addresses, of which the first must be a name.
    ///
    /// # Errors
    /// When the authority's files do not belong together.
    pub fn issue_server(&self, hosts: &[String], days: u16, now: DateTime<Utc>) -> anyhow::Result<Issued> {
        let mut params = params("roomcast", days, now);
        params.subject_alt_names = CertificateParams::new(hosts)?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let issued = self.issue(params)?;
        verify(&issued.chain_pem, &self.certificate_pem, now)
            .map_err(|fault| anyhow::anyhow!("{CA} and {CA_KEY} do not belong together ({fault}); move both away"))?;
        Ok(issued)
    }

    /// Signs a client certificate.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn issue_client(&self, name: &str, days: u16, now: DateTime<Utc>) -> anyhow::Result<Issued> {
        let mut params = params(name, days, now);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> anyhow::Result<Issued> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { chain_pem: format!("{leaf}{}", self.certificate_pem), key_pem: key.serialize_pem() })
    }
}

/// Whether the folder's server certificate is one that its authority signed for localhost, and still good tomorrow.
///
/// # Errors
/// When the files cannot be read, or the certificate is another one.
pub fn server_health(folder: &Path, now: DateTime<Utc>) -> anyhow::Result<Health> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    match verify(&read(SERVER)?, &read(CA)?, now + chrono::TimeDelta::days(1)) {
        Ok(()) => Ok(Health::Good),
        Err(rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            Ok(Health::Expired)
        }
        Err(fault) => bail!(
            "{} is not a certificate for localhost that {CA} beside it signed ({fault}); move the folder away to have \
             new ones made",
            folder.join(SERVER).display()
        ),
    }
}

/// Checks the chain as a browser would that trusts the authority and opens localhost.
fn verify(chain_pem: &str, ca_pem: &str, now: DateTime<Utc>) -> Result<(), rustls::Error> {
    let not_pem = |_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(chain_pem.as_bytes()).collect::<Result<_, _>>().map_err(not_pem)?;
    let (leaf, intermediates) = chain.split_first().ok_or(rustls::Error::NoCertificatesPresented)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(not_pem)?)?;
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
    let localhost = ServerName::try_from("localhost").map_err(|error| rustls::Error::General(error.to_string()))?;
    let now = UnixTime::since_unix_epoch(since_epoch(now));
    verifier.verify_server_cert(leaf, intermediates, &localhost, &[], now).map(|_| ())
}

/// A certificate named `name` that is good for `days` days.
fn params(name: &str, days: u16, now: DateTime<Utc>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let start = since_epoch(now).saturating_sub(BACKDATED);
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + start;
    params.not_after = params.not_before + Duration::from_secs(u64::from(days) * 86_400);
    params
}

fn since_epoch(time: DateTime<Utc>) -> Duration {
    Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
