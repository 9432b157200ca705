//! Who says nothing, too little, too early or too often is closed at its moment, to the tick, and not before.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::super::*;
use super::{Client, Node, config, in_virtual_time, settle};
use crate::subscriber::timers::TICK;

const SECOND: Duration = Duration::from_secs(1);
const CONNECT_SECS: f64 = 10.0;
const PONG_SECS: f64 = 20.0;

/// A client's end of a websocket, of which every byte is the test's own.
struct Line {
    stream: DuplexStream,
    unread: Vec<u8>,
    since: Instant,
}

impl Line {
    /// One that opens a session.
    async fn open(node: &Node) -> Self {
        let mut line = Self::over(|link| node.ask(0, Command::OpenWebsocket(node.handshake(&["a".to_owned()]), link)));
        assert!(line.next().await.is_some_and(|(_, open)| open.starts_with("0{")));
        line
    }

    /// The same, when it is let in.
    async fn connected(node: &Node) -> Self {
        let mut line = Self::open(node).await;
        line.send(&text("40")).await;
        assert!(line.next().await.is_some_and(|(_, answer)| answer.starts_with("40{")));
        line
    }

    /// One that wants to take over a session.
    fn candidate(node: &Node, session: SessionId) -> Self {
        Self::over(|link| node.ask(session.worker, Command::Upgrade(session, link)))
    }

    fn over(take: impl FnOnce(Box<dyn Link>)) -> Self {
        let (near, far) = duplex(1 << 16);
        take(Box::new(far));
        Self { stream: near, unread: Vec::new(), since: Instant::now() }
    }

    async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame: its first byte and its payload, which is short; none at the end.
    async fn next(&mut self) -> Option<(u8, String)> {
        loop {
            if let [first, length, rest @ ..] = self.unread.as_slice()
                && let Some(payload) = rest.get(..usize::from(*length))
            {
                let frame = (*first, String::from_utf8_lossy(payload).into_owned());
                self.unread.drain(..2 + frame.1.len());
                return Some(frame);
            }
            if self.stream.read_buf(&mut self.unread).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Sends a drip each second until the end, and tells what came before, and when, in seconds.
    async fn drips(&mut self, mut drip: impl FnMut(usize) -> Vec<u8>) -> (Vec<(u8, String)>, Vec<f64>) {
        let (mut frames, mut times) = (Vec::new(), Vec::new());
        let mut clock = tokio::time::interval_at(Instant::now() + SECOND, SECOND);
        for number in 0.. {
            loop {
                tokio::select! {
                    frame = self.next() => {
                        times.push(self.since.elapsed().as_secs_f64());
                        let Some(frame) = frame else { return (frames, times) };
                        frames.push(frame);
                    }
                    _ = clock.tick() => break,
                }
            }
            self.send(&drip(number)).await;
        }
        unreachable!("the line never ends")
    }

    /// When the next ping comes, in seconds; answers to pings of the websocket's own are passed over.
    async fn ping(&mut self) -> f64 {
        while let Some(frame) = self.next().await {
            if frame == (0x81, "2".to_owned()) {
                return self.since.elapsed().as_secs_f64();
            }
        }
        panic!("closed before a ping")
    }
}

fn frame(first: u8, payload: &str) -> Vec<u8> {
    let length = 0x80 | u8::try_from(payload.len()).ok().filter(|length| *length < 126).expect("a short payload");
    [&[first, length, 0, 0, 0, 0], payload.as_bytes()].concat()
}

fn text(packet: &str) -> Vec<u8> {
    frame(0x81, packet)
}

/// Asserts that something happened when it was due: no earlier, and no later than timers are exact.
fn is_at(seen: f64, due: f64, what: &str) {
    let late = seen - due;
    assert!((-0.001..=TICK.as_secs_f64() + 0.002).contains(&late), "{what}: after {seen} s, due after {due} s");
}

#[test]
fn who_is_not_let_in_within_ten_seconds_is_closed_then_whatever_it_drips() {
    type Drip = fn(usize) -> Vec<u8>;
    let rows: [(&str, Drip); 6] = [
        ("nothing", |_| Vec::new()),
        ("CONNECT in fragments of a byte", |number| if number == 0 { frame(0x01, "4") } else { frame(0x00, "0") }),
        ("a frame byte by byte", |number| vec![text(&"4".repeat(100))[number]]),
        ("pings", |_| frame(0x89, "x")),
        ("pongs of Engine.IO", |_| text("3")),
        ("CONNECT for another namespace", |_| text("40/x,")),
    ];
    for (name, drip) in rows {
        in_virtual_time(async {
            let node = Node::start(1, &config());
            let mut line = Line::open(&node).await;
            let (frames, times) = line.drips(drip).await;
            assert_eq!(frames.last(), Some(&(0x88, String::new())), "{name}: a close frame without a code");
            is_at(*times.last().unwrap(), CONNECT_SECS, name);
            assert_eq!(node.closed(), 0, "{name}: a subscriber that never was is not counted");
            node.assert_empty().await;
        });
    }
}

#[test]
fn a_session_over_polling_that_does_nothing_is_closed_after_ten_seconds() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let client = Client::polling(&node, 0, &["a"]).await;
        tokio::time::sleep(Duration::from_millis(9_999)).await;
        assert!(node.session(client.id).is_some());
        tokio::time::sleep(Duration::from_millis(2) + TICK).await;
        assert!(node.session(client.id).is_none());
        node.assert_empty().await;
    });
}

/// A message in fragments leaves no room for a pong packet, and control frames are none.
#[test]
fn what_is_no_pong_answers_no_ping() {
    type Drip = fn(usize) -> Vec<u8>;
    let rows: [(&str, Drip); 6] = [
        ("nothing", |_| Vec::new()),
        ("an event in fragments of a byte", |number| if number == 0 { frame(0x01, "4") } else { frame(0x00, "2") }),
        ("pings of the websocket", |_| frame(0x89, "")),
        ("pongs of the websocket", |_| frame(0x8a, "2")),
        ("pings of Engine.IO", |_| text("2")),
        ("events", |_| text(r#"42["a"]"#)),
    ];
    for (name, drip) in rows {
        in_virtual_time(async {
            let node = Node::start(1, &config());
            let mut line = Line::connected(&node).await;
            let (frames, times) = line.drips(drip).await;
            let ping = frames.iter().position(|frame| *frame == (0x81, "2".to_owned())).expect("a ping");
            let pinged = times[ping];
            assert!((22.5..25.06).contains(&pinged), "{name}: pinged after {pinged} s");
            assert_eq!(frames.iter().filter(|(first, _)| *first == 0x81).count(), 1, "{name}: one ping, nothing else");
            assert_eq!(frames.last(), Some(&(0x88, String::new())), "{name}");
            is_at(*times.last().unwrap(), pinged + PONG_SECS, name);
            node.assert_closed_for(CloseReason::PingTimeout);
            node.assert_empty().await;
        });
    }
}

#[test]
fn a_pong_that_comes_early_stands_for_no_other() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut line = Line::connected(&node).await;
        line.send(&text("3").repeat(100)).await;
        let pinged = line.ping().await;
        assert!((22.5..25.06).contains(&pinged), "pinged after {pinged} s");
        while line.next().await.is_some() {}
        is_at(line.since.elapsed().as_secs_f64(), pinged + PONG_SECS, "the end");
        node.assert_closed_for(CloseReason::PingTimeout);
        node.assert_empty().await;
    });
}

#[test]
fn a_pong_at_the_last_moment_is_in_time_and_a_second_one_changes_nothing() {
    in_virtual_time(async {
        let node = Node::start(1, &config());
        let mut line = Line::connected(&node).await;
        for pongs in [1, 2, 100] {
            line.ping().await;
            tokio::time::sleep(Duration::from_millis(19_990)).await;
            let answered = line.since.elapsed().as_secs_f64();
            line.send(&text("3").repeat(pongs)).await;
            let pinged = line.ping().await;
            assert!((22.5..25.06).contains(&(pinged - answered)), "{pongs} pongs: {pinged} after {answered}");
            line.send(&text("3")).await;
        }
        drop(line);
        settle().await;
        node.assert_closed_for(CloseReason::ClientClosed);
        node.assert_empty().await;
    });
}

#[test]
fn an_upgrade_that_is_never_finished_is_given_up_after_ten_seconds_and_polling_goes_on() {
    type Drip = fn(usize) -> Vec<u8>;
    let nothing: Drip = |_| Vec::new();
    let probe = || text("2probe");
    let rows: [(&str, Vec<u8>, Drip); 7] = [
        ("nothing", Vec::new(), nothing),
        ("half a head", vec![0x81], nothing),
        ("half a probe", probe()[..9].to_vec(), nothing),
        ("a probe byte by byte", Vec::new(), |number| text("2probe").get(number).copied().into_iter().collect()),
        ("a probe in fragments that never end", frame(0x01, "2"), |_| frame(0x00, "")),
        ("a probe and nothing behind it", probe(), nothing),
        ("a probe, and pings", probe(), |_| frame(0x89, "x")),
    ];
    for (name, first, drip) in rows {
        in_virtual_time(async {
            let node = Node::start(1, &config());
            let mut client = Client::polling(&node, 0, &["a"]).await;
            client.connect(&node).await;
            client.catch_up(&node).await;
            let mut line = Line::candidate(&node, client.id);
            line.send(&first).await;
            let (frames, times) = line.drips(drip).await;
            let is_probed = first.len() == probe().len();
            let texts = frames.iter().filter(|(first, _)| *first == 0x81).map(|(_, text)| text.as_str());
            assert!(texts.eq(is_probed.then_some("3probe")), "{name}: {frames:?}");
            assert!(frames.iter().all(|(first, _)| *first != 0x88), "{name}: cut off, and not closed");
            is_at(*times.last().unwrap(), 10.0, name);
            client.catch_up(&node).await;
            assert_eq!(node.publish("a", 1, 100), Ok(1));
            client.catch_up(&node).await;
            assert_eq!(client.numbers(), [1], "{name}");
            client.open_candidate(&node, 400);
            client.probe().await;
            client.catch_up(&node).await;
            assert!(client.is_on_websocket(), "{name}: the next one may");
            client.hang_up();
            node.assert_empty().await;
        });
    }
}

/// Each pong is three bytes and an item of the queue; pipe and queue hold far fewer than are asked for.
#[test]
fn who_pings_and_reads_nothing_is_owed_the_last_pong_alone() {
    in_virtual_time(async {
        let node = Node::start(1, &Config { queue_bytes_max: 1 << 20, ..config() });
        let mut line = Line::connected(&node).await;
        for _ in 0..100 {
            line.send(&frame(0x89, "x").repeat(1_000)).await;
            settle().await;
        }
        line.send(&frame(0x89, "the last")).await;
        settle().await;
        let mut pongs = 0;
        loop {
            let (first, payload) = line.next().await.expect("a pong, not the end");
            assert_eq!(first, 0x8a);
            if payload == "the last" {
                break;
            }
            pongs += 1;
        }
        assert!((22_000..23_000).contains(&pongs), "{pongs} pongs: 64 KiB of the pipe, and a thousand that wait");
        assert_eq!(node.closed(), 0);
        drop(line);
        settle().await;
        node.assert_empty().await;
    });
}
