//! Takes a step: does what it says over sockets, and writes down what is answered.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::body;
use super::session::{Session, without_pings, without_sid};
use super::target::Target;
use super::transcript::{Action, Request, Step};
use crate::harness::http::{Answer, Connection};

/// The headers that are compared in every answer.
const HEADERS: [&str; 17] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-security-policy",
    "content-type",
    "etag",
    "location",
    "retry-after",
    "server",
    "vary",
    "x-content-type-options",
    "x-powered-by",
];

/// What one step keeps open.
pub struct Driver<'a> {
    target: &'a Target,
    connections: HashMap<String, Connection>,
    sessions: HashMap<String, Session>,
}

/// What is answered to a step's actions.
///
/// A session that hears nothing may have asked too early. So a step in which sessions tell what they heard must have
/// heard every event that the gateway handed to a subscriber.
pub async fn take(step: &Step, target: &Target) -> Vec<Value> {
    let before = target.deliveries();
    let mut driver = Driver { target, connections: HashMap::new(), sessions: HashMap::new() };
    let mut answers = Vec::new();
    for action in &step.actions {
        answers.extend(driver.act(action).await);
    }
    if let (Some(before), Some(after)) = (before, target.deliveries())
        && step.actions.iter().any(|action| matches!(action, Action::Hears(_)))
    {
        let heard: u64 = answers.iter().map(events).sum();
        assert_eq!(after - before, heard, "{}: events handed out, and heard: {answers:?}", step.name);
    }
    answers
}

/// The events in an answer.
fn events(answer: &Value) -> u64 {
    match answer {
        Value::Array(packets) => packets.iter().map(events).sum(),
        Value::String(packet) => u64::from(packet.starts_with("42")),
        _ => 0,
    }
}

impl Driver<'_> {
    async fn act(&mut self, action: &Action) -> Option<Value> {
        match action {
            Action::Ask(request) => Some(self.ask(request).await),
            Action::Websocket(open) => {
                let opened = Session::websocket(self.target, &open.query, open.origin.as_deref()).await;
                Some(self.keep(&open.name, opened))
            }
            Action::Polling(open) => {
                let opened = Session::polling(self.target, &open.query, open.origin.as_deref()).await;
                Some(self.keep(&open.name, opened))
            }
            Action::Subscribe(name, query) => {
                let opened = Session::websocket(self.target, query, None).await;
                self.keep(name, opened);
                let connect = self.target.fill_in(r#"40{"token":"{token}"}"#);
                let session = self.session(name);
                session.send(&connect).await;
                Some(session.read().await)
            }
            Action::Send(name, packet) => {
                let packet = self.target.fill_in(packet);
                self.session(name).send(&packet).await
            }
            Action::Read(name) => Some(self.session(name).read().await),
            Action::Ping(name) => Some(self.session(name).first_ping().await),
            Action::Hears(name) => Some(self.session(name).heard().await),
            Action::Upgrade(name) => {
                let target = self.target;
                Some(self.session(name).upgrade(target).await)
            }
            Action::Pass(milliseconds) => {
                tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
                None
            }
        }
    }

    fn keep(&mut self, name: &str, opened: Result<(Session, Value), Value>) -> Value {
        match opened {
            Ok((session, open)) => {
                self.sessions.insert(name.to_owned(), session);
                open
            }
            Err(refusal) => refusal,
        }
    }

    async fn ask(&mut self, request: &Request) -> Value {
        let mut head = self.target.fill_in(&request.head);
        for (name, session) in &self.sessions {
            head = head.replace(&format!("{{sid:{name}}}"), &session.sid);
        }
        let kept = request.on.as_ref().and_then(|name| self.connections.remove(name));
        let mut connection = match kept {
            Some(connection) => connection,
            None => {
                let from = request.from.map_or(Ipv4Addr::LOCALHOST, Ipv4Addr::from);
                match self.target.dial(request.port, from, request.certificate).await {
                    Some(stream) => Connection::over(stream),
                    None => return json!("closed"),
                }
            }
        };
        let answer = loop {
            let Some(mut answer) = connection.try_request(&head, body::bytes(request)).await else {
                return json!("closed");
            };
            if answer.body != "2" {
                answer.body = without_sid(&without_pings(&answer.body));
                break answer;
            }
        };
        if let Some(name) = &request.on {
            self.connections.insert(name.clone(), connection);
        }
        let also: Vec<_> = request.also.iter().map(String::as_str).collect();
        shown(&answer, &[&HEADERS, also.as_slice()].concat())
    }

    fn session(&mut self, name: &str) -> &mut Session {
        self.sessions.get_mut(name).unwrap_or_else(|| panic!("there is no session {name}"))
    }
}

/// An answer with the headers that matter.
fn shown(answer: &Answer, names: &[&str]) -> Value {
    let mut headers = Map::new();
    for name in names {
        let lines = answer.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let values: Vec<_> = lines.map(|(_, value)| value.as_str()).collect();
        if !values.is_empty() {
            headers.insert((*name).to_owned(), json!(values.join(", ")));
        }
    }
    json!({ "status": answer.status, "headers": headers, "body": answer.body })
}

/// An answer to a session's own request, as far as clients look at it.
pub fn shown_briefly(answer: &Answer) -> Value {
    shown(answer, &["access-control-allow-origin"])
}
