//! `roomcast publish` against a gateway, plain and in TLS.

use serde_json::json;

use crate::harness::process::{Process, Shell, as_texts, tls, token_now};
use crate::harness::socket::Socket;

#[tokio::test]
async fn data_comes_from_the_argument_a_file_or_standard_input() {
    let (mut process, ports) = Process::serving(&[]).await;
    let auth = json!({ "token": token_now() });
    let (mut socket, _) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth).await;
    let shell = Shell::new(&[]);
    let url = format!("http://{}", ports.producer);
    let file = format!("@{}", shell.write("event.json", "{\"from\":\n\"file\"}"));
    let options = |data| ["publish", "--url", &url, "--target", "room-1", "--data", data];
    assert_eq!(shell.run(&options(r#"{"from":"argument","n":9007199254740993}"#)).await.ok(), "OK\n");
    assert_eq!(socket.packet().await.unwrap(), r#"42["room-1",{"from":"argument","n":9007199254740993}]"#);
    assert_eq!(shell.run(&options(&file)).await.ok(), "OK\n");
    assert_eq!(socket.event().await.1, json!({ "from": "file" }));
    assert_eq!(shell.run_with_input(&options("-"), r#"{"from":"input"}"#).await.ok(), "OK\n");
    assert_eq!(socket.event().await.1, json!({ "from": "input" }));
    assert_eq!(shell.run(&["publish", "--url", &url, "--target", "room-1"]).await.ok(), "OK\n");
    assert_eq!(socket.event().await.1, json!({}));

    for (data, named) in [
        ("[1]", "not a JSON object"),
        ("{", "not a JSON object"),
        (r#"{"target_id":"other"}"#, "target_id"),
        ("@missing", "cannot be read"),
    ] {
        let told = shell.run(&options(data)).await.fault(64);
        assert!(told.starts_with("roomcast: --data: ") && told.contains(named), "{data}: {told}");
    }
    drop(socket);
    process.stop().await;
}

#[tokio::test]
async fn what_the_gateway_refuses_is_a_fault() {
    let (mut process, ports) = Process::serving(&[("TRUST_CIDR_LIST", "192.0.2.0/24")]).await;
    let shell = Shell::new(&[]);
    let url = format!("http://{}", ports.producer);
    let options = ["publish", "--url", &url, "--target", "room-1"];
    let told = shell.run(&options).await.fault(1);
    assert_eq!(told, "roomcast: the gateway answered 403 Forbidden: FORBIDDEN\n");
    process.stop().await;
    let told = shell.run(&options).await.fault(1);
    assert!(told.contains(&format!("cannot connect to {}", ports.producer)), "{told}");
}

#[tokio::test]
async fn tls_asks_whom_to_trust() {
    let shell = Shell::new(&[]);
    let certificates = shell.certificates("certs").await;
    shell.certificates("others").await;
    let (mut process, ports) = Process::serving(&as_texts(&tls(&certificates))).await;
    let url = format!("https://localhost:{}", ports.producer.port());
    let run = async |more: &[&str]| shell.run(&[&["publish", "--url", &url, "--target", "a"], more].concat()).await;
    assert_eq!(run(&["--cacert", &shell.path_text("certs/ca.pem")]).await.ok(), "OK\n");
    let told = run(&["--cacert", &shell.path_text("others/ca.pem")]).await.fault(1);
    assert!(told.contains("TLS with localhost failed"), "{told}");
    let told = run(&["--cacert", "missing.pem"]).await.fault(1);
    assert!(told.contains("missing.pem"), "{told}");
    let finished = run(&["--insecure"]).await;
    assert!(finished.err.contains("--insecure believes whoever answers"), "{finished:?}");
    assert_eq!(finished.ok(), "OK\n");
    let plain = format!("http://localhost:{}", ports.producer.port());
    run(&["--cacert", &shell.path_text("certs/ca.pem")]).await.ok();
    let told = shell.run(&["publish", "--url", &plain, "--target", "a"]).await.fault(1);
    assert!(told.starts_with("roomcast: "), "{told}");
    process.stop().await;
}
