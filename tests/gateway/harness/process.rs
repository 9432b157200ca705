//! The `roomcast` command as a process of its own, ended by its process id.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use chrono::Utc;
use roomcast::admission::token::daily_token;
use roomcast::types::Secret;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout, timeout_at};

use super::http::{Answer, Connection, PATIENCE};
use super::{SECRET, environment};

/// A gateway process. Its log is read as JSON lines.
pub struct Process {
    child: Child,
    log: Lines<BufReader<ChildStdout>>,
    /// What was logged so far.
    pub lines: Vec<Value>,
    _folder: TempDir,
}

/// Where a gateway process listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub producer: SocketAddr,
    pub consumer: SocketAddr,
    pub admin: SocketAddr,
}

/// A command with nothing of this process' environment, in a folder of its own.
pub fn roomcast(folder: &TempDir, arguments: &[&str], environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomcast"));
    command.args(arguments).env_clear().envs(environment).current_dir(folder.path()).kill_on_drop(true);
    command
}

/// The same, started by a shell that does `first` before it becomes the command.
pub fn roomcast_after(first: &str, folder: &TempDir, environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("set -e; {first}; exec \"$0\""), env!("CARGO_BIN_EXE_roomcast")]);
    command.env_clear().envs(environment).current_dir(folder.path()).kill_on_drop(true);
    command
}

impl Process {
    /// Starts `roomcast` with the harness' environment and `settings` on top.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let command = roomcast(&folder, &[], &environment(settings));
        Self::spawn(folder, command)
    }

    /// Starts a command in its folder.
    pub fn spawn(folder: TempDir, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary");
        let log = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, log, lines: Vec::new(), _folder: folder }
    }

    /// Starts `roomcast` as [`Process::start`] does, and waits until it listens.
    pub async fn serving(settings: &[(&str, &str)]) -> (Self, Ports) {
        let mut process = Self::start(settings);
        let ports = process.ports().await;
        (process, ports)
    }

    /// Waits until every port listens.
    pub async fn ports(&mut self) -> Ports {
        Ports {
            producer: self.listening("producer").await,
            consumer: self.listening("consumer").await,
            admin: self.listening("admin").await,
        }
    }

    /// Reads the log up to the first line, from here on, that `wanted` accepts.
    pub async fn line(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = timeout_at(deadline, self.log.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("it was not logged: {:#?}", self.lines)).unwrap();
            let line = line.unwrap_or_else(|| panic!("the process ended: {:#?}", self.lines));
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line}"));
            self.lines.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Reads the log up to the first line with this message.
    pub async fn message(&mut self, message: &str) -> Value {
        self.line(|line| line["message"].as_str().is_some_and(|text| text.starts_with(message))).await
    }

    /// Reads what was logged so far, so that a long test does not stall the log.
    pub async fn read_log(&mut self) {
        while let Ok(line) = timeout(Duration::ZERO, self.log.next_line()).await {
            let Some(line) = line.unwrap() else { return };
            self.lines.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line}")));
        }
    }

    /// Waits for the `Listening...` line of a port and tells its address.
    pub async fn listening(&mut self, port: &str) -> SocketAddr {
        let line = self.line(|line| line["port"] == port).await;
        let number = line["message"].as_str().unwrap().strip_prefix("Listening...").unwrap().to_owned();
        format!("127.0.0.1:{number}").parse().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end, reading what is logged until then.
    pub async fn end(&mut self) -> ExitStatus {
        while let Some(line) = timeout(PATIENCE * 2, self.log.next_line()).await.unwrap().unwrap() {
            self.lines.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line}")));
        }
        self.wait().await
    }

    /// Waits for the end without reading the log.
    pub async fn wait(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("an end in time").unwrap()
    }

    /// Ends the process by SIGTERM, and expects that it went in order.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.end().await;
        assert_eq!(status.code(), Some(0), "{:#?}", self.lines);
    }
}

/// What became of a command that ran to its end.
#[derive(Debug)]
pub struct Finished {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Finished {
    /// The output, of a command that found nothing wrong.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What was said to standard error, of a command that ended with `code`.
    #[track_caller]
    pub fn fault(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

/// A folder in which commands are run one after another, with nothing of this process' environment.
pub struct Shell {
    pub folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Shell {
    pub fn new(environment: &[(&str, &str)]) -> Self {
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self { folder: tempfile::tempdir().unwrap(), environment }
    }

    /// The whole path of a file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub fn path_text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file of the folder.
    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path_text(name)
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = roomcast(&self.folder, arguments, &self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `roomcast` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        finish(self.command(arguments).spawn().unwrap()).await
    }

    /// Runs `roomcast` with text at its standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        finish(child).await
    }

    /// Makes an authority and a server certificate below `name`: `ca.pem`, `cert.pem` and `key.pem`.
    pub async fn certificates(&self, name: &str) -> PathBuf {
        self.run(&["cert", "--out", name]).await.ok();
        self.path(name)
    }
}

/// Waits for a command's end.
pub async fn finish(child: Child) -> Finished {
    let output = timeout(PATIENCE * 2, child.wait_with_output()).await.expect("the command ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
}

/// The settings that turn TLS on with the certificates of a folder.
pub fn tls(folder: &Path) -> [(&'static str, String); 3] {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    [("TLS", "1".to_owned()), ("PUB_KEY_PATH", path("cert.pem")), ("PRIV_KEY_PATH", path("key.pem"))]
}

/// The same settings as borrowed texts.
pub fn as_texts<'a>(settings: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    settings.iter().map(|(key, value)| (*key, value.as_str())).collect()
}

/// Today's daily token by the system's clock, which a process goes by.
pub fn token_now() -> String {
    daily_token(&Secret::new(SECRET), Utc::now().date_naive())
}

/// Publishes a body over a connection of its own.
pub async fn post(producer: SocketAddr, body: &str) -> Answer {
    Connection::open(producer).await.request("POST /publish\nContent-Type: application/json", body).await
}

/// Asks for a path over a connection of its own.
pub async fn get(addr: SocketAddr, path: &str) -> Answer {
    Connection::open(addr).await.request(&format!("GET {path}"), "").await
}

/// Asks the admin listener over a connection that is there; it answers to the machine's own names alone.
pub async fn admin_get(connection: &mut Connection, path: &str) -> Answer {
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    connection.answer(false).await.expect("an answer")
}

/// Asks the admin listener over a connection of its own.
pub async fn ask_admin(addr: SocketAddr, path: &str) -> Answer {
    admin_get(&mut Connection::open(addr).await, path).await
}

/// A port that nobody listens on, for settings that do not tell which port the system chose. It lies below the range
/// from which the system takes ports for outgoing connections, so none of those comes to lie on it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 97).unwrap() * 100;
    loop {
        let port = 20_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
