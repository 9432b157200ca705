//! What a transcript is: steps, each with what is done and with what vrchats answered.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// One file: the settings of a server, and the steps that are taken with it, in their order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// The version of vrchats that was recorded.
    #[serde(default = "last_version")]
    pub version: String,
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    pub steps: Vec<Step>,
}

fn last_version() -> String {
    "0.13.2".to_owned()
}

/// One step. Its connections and sessions are its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
    /// What it does must be done within a window of a second, which a busy machine may miss: then it is taken again.
    #[serde(default)]
    pub timed: bool,
    /// What vrchats was seen to answer: one value for each action that has an answer.
    pub vrchats: Vec<Value>,
    /// What roomcast answers, where it differs.
    pub ours: Option<Vec<Value>>,
    /// The row of the migration document that tells of the difference.
    pub difference: Option<String>,
}

/// What a client does. In all texts `{token}`, `{TOKEN}`, `{yesterday}` and `{tomorrow}` are daily tokens, and
/// `{sid:NAME}` is the id of a session.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// An HTTP request. Answer: status, headers that matter, body; or that the connection was closed.
    Ask(Request),
    /// Opens an Engine.IO session over a websocket. Answer: the open packet, or the refusal.
    Websocket(Open),
    /// Opens an Engine.IO session over polling. Answer: the open packet, or the refusal.
    Polling(Open),
    /// Opens a websocket and connects with the day's token: name and query. Answer: that of CONNECT.
    Subscribe(String, String),
    /// Sends a packet. Over polling the answer is that of the POST; over a websocket there is none.
    Send(String, String),
    /// Answer: the next packet that is no ping, or when the session was closed.
    Read(String),
    /// Answer: when the first ping came.
    Ping(String),
    /// Answer: all packets that came so far.
    Hears(String),
    /// Moves a session from polling to a websocket. Answer: that to the probe.
    Upgrade(String),
    /// So many milliseconds pass.
    Pass(u64),
}

/// An HTTP request on a connection of its own, or on the named one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub port: Port,
    /// The request line, and headers behind `\n`.
    pub head: String,
    /// `{pad}` grows until the body has [`Request::bytes`], `{nest}` is that many arrays in each other.
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub bytes: usize,
    #[serde(default)]
    pub encode: Encode,
    pub from: Option<[u8; 4]>,
    pub on: Option<String>,
    /// Shows the client certificate that the authority signed.
    #[serde(default)]
    pub certificate: bool,
    /// Headers to compare beside the usual ones.
    #[serde(default)]
    pub also: Vec<String>,
}

/// An Engine.IO handshake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The name of the session in this step.
    #[serde(rename = "as")]
    pub name: String,
    #[serde(default)]
    pub query: String,
    pub origin: Option<String>,
}

/// Which of the two ports.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    Producer,
    Consumer,
}

/// How the text of a body becomes bytes.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encode {
    #[default]
    Utf8,
    Utf16,
    Latin1,
    Gzip,
    Deflate,
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/gateway/parity"].iter().collect()
}

/// The names of all transcripts.
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut names: Vec<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// A transcript by its name.
pub fn read(name: &str) -> Transcript {
    let path = folder().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
