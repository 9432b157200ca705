//! What browsers ask of a certificate: names, life, usages, and an authority that can be trusted once.

use std::fs;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rustls::server::WebPkiClientVerifier;
use rustls::{Error, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::{Authority, Health, Issued, server_health, verify};
use tempfile::TempDir;

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn chain(issued: &Issued) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes()).map(Result::unwrap).collect()
}

fn parsed<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    X509Certificate::from_der(der).unwrap().1
}

fn key_identifiers(certificate: &X509Certificate<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let mut found = (None, None);
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => found.0 = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                found.1 = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_server_certificate_keeps_the_rules_of_browsers() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::open_or_create(folder.path(), now()).unwrap();
    let issued = authority.issue_server(&hosts(&["localhost", "127.0.0.1", "::1", "gw.test"]), 397, now()).unwrap();
    let chain = chain(&issued);
    assert_eq!(chain.len(), 2, "leaf, then authority");
    let (leaf, ca) = (parsed(&chain[0]), parsed(&chain[1]));

    let names = &leaf.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert!(matches!(names[0], GeneralName::DNSName("localhost")));
    assert!(matches!(names[1], GeneralName::IPAddress([127, 0, 0, 1])));
    assert!(matches!(names[2], GeneralName::IPAddress(bytes) if bytes.len() == 16));
    assert!(matches!(names[3], GeneralName::DNSName("gw.test")));
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
    assert!(leaf.key_usage().unwrap().unwrap().value.digital_signature());
    assert!(!leaf.is_ca() && leaf.basic_constraints().unwrap().is_some());
    let life = leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp();
    assert_eq!(life, 397 * 86_400);
    assert_eq!(leaf.validity().not_before.timestamp(), now().timestamp() - 3600);

    assert!(ca.is_ca());
    assert_eq!(ca.basic_constraints().unwrap().unwrap().value.path_len_constraint, Some(0));
    assert!(ca.key_usage().unwrap().unwrap().value.key_cert_sign());
    let (leaf_id, leaf_issuer_id) = key_identifiers(&leaf);
    assert!(leaf_id.is_some());
    assert_eq!(leaf_issuer_id.unwrap(), key_identifiers(&ca).0.unwrap());
    assert_ne!(leaf.raw_serial(), ca.raw_serial());
}

#[test]
fn the_key_belongs_to_the_leaf() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::open_or_create(folder.path(), now()).unwrap();
    let issued = authority.issue_server(&hosts(&["localhost"]), 1, now()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    rustls::sign::CertifiedKey::from_der(chain(&issued), key, &provider).unwrap().keys_match().unwrap();
}

#[test]
fn a_client_certificate_passes_where_a_server_one_does_not() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::open_or_create(folder.path(), now()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now().timestamp().unsigned_abs()));
    let client = chain(&authority.issue_client("billing", 30, now()).unwrap());
    verifier.verify_client_cert(&client[0], &client[1..], at).unwrap();
    let server = chain(&authority.issue_server(&hosts(&["localhost"]), 30, now()).unwrap());
    assert!(matches!(verifier.verify_client_cert(&server[0], &server[1..], at), Err(Error::InvalidCertificate(_))));
}

#[test]
fn an_authority_that_is_read_again_signs_for_who_trusted_it() {
    let folder = TempDir::new().unwrap();
    let first = Authority::open_or_create(folder.path(), now()).unwrap();
    let second = Authority::open_or_create(folder.path(), now() + TimeDelta::days(400)).unwrap();
    assert_eq!(first.certificate_pem, second.certificate_pem);
    let later = now() + TimeDelta::days(400);
    let issued = second.issue_server(&hosts(&["localhost"]), 397, later).unwrap();
    verify(&issued.chain_pem, &first.certificate_pem, later).unwrap();
}

#[test]
fn half_an_authority_or_a_foreign_key_is_an_error_that_says_what_to_do() {
    let [one, other] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    for folder in [&one, &other] {
        Authority::open_or_create(folder.path(), now()).unwrap();
    }
    let open = || Authority::open_or_create(one.path(), now());
    fs::copy(other.path().join("ca-key.pem"), one.path().join("ca-key.pem")).unwrap();
    let error = open().unwrap().issue_server(&hosts(&["localhost"]), 1, now()).err().unwrap().to_string();
    assert!(error.contains("do not belong together"), "{error}");

    fs::write(one.path().join("ca.pem"), "no certificate").unwrap();
    let error = open().err().unwrap().to_string();
    assert!(error.contains("move both away"), "{error}");

    fs::remove_file(one.path().join("ca.pem")).unwrap();
    let error = open().err().unwrap().to_string();
    assert!(error.contains("has no ca.pem beside it"), "{error}");

    fs::rename(other.path().join("ca.pem"), one.path().join("ca.pem")).unwrap();
    fs::remove_file(one.path().join("ca-key.pem")).unwrap();
    let error = open().err().unwrap().to_string();
    assert!(error.contains("has no ca-key.pem beside it"), "{error}");
}

#[test]
fn health_tells_a_certificate_that_is_good_from_one_that_expires() {
    let folder = TempDir::new().unwrap();
    crate::cli::cert::renew_server(folder.path(), now()).unwrap();
    let health = |days: i64| server_health(folder.path(), now() + TimeDelta::days(days)).unwrap();
    assert_eq!(health(0), Health::Good);
    assert_eq!(health(395), Health::Good);
    assert_eq!(health(396), Health::Expired, "it would expire within a day");
    assert_eq!(health(4000), Health::Expired);

    let other = TempDir::new().unwrap();
    Authority::open_or_create(other.path(), now()).unwrap();
    fs::copy(other.path().join("ca.pem"), folder.path().join("ca.pem")).unwrap();
    let error = server_health(folder.path(), now()).unwrap_err().to_string();
    assert!(error.contains("cert.pem is not a certificate for localhost"), "{error}");
}
