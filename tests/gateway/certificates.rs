//! Certificates that cannot serve: the start and `roomcast check` refuse them with the reason, and a reload keeps the old.

use std::fs;
use std::os::unix::fs::symlink;

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::harness::certificates::Certificates;
use crate::harness::process::Shell;
use crate::harness::{Gateway, environment};

/// An RSA key that openssl encrypted, of the older form and of PKCS#8: what stands behind the first lines is not read.
const ENCRYPTED: [&str; 2] = [
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
];

/// The settings of certificates, some replaced, and mutual TLS on both ports.
fn settings(certificates: &Certificates, replaced: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut settings = environment(&[("VERIFY_ORIGIN", "1")]);
    let own = certificates.settings().into_iter().map(|(key, value)| (key.to_owned(), value));
    settings.extend(own);
    settings.extend(replaced.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    settings.into_iter().collect()
}

/// Asserts that neither a start nor a check accepts the files, and that both say why in one line.
async fn refused(certificates: &Certificates, replaced: &[(&str, &str)], said: &str) {
    let settings = settings(certificates, replaced);
    let pairs: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let shell = Shell::new(&pairs);
    let checked = shell.run(&["check"]).await;
    let faults: Vec<_> = checked.out.lines().filter(|line| line.starts_with("fault: ")).collect();
    assert_eq!((checked.code, faults.len()), (64, 1), "{checked:?}");
    assert!(faults[0].contains(said), "{said}\n{}", faults[0]);
    let served = shell.run(&["serve"]).await;
    assert_eq!(served.code, 64, "{served:?}");
    assert!(!served.out.contains("Listening"), "{served:?}");
    // Files that are not there are told before there is a log.
    let logged = served.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let errors = logged.filter(|line| line["level"] == "error");
    let errors: Vec<_> = errors.map(|line| line["message"].as_str().unwrap().to_owned()).collect();
    let told = if errors.is_empty() { served.err } else { errors.concat() };
    let reason = said.trim_end_matches(": ").rsplit(": ").next().unwrap();
    assert!(reason.len() > 10 && told.contains(reason), "{reason}\n{told}");
    let key = fs::read_to_string(certificates.path("key.pem")).unwrap_or_default();
    assert!(key.lines().nth(1).is_none_or(|line| !told.contains(line)), "no key is ever told: {told}");
}

/// A certificate without extensions, as `openssl x509 -req` makes one that is not given any.
const VERSION_1: &str = "-----BEGIN CERTIFICATE-----
MIIBJTCBywIUaRQ7JYVlHOm1/v3g3g749Q0jxuYwCgYIKoZIzj0EAwIwFDESMBAG
A1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEzMDI0NFoYDzIxMjYxMDI4MTMwMjQ0
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATZ504UPTqgEWcP/o9s6xNL5CZQwoPXgwfPL7fatAWmAfjOEtkHN6IpV8eNs/uO
TxGlwBd5/xGjVDN3EYy3E6RwMAoGCCqGSM49BAMCA0kAMEYCIQCrGU9GClyNqscd
OeKQoK02mkvUamlus8eIGrspc1cD4QIhAPlOMSZ9xeFQO7IEibXcsfvufrkdvNxT
RVQbarEeGWuW
-----END CERTIFICATE-----
";

#[tokio::test]
async fn files_that_hold_the_wrong_thing_are_refused_with_the_reason() {
    let (ours, theirs) = (Certificates::make(), Certificates::make());
    let shell = Shell::new(&[]);
    let garbage = shell.write("garbage.pem", "no certificate");
    let broken = shell.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let old = shell.write("version-1.pem", VERSION_1);
    let encrypted = ENCRYPTED.map(|text| shell.write(if text.contains("RSA") { "old.pem" } else { "new.pem" }, text));
    let path = |certificates: &Certificates, name: &str| certificates.path(name).to_str().unwrap().to_owned();
    let together = "PUB_KEY_PATH, PRIV_KEY_PATH: the certificate and the private key cannot be used together: ";
    let mismatch = format!("{together}keys may not be consistent: KeyMismatch; give those that belong together");
    let passphrase = "is encrypted; write it without a passphrase (openssl pkey -in KEY -out NEW)";
    for (key, file, said) in [
        ("PRIV_KEY_PATH", &path(&theirs, "key.pem"), mismatch.clone()),
        ("PUB_KEY_PATH", &path(&theirs, "cert.pem"), mismatch),
        ("PUB_KEY_PATH", &broken, together.to_owned()),
        (
            "PUB_KEY_PATH",
            &old,
            format!("{old} is an X.509 certificate of version 1; have it signed anew with extensions"),
        ),
        (
            "PUB_KEY_PATH",
            &garbage,
            format!(
                "{garbage} holds no certificate, or a broken one, in PEM form; give the file with -----BEGIN CERTIFICATE-----"
            ),
        ),
        ("PUB_KEY_PATH", &path(&ours, "key.pem"), "holds no certificate, or a broken one, in PEM form".to_owned()),
        (
            "PRIV_KEY_PATH",
            &garbage,
            format!("{garbage} holds no private key in PEM form; give the file with -----BEGIN PRIVATE KEY-----"),
        ),
        ("PRIV_KEY_PATH", &path(&ours, "cert.pem"), "holds no private key in PEM form".to_owned()),
        ("PRIV_KEY_PATH", &encrypted[0], format!("{} {passphrase}", encrypted[0])),
        ("PRIV_KEY_PATH", &encrypted[1], format!("{} {passphrase}", encrypted[1])),
        ("CA_PATH", &garbage, format!("{garbage} holds no certificate, or a broken one, in PEM form")),
        ("CA_PATH", &broken, format!("{broken} cannot be used: ")),
    ] {
        refused(&ours, &[(key, file)], &said).await;
    }
}

#[tokio::test]
async fn files_that_cannot_be_read_are_refused_with_the_reason() {
    let ours = Certificates::make();
    let shell = Shell::new(&[]);
    let (missing, endless) = (shell.path_text("missing.pem"), shell.path_text("endless.pem"));
    symlink(&endless, &endless).unwrap();
    let folder = shell.folder.path().to_str().unwrap().to_owned();
    for key in ["PUB_KEY_PATH", "PRIV_KEY_PATH", "CA_PATH"] {
        for (file, reason) in [(&missing, "No such file or directory"), (&endless, "Too many levels of symbolic links")]
        {
            refused(&ours, &[(key, file)], &format!("cannot read {file:?}: {reason}")).await;
        }
        refused(
            &ours,
            &[(key, &folder)],
            &format!("{key} (environment): {folder:?} is a folder; give the path of a PEM file"),
        )
        .await;
    }
}

#[tokio::test]
async fn a_certificate_of_another_time_is_refused_with_the_date() {
    let certificates = Certificates::make();
    let path = certificates.path("cert.pem");
    let now = Utc::now();
    // Good for thirty days, and from an hour before it was made.
    for (made, date, said) in [
        (now - TimeDelta::days(60), now - TimeDelta::days(30) - TimeDelta::hours(1), "expired on"),
        (now + TimeDelta::days(60), now + TimeDelta::days(60) - TimeDelta::hours(1), "is not valid before"),
    ] {
        certificates.renew_server_at(made);
        let said = format!("{}: the certificate {said} {}", path.display(), date.format("%Y-%m-%d"));
        refused(&certificates, &[], &said).await;
    }
}

#[tokio::test]
async fn an_expired_certificate_is_not_taken_by_a_reload() {
    let certificates = Certificates::make();
    let own = certificates.settings();
    let own: Vec<_> = own.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let gateway = Gateway::start(&own).await;
    certificates.renew_server_at(Utc::now() - TimeDelta::days(60));
    let error = gateway.reload_certificates().unwrap_err().to_string();
    assert!(error.contains("the certificate expired on "), "{error}");
    let client = certificates.stranger();
    assert!(crate::harness::dial::dial_tls(gateway.producer(), client).await.is_ok(), "the old one stays in use");
}
