//! What a client does, line by line, and what it is answered.
//!
//! A script opens with `= its name`; `#` begins a comment. Each further line is an action:
//!
//! | action | what it does | what is noted |
//! |---|---|---|
//! | `request METHOD QUERY [payload]` | a request on a connection of its own | status and body |
//! | `polling QUERY` | opens a session over polling | the same |
//! | `post PAYLOAD` | brings packets | the same |
//! | `poll N` | polls until N packets came, or an error | the packets, or the error |
//! | `two-polls` | polls twice at once, with nothing to say | both, in the order of their status |
//! | `poll-begin`, `poll-end` | a poll that waits meanwhile | what `poll 1` notes, at its end |
//! | `websocket QUERY` | opens a websocket, with or without `$sid` | `101`, or status and body |
//! | `send TEXT`, `binary HEX` | sends a message over the last websocket | |
//! | `hear` | waits for its next packet | the packet, or `closed` |
//! | `close`, `drop` | a close frame; no word at all | |
//! | `switch` | makes the last websocket but one the last | |
//! | `publish JSON` | publishes to `$room` | |
//!
//! `$sid`, `$room` and `$auth` stand for the session, for a room of the script's own, and for what lets in; `{x*9}` for nine
//! x; `␞` for the separator of packets. Pings are answered, and not noted; ids are masked.

use tokio_tungstenite::tungstenite::Message;

use super::UPGRADE;
use super::oracle::Oracle;

use crate::harness::Gateway;
use crate::harness::http::{Answer, Connection, PATIENCE};
use crate::harness::websocket::Websocket;

/// What both servers let in.
pub const TOKEN: &str = "the-token";

/// The most bytes of a message that both servers take.
pub const PAYLOAD_BYTES_MAX: usize = 1_000;

const SEPARATOR: char = '\u{1e}';

/// A script, and where it stands in its file.
pub struct Script {
    pub name: String,
    pub actions: Vec<String>,
}

/// Reads a file of scripts.
pub fn read(text: &str) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("= ") {
            Some(name) => scripts.push(Script { name: name.to_owned(), actions: Vec::new() }),
            None => scripts.last_mut().expect("a name first").actions.push(line.to_owned()),
        }
    }
    scripts
}

/// Whom a script is played to.
#[derive(Clone, Copy)]
pub enum Server<'a> {
    Gateway(&'a Gateway),
    Oracle(&'a Oracle),
}

/// A client under way.
pub struct Player<'a> {
    server: Server<'a>,
    room: String,
    auth: String,
    sid: String,
    waiting: Option<Connection>,
    websockets: Vec<Websocket>,
}

impl<'a> Player<'a> {
    pub fn new(server: Server<'a>, room: &str, token: &str) -> Self {
        let auth = serde_json::json!({ "token": token }).to_string();
        Self { server, room: room.to_owned(), auth, sid: String::new(), waiting: None, websockets: Vec::new() }
    }

    /// Plays a script, and tells what was noted at each action.
    pub async fn play(&mut self, script: &Script) -> Vec<String> {
        let mut noted = Vec::new();
        for action in &script.actions {
            let text = self.filled_in(action);
            let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
            let act = tokio::time::timeout(PATIENCE * 2, self.act(verb, rest));
            let note = act.await.unwrap_or_else(|_| panic!("{}: {action} is never answered", script.name));
            let note = note.unwrap_or_default();
            noted.push(self.masked(&note));
        }
        noted
    }

    async fn act(&mut self, verb: &str, rest: &str) -> Option<String> {
        match verb {
            "request" => {
                let mut words = rest.splitn(3, ' ');
                let (method, query) = (words.next()?, words.next()?);
                Some(noted(&self.ask(method, query, words.next().unwrap_or_default()).await))
            }
            "polling" => {
                let answer = self.ask("GET", &format!("EIO=4&transport=polling{rest}"), "").await;
                let open: serde_json::Value = serde_json::from_str(answer.body.get(1..)?).unwrap();
                open["sid"].as_str().unwrap().clone_into(&mut self.sid);
                Some(noted(&answer))
            }
            "post" => Some(noted(&self.ask("POST", &self.session(), rest).await)),
            "poll" => Some(self.poll(rest.parse().unwrap(), None).await),
            "two-polls" => Some(self.two_polls().await),
            "poll-begin" => {
                let mut waiting = Connection::open(self.addr()).await;
                waiting.send_request(&format!("GET /socket.io/?{}", self.session()), "").await;
                self.waiting = Some(waiting);
                None
            }
            "poll-end" => {
                let answer = self.waiting.take().expect("poll-begin").answer(false).await.expect("an answer");
                Some(self.poll(1, Some(answer)).await)
            }
            "websocket" => match Websocket::open(self.addr(), rest).await {
                Ok(websocket) => {
                    self.websockets.push(websocket);
                    Some("101".to_owned())
                }
                Err(answer) => Some(noted(&answer)),
            },
            "publish" => {
                self.publish(rest).await;
                None
            }
            _ => self.act_on_websocket(verb, rest).await,
        }
    }

    async fn act_on_websocket(&mut self, verb: &str, rest: &str) -> Option<String> {
        let websocket = self.websockets.last_mut().expect("a websocket");
        match verb {
            "send" => websocket.send(rest).await,
            "binary" => {
                let digits = rest.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap());
                let bytes: Vec<u8> = digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
                websocket.send(Message::binary(bytes)).await;
            }
            "hear" => return Some(websocket.packet().await.unwrap_or_else(|| "closed".to_owned())),
            "close" => websocket.send(Message::Close(None)).await,
            "drop" => drop(self.websockets.pop()),
            "switch" => {
                let before = self.websockets.len() - 2;
                self.websockets.swap(before, before + 1);
            }
            _ => panic!("no action: {verb}"),
        }
        None
    }

    /// Polls until so many packets came.
    async fn poll(&mut self, count: usize, mut answered: Option<Answer>) -> String {
        let mut packets: Vec<String> = Vec::new();
        while packets.len() < count {
            let answer = match answered.take() {
                Some(answer) => answer,
                None => self.ask("GET", &self.session(), "").await,
            };
            if answer.status != 200 {
                packets.push(noted(&answer));
                break;
            }
            let is_ping = |packet: &&str| *packet == "2";
            if answer.body.split(SEPARATOR).any(|packet| is_ping(&packet)) {
                self.ask("POST", &self.session(), "3").await;
            }
            packets.extend(answer.body.split(SEPARATOR).filter(|packet| !is_ping(packet)).map(str::to_owned));
        }
        packets.join("\u{1e}")
    }

    async fn two_polls(&mut self) -> String {
        let query = self.session();
        let (one, other) = tokio::join!(self.ask("GET", &query, ""), self.ask("GET", &query, ""));
        let mut notes = [noted(&one), noted(&other)];
        notes.sort();
        notes.join(", ")
    }

    /// `upgrade` before the query asks for a websocket.
    async fn ask(&self, method: &str, query: &str, payload: &str) -> Answer {
        let (query, headers) = match query.strip_prefix("upgrade:") {
            Some(query) => (query, UPGRADE),
            None => (query, ""),
        };
        let head = format!("{method} /socket.io/?{query}{headers}");
        Connection::open(self.addr()).await.request(&head, payload).await
    }

    async fn publish(&self, json: &str) {
        match self.server {
            Server::Gateway(gateway) => gateway.publish(&self.room, &serde_json::from_str(json).unwrap()).await,
            Server::Oracle(oracle) => oracle.publish(&self.room, json).await,
        }
    }

    fn addr(&self) -> std::net::SocketAddr {
        match self.server {
            Server::Gateway(gateway) => gateway.consumer(),
            Server::Oracle(oracle) => oracle.addr,
        }
    }

    fn session(&self) -> String {
        format!("EIO=4&transport=polling&sid={}", self.sid)
    }

    fn filled_in(&self, action: &str) -> String {
        let text = action.replace("$sid", &self.sid).replace("$room", &self.room).replace("$auth", &self.auth);
        let mut text = text.replace('␞', "\u{1e}");
        while let Some((before, rest)) = text.split_once("{x*") {
            let (count, after) = rest.split_once('}').unwrap();
            text = format!("{before}{}{after}", "x".repeat(count.parse().unwrap()));
        }
        text
    }

    fn masked(&self, note: &str) -> String {
        let mut note = note.replace(SEPARATOR, "␞").replace(&self.room, "$room");
        // The oracle writes its codes as texts.
        for code in '0'..='9' {
            note = note.replace(&format!(r#""code":"{code}""#), &format!(r#""code":{code}"#));
        }
        let Some((before, rest)) = note.split_once(r#""sid":""#) else { return note };
        let (_, after) = rest.split_once('"').unwrap();
        format!(r#"{before}"sid":"*"{after}"#)
    }
}

fn noted(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.body).trim_end().to_owned()
}
