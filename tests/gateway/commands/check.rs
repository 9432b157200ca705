//! `roomcast check`, for people and as JSON.

use serde_json::Value;

use crate::harness::SECRET;
use crate::harness::process::Shell;

#[tokio::test]
async fn a_configuration_that_holds_is_told_without_its_secrets() {
    let shell = Shell::new(&[("TLS", "0"), ("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET), ("TRUST_CIDR_LIST", "10.0.0.0/8")]);
    shell.write(".env", "PRODUCER_PORT=9053\nHTTP_PROT=1\n");
    let out = shell.run(&["check"]).await.ok();
    for line in [
        "HTTP_PORT=9053 (.env:1, as PRODUCER_PORT)",
        "WEBSOCKET_PORT=8443 (default)",
        "WEBSOCKET_AUTH=token (default)",
        "WEBSOCKET_AUTH_TOKEN_SECRET=*** (environment)",
        "warning: HTTP_PROT: is not a setting, and is ignored; did you mean HTTP_PORT? (.env:2)",
    ] {
        assert!(out.lines().any(|told| told == line), "no {line:?}: {out}");
    }
    let json = shell.run(&["check", "--json"]).await.ok();
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["ok"], true);
    assert_eq!(report["settings"].as_array().unwrap().len(), roomcast::config::keys().len());
    assert!(!report["warnings"].as_array().unwrap().is_empty());
    assert!(!out.contains(SECRET) && !json.contains(SECRET));
}

#[tokio::test]
async fn every_fault_is_told_with_exit_code_64() {
    let shell = Shell::new(&[("TLS", "0"), ("HTTP_PORT", "x")]);
    shell.write(".env", "LOG_LEVEL=loud\n");
    let finished = shell.run(&["check"]).await;
    assert_eq!(finished.code, 64);
    for fault in ["fault: HTTP_PORT (environment): ", "fault: LOG_LEVEL (.env:1): "] {
        assert!(finished.out.lines().any(|line| line.starts_with(fault)), "no {fault:?}: {finished:?}");
    }
    let finished = shell.run(&["check", "--json"]).await;
    assert_eq!(finished.code, 64);
    let report: Value = serde_json::from_str(&finished.out).unwrap();
    assert_eq!(report["ok"], false);
    let keys: Vec<_> = report["faults"].as_array().unwrap().iter().map(|fault| &fault["key"]).collect();
    assert_eq!(keys, ["HTTP_PORT", "LOG_LEVEL"]);
}
