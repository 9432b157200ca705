//! The `roomcast` command as a process of its own, ended by its process id.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::environment;
use super::http::PATIENCE;

/// A gateway process. Its log is read as JSON lines.
pub struct Process {
    child: Child,
    log: Lines<BufReader<ChildStdout>>,
    /// What was logged so far.
    pub lines: Vec<Value>,
    _folder: TempDir,
}

/// A command with nothing of this process' environment, in a folder of its own.
pub fn roomcast(folder: &TempDir, arguments: &[&str], environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roomcast"));
    command.args(arguments).env_clear().envs(environment).current_dir(folder.path()).kill_on_drop(true);
    command
}

impl Process {
    /// Starts `roomcast` with the harness' environment and `settings` on top.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child =
            roomcast(&folder, &[], &environment(settings)).stdout(Stdio::piped()).spawn().expect("the binary");
        let log = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, log, lines: Vec::new(), _folder: folder }
    }

    /// Reads the log up to the first line, from here on, that `wanted` accepts.
    pub async fn line(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.log.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("it was not logged: {:#?}", self.lines)).unwrap();
            let line = line.unwrap_or_else(|| panic!("the process ended: {:#?}", self.lines));
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line}"));
            self.lines.push(line.clone());
            if wanted(&line) {
                return line;
            }
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
        while let Some(line) = tokio::time::timeout(PATIENCE * 2, self.log.next_line()).await.unwrap().unwrap() {
            self.lines.push(serde_json::from_str(&line).unwrap());
        }
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap()
    }
}
