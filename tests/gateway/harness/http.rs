//! An HTTP/1.1 client that sends exactly the bytes it is told to, and keeps its connection.

use std::net::SocketAddr;
use std::time::Duration;

use flate2::bufread::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::dial::{Stream, dial};

/// No answer takes longer; a test that waits in vain fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Inflated if it was compressed.
    pub body: String,
}

impl Answer {
    /// The header's value, or the empty text.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

impl Connection {
    pub async fn open(addr: SocketAddr) -> Self {
        Self::over(dial(addr).await)
    }

    pub fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends bytes as far as the gateway takes them: it may have closed the connection by then.
    pub async fn send_what_is_taken(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends a request; `head` is the request line and headers but Host and Content-Length, separated by `\n`.
    pub async fn request(&mut self, head: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send_request(head, body).await;
        let head_only = head.starts_with("HEAD ");
        self.answer(head_only).await.expect("an answer")
    }

    pub async fn send_request(&mut self, head: &str, body: impl AsRef<[u8]>) {
        self.send(request_text(head, body.as_ref())).await;
    }

    /// As [`Connection::request`]; none when the gateway closed the connection instead of answering.
    pub async fn try_request(&mut self, head: &str, body: impl AsRef<[u8]>) -> Option<Answer> {
        self.send_what_is_taken(request_text(head, body.as_ref())).await;
        self.answer(head.starts_with("HEAD ")).await
    }

    /// The next answer; none when the gateway closed the connection.
    pub async fn answer(&mut self, head_only: bool) -> Option<Answer> {
        tokio::time::timeout(PATIENCE, self.read_answer(head_only)).await.expect("no answer in time")
    }

    /// Exactly so many bytes; none when the gateway closed the connection before.
    pub async fn bytes(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            if !tokio::time::timeout(PATIENCE, self.fill()).await.expect("no bytes in time") {
                return None;
            }
        }
        Some(self.read.drain(..length).collect())
    }

    /// Whether the gateway has closed the connection, after waiting for it.
    pub async fn closed(&mut self) -> bool {
        if !self.read.is_empty() {
            return false;
        }
        let mut byte = [0];
        match tokio::time::timeout(PATIENCE, self.stream.read(&mut byte)).await {
            Ok(Ok(0) | Err(_)) => true,
            Ok(Ok(_)) => false,
            Err(_) => panic!("neither closed nor answered"),
        }
    }

    async fn read_answer(&mut self, head_only: bool) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if !self.fill().await {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.read.drain(..end + 4).collect::<Vec<_>>()).into_owned();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> =
            lines.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let mut answer = Answer { status, headers, body: String::new() };
        let length = answer.header("content-length").parse().unwrap_or(0);
        if !head_only && status != 304 {
            let bytes = match answer.header("transfer-encoding") {
                "chunked" => self.chunks().await,
                _ => self.exactly(length).await,
            };
            answer.body = match answer.header("content-encoding") {
                "gzip" => std::io::read_to_string(GzDecoder::new(bytes.as_slice())).unwrap(),
                _ => String::from_utf8(bytes).unwrap(),
            };
        }
        Some(answer)
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            while !self.read.windows(2).any(|two| two == b"\r\n") {
                assert!(self.fill().await, "the answer's body was cut");
            }
            let end = self.read.windows(2).position(|two| two == b"\r\n").unwrap();
            let line = String::from_utf8(self.exactly(end + 2).await).unwrap();
            let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
            body.extend_from_slice(&self.exactly(length + 2).await[..length]);
            if length == 0 {
                return body;
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            assert!(self.fill().await, "the answer's body was cut");
        }
        self.read.drain(..length).collect()
    }

    async fn fill(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let length = self.stream.read(&mut chunk).await.unwrap_or(0);
        self.read.extend_from_slice(&chunk[..length]);
        length > 0
    }
}

/// The bytes of a request, as [`Connection::request`] takes it.
fn request_text(head: &str, body: &[u8]) -> Vec<u8> {
    let mut lines = head.lines();
    let mut text = format!("{} HTTP/1.1\r\nHost: gateway.test\r\n", lines.next().unwrap());
    for line in lines {
        text.push_str(&format!("{line}\r\n"));
    }
    if !body.is_empty() || head.starts_with("POST ") {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}
