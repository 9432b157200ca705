//! What a client does, line by line, and what it is answered.
//!
//! A script opens with `= its name`; `#` begins a comment. Each further line is an action:
//!
//! | action | what it does | what is noted |
//! |---|---|---|
//! | `request METHOD QUERY [payload]` | a request on a connection of its own | status and body |
//! | `polling QUERY` | opens a session over polling | the same |
//! | `post PAYLOAD` | brings packets | the same |
//! | `post-as MEDIA-TYPE PAYLOAD` | the same, under a media type | the same |
//! | `post-begin LENGTH PART`, `post-end PART` | packets that come in two parts | at the end, what `post` notes |
//! | `poll N` | polls until N packets came, or an error | the packets, or the error |
//! | `two-polls` | polls twice at once, with nothing to say | both, in the order of their status |
//! | `poll-begin`, `poll-end` | a poll that waits meanwhile | what `poll 1` notes, at its end |
//! | `websocket QUERY` | opens a websocket, with or without `$sid` | `101`, or status and body |
//! | `send TEXT`, `binary HEX` | sends a message over the last websocket | |
//! | `send-times N TEXT` | sends it so many times | |
//! | `hear` | waits for its next packet | the packet, or `closed` |
//! | `end` | waits until it is closed | `close`, with the code of the close frame, or `cut off` without one |
//! | `open`, `join` | opens a websocket in `$room`, and lets it in | |
//! | `served` | asks something, and publishes | `served` if it hears both and nothing else, or what it hears |
//! | `close`, `drop` | a close frame; no word at all | |
//! | `switch` | makes the last websocket but one the last | |
//! | `publish JSON` | publishes to `$room` | |
//!
//! `$sid` and `$id` stand for the session's id and the subscriber's, `$room` for a room of the script's own, `$auth` and
//! `$token` for what lets in; `{x*9}` for nine x, or whatever letter stands there; `␞` for the separator of packets. Pings are
//! answered, and not noted; ids are masked.

use tokio_tungstenite::tungstenite::Message;

use super::UPGRADE;
use super::oracle::Oracle;

use crate::harness::Gateway;
use crate::harness::http::{Answer, Connection, PATIENCE};
use crate::harness::process::{self, Ports};
use crate::harness::websocket::Websocket;

/// What a server answers that wants to have a body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

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
    Process(Ports),
}

/// A client under way.
pub struct Player<'a> {
    server: Server<'a>,
    room: String,
    token: String,
    sid: String,
    id: String,
    waiting: Option<Connection>,
    websockets: Vec<Websocket>,
}

impl<'a> Player<'a> {
    pub fn new(server: Server<'a>, room: &str, token: &str) -> Self {
        Self {
            server,
            room: room.to_owned(),
            token: token.to_owned(),
            sid: String::new(),
            id: String::new(),
            waiting: None,
            websockets: Vec::new(),
        }
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
            if let Some((id, _)) = note.split_once(r#"40{"sid":""#).and_then(|(_, rest)| rest.split_once('"')) {
                id.clone_into(&mut self.id);
            }
            noted.push(self.masked(&note));
        }
        noted
    }

    /// Sends the first part of packets, once the session knows that they come.
    async fn begin_post(&self, length: &str, part: &str) -> Connection {
        let head = format!("POST /socket.io/?{} HTTP/1.1\r\nHost: a\r\n", self.session());
        let mut waiting = Connection::open(self.addr()).await;
        waiting.send(format!("{head}Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n")).await;
        let word = waiting.bytes(CONTINUE.len()).await;
        assert_eq!(word.as_deref(), Some(CONTINUE), "{length} {part}");
        waiting.send(part).await;
        waiting
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
                self.sid = sid(&answer.body);
                Some(noted(&answer))
            }
            "post" => Some(noted(&self.ask("POST", &self.session(), rest).await)),
            "poll" => Some(self.poll(rest.parse().unwrap(), None).await),
            "post-as" => {
                let (media_type, payload) = rest.split_once(' ').unwrap();
                let head = format!("POST /socket.io/?{}\nContent-Type: {media_type}", self.session());
                Some(noted(&Connection::open(self.addr()).await.request(&head, payload).await))
            }
            "two-polls" => Some(self.two_polls().await),
            "poll-begin" => {
                let mut waiting = Connection::open(self.addr()).await;
                waiting.send_request(&format!("GET /socket.io/?{}", self.session()), "").await;
                self.waiting = Some(waiting);
                None
            }
            "post-begin" => {
                let (length, part) = rest.split_once(' ').unwrap();
                self.waiting = Some(self.begin_post(length, part).await);
                None
            }
            "post-end" => {
                let mut waiting = self.waiting.take().expect("post-begin");
                waiting.send_what_is_taken(rest).await;
                Some(noted(&waiting.answer(false).await.expect("an answer")))
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
            "open" | "join" => {
                let query = format!("&uniqueUserId={}", self.room);
                let mut websocket = Websocket::open(self.addr(), &query).await.unwrap();
                self.sid = sid(&websocket.packet().await.unwrap());
                if verb == "join" {
                    websocket.send(format!(r#"40{{"token":"{}"}}"#, self.token)).await;
                    assert!(websocket.packet().await.is_some_and(|answer| answer.starts_with("40{")), "let in");
                }
                self.websockets.push(websocket);
                None
            }
            _ => self.act_on_websocket(verb, rest).await,
        }
    }

    async fn act_on_websocket(&mut self, verb: &str, rest: &str) -> Option<String> {
        let websocket = self.websockets.last_mut().expect("a websocket");
        match verb {
            "send" => websocket.send(rest).await,
            "send-times" => {
                let (count, text) = rest.split_once(' ').unwrap();
                for _ in 0..count.parse().unwrap() {
                    websocket.send(text).await;
                }
            }
            "binary" => {
                let digits = rest.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap());
                let bytes: Vec<u8> = digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
                websocket.send(Message::binary(bytes)).await;
            }
            "hear" => return Some(websocket.packet().await.unwrap_or_else(|| "closed".to_owned())),
            "end" => return Some(ended(websocket).await),
            "served" => {
                // The answer tells that all before it was read.
                websocket.send("40/served,").await;
                let answer = websocket.packet().await.unwrap_or_else(|| "closed".to_owned());
                if answer != r#"44/served,{"message":"Invalid namespace"}"# {
                    return Some(answer);
                }
                self.publish(r#"{"is":"last"}"#).await;
                let heard = self.websockets.last_mut()?.packet().await.unwrap_or_else(|| "closed".to_owned());
                let expected = format!(r#"42["{}",{{"is":"last"}}]"#, self.room);
                return Some(if heard == expected { "served".to_owned() } else { heard });
            }
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

    /// Leaves nothing behind: the websockets are dropped, and what may be left of the session is closed.
    pub async fn leave(self) {
        if !self.sid.is_empty() {
            let head = format!("POST /socket.io/?{}", self.session());
            let _ = Connection::open(self.addr()).await.try_request(&head, "1").await;
        }
    }

    async fn publish(&self, json: &str) {
        match self.server {
            Server::Gateway(gateway) => gateway.publish(&self.room, &serde_json::from_str(json).unwrap()).await,
            Server::Oracle(oracle) => oracle.publish(&self.room, json).await,
            Server::Process(ports) => {
                let mut body: serde_json::Value = serde_json::from_str(json).unwrap();
                body["target_id"] = self.room.as_str().into();
                assert_eq!(process::post(ports.producer, &body.to_string()).await.status, 200);
            }
        }
    }

    fn addr(&self) -> std::net::SocketAddr {
        match self.server {
            Server::Gateway(gateway) => gateway.consumer(),
            Server::Oracle(oracle) => oracle.addr,
            Server::Process(ports) => ports.consumer,
        }
    }

    fn session(&self) -> String {
        format!("EIO=4&transport=polling&sid={}", self.sid)
    }

    fn filled_in(&self, action: &str) -> String {
        let text = action.replace("$sid", &self.sid).replace("$id", &self.id).replace("$room", &self.room);
        let text = text.replace("$auth", r#"{"token":"$token"}"#).replace("$token", &self.token);
        repeated(&text.replace('␞', "\u{1e}"))
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

/// The session that an open packet tells of.
fn sid(open: &str) -> String {
    let open: serde_json::Value = serde_json::from_str(open.strip_prefix('0').expect("an open packet")).unwrap();
    open["sid"].as_str().unwrap().to_owned()
}

fn noted(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.body).trim_end().to_owned()
}

/// Writes out every `{x*9}`.
fn repeated(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        written.push_str(before);
        let mut letters = after.chars();
        let letter = letters.next().filter(|_| letters.next() == Some('*'));
        match letter.zip(letters.as_str().split_once('}')) {
            Some((letter, (count, after))) => {
                written.extend(std::iter::repeat_n(letter, count.parse().unwrap()));
                rest = after;
            }
            None => {
                written.push('{');
                rest = after;
            }
        }
    }
    written + rest
}

async fn ended(websocket: &mut Websocket) -> String {
    while let Some(packet) = websocket.packet().await {
        assert!(!packet.starts_with('4'), "{packet} instead of the end");
    }
    match websocket.close_code {
        Some(code) => format!("close {}", code.map(|code| code.to_string()).unwrap_or_default()).trim_end().to_owned(),
        None => "cut off".to_owned(),
    }
}
