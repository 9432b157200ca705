//! What the service manager is told: systemd's notify protocol. Where `NOTIFY_SOCKET` is not set, nothing is.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::runtime::Handle;

/// What a drain may take beyond its own time: the threads end, and the last lines of the log are written.
const END_MARGIN: Duration = Duration::from_secs(10);

/// Every port listens and takes work; `status` is a line for the operator.
pub fn ready(status: &str) {
    tell(&format!("READY=1\nSTATUS={status}\n"));
}

/// A reload has begun; [`ready`] ends it.
pub fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={}{:06}\n", now.tv_sec, now.tv_nsec / 1000));
}

/// A drain has begun, and may take as long as `drain_timeout`, whatever the service manager's own patience.
pub fn stopping(drain_timeout: Duration, status: &str) {
    let longest = (drain_timeout + END_MARGIN).as_micros();
    tell(&format!("STOPPING=1\nSTATUS={status}\nEXTEND_TIMEOUT_USEC={longest}\n"));
}

/// Tells that the process lives, twice in the time in which the service manager wants to hear it, for as long as the
/// runtime of each worker runs what it is given. Returns when one has ended, or at once where nobody wants to hear it.
pub async fn watchdog(workers: Vec<Handle>) {
    if let Some(patience) = watchdog_patience(|name| env::var(name).ok()) {
        while_all_answer(&workers, patience / 2, || tell("WATCHDOG=1\n")).await;
    }
}

/// The time in which the service manager wants to hear of this process; none if of none, or of another.
fn watchdog_patience(variable: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let is_another = variable("WATCHDOG_PID").is_some_and(|pid| pid != std::process::id().to_string());
    let micros: u64 = variable("WATCHDOG_USEC")?.parse().ok()?;
    (!is_another && micros > 0).then(|| Duration::from_micros(micros))
}

async fn while_all_answer(workers: &[Handle], interval: Duration, alive: impl Fn()) {
    loop {
        for worker in workers {
            // A worker that does nothing any more keeps this waiting, and the service manager too.
            if worker.spawn(async {}).await.is_err() {
                return;
            }
        }
        alive();
        tokio::time::sleep(interval).await;
    }
}

fn tell(message: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&name, message) {
        tracing::warn!(%error, "the service manager does not listen at NOTIFY_SOCKET");
    }
}

fn send(name: &OsStr, message: &str) -> io::Result<()> {
    let address = match name.as_bytes() {
        // An abstract socket, which has no file.
        [b'@', name @ ..] => SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()))?,
        _ => SockAddr::unix(name)?,
    };
    Socket::new(Domain::UNIX, Type::DGRAM, None)?.send_to(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests;
