//! A node of workers that run on one thread, under a clock that moves when everybody waits.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;
use tokio::task::LocalSet;

use super::super::*;
use crate::admission::cidr::CidrList;
use crate::admission::config::AuthConfig;
use crate::admission::origin::OriginList;
use crate::admission::{self, Claim, Gate, Grant, Refusal, Seat, UserKey};
use crate::hub::Overloaded;
use crate::subscriber::application::{Application, Deaf};
use crate::subscriber::config::{CONNECT_TIMEOUT, QueuePolicy, SLICE};
use crate::subscriber::session::Socket;
use crate::types::{Clock, EventName, PeerAddr, Publication, RoomName};

/// Everything that serves, and what a test reads of it.
pub(super) struct Node {
    pub(super) hub: Arc<Hub>,
    pub(super) stats: Arc<Stats>,
    pub(super) lifecycle: Lifecycle,
    door: Arc<Turnstile>,
    workers: Vec<Rc<Worker>>,
    commands: Vec<mpsc::UnboundedSender<Command>>,
}

/// A gate without limits that counts whom it let in.
struct Turnstile {
    gate: Arc<Gate>,
    entered: AtomicU64,
    /// For how many milliseconds each user's turn has to be waited for.
    wait: AtomicU64,
}

/// Pings every 25 s, as everybody's defaults; queues of a few events.
pub(super) fn config() -> Config {
    Config {
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        connect_timeout: CONNECT_TIMEOUT,
        payload_bytes_max: 100_000,
        queue_bytes_max: 8 << 10,
        queue_policy: QueuePolicy::Disconnect,
        write_timeout: Duration::from_secs(30),
        tells_codes: true,
        slice: SLICE,
        node_queue_bytes_max: u64::MAX,
    }
}

/// Runs `test` where tasks may be of the thread's own, with a clock that nobody waits for.
pub(super) fn in_virtual_time(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

/// Waits until nobody has anything to do; takes a millisecond of virtual time.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

impl Node {
    pub(super) fn start(workers: u16, config: &Config) -> Self {
        Self::with_inboxes(workers, config, 64 << 20)
    }

    /// A node whose workers take no more than `inbox_bytes` at once.
    pub(super) fn with_inboxes(workers: u16, config: &Config, inbox_bytes: usize) -> Self {
        let application: Arc<dyn Application> = Arc::new(Deaf);
        Self::with_application(workers, config, inbox_bytes, &application)
    }

    /// A node that hears its clients.
    pub(super) fn with_application(
        workers: u16,
        config: &Config,
        inbox_bytes: usize,
        application: &Arc<dyn Application>,
    ) -> Self {
        let stats = Arc::<Stats>::default();
        stats.queues.open(workers.into());
        let hub = Hub::with_inboxes(workers.into(), inbox_bytes, Arc::clone(&stats));
        let gate = Gate::new(open_to_all(), Clock::system(), Arc::clone(&stats));
        let door = Arc::new(Turnstile { gate, entered: AtomicU64::default(), wait: AtomicU64::default() });
        let lifecycle = Lifecycle::default();
        let start = |index| {
            let admission = Arc::clone(&door);
            let application = Arc::clone(application);
            let parts = Door { application, admission, hub: Arc::clone(&hub), stats: Arc::clone(&stats) };
            let worker = Worker::new(index, config.clone(), parts, lifecycle.clone());
            let (commands, mut received) = mpsc::unbounded_channel();
            let running = Rc::clone(&worker);
            // Not by `run`, which goes on after a defect.
            lifecycle.spawn_sessions(async move {
                tokio::join!(running.obey(&mut received), running.fan_out(), running.keep_time());
            });
            (worker, commands)
        };
        let (workers, commands) = (0..workers).map(start).unzip();
        Self { hub, stats, lifecycle, door, workers, commands }
    }

    pub(super) fn ask(&self, worker: u16, command: Command) {
        self.commands[usize::from(worker)].send(command).expect("the worker runs");
    }

    pub(super) fn handshake(&self, rooms: &[String]) -> Handshake {
        let client = self.door.client(PeerAddr::new(SocketAddr::from(([10, 0, 0, 1], 40_000))), &HeaderMap::new());
        let seat = self.door.open(client).expect("there are places");
        let rooms = rooms.into();
        Handshake { client, rooms, origin: None, opened: Instant::now(), was_let_in: false.into(), _seat: seat }
    }

    /// Publishes the event of this number, with so many bytes beside it, and tells the receivers.
    pub(super) fn publish(&self, room: &str, number: u64, bytes: usize) -> Result<usize, Overloaded> {
        let room = RoomName::new(room).unwrap();
        let payload = RawValue::from_string(format!(r#"{{"n":{number},"x":"{}"}}"#, "x".repeat(bytes))).unwrap();
        let publication = Publication { event: EventName::from(&room), room, payload: payload.into() };
        self.hub.deliver(publication).map(|delivered| delivered.receivers)
    }

    /// The session, while it is open.
    pub(super) fn session(&self, id: SessionId) -> Option<Rc<Session>> {
        self.workers[usize::from(id.worker)].session(id)
    }

    pub(super) fn is_joined(&self, id: SessionId) -> bool {
        self.session(id).is_some_and(|session| matches!(session.state.borrow().socket, Socket::Joined(_)))
    }

    /// The rooms that a session is in.
    pub(super) fn rooms_of(&self, id: SessionId) -> Vec<String> {
        let Some(session) = self.session(id) else { return Vec::new() };
        match &session.state.borrow().socket {
            Socket::Joined(joined) => joined.membership.rooms().iter().map(ToString::to_string).collect(),
            Socket::Outside | Socket::Waiting(_) => Vec::new(),
        }
    }

    /// Members of a room in the workers' own tables.
    pub(super) fn members(&self, room: &str) -> usize {
        let room = RoomName::new(room).unwrap();
        self.workers.iter().map(|worker| worker.members.borrow().of(&room).len()).sum()
    }

    /// For how many rooms, and how many members, a worker keeps space.
    pub(super) fn capacity(&self, worker: u16) -> (usize, usize) {
        self.workers[usize::from(worker)].members.borrow().capacity()
    }

    /// For how many sessions a worker keeps space, and how many places it knows to be free.
    pub(super) fn places(&self, worker: u16) -> (usize, usize) {
        let slots = self.workers[usize::from(worker)].sessions.borrow();
        (slots.sessions.capacity(), slots.free.len())
    }

    /// What the sessions' own outboxes say that they are owed.
    pub(super) fn queued(&self) -> u64 {
        let of_session = |session: &Rc<Session>| session.state.borrow().outbox.cost() as u64;
        let of_worker =
            |worker: &Rc<Worker>| worker.sessions.borrow().sessions.iter().flatten().map(of_session).sum::<u64>();
        self.workers.iter().map(of_worker).sum()
    }

    /// From now on each turn has to be waited for.
    pub(super) fn make_wait(&self, wait: u64) {
        self.door.wait.store(wait, Ordering::Relaxed);
    }

    /// How many subscribers were ever let in.
    pub(super) fn entered(&self) -> u64 {
        self.door.entered.load(Ordering::Relaxed)
    }

    /// How many subscribers were ever closed, for whatever reason.
    pub(super) fn closed(&self) -> u64 {
        CloseReason::ALL.iter().map(|reason| self.stats.closes(*reason).get()).sum()
    }

    /// Asserts that a subscriber was closed for this reason, and none for another.
    pub(super) fn assert_closed_for(&self, reason: CloseReason) {
        self.assert_closed_for_each(&[(reason, 1)]);
    }

    /// Asserts how many subscribers were closed for each of these reasons, and that none was for another.
    pub(super) fn assert_closed_for_each(&self, closed: &[(CloseReason, u64)]) {
        for reason in CloseReason::ALL {
            let expected = closed.iter().find(|(other, _)| *other == reason).map_or(0, |(_, closed)| *closed);
            assert_eq!(self.stats.closes(reason).get(), expected, "{}", reason.label());
        }
    }

    /// Closes every session as a drain does, which delivers what was published before.
    pub(super) fn close(&self) {
        for worker in &self.commands {
            let (done, _) = oneshot::channel();
            worker.send(Command::Close(done)).expect("the worker runs");
        }
    }

    /// Asserts that nothing is kept of sessions that are gone, once the last of them is.
    pub(super) async fn assert_empty(&self) {
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!((self.stats.sessions.get(), self.stats.subscribers.get()), (0, 0), "sessions and subscribers");
        assert_eq!(self.stats.queues.bytes(), 0, "queued bytes");
        assert_eq!(self.closed(), self.entered(), "closes are counted once each");
        assert_eq!(self.hub.rooms(), 0, "rooms of the hub");
        for worker in &self.workers {
            assert_eq!(worker.members.borrow().rooms(), 0, "rooms of worker {}", worker.index);
            let slots = worker.sessions.borrow();
            assert_eq!(slots.sessions.iter().flatten().count(), 0, "sessions of worker {}", worker.index);
            assert_eq!(slots.free.len(), slots.sessions.len(), "free places of worker {}", worker.index);
            assert_eq!(slots.sessions.capacity() + slots.free.len(), 0, "space of worker {}", worker.index);
            let space = worker.members.borrow().capacity();
            assert!(space.0 < 4 && space.1 == 0, "space for rooms of worker {}: {space:?}", worker.index);
            assert_eq!(worker.timers.borrow().next(), None, "timers of worker {}", worker.index);
            assert!(worker.under_way.borrow().is_empty(), "something is under way on worker {}", worker.index);
            let inbox = self.hub.inbox(worker.index.into()).unwrap();
            assert_eq!(inbox.bytes(), 0, "bytes of the inbox of worker {}", worker.index);
        }
        let done = tokio::time::timeout(Duration::from_secs(1), self.lifecycle.connections_done()).await;
        assert!(done.is_ok(), "a session's task is left");
    }
}

impl Admission for Turnstile {
    fn browser(&self, peer: PeerAddr, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        self.gate.browser(peer, headers)
    }

    fn client(&self, peer: PeerAddr, headers: &HeaderMap) -> admission::Client {
        self.gate.client(peer, headers)
    }

    fn open(&self, client: admission::Client) -> Result<Seat, Refusal> {
        self.gate.open(client)
    }

    fn connect(&self, claim: Claim<'_>) -> Result<Grant, Refusal> {
        let mut grant = self.gate.connect(claim)?;
        if self.wait.load(Ordering::Relaxed) > 0 {
            grant.users = grant.rooms.iter().cloned().map(UserKey::Room).collect();
        }
        self.entered.fetch_add(1, Ordering::Relaxed);
        Ok(grant)
    }

    fn turn(&self, user: &UserKey) -> Result<(), Duration> {
        match self.wait.load(Ordering::Relaxed) {
            0 => self.gate.turn(user),
            wait => Err(Duration::from_millis(wait)),
        }
    }
}

fn open_to_all() -> admission::Config {
    admission::Config {
        publishers: CidrList::default(),
        origins: OriginList::parse("https://example.com").unwrap(),
        proxy: None,
        publishes_per_second: None,
        auth: AuthConfig::default(),
        rates: None,
        sessions_max: 10_000,
        sessions_per_address_max: None,
        exempt: CidrList::default(),
    }
}
