//! Certificates: what is wrong with a file is told with the setting that names it.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};

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
