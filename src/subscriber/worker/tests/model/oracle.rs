//! What must have been heard, and by whom.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;
use super::script::{ROOMS, Script, Step};
use crate::subscriber::Config;
use crate::subscriber::config::SLICE;
use crate::subscriber::outbox::ITEM_BYTES;

/// From one CONNECT to the end of what it opened.
#[derive(Debug, Default)]
struct Stay {
    /// What was published to its rooms meanwhile: the room, and the number.
    published: Vec<(&'static str, u64)>,
    is_over: bool,
}

/// A client, and what it must hear.
struct Member {
    client: Client,
    stays: Vec<Stay>,
    /// It took all that it was sent, and did nothing that ends its session.
    is_good: bool,
}

impl Member {
    fn is_in(&self, room: &str, node: &Node) -> bool {
        // Who sends anything may have named other rooms in a CONNECT.
        let names_it = |rooms: &[String]| rooms.iter().any(|own| own == room);
        let own = &self.client.rooms;
        let is_named = if self.client.is_wild { names_it(&node.rooms_of(self.client.id)) } else { names_it(own) };
        is_named && node.is_joined(self.client.id)
    }
}

/// The node's clients.
pub(super) struct Oracle {
    node: Node,
    members: Vec<Member>,
    /// The room of each event, the first of which has number 1.
    events: Vec<&'static str>,
    /// Whether nothing waits in an inbox for certain.
    is_settled: bool,
    /// Bytes that were published since the clients last took what they are sent.
    burst: usize,
    /// Whether rooms may be served in slices: then one may overtake another.
    has_slices: bool,
    /// What all may be owed together.
    node_bytes: u64,
    step: usize,
}

/// What is published before everybody must have a chance to read: less than a queue, so that none who reads is closed.
const BURST_BYTES: usize = 6 << 10;

impl Oracle {
    /// Plays a script, and checks the contract all the way.
    pub(super) async fn play(script: &Script) {
        let config = Config {
            queue_policy: script.policy,
            slice: script.slice,
            node_queue_bytes_max: script.node_bytes,
            ..config()
        };
        let node = Node::with_inboxes(script.workers, &config, script.inbox_bytes);
        let has_slices = script.slice < SLICE;
        let mut oracle = Self {
            node,
            members: Vec::new(),
            events: Vec::new(),
            is_settled: true,
            burst: 0,
            has_slices,
            node_bytes: script.node_bytes,
            step: 0,
        };
        for step in &script.steps {
            oracle.apply(step).await;
            oracle.observe();
            oracle.check();
            oracle.step += 1;
        }
        oracle.end(script.seed.is_multiple_of(2)).await;
    }

    /// The client that a step names; the last one if it was just opened.
    fn pick(&self, pick: usize) -> usize {
        if pick == usize::MAX { self.members.len() - 1 } else { pick % self.members.len() }
    }

    async fn apply(&mut self, step: &Step) {
        match step {
            Step::Open { worker, rooms, pipe } => {
                let rooms: Vec<_> = rooms.iter().map(|room| ROOMS[*room]).collect();
                let client = match pipe {
                    Some(bytes) => Client::websocket(&self.node, *worker, &rooms, *bytes).await,
                    None => Client::polling(&self.node, *worker, &rooms).await,
                };
                self.members.push(Member { client, stays: Vec::new(), is_good: true });
            }
            Step::Publish { room, count, bytes } => {
                for _ in 0..*count {
                    self.publish(ROOMS[*room], *bytes).await;
                }
            }
            Step::Settle => self.quiet().await,
            Step::Wait { millis } => self.wait(*millis).await,
            Step::Connect(pick) | Step::Leave(pick) => {
                // Which stay an answer belongs to is certain only if none is on its way.
                settle().await;
                self.is_settled = true;
                self.observe();
                let packet = if matches!(step, Step::Connect(_)) { "40" } else { "41" };
                self.send(*pick, packet).await;
            }
            Step::Close(pick) => self.send(*pick, "1").await,
            Step::Garble(pick) => self.send(*pick, "9?").await,
            Step::Send { client, first, bytes } => {
                let index = self.pick(*client);
                let member = &mut self.members[index];
                if !member.client.is_over {
                    member.is_good = false;
                    member.client.send_wildly(&self.node, *first, bytes).await;
                }
            }
            _ => self.act(step).await,
        }
    }

    /// What a client does without a packet.
    async fn act(&mut self, step: &Step) {
        let (Step::Stall { client: pick, .. }
        | Step::Resume(pick)
        | Step::Sip { client: pick, .. }
        | Step::HangUp(pick)
        | Step::Upgrade { client: pick, .. }
        | Step::Probe(pick)
        | Step::Abandon(pick)) = step
        else {
            unreachable!("{step:?} has no client")
        };
        let index = self.pick(*pick);
        let member = &mut self.members[index];
        let client = &mut member.client;
        match step {
            Step::Stall { pongs, .. } => {
                (client.reads, client.pongs) = (false, *pongs);
                member.is_good = false;
            }
            Step::Resume(_) => (client.reads, client.pongs) = (true, true),
            Step::Sip { bytes, .. } => client.sip(*bytes),
            Step::HangUp(_) => {
                client.hang_up();
                member.is_good = false;
            }
            Step::Upgrade { pipe, .. } => client.open_candidate(&self.node, *pipe),
            Step::Probe(_) => {
                member.is_good &= !client.is_late_to_probe();
                client.probe().await;
            }
            _ => client.drop_candidate(),
        }
    }

    async fn send(&mut self, pick: usize, packet: &str) {
        let index = self.pick(pick);
        let (node, member) = (&self.node, &mut self.members[index]);
        if member.client.is_over || packet == "40" && node.is_joined(member.client.id) {
            return;
        }
        member.is_good &= matches!(packet, "40" | "41");
        member.client.send(node, packet).await;
    }

    async fn publish(&mut self, room: &'static str, bytes: usize) {
        if self.burst + bytes > BURST_BYTES {
            self.quiet().await;
        }
        self.observe();
        self.events.push(room);
        let (node, number) = (&self.node, self.events.len() as u64);
        let hears = |member: &&mut Member| member.is_in(room, node);
        let hearers: Vec<_> = self.members.iter_mut().filter(hears).collect();
        match node.publish(room, number, bytes) {
            Ok(receivers) => {
                assert_eq!(receivers, hearers.len(), "receivers of event {number} at step {}", self.step);
                hearers.into_iter().for_each(|member| member.stays.last_mut().unwrap().published.push((room, number)));
                self.burst += bytes + 50 + ITEM_BYTES;
            }
            Err(_) => assert!(!self.is_settled && !hearers.is_empty(), "an empty inbox refused event {number}"),
        }
        self.is_settled = false;
    }

    /// Lets everybody go on until nobody has anything to do.
    async fn quiet(&mut self) {
        for round in 0.. {
            settle().await;
            self.observe();
            let mut has_moved = false;
            for member in &mut self.members {
                has_moved |= member.client.pump(&self.node).await;
            }
            if !has_moved {
                break;
            }
            assert!(round < 10_000, "no end of it at step {}", self.step);
        }
        (self.is_settled, self.burst) = (true, 0);
        self.check_quiet();
    }

    async fn wait(&mut self, millis: u64) {
        let end = tokio::time::Instant::now() + Duration::from_millis(millis);
        while tokio::time::Instant::now() < end {
            let next = tokio::time::Instant::now() + Duration::from_secs(1);
            tokio::time::sleep_until(next.min(end)).await;
            for member in self.members.iter_mut().filter(|member| !member.client.reads && member.client.pongs) {
                member.client.send(&self.node, "3").await;
            }
            self.quiet().await;
        }
    }

    /// Whether nothing ends its session: it did nothing that does, and the node does not have to end some.
    fn is_good(&self, member: &Member) -> bool {
        member.is_good && self.node_bytes == u64::MAX
    }

    /// Takes note of who came and went.
    fn observe(&mut self) {
        for member in &mut self.members {
            let is_joined = self.node.is_joined(member.client.id);
            match member.stays.last_mut().filter(|stay| !stay.is_over) {
                Some(stay) => stay.is_over = !is_joined,
                None if is_joined => member.stays.push(Stay::default()),
                None => {}
            }
        }
    }

    /// What holds at every moment.
    fn check(&self) {
        for (index, member) in self.members.iter().enumerate() {
            if member.client.is_wild {
                self.assert_rising(index);
                continue;
            }
            // Who joined and was gone at once was in no room when anything was published.
            let unseen = member.client.heard.iter().skip(member.stays.len());
            assert!(unseen.map(Vec::len).all(|heard| heard == 0), "client {index} at step {}", self.step);
            for (heard, stay) in member.client.heard.iter().zip(&member.stays) {
                self.assert_heard(index, heard, &stay.published, false);
            }
        }
        let joined = self.members.iter().filter(|member| self.node.is_joined(member.client.id)).count() as u64;
        assert_eq!(self.node.stats.subscribers.get(), joined, "subscribers at step {}", self.step);
        assert_eq!(self.node.stats.queues.bytes(), self.node.queued(), "queued bytes at step {}", self.step);
        assert_eq!(self.node.entered() - self.node.closed(), joined, "closes at step {}", self.step);
    }

    /// What holds besides when nobody has anything to do.
    fn check_quiet(&self) {
        let queued = self.node.stats.queues.bytes();
        assert!(queued <= self.node_bytes, "{queued} bytes are owed at step {}", self.step);
        for (index, member) in self.members.iter().enumerate() {
            let (step, client) = (self.step, &member.client);
            let session = self.node.session(client.id);
            assert!(
                session.is_some() || !self.is_good(member) || member.stays.is_empty(),
                "client {index} was closed by step {step}"
            );
            if !client.reads || client.is_over || client.is_wild {
                continue;
            }
            let Some(session) = session else { panic!("client {index} waits for a closed session at step {step}") };
            assert_eq!(session.state.borrow().outbox.bytes(), 0, "client {index} is owed bytes at step {step}");
            assert_eq!(client.heard.len(), member.stays.len(), "answers to client {index} at step {step}");
            if let Some((heard, stay)) = client.heard.last().zip(member.stays.last()) {
                self.assert_heard(index, heard, &stay.published, !stay.is_over);
            }
        }
        for room in ROOMS {
            let members = self.members.iter().filter(|member| member.is_in(room, &self.node));
            assert_eq!(self.node.members(room), members.count(), "members of {room} at step {}", self.step);
        }
    }

    /// When a client that sends anything came and went is not known for certain, but that it hears nothing twice is. An event
    /// has one room, so numbers that rise in each are all different.
    fn assert_rising(&self, index: usize) {
        let mut last = BTreeMap::new();
        for word in self.members[index].client.heard.iter().flatten() {
            if let Heard::Event(number) = word {
                let place = format!("client {index}, step {}: {number} after {last:?}", self.step);
                let event = usize::try_from(*number).unwrap().checked_sub(1);
                let room = event.and_then(|event| self.events.get(event));
                let room = room.unwrap_or_else(|| panic!("nobody published it: {place}"));
                // With slices, one room may overtake another.
                let before = last.insert(self.has_slices.then_some(*room), *number);
                assert!(before.is_none_or(|before| before < *number), "{place}");
            }
        }
    }

    fn assert_heard(&self, index: usize, heard: &[Heard], published: &[(&str, u64)], all: bool) {
        let place = format!("client {index}, step {}: {heard:?} of {published:?}", self.step);
        let mut left = published.to_vec();
        let (mut skipped, mut dropped) = (0, 0);
        for word in heard {
            match word {
                Heard::Event(number) => {
                    let at = left.iter().position(|(_, left)| left == number);
                    let at = at.unwrap_or_else(|| panic!("event {number} is not for it, or comes late: {place}"));
                    let room = left[at].0;
                    let mut passed: Vec<_> = left.drain(..=at).collect();
                    passed.pop();
                    // What stood before it in its own room was dropped; in others it may still be on its way.
                    let later: Vec<_> =
                        passed.iter().copied().filter(|(other, _)| self.has_slices && *other != room).collect();
                    skipped += passed.len() - later.len();
                    left.splice(..0, later);
                    assert!(skipped <= dropped, "event {number} comes too early: {place}");
                }
                Heard::Gap(events) => dropped += usize::try_from(*events).unwrap(),
            }
        }
        let unheard = skipped + left.len();
        assert!(if all { unheard == dropped } else { unheard >= dropped }, "{place}");
    }

    /// Everybody reads again, or nobody who stalls ever does; then the node is drained, and what was published just before is still heard.
    async fn end(mut self, all_read: bool) {
        for member in self.members.iter_mut().filter(|_| all_read) {
            (member.client.reads, member.client.pongs) = (true, true);
        }
        self.quiet().await;
        for room in ROOMS {
            self.publish(room, 100).await;
        }
        // Who polls hears it only if a request of its waits.
        let hears = |member: &Member| member.client.is_on_websocket() && self.node.is_joined(member.client.id);
        let hearers: Vec<_> = self.members.iter().map(hears).collect();
        self.node.close();
        let waits = |member: &Member| member.client.reads && !member.client.is_over && !member.client.is_wild;
        while self.members.iter().any(waits) {
            settle().await;
            for member in &mut self.members {
                member.client.pump(&self.node).await;
            }
        }
        self.observe();
        self.check();
        for (index, member) in self.members.iter().enumerate().filter(|(index, _)| hearers[*index]) {
            let mut stays = member.client.heard.iter().zip(&member.stays);
            if let Some((heard, stay)) = stays.next_back().filter(|_| self.is_good(member)) {
                self.assert_heard(index, heard, &stay.published, true);
            }
        }
        self.node.assert_empty().await;
    }
}
