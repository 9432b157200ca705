//! A connection whose HTTP is over: its bytes, and nothing of what HTTP needed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::HeadTimed;
use super::stream::Stream;
use crate::types::stats::GaugeGuard;

/// What a port accepted, once a websocket was agreed on. It counts as a socket until it is dropped.
pub struct RawStream {
    stream: Stream,
    /// What hyper had read already.
    read: Bytes,
    _guard: GaugeGuard,
}

impl RawStream {
    /// Takes a connection back from hyper, with what it has read.
    ///
    /// # Errors
    /// The connection, if no port of this module accepted it.
    pub fn take_back(upgraded: Upgraded) -> Result<Self, Upgraded> {
        let parts = upgraded.downcast::<TokioIo<HeadTimed<Stream, GaugeGuard>>>()?;
        let (stream, guard) = parts.io.into_inner().into_parts();
        // Also an empty rest would keep the buffer that it is a part of.
        let read = if parts.read_buf.is_empty() { Bytes::new() } else { parts.read_buf };
        Ok(Self { stream, read, _guard: guard })
    }
}

impl AsyncRead for RawStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.read.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, into);
        }
        let bytes = into.remaining().min(this.read.len());
        into.put_slice(this.read.get(..bytes).unwrap_or_default());
        this.read.advance(bytes);
        if this.read.is_empty() {
            this.read = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RawStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
