//! Lists of what no honest client sends. Each row has a name and an exact answer, is played on connections of its own to a
//! gateway that is a process, and after each an honest subscriber has heard what the test published, and nothing else.
//! After a list nobody else is left, and the process holds no more memory than before.

mod engine_io;
mod resets;
mod socket_io;
mod websocket;

use std::time::Instant;

use serde_json::json;

use crate::harness::http::PATIENCE;
use crate::harness::process::{self, Ports, Process, ask_admin, token_now};
use crate::harness::socket::Socket;
use crate::protocol::script::{Player, Script, Server, read};

/// What a list may leave in the allocator's hands, in KiB: a few of the largest messages, which are 1 MB each.
const LEFT_KIB_MAX: u64 = 6 << 10;

/// A gateway process that a list is played to, and an honest subscriber of `room-1`.
struct Target {
    process: Process,
    ports: Ports,
    witness: Socket,
    resident_kib: u64,
}

impl Target {
    /// With the daily token, or open to everybody.
    async fn start(auth: &str) -> Self {
        let (process, ports) = Process::serving(&[("WEBSOCKET_AUTH", auth), ("LOG_LEVEL", "info")]).await;
        let auth = json!({ "token": token_now() });
        let (witness, answer) = Socket::connect(ports.consumer, "&uniqueUserId=room-1", auth).await;
        assert!(answer.starts_with("40{"), "{answer}");
        let mut target = Self { process, ports, witness, resident_kib: 0 };
        target.is_unharmed("nothing").await;
        target.resident_kib = target.resident_kib();
        target
    }

    /// Asserts that the process serves, and that the witness heard nothing before what is published now.
    async fn is_unharmed(&mut self, row: &str) {
        let body = json!({ "target_id": "room-1", "after": row });
        let answer = process::post(self.ports.producer, &body.to_string()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "after {row}");
        let heard = self.witness.event().await;
        assert_eq!(heard, ("room-1".to_owned(), json!({ "after": row })), "what the witness heard after {row}");
        assert_eq!(ask_admin(self.ports.admin, "/readyz").await.status, 200, "after {row}");
    }

    /// Asserts that the witness alone is left, that memory is given back, that nothing failed and no line of the log is
    /// long; and ends the process in order.
    async fn end_as_before(mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = ask_admin(self.ports.admin, "/metrics").await.body;
            let left = ["roomcast_sockets 1\n", "roomcast_sessions 1\n", "roomcast_subscribers 1\n"];
            let resident = self.resident_kib();
            let is_given_back = resident <= self.resident_kib + LEFT_KIB_MAX;
            if is_given_back && left.iter().all(|line| metrics.contains(line)) {
                break;
            }
            assert!(Instant::now() < deadline, "{resident} KiB, {} before\n{metrics}", self.resident_kib);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.is_unharmed("the list").await;
        self.process.stop().await;
        for line in &self.process.lines {
            assert!(line.to_string().len() <= 1_000 && line["level"] != "error", "{line}");
        }
    }

    /// What it has in memory.
    fn resident_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// The most that it ever had in memory.
    fn peak_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    fn status_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).expect("it is alive");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Processor time of all threads, in ticks of 10 ms.
    fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.pid())).expect("it is alive");
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

/// A row of a list that is a text: a script in which `> ` opens what is noted at the action before.
struct Row {
    script: Script,
    expected: Vec<String>,
}

fn rows(list: &str) -> Vec<Row> {
    let row = |Script { name, actions }| {
        let mut row = Row { script: Script { name, actions: Vec::new() }, expected: Vec::new() };
        for line in actions {
            match line.strip_prefix("> ") {
                Some(expected) => expected.clone_into(row.expected.last_mut().expect("an action first")),
                None => {
                    row.script.actions.push(line);
                    row.expected.push(String::new());
                }
            }
        }
        row
    };
    read(list).into_iter().map(row).collect()
}

/// Plays a list that is a text, with the daily token or without, and tells how many rows it has.
async fn play(list: &str, auth: &str) -> usize {
    let mut target = Target::start(auth).await;
    let rows = rows(list);
    let mut wrong = Vec::new();
    for (index, Row { script, expected }) in rows.iter().enumerate() {
        let mut player = Player::new(Server::Process(target.ports), &format!("room-of-row-{index}"), &token_now());
        let noted = player.play(script).await;
        player.leave().await;
        for (action, (noted, expected)) in script.actions.iter().zip(noted.iter().zip(expected)) {
            if noted != expected {
                wrong.push(format!("{}: {action:.80}\n  noted    {noted:.300}\n  expected {expected}", script.name));
            }
        }
        target.is_unharmed(&script.name).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    target.end_as_before().await;
    rows.len()
}
