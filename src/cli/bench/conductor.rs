//! Leads a run through its phases: connect, settle, get the publishers ready, publish, drain, and counts what each of them cost.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use indicatif::HumanCount;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::generator;
use super::process::{Usage, usage};
use super::progress::Progress;
use super::recorder::Recorder;
use super::report::Report;
use super::run::Run;

/// Between two looks at the counters.
const TICK: Duration = Duration::from_millis(20);
/// How long nothing may arrive before a drain ends that cannot know what it waits for.
const DRAIN_QUIET: Duration = Duration::from_secs(1);
/// After the end of publishing, when a publisher that still cannot connect is told to stop.
const PUBLISHER_GRACE: Duration = Duration::from_secs(1);

/// How long the phases that wait may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until all subscribers are connected, and then again until all publishers are.
    pub(crate) connect: Duration,
    /// For memory to settle; all of it is taken.
    pub(crate) settle: Duration,
    /// For deliveries after the last publish.
    pub(crate) drain: Duration,
}

/// Readings of the server at the borders of the phases.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerUsage {
    /// Before the first connect.
    pub(crate) before: Usage,
    /// When the last subscriber was connected.
    pub(crate) connected: Usage,
    /// When memory had settled.
    pub(crate) settled: Usage,
    /// After the drain.
    pub(crate) end: Usage,
    /// The most memory that was seen, in KiB.
    pub(crate) rss_peak_kib: u64,
}

/// What a run's phases yielded, apart from what its subscribers and publishers recorded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Course {
    /// Subscribers that were connected at the end of the connect phase.
    pub(crate) connected: u64,
    /// How long connecting took.
    pub(crate) connect: Duration,
    /// When publishing began.
    pub(crate) start: Option<Instant>,
    /// How long publishing and draining took.
    pub(crate) publish: Duration,
    /// The server, if its processes were named.
    pub(crate) server: Option<ServerUsage>,
    /// CPU time of this process while publishing and draining, in seconds.
    pub(crate) generator_cpu_s: f64,
    /// Whether the run was cut short.
    pub(crate) interrupted: bool,
}

type Thread = JoinHandle<anyhow::Result<Recorder>>;

/// Leads one run.
pub(crate) struct Conductor {
    run: Arc<Run>,
    pids: Vec<u32>,
    interrupt: Signal,
    progress: Progress,
    threads: Vec<Thread>,
    course: Course,
}

impl Conductor {
    /// Takes the first reading of the server.
    ///
    /// # Errors
    /// When a process of `pids` is not there.
    pub(crate) fn new(run: Run, pids: Vec<u32>) -> anyhow::Result<Self> {
        let before = usage(&pids).context("--pid")?;
        let server = ServerUsage { before, rss_peak_kib: before.rss_kib, ..ServerUsage::default() };
        Ok(Self {
            run: Arc::new(run),
            course: Course { server: (!pids.is_empty()).then_some(server), ..Course::default() },
            pids,
            interrupt: signal(SignalKind::interrupt())?,
            progress: Progress::new(),
            threads: Vec::new(),
        })
    }

    /// Conducts the run to its report.
    ///
    /// # Errors
    /// When a thread of the generator fails.
    pub(crate) async fn conduct(mut self, threads: u32, limits: Limits) -> anyhow::Result<Report> {
        for index in 0..threads {
            self.threads.push(generator::spawn(Arc::clone(&self.run), index, threads)?);
        }
        if self.connect(limits.connect).await {
            self.settle(limits.settle).await;
            if self.prepare_publishers(limits.connect).await {
                self.publish(limits.drain).await;
            }
        }
        self.progress.clear();
        self.run.enough.cancel();
        self.run.over.cancel();
        let recorder = merge(self.threads).await?;
        Ok(Report::new(&self.run, &self.course, &recorder))
    }

    /// Waits until all subscribers are connected; false when that takes too long, is refused, or is interrupted.
    async fn connect(&mut self, limit: Duration) -> bool {
        let all = u64::from(self.run.plan.subscribers);
        let complete = loop {
            let counts = &self.run.counts;
            self.course.connected = counts.subscribers.get();
            let refused = counts.refused.get() > 0;
            let complete = self.course.connected == all;
            self.course.connect = self.run.epoch.elapsed();
            let message = format!("{} of {}", HumanCount(self.course.connected), HumanCount(all));
            self.progress.show("connecting", self.course.connected, all, &message);
            if complete || refused || self.course.connect > limit || self.tick().await {
                break complete;
            }
        };
        self.read(|server, usage| server.connected = usage);
        complete
    }

    async fn settle(&mut self, settle: Duration) {
        let end = Instant::now() + settle;
        while Instant::now() < end && !self.tick().await {
            self.progress.show("settling", 0, 1, &"");
        }
    }

    /// Connects the publishers, and only now: a gateway soon closes a connection on which no request comes. False when
    /// that takes too long, cannot succeed, or is interrupted.
    async fn prepare_publishers(&mut self, limit: Duration) -> bool {
        let (begin, all) = (Instant::now(), u64::from(self.run.publishers()));
        self.run.subscribed.cancel();
        let complete = loop {
            let counts = &self.run.counts;
            let (ready, refused) = (counts.publishers_ready.get(), counts.refused.get() > 0);
            if ready == all || refused || begin.elapsed() > limit {
                break ready == all;
            }
            self.progress.show("connecting", ready, all, &format!("{ready} of {all} publishers"));
            if self.tick().await {
                break false;
            }
        };
        self.read(|server, usage| server.settled = usage);
        complete
    }

    async fn publish(&mut self, drain: Duration) {
        let (start, own) = (Instant::now(), own_cpu_s());
        self.course.start = Some(start);
        self.run.start.send_replace(Some(start));
        let (duration, publishers) = (self.run.load.duration, u64::from(self.run.publishers()));
        while self.run.counts.publishers_done.get() < publishers {
            let message = self.publish_message();
            self.progress.show("publishing", start.elapsed().as_millis() as u64, duration.as_millis() as u64, &message);
            let cut_short = self.tick().await;
            if cut_short || start.elapsed() > duration + PUBLISHER_GRACE {
                self.run.enough.cancel();
            }
            if self.threads.iter().any(JoinHandle::is_finished) {
                break;
            }
        }
        self.drain(drain).await;
        self.course.publish = start.elapsed();
        self.course.generator_cpu_s = own_cpu_s() - own;
        self.read(|server, usage| server.end = usage);
    }

    /// Waits for what is on its way. A publish without an answer may arrive or not: then only silence tells the end.
    async fn drain(&mut self, limit: Duration) {
        let counts = &self.run.counts;
        let (begin, certain) = (Instant::now(), counts.failed.get() == 0);
        let (expected, mut heard, mut heard_at) = (counts.expected.get(), 0, begin);
        while begin.elapsed() < limit {
            let received = self.run.counts.received.get();
            if received != heard {
                (heard, heard_at) = (received, Instant::now());
            }
            if received >= expected && (certain || heard_at.elapsed() > DRAIN_QUIET) {
                return;
            }
            self.progress.show("draining", received, expected, &self.publish_message());
            if self.tick().await {
                return;
            }
        }
    }

    fn publish_message(&self) -> String {
        let counts = &self.run.counts;
        format!("{} publishes, {} deliveries", HumanCount(counts.accepted.get()), HumanCount(counts.received.get()))
    }

    /// Waits a moment and watches the server's memory. True when the run is interrupted.
    async fn tick(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => self.course.interrupted = true,
            () = tokio::time::sleep(TICK) => {}
        }
        self.read(|_, _| {});
        self.course.interrupted
    }

    /// Takes a reading; a server that is gone keeps its last.
    fn read(&mut self, note: impl FnOnce(&mut ServerUsage, Usage)) {
        if let (Some(server), Ok(usage)) = (&mut self.course.server, usage(&self.pids)) {
            server.rss_peak_kib = server.rss_peak_kib.max(usage.rss_kib);
            note(server, usage);
        }
    }
}

fn own_cpu_s() -> f64 {
    usage(&[std::process::id()]).unwrap_or_default().cpu_s
}

async fn merge(threads: Vec<Thread>) -> anyhow::Result<Recorder> {
    let mut merged: Option<Recorder> = None;
    for thread in threads {
        let joined = tokio::task::spawn_blocking(|| thread.join()).await?;
        let recorder = joined.map_err(|_| anyhow!("a thread of the generator failed"))??;
        match &mut merged {
            None => merged = Some(recorder),
            Some(merged) => merged.merge(recorder)?,
        }
    }
    merged.context("there was no thread")
}
