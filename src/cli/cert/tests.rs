//! `roomcast cert` as its user sees it: which files it makes, and which it leaves alone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::Utc;
use clap::Parser;

use super::{Args, run};
use tempfile::TempDir;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn parse(folder: &Path, more: &[&str]) -> Result<Args, clap::Error> {
    let out = folder.to_str().unwrap();
    Line::try_parse_from(["cert", "--out", out].iter().chain(more)).map(|line| line.args)
}

fn cert(folder: &Path, more: &[&str]) -> anyhow::Result<String> {
    let mut out = Vec::new();
    run(&parse(folder, more)?, Utc::now(), &mut out)?;
    Ok(String::from_utf8(out)?)
}

fn contents(folder: &Path) -> BTreeMap<String, String> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(entry).collect()
}

#[test]
fn makes_four_files_with_secret_keys_and_tells_of_each() {
    let folder = TempDir::new().unwrap();
    let out = cert(folder.path(), &["--host", "gw.example.com", "--host", "10.0.0.7"]).unwrap();
    let names: Vec<_> = contents(folder.path()).into_keys().collect();
    assert_eq!(names, ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"]);
    for name in names {
        assert!(out.contains(&name), "{name} is not told of in {out}");
        let mode = fs::metadata(folder.path().join(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, if name.contains("key") { 0 } else { mode & 0o044 }, "{name} has mode {mode:o}");
    }
    assert!(out.contains("localhost, 127.0.0.1, ::1, gw.example.com, 10.0.0.7"), "{out}");
}

#[test]
fn leaves_what_is_there_unless_forced_and_keeps_the_authority_even_then() {
    let folder = TempDir::new().unwrap();
    cert(folder.path(), &[]).unwrap();
    let before = contents(folder.path());
    let refusal = cert(folder.path(), &[]).unwrap_err().to_string();
    assert!(refusal.contains("cert.pem is there already; --force replaces it"), "{refusal}");
    assert_eq!(contents(folder.path()), before);

    cert(folder.path(), &["--force"]).unwrap();
    let after = contents(folder.path());
    assert_eq!(after["ca.pem"], before["ca.pem"]);
    assert_eq!(after["ca-key.pem"], before["ca-key.pem"]);
    assert_ne!(after["cert.pem"], before["cert.pem"]);
    assert_ne!(after["key.pem"], before["key.pem"]);
}

#[test]
fn a_refused_run_makes_nothing() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("key.pem"), "mine").unwrap();
    assert!(cert(folder.path(), &[]).is_err());
    assert_eq!(contents(folder.path()), BTreeMap::from([("key.pem".to_owned(), "mine".to_owned())]));
}

#[test]
fn a_client_certificate_comes_beside_a_server_certificate_that_stays() {
    let folder = TempDir::new().unwrap();
    cert(folder.path(), &[]).unwrap();
    let before = contents(folder.path());
    cert(folder.path(), &["--client", "billing"]).unwrap();
    cert(folder.path(), &["--client", "shop"]).unwrap();
    let after = contents(folder.path());
    assert_eq!(after["cert.pem"], before["cert.pem"]);
    for name in ["client-billing.pem", "client-billing-key.pem", "client-shop.pem", "client-shop-key.pem"] {
        assert!(after.contains_key(name), "{name} is missing");
    }
    assert!(cert(folder.path(), &["--client", "shop"]).is_err());
}

#[test]
fn arguments_that_would_make_a_bad_certificate_are_refused() {
    let folder = TempDir::new().unwrap();
    for bad in [
        ["--days", "826"],
        ["--days", "0"],
        ["--host", "https://example.com"],
        ["--host", "example.com:8443"],
        ["--host", ""],
        ["--host", "a b"],
        ["--host", "büro.example"],
        ["--client", "../x"],
        ["--client", ""],
    ] {
        assert!(parse(folder.path(), &bad).is_err(), "{bad:?} was taken");
    }
    for good in
        [["--days", "825"], ["--host", "*.example.com"], ["--host", "fe80::1"], ["--host", "xn--bro-hoa.example"]]
    {
        assert!(parse(folder.path(), &good).is_ok(), "{good:?} was refused");
    }
}
