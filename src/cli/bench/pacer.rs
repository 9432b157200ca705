//! A timer that keeps to microseconds. The runtime's own counts in milliseconds, which is longer than a delivery takes.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// One timer, for one waiting task.
pub(crate) struct Pacer(AsyncFd<OwnedFd>);

impl Pacer {
    /// Makes a timer.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub(crate) fn new() -> io::Result<Self> {
        #![expect(deprecated, reason = "its successor is unsafe, for files that others may close; this one is owned")]
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self(AsyncFd::new(timer)?))
    }

    /// Waits until `due`; not at all if that has passed.
    ///
    /// # Errors
    /// When the kernel refuses the timer.
    pub(crate) async fn sleep_until(&self, due: Instant) -> io::Result<()> {
        let wait = due.saturating_duration_since(Instant::now());
        // A timer of zero would be no timer at all.
        if wait.is_zero() {
            return Ok(());
        }
        let it_value = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut expirations = [0; 8];
            if let Ok(read) = ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?)) {
                return read.map(|_| ());
            }
        }
    }
}

#[cfg(test)]
mod tests;
