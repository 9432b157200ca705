//! The publishers of `client_example` that need no more than node and cargo, run as a reader would run them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::harness::certificates::Certificates;
use crate::harness::node::StockClients;
use crate::harness::process::{Finished, Process, as_texts, finish, token_now};

fn publishers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("client_example/publishers")
}

const MESSAGE: &str = "é ☃ 😀 \"quoted\" \\ 'single' \u{1}\n<b>";

/// Runs a publisher with its options in the environment.
async fn run(mut command: Command, options: &[(&str, &str)]) -> Finished {
    command.envs(options.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.kill_on_drop(true).spawn().unwrap()).await
}

/// Publishes to a gateway that asks publishers for a certificate, and has the stock client listen.
async fn is_received(command: impl Fn() -> Command) {
    let certificates = Certificates::make();
    let mut settings = certificates.settings();
    settings.push(("VERIFY_ORIGIN", "producer".to_owned()));
    let (mut process, ports) = Process::serving(&as_texts(&settings)).await;
    let mut subscriber = StockClients::start(&json!({
        "url": format!("https://localhost:{}", ports.consumer.port()), "rooms": ["room-1"], "token": token_now(),
        "ca": certificates.read("ca.pem"),
    }));
    subscriber.connected(0).await;

    let url = format!("https://localhost:{}", ports.producer.port());
    let paths = ["ca.pem", "client-backend.pem", "client-backend-key.pem"].map(|name| certificates.path(name));
    let [ca, certificate, key] = paths.each_ref().map(|path| path.to_str().unwrap());
    let options = [
        ("ROOMCAST_PRODUCER_URL", url.as_str()),
        ("ROOMCAST_CA", ca),
        ("ROOMCAST_TARGET", "room-1"),
        ("ROOMCAST_MESSAGE", MESSAGE),
    ];
    let with_certificate = [&options[..], &[("ROOMCAST_CERT", certificate), ("ROOMCAST_KEY", key)]].concat();
    assert_eq!(run(command(), &with_certificate).await.ok(), "");
    assert_eq!(subscriber.event(0).await, ("room-1".to_owned(), json!([{ "message": MESSAGE }])));

    assert_ne!(run(command(), &options).await.code, 0, "without its certificate");
    let refused = run(command(), &[&with_certificate[..], &[("ROOMCAST_TARGET", "connect")]].concat()).await;
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("not published: the gateway answered 400"), "{refused:?}");
    process.stop().await;
}

#[tokio::test]
async fn what_the_node_publisher_publishes_is_received() {
    is_received(|| {
        let mut node = Command::new("node");
        node.arg(publishers().join("publish.mjs"));
        node
    })
    .await;
}

#[tokio::test]
async fn what_the_rust_publisher_publishes_is_received() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("publisher");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(publishers().join("rust/Cargo.toml"));
    let built = build.arg("--target-dir").arg(&target).output().await.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    is_received(|| Command::new(target.join("debug/publish"))).await;
}
