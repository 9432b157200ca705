//! A publisher of the load: one connection, one request at a time, on schedule or as fast as the answers come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::check::Outcome;
use super::generator::Shared;
use super::pacer::Pacer;
use super::recorder::count_cause;
use super::run::Run;
use super::stamp::Stamp;
use crate::cli::client::Error;
use crate::cli::client::http::Connection;

/// How long a gateway may take to answer a publish.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two attempts to connect.
const RECONNECT_DELAY: Duration = Duration::from_millis(100);

/// Publishes from the start to the end of the run's duration, then leaves what became of its streams with the recorder.
pub(crate) async fn publish(run: Arc<Run>, shared: Shared, number: u32) {
    let streams = run.plan.streams_of_publisher(number);
    let streams = streams.map(|stream| Stream::new(&run, stream)).collect();
    let mut publisher = Publisher { run: Arc::clone(&run), shared, number, streams, connection: None };
    // A run that is over before it began has nobody to publish to.
    tokio::select! {
        biased;
        () = run.over.cancelled() => return,
        () = publisher.get_ready() => {}
    }
    let mut start = run.start.subscribe();
    let start = tokio::select! {
        biased;
        () = run.over.cancelled() => return,
        start = start.wait_for(Option::is_some) => start.ok().and_then(|start| *start),
    };
    if let Some(start) = start {
        if let Err(error) = publisher.keep_publishing(start).await {
            count_cause(&mut publisher.shared.lock().publish_failures, &error);
        }
        publisher.finish();
    }
}

struct Publisher {
    run: Arc<Run>,
    shared: Shared,
    number: u32,
    streams: Vec<Stream>,
    connection: Option<Connection>,
}

/// One publisher's events for one room.
struct Stream {
    number: u32,
    room: String,
    members: u64,
    outcome: Outcome,
}

impl Stream {
    fn new(run: &Run, number: u32) -> Self {
        let room = run.plan.room_of_stream(number);
        Self {
            number,
            room: run.plan.room_name(room),
            members: run.plan.members(room).into(),
            outcome: Outcome::default(),
        }
    }
}

impl Publisher {
    /// Connects before the clock runs: a handshake is no part of a publish.
    async fn get_ready(&mut self) {
        self.run.subscribed.cancelled().await;
        self.connect().await;
        self.run.counts.publishers_ready.inc();
    }

    async fn keep_publishing(&mut self, start: Instant) -> std::io::Result<()> {
        let run = Arc::clone(&self.run);
        let end = start + run.load.duration;
        let pacer = Pacer::new()?;
        for turn in 0u64.. {
            let due = self.due(start, turn);
            if due >= end {
                break;
            }
            if Instant::now() >= end {
                self.shared.lock().unsent += self.turns_between(due, end);
                break;
            }
            tokio::select! {
                biased;
                () = run.enough.cancelled() => break,
                slept = pacer.sleep_until(due) => slept?,
            }
            // On a slow schedule the gateway may have closed the connection since the last turn.
            self.reconnect_if_closed().await;
            if run.enough.is_cancelled() {
                break;
            }
            self.publish_one(turn, due).await;
        }
        Ok(())
    }

    /// When a turn is due. On schedule that does not depend on the turns before it, so that a gateway which falls
    /// behind is measured from when it should have been asked; in a closed loop it is now.
    fn due(&self, start: Instant, turn: u64) -> Instant {
        if self.run.load.rate > 0.0 {
            let place = turn as f64 * f64::from(self.run.plan.publishers) + f64::from(self.number);
            start + Duration::from_secs_f64(place / self.run.load.rate)
        } else {
            Instant::now()
        }
    }

    /// How many turns are due in a time; none that can be counted in a closed loop.
    fn turns_between(&self, first: Instant, end: Instant) -> u64 {
        let own_rate = self.run.load.rate / f64::from(self.run.plan.publishers);
        (end.saturating_duration_since(first).as_secs_f64() * own_rate).ceil() as u64
    }

    async fn publish_one(&mut self, turn: u64, due: Instant) {
        let place = turn as usize % self.streams.len().max(1);
        let Some(stream) = self.streams.get_mut(place) else { return };
        let sequence = stream.outcome.published;
        let due_ns = self.run.elapsed_ns(due);
        let stamp = Stamp { stream: stream.number, sequence, sent_ns: due_ns };
        let body = self.run.stamper.body(&stream.room, stamp, self.run.load.payload_bytes);
        stream.outcome.published += 1;
        let answered = match &mut self.connection {
            Some(connection) => post(connection, &self.run, body).await,
            None => Err(Error::Closed { reason: String::new() }),
        };
        let now_ns = self.run.elapsed_ns(Instant::now());
        match answered {
            Ok(()) => {
                self.shared.lock().accept(due_ns, now_ns);
                self.run.counts.expected.add(stream.members);
                self.run.counts.accepted.inc();
            }
            Err(error) => {
                stream.outcome.unanswered.push(sequence);
                self.run.counts.failed.inc();
                count_cause(&mut self.shared.lock().publish_failures, &error);
                if !matches!(error, Error::Status { .. } | Error::NotFound { .. }) {
                    self.connection = None;
                }
            }
        }
        self.reconnect_if_closed().await;
    }

    /// A gateway may close a connection after an answer; that is no failure of a publish.
    async fn reconnect_if_closed(&mut self) {
        let usable = match &mut self.connection {
            Some(connection) => connection.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            self.connect().await;
        }
    }

    /// Connects, however often it takes, unless publishing is to end.
    async fn connect(&mut self) {
        while !self.run.enough.is_cancelled() {
            match Box::pin(Connection::open(&self.run.producer)).await {
                Ok(connection) => {
                    self.connection = Some(connection);
                    return;
                }
                Err(error) => {
                    self.run.counts.refused.add(error.is_final().into());
                    count_cause(&mut self.shared.lock().publish_failures, &error);
                }
            }
            tokio::time::sleep(RECONNECT_DELAY).await;
        }
    }

    fn finish(self) {
        let outcomes = self.streams.into_iter().map(|stream| (stream.number, stream.outcome));
        self.shared.lock().outcomes.extend(outcomes);
        self.run.counts.publishers_done.inc();
    }
}

async fn post(connection: &mut Connection, run: &Run, body: String) -> Result<(), Error> {
    let path = run.producer.endpoint().path("/publish");
    let answer = connection.post(&path, "application/json", body.into(), ANSWER_TIMEOUT).await?;
    if answer.head.status == StatusCode::OK {
        Ok(())
    } else {
        Err(Error::status_of("producer", answer.head.status, &answer.body))
    }
}
