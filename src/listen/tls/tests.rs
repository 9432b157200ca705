//! Certificates: what is wrong with a file is told with the setting that names it.

use std::path::Path;

use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed};

use super::*;

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn pair(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (
        write(dir, &format!("{name}.pem"), &cert.pem()),
        write(dir, &format!("{name}-key.pem"), &signing_key.serialize_pem()),
    )
}

fn config(certificates: PathBuf, private_key: PathBuf, client_ca: Option<PathBuf>) -> TlsConfig {
    TlsConfig { certificates, private_key, client_ca, client_certificates: Default::default() }
}

#[test]
fn a_pair_that_fits_loads_with_http_1_1_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (certificates, key) = pair(dir.path(), "a");
    let tls = Tls::load(&config(certificates, key, None), false).unwrap();
    assert_eq!(tls.current.load().alpn_protocols, [b"http/1.1"]);
}

#[test]
fn faults_name_the_setting_and_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let (certificates, key) = pair(dir.path(), "a");
    let (_, other_key) = pair(dir.path(), "b");
    let missing = dir.path().join("missing.pem");
    let empty = write(dir.path(), "empty.pem", "nothing here");
    let fault = |config: TlsConfig| Tls::load(&config, true).unwrap_err().to_string();

    assert!(fault(config(missing.clone(), key.clone(), None)).starts_with("PUB_KEY_PATH: cannot read"));
    assert!(fault(config(certificates.clone(), missing.clone(), None)).starts_with("PRIV_KEY_PATH: cannot read"));
    assert!(fault(config(empty.clone(), key.clone(), None)).contains("empty.pem holds no certificate"));
    assert!(fault(config(certificates.clone(), empty.clone(), None)).contains("empty.pem holds no private key"));
    assert!(fault(config(certificates.clone(), other_key, None)).contains("cannot be used together"));
    assert!(fault(config(certificates, key, Some(empty))).starts_with("CA_PATH:"));
}

#[test]
fn a_certificate_that_is_not_good_today_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let key_path = write(dir.path(), "key.pem", &key.serialize_pem());
    for (from, to, problem) in [
        (2001, 2002, "expired on 2002-01-01 00:00:00 UTC; renew it"),
        (2998, 2999, "is not valid before 2998-01-01 00:00:00 UTC; wait until then, or set this machine's clock"),
    ] {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let path = write(dir.path(), "cert.pem", &params.self_signed(&key).unwrap().pem());
        let error = Tls::load(&config(path.clone(), key_path.clone(), None), false).unwrap_err();
        assert_eq!(error.to_string(), format!("PUB_KEY_PATH: {}: the certificate {problem}", path.display()));
    }
}

#[test]
fn a_key_with_a_passphrase_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (certificates, _) = pair(dir.path(), "a");
    for text in
        ["-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"]
    {
        let key = write(dir.path(), "key.pem", text);
        let error = Tls::load(&config(certificates.clone(), key, None), false).unwrap_err().to_string();
        assert!(error.contains("key.pem is encrypted; write it without a passphrase"), "{error}");
    }
}

#[test]
fn a_reload_takes_the_new_files_and_keeps_the_old_ones_when_they_are_bad() {
    let dir = tempfile::tempdir().unwrap();
    let (certificates, key) = pair(dir.path(), "a");
    let tls = Tls::load(&config(certificates.clone(), key.clone(), None), false).unwrap();
    let first = tls.current.load_full();

    fs::write(&certificates, "broken").unwrap();
    tls.reload().unwrap_err();
    assert!(Arc::ptr_eq(&first, &tls.current.load_full()));

    pair(dir.path(), "a");
    tls.reload().unwrap();
    assert!(!Arc::ptr_eq(&first, &tls.current.load_full()));
}
