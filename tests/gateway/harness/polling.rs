//! A raw subscriber over HTTP long-polling: payloads as text, one connection for all of its requests.

use std::net::SocketAddr;

use serde_json::Value;

use super::dial::{Stream, dial};
use super::http::{Answer, Connection};

/// One polling session.
pub struct Polling {
    connection: Connection,
    /// The session's id.
    pub sid: String,
}

impl Polling {
    /// Opens a session and returns it with the open packet; or the refusal.
    pub async fn open(addr: SocketAddr, query: &str) -> Result<(Self, Value), Answer> {
        Self::open_over(dial(addr).await, query, "").await
    }

    /// As [`Polling::open`] over a stream of one's own, with further header lines, each after a `\n`.
    pub async fn open_over(stream: impl Stream + 'static, query: &str, headers: &str) -> Result<(Self, Value), Answer> {
        let mut connection = Connection::over(stream);
        let head = format!("GET /socket.io/?EIO=4&transport=polling{query}{headers}");
        let answer = connection.request(&head, "").await;
        if answer.status != 200 {
            return Err(answer);
        }
        let open: Value = serde_json::from_str(answer.body.strip_prefix('0').expect("an open packet")).unwrap();
        let sid = open["sid"].as_str().unwrap().to_owned();
        Ok((Self { connection, sid }, open))
    }

    /// Sends packets.
    pub async fn post(&mut self, payload: impl AsRef<[u8]>) -> Answer {
        let head = format!("POST {}\nContent-Type: text/plain;charset=UTF-8", self.path());
        self.connection.request(&head, payload).await
    }

    /// Waits for packets.
    pub async fn poll(&mut self) -> Answer {
        self.connection.request(&format!("GET {}", self.path()), "").await
    }

    /// A poll that waits on a connection of its own. A preflight goes before it in the same piece: once that is answered, the
    /// poll is known to be under way.
    pub async fn poll_elsewhere(&self, addr: SocketAddr) -> Connection {
        let mut connection = Connection::open(addr).await;
        let request = |method| format!("{method} {} HTTP/1.1\r\nHost: gateway.test\r\n\r\n", self.path());
        connection.send([request("OPTIONS"), request("GET")].concat()).await;
        assert_eq!(connection.answer(false).await.unwrap().status, 204);
        connection
    }

    /// Sends CONNECT with `auth` and returns the answer.
    pub async fn authenticate(&mut self, auth: Value) -> String {
        let posted = self.post(format!("40{auth}")).await;
        assert_eq!((posted.status, posted.body.as_str()), (200, "ok"));
        loop {
            let answer = self.poll().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            if let Some(packet) = answer.body.split('\u{1e}').find(|packet| packet.starts_with('4')) {
                return packet.to_owned();
            }
        }
    }

    /// Path and query of the session's requests.
    pub fn path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }
}
