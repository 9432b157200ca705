//! A subscriber of the load: connects, checks what it hears, and comes back when it is cut off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;

use super::generator::Shared;
use super::recorder::count_cause;
use super::run::Run;
use crate::cli::client::backoff::Backoff;
use crate::cli::client::{Error, Session};
use crate::types::stats::Gauge;

/// Listens until the run is over. `place` is the subscriber's in its thread's recorder.
pub(crate) async fn listen(run: Arc<Run>, shared: Shared, number: u32, place: usize) {
    let mut session = None;
    tokio::select! {
        biased;
        () = run.over.cancelled() => {}
        () = keep_listening(&run, &shared, number, place, &mut session) => {}
    }
    if let Some(session) = session {
        session.close().await;
    }
}

async fn keep_listening(run: &Run, shared: &Shared, number: u32, place: usize, session: &mut Option<Session>) {
    wait_for_turn(run, number).await;
    let rooms = [run.plan.room_name(run.plan.room_of_subscriber(number))];
    let mut backoff = Backoff::default();
    let mut connected_before = false;
    loop {
        // In a box of its own, so that a connected subscriber does not carry the space of its handshake.
        let ended = match Box::pin(connect(run, number, &rooms)).await {
            Ok(connected) => {
                backoff.reset();
                if std::mem::replace(&mut connected_before, true) {
                    shared.lock().reconnects += 1;
                }
                let _counted = Gauge::enter(&run.counts.subscribers);
                hear(run, shared, place, session.insert(connected)).await
            }
            Err(error) => {
                run.counts.refused.add(error.is_final().into());
                error
            }
        };
        *session = None;
        count_cause(&mut shared.lock().disconnects, &ended);
        tokio::time::sleep(backoff.next()).await;
    }
}

async fn wait_for_turn(run: &Run, number: u32) {
    if run.load.connect_rate > 0.0 {
        let turn = run.epoch + Duration::from_secs_f64(f64::from(number) / run.load.connect_rate);
        tokio::time::sleep_until(turn.into()).await;
    }
}

async fn connect(run: &Run, number: u32, rooms: &[String]) -> Result<Session, Error> {
    let _place = run.dialing.acquire().await.map_err(|_| Error::Protocol("the run is over"))?;
    let dialer = run.consumer(number).ok_or(Error::Protocol("there is no consumer port"))?;
    Session::connect(dialer, run.load.transport, rooms, &run.credential.auth(Utc::now())).await
}

/// Hears events until the session ends; tells why it did.
async fn hear(run: &Run, shared: &Shared, place: usize, session: &mut Session) -> Error {
    loop {
        let event = match session.next().await {
            Ok(event) => event,
            Err(error) => return error,
        };
        let stamp = run.stamper.find(&event);
        let now_ns = run.elapsed_ns(Instant::now());
        if shared.lock().deliver(&run.plan, place, stamp, now_ns) {
            run.counts.received.inc();
        }
    }
}
