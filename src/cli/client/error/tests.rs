//! What an error says, and whether coming back could help.

use std::io;
use std::time::Duration;

use http::StatusCode;
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use tokio_tungstenite::tungstenite;

use super::Error;

fn tls(cause: rustls::Error) -> Error {
    Error::Tls { host: "localhost".to_owned(), cause: io::Error::new(io::ErrorKind::InvalidData, cause) }
}

#[test]
fn a_tls_failure_that_lasts_names_what_mends_it() {
    for (cause, named) in [
        (rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), "--cacert FILE"),
        (rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), "--insecure"),
        (rustls::Error::InvalidCertificate(CertificateError::Expired), "--insecure"),
        (rustls::Error::InvalidCertificate(CertificateError::NotValidForName), "a name of the certificate"),
        (
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired),
            "asks for a client certificate: give --cert",
        ),
        (rustls::Error::AlertReceived(AlertDescription::UnknownCA), "give another with --cert and --key"),
        (rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType), "use http://"),
    ] {
        let broken = io::Error::other(cause.clone());
        for error in [tls(cause), tungstenite::Error::Io(broken).into()] {
            assert!(error.is_final() && error.to_string().contains(named), "{error}");
        }
    }
}

#[test]
fn what_may_pass_is_not_final() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    for error in [
        Error::Connect { addr: ([127, 0, 0, 1], 1).into(), cause: refused() },
        Error::Tls { host: "localhost".to_owned(), cause: io::ErrorKind::ConnectionReset.into() },
        tls(rustls::Error::AlertReceived(AlertDescription::InternalError)),
        tungstenite::Error::Io(refused()).into(),
        Error::Timeout { step: "the answer", limit: Duration::from_secs(1) },
        Error::status_of("consumer", StatusCode::TOO_MANY_REQUESTS, b""),
        Error::status_of("consumer", StatusCode::SERVICE_UNAVAILABLE, b""),
        Error::status_of("consumer", StatusCode::FORBIDDEN, b"FORBIDDEN"),
    ] {
        assert!(!error.is_final(), "{error}");
        assert!(!error.to_string().contains("--"), "{error}");
    }
}

#[test]
fn a_status_is_told_with_words_but_not_with_a_page() {
    let told = |status, body: &str| Error::status_of("producer", status, body.as_bytes()).to_string();
    assert_eq!(told(StatusCode::FORBIDDEN, "FORBIDDEN\n"), "the gateway answered 403 Forbidden: FORBIDDEN");
    assert_eq!(told(StatusCode::BAD_GATEWAY, "\n <!DOCTYPE html>\n<p>"), "the gateway answered 502 Bad Gateway");
    let not_found = Error::status_of("producer", StatusCode::NOT_FOUND, b"<html>");
    assert_eq!(not_found.to_string(), "the gateway answered 404 Not Found; is this the producer port?");
    assert!(not_found.is_final());
}
