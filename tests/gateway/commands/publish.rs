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
    assert!(
        told.contains("TLS with localhost failed") && told.contains("--cacert") && told.contains("--insecure"),
        "{told}"
    );
    let told = run(&["--cacert", "missing.pem"]).await.fault(1);
    assert!(told.starts_with("roomcast: missing.pem: cannot read") && !told.contains("--insecure"), "{told}");
    let finished = run(&["--insecure"]).await;
    assert!(finished.err.contains("--insecure believes whoever answers"), "{finished:?}");
    assert_eq!(finished.ok(), "OK\n");
    let plain = format!("http://localhost:{}", ports.producer.port());
    let told = shell.run(&["publish", "--url", &plain, "--target", "a"]).await.fault(1);
    assert!(told.ends_with("the port speaks TLS: use https://\n"), "{told}");
    let consumer = format!("https://localhost:{}", ports.consumer.port());
    let ca = shell.path_text("certs/ca.pem");
    let told = shell.run(&["publish", "--url", &consumer, "--cacert", &ca, "--target", "a"]).await.fault(1);
    assert_eq!(told, "roomcast: the gateway answered 404 Not Found; is this the producer port?\n");
    process.stop().await;
}

#[tokio::test]
async fn a_gateway_that_asks_for_a_certificate_gets_one_or_names_the_options() {
    let shell = Shell::new(&[]);
    shell.run(&["cert", "--out", "certs", "--client", "backend"]).await.ok();
    shell.run(&["cert", "--out", "others", "--client", "backend"]).await.ok();
    let (certificates, ca) = (tls(&shell.path("certs")), shell.path_text("certs/ca.pem"));
    let settings = [as_texts(&certificates), vec![("CA_PATH", ca.as_str()), ("VERIFY_ORIGIN", "1")]].concat();
    let (mut process, ports) = Process::serving(&settings).await;
    let url = format!("https://localhost:{}", ports.producer.port());
    let run = async |more: &[&str]| {
        shell.run(&[&["publish", "--url", &url, "--target", "a", "--cacert", &ca], more].concat()).await
    };
    let told = run(&[]).await.fault(1);
    assert!(told.contains("CertificateRequired") && told.contains("give --cert and --key"), "{told}");
    let told = run(&["--cert", "others/client-backend.pem", "--key", "others/client-backend-key.pem"]).await.fault(1);
    assert!(told.contains("does not accept the client certificate"), "{told}");
    let good = ["--cert", "certs/client-backend.pem", "--key", "certs/client-backend-key.pem"];
    assert_eq!(run(&good).await.ok(), "OK\n");
    let consumer = format!("https://localhost:{}", ports.consumer.port());
    let told = shell.run(&["tail", "--url", &consumer, "--user", "a", "--cacert", &ca]).await.fault(1);
    assert!(told.contains("give --cert and --key"), "{told}");
    process.stop().await;
}
