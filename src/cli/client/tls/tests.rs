//! Whom a client trusts, as its options say.

use clap::Parser;

use super::TlsArgs;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    tls: TlsArgs,
}

fn parse(args: &[&str]) -> Result<TlsArgs, clap::Error> {
    Command::try_parse_from([&["test"], args].concat()).map(|command| command.tls)
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = parse(&["--cacert", "/nonexistent/ca.pem"]).unwrap().config().unwrap_err();
    let text = format!("{error:#}");
    assert!(text.starts_with("/nonexistent/ca.pem: cannot read") && !text.contains("--insecure"), "{text}");
}

#[test]
fn an_authority_and_a_client_certificate_are_read() {
    let folder = std::env::temp_dir().join(format!("roomcast-tls-args-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (cert_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert_file, cert.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let (cert_file, key_file) = (cert_file.to_str().unwrap(), key_file.to_str().unwrap());

    let config = parse(&["--cacert", cert_file, "--cert", cert_file, "--key", key_file]).unwrap().config().unwrap();
    assert!(config.client_auth_cert_resolver.has_certs());
    let error = parse(&["--cacert", key_file]).unwrap().config().unwrap_err();
    assert!(format!("{error:#}").contains("holds no PEM certificate"), "{error:#}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    assert!(parse(&["--insecure", "--cacert", "a"]).is_err());
    assert!(parse(&["--cert", "a"]).is_err());
    assert!(parse(&["--key", "a"]).is_err());
}
