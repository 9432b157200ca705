//! The stock socket.io client, in a Node process.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use super::http::PATIENCE;

/// A Node process with one stock client for each room.
pub struct StockClients {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    unread: Vec<Value>,
}

impl StockClients {
    /// Starts clients; `options` are those of tests/client/clients.mjs.
    pub fn start(options: &Value) -> Self {
        Self::run("clients.mjs", options)
    }

    /// Runs another script of tests/client, which says what happens in lines of JSON too.
    pub fn run(script: &str, options: &Value) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client");
        let installed = format!("{folder}/node_modules/socket.io-client/package.json");
        assert!(std::path::Path::new(&installed).exists(), "no stock client: run `make test`, or npm ci in {folder}");
        let mut process = Command::new("node")
            .arg(format!("{folder}/{script}"))
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node, which the tests need");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { _process: process, lines, unread: Vec::new() }
    }

    /// One client in `room`.
    pub fn one(url: &str, room: &str, token: &str, transports: &[&str]) -> Self {
        Self::start(&json!({ "url": url, "rooms": [room], "token": token, "transports": transports }))
    }

    /// The first line, read or to be read, that `wanted` accepts. Lines before it stay unread.
    pub async fn line(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.unread.iter().position(&wanted) {
            return self.unread.remove(at);
        }
        // One deadline for all lines: a client that is refused again and again never falls silent.
        let deadline = Instant::now() + PATIENCE * 2;
        loop {
            let line = timeout_at(deadline, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("the client did not say it; it said {:?}", self.unread));
            let line: Value = serde_json::from_str(&line.unwrap().expect("the client ended")).unwrap();
            if wanted(&line) {
                return line;
            }
            self.unread.push(line);
        }
    }

    /// Waits until client `index` is connected, and tells over which transport.
    pub async fn connected(&mut self, index: usize) -> String {
        let line = self.line(|line| line["client"] == index && line.get("connected").is_some()).await;
        line["connected"].as_str().unwrap().to_owned()
    }

    /// The next event of client `index`: its name and arguments.
    pub async fn event(&mut self, index: usize) -> (String, Value) {
        let line = self.line(|line| line["client"] == index && line.get("event").is_some()).await;
        (line["event"].as_str().unwrap().to_owned(), line["data"].clone())
    }

    /// Lines that were read and not asked for.
    pub fn unread(&self) -> &[Value] {
        &self.unread
    }
}
