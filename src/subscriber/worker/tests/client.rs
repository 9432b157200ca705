//! A client of one session: it keeps what it heard, reads or stalls, and changes from polling to a websocket.

mod pipe;

use tokio::io::{DuplexStream, duplex};

use super::super::*;
use super::{Node, settle};
use pipe::Pipe;

/// Something that was said in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The event of this number.
    Event(u64),
    /// So many events were dropped here.
    Gap(u64),
}

/// What carries the client's packets.
enum Line {
    /// The request that waits, if any.
    Polling(Option<oneshot::Receiver<Result<String, EngineError>>>),
    Websocket(Pipe),
}

/// How far the change to a websocket has come.
enum Candidate {
    /// Its HTTP handshake is over.
    Open(Pipe),
    /// `2probe` was sent.
    Probing(Pipe),
    /// `3probe` came, so no poll is begun any more.
    Probed(Pipe),
    /// `2probe` was sent, and nothing follows it.
    Silent(Pipe),
}

/// The client of one session.
pub(super) struct Client {
    pub(super) id: SessionId,
    pub(super) rooms: Vec<String>,
    /// What it heard after each answer to CONNECT.
    pub(super) heard: Vec<Vec<Heard>>,
    /// Whether it takes what it is sent.
    pub(super) reads: bool,
    /// Whether it has been told, or has found, that the session is over.
    pub(super) is_over: bool,
    /// How many pings it saw.
    pub(super) pings: u32,
    /// Whether it answers them.
    pub(super) pongs: bool,
    /// Whether it sent what no good client sends. It may be told anything.
    pub(super) is_wild: bool,
    line: Line,
    candidate: Option<Candidate>,
    /// When it opened the last websocket to change to.
    candidate_since: Instant,
}

impl Client {
    /// Opens a session over polling.
    pub(super) async fn polling(node: &Node, worker: u16, rooms: &[&str]) -> Self {
        let rooms: Vec<_> = rooms.iter().map(ToString::to_string).collect();
        let (reply, open) = oneshot::channel();
        node.ask(worker, Command::Open(node.handshake(&rooms), reply));
        let open = open.await.expect("a session is opened");
        Self::new(&open, rooms, Line::Polling(None))
    }

    /// Opens a session over a websocket whose pipe holds `bytes` each way.
    pub(super) async fn websocket(node: &Node, worker: u16, rooms: &[&str], bytes: usize) -> Self {
        Self::websocket_through(node, worker, rooms, bytes, |far| Box::new(far)).await
    }

    /// The same, where the node's end of the pipe is wrapped into something.
    pub(super) async fn websocket_through(
        node: &Node,
        worker: u16,
        rooms: &[&str],
        bytes: usize,
        wrap: impl FnOnce(DuplexStream) -> Box<dyn Link>,
    ) -> Self {
        let rooms: Vec<_> = rooms.iter().map(ToString::to_string).collect();
        let (near, far) = duplex(bytes);
        node.ask(worker, Command::OpenWebsocket(node.handshake(&rooms), wrap(far)));
        let mut pipe = Pipe::new(near);
        let open = loop {
            if let Some((_, open)) = pipe.next() {
                break open;
            }
            assert!(!pipe.is_over, "closed before its open packet");
            settle().await;
        };
        Self::new(&open, rooms, Line::Websocket(pipe))
    }

    /// Opens a session over the one or the other.
    pub(super) async fn open(node: &Node, polls: bool, bytes: usize) -> Self {
        if polls { Self::polling(node, 0, &["a"]).await } else { Self::websocket(node, 0, &["a"], bytes).await }
    }

    fn new(open: &str, rooms: Vec<String>, line: Line) -> Self {
        let open: serde_json::Value = serde_json::from_str(open.strip_prefix('0').expect("an open packet")).unwrap();
        let id = SessionId::read(open["sid"].as_str().unwrap()).unwrap();
        let heard = Vec::new();
        Self {
            id,
            rooms,
            heard,
            reads: true,
            is_over: false,
            pings: 0,
            pongs: true,
            is_wild: false,
            line,
            candidate: None,
            candidate_since: Instant::now(),
        }
    }

    /// Sends a packet.
    pub(super) async fn send(&mut self, node: &Node, packet: &str) {
        match &mut self.line {
            Line::Websocket(pipe) => pipe.send(packet).await,
            Line::Polling(_) => {
                let (reply, _) = oneshot::channel();
                node.ask(self.id.worker, Command::Post(self.id, Bytes::copy_from_slice(packet.as_bytes()), reply));
            }
        }
    }

    /// Sends bytes of any kind: over a websocket, also one that is probed, in a frame that begins with `first` or as they
    /// are, and else as the body of a request.
    pub(super) async fn send_wildly(&mut self, node: &Node, first: Option<u8>, bytes: &[u8]) {
        self.is_wild = true;
        let pipe = match (&mut self.candidate, &mut self.line) {
            (Some(candidate), _) => candidate.pipe(),
            (None, Line::Websocket(pipe)) => pipe,
            (None, Line::Polling(_)) => {
                let (reply, _) = oneshot::channel();
                return node.ask(self.id.worker, Command::Post(self.id, Bytes::copy_from_slice(bytes), reply));
            }
        };
        match first {
            Some(first) => pipe.send_frame(first, bytes).await,
            None => pipe.write(bytes).await,
        }
    }

    /// Joins its rooms.
    pub(super) async fn connect(&mut self, node: &Node) {
        self.send(node, "40").await;
        settle().await;
        self.pump(node).await;
    }

    /// Takes and answers what it was sent, goes on with its change to a websocket by a step, and says whether there was
    /// anything to do.
    pub(super) async fn pump(&mut self, node: &Node) -> bool {
        if self.is_over || !self.reads {
            return false;
        }
        let mut packets = Vec::new();
        let mut has_read = false;
        match &mut self.line {
            Line::Polling(poll) => match poll.as_mut().map(oneshot::Receiver::try_recv) {
                Some(Ok(Ok(payload))) => {
                    packets.extend(payload.split('\u{1e}').map(str::to_owned));
                    *poll = None;
                }
                Some(Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed)) => self.is_over = true,
                Some(Err(oneshot::error::TryRecvError::Empty)) => {}
                None if matches!(self.candidate, Some(Candidate::Probed(_))) => {}
                None => {
                    let (reply, answer) = oneshot::channel();
                    node.ask(self.id.worker, Command::Poll(self.id, reply));
                    *poll = Some(answer);
                    return true;
                }
            },
            Line::Websocket(pipe) => {
                while let Some((opcode, text)) = pipe.next() {
                    match opcode {
                        1 => packets.push(text),
                        8 => self.is_over = true,
                        _ => {}
                    }
                }
                has_read = std::mem::take(&mut pipe.has_read);
                self.is_over |= pipe.is_over;
            }
        }
        has_read |= !packets.is_empty();
        for packet in packets {
            self.take(node, &packet).await;
        }
        self.advance_candidate().await || has_read
    }

    /// Lets everybody go on until this client has taken all that there is.
    pub(super) async fn catch_up(&mut self, node: &Node) {
        loop {
            settle().await;
            if !self.pump(node).await {
                break;
            }
        }
    }

    async fn take(&mut self, node: &Node, packet: &str) {
        if packet == "2" {
            self.pings += 1;
            if self.pongs {
                self.send(node, "3").await;
            }
        } else if packet == "1" {
            self.is_over = true;
        } else if packet.starts_with("40{") {
            self.heard.push(Vec::new());
        } else if let Some(event) = packet.strip_prefix("42") {
            let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
            let heard = match event[0].as_str().expect("a name") {
                "roomcast:gap" => Heard::Gap(event[1]["dropped"].as_u64().unwrap()),
                room => {
                    let is_own = self.is_wild || self.rooms.iter().any(|own| own == room);
                    assert!(is_own, "an event of {room}, which it is not in");
                    Heard::Event(event[1]["n"].as_u64().unwrap())
                }
            };
            self.heard.last_mut().expect("an event before CONNECT is answered").push(heard);
        } else {
            assert!(packet == "6" || self.is_wild && packet.starts_with("44"), "an unknown packet: {packet}");
        }
    }

    /// Makes a websocket for the session, which is used once the client goes on with it.
    pub(super) fn open_candidate(&mut self, node: &Node, bytes: usize) {
        if matches!(self.line, Line::Polling(_)) && self.candidate.is_none() {
            let (near, far) = duplex(bytes);
            node.ask(self.id.worker, Command::Upgrade(self.id, Box::new(far)));
            self.candidate = Some(Candidate::Open(Pipe::new(near)));
            self.candidate_since = Instant::now();
        }
    }

    /// Sends the probe.
    pub(super) async fn probe(&mut self) {
        self.candidate = match self.candidate.take() {
            Some(Candidate::Open(mut pipe)) => {
                pipe.send("2probe").await;
                Some(Candidate::Probing(pipe))
            }
            other => other,
        };
    }

    /// Sends nothing behind its probe, and goes on with polling.
    pub(super) fn give_up_after_probe(&mut self) {
        if let Some(Candidate::Probing(pipe)) = self.candidate.take() {
            self.candidate = Some(Candidate::Silent(pipe));
        }
    }

    async fn advance_candidate(&mut self) -> bool {
        let (next, has_moved) = match self.candidate.take() {
            Some(Candidate::Probing(mut pipe)) => match pipe.next() {
                Some((1, text)) if text == "3probe" => (Some(Candidate::Probed(pipe)), true),
                Some(other) => {
                    assert!(self.is_wild, "{other:?} answers a probe");
                    (None, true)
                }
                None if pipe.is_over => (None, false),
                None => (Some(Candidate::Probing(pipe)), false),
            },
            Some(Candidate::Probed(mut pipe)) if matches!(self.line, Line::Polling(None)) => {
                pipe.send("5").await;
                self.line = Line::Websocket(pipe);
                (None, true)
            }
            Some(Candidate::Open(mut pipe)) => match pipe.next() {
                Some(word) => {
                    assert!(self.is_wild, "{word:?} to a websocket that said nothing");
                    (None, true)
                }
                None => (Some(Candidate::Open(pipe)).filter(|candidate| !candidate.is_over()), false),
            },
            Some(Candidate::Silent(mut pipe)) => {
                while pipe.next().is_some() {}
                (Some(Candidate::Silent(pipe)).filter(|candidate| !candidate.is_over()), false)
            }
            other => (other, false),
        };
        self.candidate = next;
        has_moved
    }

    /// Whether the node may give the websocket up before the client has changed to it.
    pub(super) fn is_late_to_probe(&self) -> bool {
        self.candidate.is_some() && self.candidate_since.elapsed() > std::time::Duration::from_secs(8)
    }

    pub(super) fn has_candidate(&self) -> bool {
        self.candidate.is_some()
    }

    pub(super) fn drop_candidate(&mut self) {
        self.candidate = None;
    }

    pub(super) fn is_on_websocket(&self) -> bool {
        matches!(self.line, Line::Websocket(_))
    }

    /// Cuts the connection off.
    pub(super) fn hang_up(&mut self) {
        self.is_over = true;
        self.candidate = None;
        self.line = Line::Polling(None);
    }

    /// Takes up to `bytes` of what waits in the pipe, as they come: they are read when it goes on.
    pub(super) fn sip(&mut self, bytes: usize) {
        if let Line::Websocket(pipe) = &mut self.line {
            pipe.fill(bytes);
        }
    }

    /// The numbers that it heard in all, when nothing was dropped.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let number = |heard: &Heard| match heard {
            Heard::Event(number) => *number,
            Heard::Gap(dropped) => panic!("{dropped} events were dropped"),
        };
        self.heard.iter().flatten().map(number).collect()
    }
}

impl Candidate {
    fn pipe(&mut self) -> &mut Pipe {
        let (Self::Open(pipe) | Self::Probing(pipe) | Self::Probed(pipe) | Self::Silent(pipe)) = self;
        pipe
    }

    fn is_over(&self) -> bool {
        let (Self::Open(pipe) | Self::Probing(pipe) | Self::Probed(pipe) | Self::Silent(pipe)) = self;
        pipe.is_over
    }
}
