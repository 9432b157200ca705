//! A request head arrives whole within ten seconds of its first byte, however slowly its bytes come.
//!
//! hyper's own timer covers the wait for the first byte, which may last as long as an idle connection may; here stands
//! the shorter one for the head itself. The stream sees bytes and the service sees requests, so they share a [`Phase`].

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;

/// From a head's first byte to its last; for the first request, from the end of the handshake.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

const AWAITING: u8 = 0;
const READING: u8 = 1;
const ANSWERING: u8 = 2;
const UPGRADED: u8 = 3;

/// Where a connection stands: awaiting a request, reading its head, answering it, or no longer HTTP.
#[derive(Clone, Debug)]
pub struct Phase(Arc<AtomicU8>);

impl Phase {
    fn new() -> Self {
        Self(Arc::new(AtomicU8::new(READING)))
    }

    /// The head is complete.
    pub fn answering(&self) {
        self.0.store(ANSWERING, Ordering::Relaxed);
    }

    /// The answer is decided; what comes next is another request.
    pub fn awaiting(&self) {
        self.0.store(AWAITING, Ordering::Relaxed);
    }

    /// The connection is a websocket from here on.
    pub fn upgraded(&self) {
        self.0.store(UPGRADED, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream whose reads fail when a request head takes too long, and yield nothing more when transports are being
/// closed.
#[derive(Debug)]
pub(super) struct HeadTimed<S, G> {
    stream: S,
    phase: Phase,
    timer: Option<Pin<Box<Sleep>>>,
    closing: CancellationToken,
    guard: G,
}

impl<S, G> HeadTimed<S, G> {
    /// Wraps `stream`; `guard` is dropped with it. Once `closing` is cancelled, no further request or frame is read.
    pub(super) fn new(stream: S, closing: CancellationToken, guard: G) -> Self {
        Self { stream, phase: Phase::new(), timer: None, closing, guard }
    }

    /// The stream and the guard, when its HTTP is over.
    pub(super) fn into_parts(self) -> (S, G) {
        (self.stream, self.guard)
    }

    /// The phase, for the service of this connection.
    pub(super) fn phase(&self) -> Phase {
        self.phase.clone()
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(HEAD_TIMEOUT)));
        timer.as_mut().poll(cx)
    }
}

impl<S: AsyncRead + Unpin, G: Unpin> AsyncRead for HeadTimed<S, G> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let phase = this.phase.get();
        if phase != ANSWERING && this.closing.is_cancelled() {
            // The end of a websocket's input would end its session at once, with events that are still to be written.
            // Whoever closes it writes them first.
            return if phase == UPGRADED { Poll::Pending } else { Poll::Ready(Ok(())) };
        }
        if phase == READING {
            if this.poll_overdue(cx).is_ready() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "request head overdue")));
            }
        } else {
            this.timer = None;
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if phase == AWAITING && buf.filled().len() > before {
            this.phase.0.store(READING, Ordering::Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin, G: Unpin> AsyncWrite for HeadTimed<S, G> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
