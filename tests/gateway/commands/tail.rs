//! `roomcast tail` against a gateway, plain and in TLS.

use std::net::SocketAddr;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::harness::SECRET;
use crate::harness::http::PATIENCE;
use crate::harness::process::{Process, Shell, as_texts, post, tls, token_now};

/// A tail that runs.
struct Tail {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Tail {
    fn start(shell: &Shell, arguments: &[&str]) -> Self {
        let mut child = shell.command(arguments).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err }
    }

    /// Reads what it says until a line begins with this.
    async fn says(&mut self, beginning: &str) {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.err.next_line()).await.expect("it does not say it").unwrap();
            if line.unwrap_or_else(|| panic!("it ended before {beginning:?}")).starts_with(beginning) {
                return;
            }
        }
    }

    async fn event(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.out.next_line()).await.expect("no event in time").unwrap();
        serde_json::from_str(&line.expect("an event")).unwrap()
    }

    async fn code(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap().code()
    }
}

async fn publish(producer: SocketAddr, room: &str, number: u32) {
    let body = json!({ "target_id": room, "number": number }).to_string();
    assert_eq!(post(producer, &body).await.status, 200);
}

#[tokio::test]
async fn events_are_lines_of_json() {
    let (mut process, ports) = Process::serving(&[]).await;
    let shell = Shell::new(&[("THE_SECRET", SECRET)]);
    let url = format!("http://{}", ports.consumer);
    let secret_file = shell.write("secret", &format!("{SECRET}\n"));
    let token = token_now();
    for credential in [["--token", &token], ["--secret-env", "THE_SECRET"], ["--secret-file", &secret_file]] {
        let options = ["tail", "--url", &url, "--user", "room-1", "--user", "room-2", "--count", "2"];
        let mut tail = Tail::start(&shell, &[&options[..], &credential].concat());
        tail.says("roomcast: listening to room-1, room-2").await;
        publish(ports.producer, "room-1", 1).await;
        publish(ports.producer, "elsewhere", 2).await;
        publish(ports.producer, "room-2", 3).await;
        for (room, number) in [("room-1", 1), ("room-2", 3)] {
            let line = tail.event().await;
            assert_eq!((&line["event"], &line["data"]), (&json!(room), &json!({ "number": number })));
            assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        }
        assert_eq!(tail.code().await, Some(0), "after as many events as were asked for");
    }
    process.stop().await;
}

#[tokio::test]
async fn a_refusal_ends_it_and_an_interrupt_too() {
    let (mut process, ports) = Process::serving(&[]).await;
    let shell = Shell::new(&[]);
    let url = format!("http://{}", ports.consumer);
    let told = shell.run(&["tail", "--url", &url, "--user", "room-1", "--token", "wrong"]).await.fault(1);
    assert_eq!(told, "roomcast: the gateway refused the subscriber: invalid token {\"code\":\"invalid_token\"}\n");
    let told = shell.run(&["tail", "--url", &url, "--user", "room-1"]).await.fault(1);
    let why =
        "invalid token {\"code\":\"invalid_token\"}; no token was given: --token, --secret-file or --secret-env\n";
    assert!(told.ends_with(why), "{told}");
    let told = shell.run(&["tail", "--url", &url, "--user", "room-1", "--secret-file", "missing"]).await.fault(1);
    assert!(told.contains("--secret-file missing"), "{told}");
    let told = shell.run(&["tail", "--url", &url, "--user", "room-1", "--secret-env", "MISSING"]).await.fault(1);
    assert!(told.contains("--secret-env MISSING"), "{told}");

    let mut tail = Tail::start(&shell, &["tail", "--url", &url, "--user", "room-1", "--token", &token_now()]);
    tail.says("roomcast: listening").await;
    kill_process(Pid::from_raw(tail.child.id().unwrap().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    assert_eq!(tail.code().await, Some(0));
    process.stop().await;
}

#[tokio::test]
async fn the_gateways_own_setting_gives_the_secret() {
    let (mut process, ports) = Process::serving(&[]).await;
    let shell = Shell::new(&[("WEBSOCKET_AUTH_TOKEN_SECRET", SECRET)]);
    let mut tail = Tail::start(&shell, &["tail", "--url", &format!("http://{}", ports.consumer), "--user", "room-1"]);
    tail.says("roomcast: listening to room-1").await;
    drop(tail);
    process.stop().await;
}

#[tokio::test]
async fn what_lasts_ends_it_with_what_mends_it() {
    let shell = Shell::new(&[]);
    let certificates = tls(&shell.certificates("certs").await);
    shell.certificates("others").await;
    let (mut process, ports) = Process::serving(&as_texts(&certificates)).await;
    // An address that the certificate does not hold.
    let settings = [as_texts(&certificates), vec![("HOST", "127.0.0.2")]].concat();
    let (mut other_process, elsewhere) = Process::serving(&settings).await;
    let (port, ca) = (ports.consumer.port(), shell.path_text("certs/ca.pem"));
    let others = shell.path_text("others/ca.pem");
    for (url, ca, named) in [
        (format!("https://localhost:{port}"), &others, "--cacert"),
        (format!("https://127.0.0.2:{}", elsewhere.consumer.port()), &ca, "a name of the certificate"),
        (format!("http://localhost:{port}"), &ca, "the port speaks TLS: use https://"),
        (format!("https://localhost:{}", ports.producer.port()), &ca, "404 Not Found; is this the consumer port?"),
    ] {
        let told =
            shell.run(&["tail", "--url", &url, "--cacert", ca, "--user", "room-1", "--token", "t"]).await.fault(1);
        assert!(told.lines().count() == 1 && told.contains(named), "{url}: {told}");
    }
    other_process.stop().await;
    process.stop().await;
}

#[tokio::test]
async fn over_tls_it_comes_back_when_the_gateway_does() {
    let shell = Shell::new(&[]);
    let certificates = tls(&shell.certificates("certs").await);
    let (mut process, ports) = Process::serving(&as_texts(&certificates)).await;
    let (url, ca) = (format!("https://localhost:{}", ports.consumer.port()), shell.path_text("certs/ca.pem"));
    let mut tail =
        Tail::start(&shell, &["tail", "--url", &url, "--cacert", &ca, "--user", "room-1", "--token", &token_now()]);
    tail.says("roomcast: listening").await;
    process.stop().await;
    tail.says("roomcast: the connection was closed").await;

    let consumer_port = ports.consumer.port().to_string();
    let settings = [as_texts(&certificates), vec![("WEBSOCKET_PORT", consumer_port.as_str())]].concat();
    let (mut process, ports) = Process::serving(&settings).await;
    tail.says("roomcast: listening").await;
    let producer = format!("https://localhost:{}", ports.producer.port());
    shell.run(&["publish", "--url", &producer, "--cacert", &ca, "--target", "room-1"]).await.ok();
    assert_eq!(tail.event().await["event"], "room-1");
    drop(tail);
    process.stop().await;
}
