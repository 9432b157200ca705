//! `roomcast dev` in an empty folder: what it makes, prints and serves.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::harness::http::PATIENCE;
use crate::harness::node::StockClients;
use crate::harness::process::{Shell, finish, free_port};

const CLIENT: &str = "client_example/node_modules/socket.io-client/dist/socket.io.min.js";

/// A development gateway in a folder of its own.
struct Dev {
    child: Child,
    shell: Shell,
    out: Lines<BufReader<ChildStdout>>,
    printed: String,
    consumer: String,
    producer: String,
}

impl Dev {
    /// Starts one, and reads what it prints up to its last line.
    async fn start(shell: Shell) -> Self {
        let (http, websocket) = (free_port().to_string(), free_port().to_string());
        let mut command = shell.command(&["dev", "--http-port", &http, "--websocket-port", &websocket]);
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = String::new();
        while !printed.contains("socket.on(") {
            let line = tokio::time::timeout(PATIENCE, out.next_line()).await.expect("it falls silent").unwrap();
            printed += &(line.unwrap_or_else(|| panic!("it ended: {printed}")) + "\n");
        }
        let origin = |port| format!("https://localhost:{port}");
        Self { child, shell, out, printed, consumer: origin(websocket), producer: origin(http) }
    }

    fn line(&self, beginning: &str) -> &str {
        let line = self.printed.lines().find(|line| line.trim_start().starts_with(beginning));
        line.unwrap_or_else(|| panic!("no {beginning}: {}", self.printed))
    }

    fn ca(&self) -> String {
        fs::read_to_string(self.shell.path("certs/dev/ca.pem")).unwrap()
    }

    /// What Node's fetch, which trusts the authority of this gateway, is answered: status, type and text.
    async fn fetch(&self, path: &str) -> (u64, String, String) {
        let script = "const answer = await fetch(process.argv[1]); console.log(JSON.stringify([answer.status, \
                      answer.headers.get('content-type'), await answer.text()]))";
        let mut command = Command::new("node");
        command.args(["--input-type=module", "-e", script, &format!("{}{path}", self.consumer)]);
        command.env("NODE_EXTRA_CA_CERTS", self.shell.path("certs/dev/ca.pem"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let answer: (u64, String, String) = serde_json::from_str(&finish(child).await.ok()).unwrap();
        answer
    }

    async fn stop(mut self) -> TempDir {
        let pid = rustix::process::Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        while let Some(line) = tokio::time::timeout(PATIENCE, self.out.next_line()).await.unwrap().unwrap() {
            assert!(!line.contains("error"), "{line}");
        }
        assert_eq!(self.child.wait().await.unwrap().code(), Some(0));
        self.shell.folder
    }
}

/// Puts the stock client where `make dev` installs it.
fn install_client(folder: &Path) {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join(CLIENT);
    assert!(installed.exists(), "no stock client: run `make test`, or npm ci in client_example");
    fs::create_dir_all(folder.join(CLIENT).parent().unwrap()).unwrap();
    fs::copy(installed, folder.join(CLIENT)).unwrap();
}

#[tokio::test]
async fn an_empty_folder_becomes_a_page_and_a_line_to_paste() {
    let shell = Shell::new(&[]);
    install_client(shell.folder.path());
    let dev = Dev::start(shell).await;
    assert!(dev.line("page").ends_with(&format!("{}/demo", dev.consumer)));
    for made in ["ca.pem", "ca-key.pem", "cert.pem", "key.pem", "secret"] {
        assert!(dev.shell.path("certs/dev").join(made).exists(), "{made}");
    }

    let (status, kind, page) = dev.fetch("/demo").await;
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.contains("/demo/app.js") && page.contains("socket.io.min.js"), "{page}");
    assert_eq!(dev.fetch("/demo/app.js").await.0, 200);
    let script = dev.fetch("/demo/socket.io.min.js").await;
    assert_eq!((script.0, script.2), (200, fs::read_to_string(dev.shell.path(CLIENT)).unwrap()));
    assert_eq!(dev.fetch("/").await.0, 404);

    let (_, kind, token) = dev.fetch("/demo/token").await;
    assert_eq!(kind, "application/json");
    let token: Value = serde_json::from_str(&token).unwrap();
    let curl = dev.line("curl ");
    assert_eq!(token["curl"], curl, "the page shows the line that the terminal does");
    let secret_file = dev.shell.path_text("certs/dev/secret");
    let made = dev.shell.run(&["token", "make", "--secret-file", &secret_file]).await.ok();
    assert_eq!(token["token"], made.trim_end());

    let user = token["user"].as_str().unwrap();
    let mut client = StockClients::start(&json!({
        "url": dev.consumer, "rooms": [user], "token": token["token"], "transports": ["polling", "websocket"],
        "ca": dev.ca(), "extraHeaders": { "Origin": dev.consumer },
    }));
    client.connected(0).await;
    paste(&dev, curl).await;
    assert_eq!(client.event(0).await, (user.to_owned(), json!([{ "message": "hello" }])));
    drop(client);
    dev.stop().await;
}

/// Runs the printed line with `sh`; where there is no curl, sends what the line would send.
async fn paste(dev: &Dev, curl: &str) {
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().await.is_ok() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", curl]).current_dir(dev.shell.folder.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert_eq!(finish(child).await.ok(), "OK");
        return;
    }
    let body = curl.split("-d '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let mut body: Value = serde_json::from_str(body).unwrap();
    let target = body.as_object_mut().unwrap().remove("target_id").unwrap();
    let (ca, data) = (dev.shell.path_text("certs/dev/ca.pem"), body.to_string());
    assert!(curl.ends_with(&format!("{}/publish", dev.producer)), "{curl}");
    let options =
        ["publish", "--url", &dev.producer, "--cacert", &ca, "--target", target.as_str().unwrap(), "--data", &data];
    assert_eq!(dev.shell.run(&options).await.ok(), "OK\n");
}

#[tokio::test]
async fn a_second_run_makes_nothing_and_takes_no_settings_from_elsewhere() {
    let first = Dev::start(Shell::new(&[])).await;
    assert!(first.printed.contains("make dev"), "the stock client is missing: {}", first.printed);
    let (status, _, text) = first.fetch("/demo/socket.io.min.js").await;
    assert!(status == 404 && text.contains("npm ci"), "{text}");
    let read = |folder: &Path| {
        ["ca.pem", "cert.pem", "secret"].map(|name| fs::read(folder.join("certs/dev").join(name)).unwrap())
    };
    let made = read(first.shell.folder.path());
    let folder = first.stop().await;

    fs::write(folder.path().join(".env"), "TLS=0\nWEBSOCKET_AUTH=0\nHTTP_PORT=1\n").unwrap();
    let mut shell = Shell::new(&[("TLS", "0"), ("CLUSTER_MODE", "yes")]);
    shell.folder = folder;
    let second = Dev::start(shell).await;
    assert_eq!(read(second.shell.folder.path()), made);
    assert_eq!(second.fetch("/demo").await.0, 200, "in TLS all the same");
    second.stop().await;
}

#[tokio::test]
async fn the_node_example_listens_to_it() {
    let dev = Dev::start(Shell::new(&[])).await;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("client_example");
    assert!(example.join("node_modules").exists(), "no stock client: run `make test`, or npm ci in client_example");
    let mut command = Command::new("node");
    command.arg(example.join("node_subscriber.mjs")).kill_on_drop(true);
    command.env("ROOMCAST_URL", &dev.consumer).env("ROOMCAST_USER", "room-1");
    command.env("WEBSOCKET_AUTH_TOKEN_SECRET_FILE", dev.shell.path("certs/dev/secret"));
    command.env("NODE_EXTRA_CA_CERTS", dev.shell.path("certs/dev/ca.pem"));
    let mut subscriber =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("node");
    let mut said = BufReader::new(subscriber.stderr.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, said.next_line()).await.expect("it connects").unwrap().unwrap();
    assert!(line.starts_with(&format!("connected to {} ", dev.consumer)), "{line}");
    let ca = dev.shell.path_text("certs/dev/ca.pem");
    let options = ["publish", "--url", &dev.producer, "--cacert", &ca, "--target", "room-1", "--data", r#"{"n":1}"#];
    dev.shell.run(&options).await.ok();
    let mut events = BufReader::new(subscriber.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, events.next_line()).await.expect("an event").unwrap().unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["event"], &line["args"]), (&json!("room-1"), &json!([{ "n": 1 }])));
    drop(subscriber);
    dev.stop().await;
}

#[tokio::test]
async fn the_node_example_tells_what_lasts_in_a_line_and_ends() {
    let dev = Dev::start(Shell::new(&[])).await;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("client_example/node_subscriber.mjs");
    let alone = dev.shell.path("node_subscriber.mjs");
    fs::copy(&example, &alone).unwrap();
    let ca = dev.shell.path_text("certs/dev/ca.pem");
    for (program, settings, said) in [
        (&alone, vec![], "run npm ci"),
        (&example, vec![("WEBSOCKET_AUTH_TOKEN_SECRET_FILE", "missing")], "cannot read missing"),
        (&example, vec![("ROOMCAST_TRANSPORTS", "polling")], "NODE_EXTRA_CA_CERTS"),
        (&example, vec![("ROOMCAST_TRANSPORTS", "websocket")], "NODE_EXTRA_CA_CERTS"),
        (&example, vec![("ROOMCAST_URL", &dev.producer), ("NODE_EXTRA_CA_CERTS", &ca)], "is this the consumer port?"),
    ] {
        let mut command = Command::new("node");
        command.arg(program).kill_on_drop(true).current_dir(dev.shell.folder.path());
        command.env("ROOMCAST_URL", &dev.consumer).env("ROOMCAST_USER", "room-1").envs(settings);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("node");
        let told = finish(child).await.fault(1);
        assert!(told.lines().count() == 1 && told.contains(said), "{told}");
    }
    dev.stop().await;
}

#[tokio::test]
async fn it_refuses_production_and_one_port_for_both() {
    let production = Shell::new(&[("NODE_ENV", "production")]);
    let told = production.run(&["dev"]).await.fault(64);
    assert!(told.contains("NODE_ENV=production") && told.contains("roomcast serve"), "{told}");
    let shell = Shell::new(&[]);
    let told = shell.run(&["dev", "--http-port", "21500", "--websocket-port", "21500"]).await;
    assert!(told.code != 0 && told.err.contains("must differ"), "{told:?}");
    for shell in [production, shell] {
        assert_eq!(fs::read_dir(shell.folder.path()).unwrap().count(), 0, "nothing was made");
    }
}
