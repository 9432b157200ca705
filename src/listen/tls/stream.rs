//! The server's side of one TLS connection, over rustls' unbuffered interface. Between records a connection holds no
//! buffer: what is read and written passes through buffers that all connections of a thread share.

use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, InsufficientSizeError, UnbufferedStatus};
use rustls::{ProtocolVersion, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Bytes that are encrypted at once: the payload of one full record (RFC 8446, 5.1).
const RECORD_BYTES_MAX: usize = 16 << 10;

/// What a record may be longer than its payload: 22 bytes of head, content type and tag in TLS 1.3, 29 with a nonce in
/// TLS 1.2; and up to two updates of keys of 27 bytes before it.
const RECORD_OVERHEAD_MAX: usize = 128;

/// Bytes that may wait for the end of a record or of a handshake message. The longest handshake message that rustls
/// takes has 64 KiB, and a record that ends it may carry more behind it.
const RECEIVED_BYTES_MAX: usize = 96 << 10;

/// Bytes that are read at once, beside what waits.
const READ_BYTES: usize = 16 << 10;

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared { read: vec![0; RECEIVED_BYTES_MAX + READ_BYTES], write: Vec::new() });
}

/// The buffers of a thread. They are in use only while a connection is polled.
struct Shared {
    read: Vec<u8>,
    write: Vec<u8>,
}

/// A connection after its handshake.
pub(in crate::listen) struct TlsStream<S> {
    stream: S,
    connection: UnbufferedServerConnection,
    /// The beginning of what is not whole yet: a record, or a handshake message of several.
    received: BytesMut,
    /// Decrypted, and not asked for yet.
    plaintext: BytesMut,
    /// Encrypted, and not taken by the stream yet.
    unsent: BytesMut,
    /// Whether the stream did not take all that it was offered.
    is_blocked: bool,
    /// Whether the peer said that nothing more comes.
    is_at_end: bool,
    /// Whether the peer was told the same.
    said_goodbye: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Shakes hands.
    ///
    /// # Errors
    /// When the stream fails or the peer does not keep to the protocol, which it is then told.
    pub(in crate::listen) async fn accept(config: Arc<ServerConfig>, stream: S) -> io::Result<Self> {
        let mut this = Self {
            stream,
            connection: UnbufferedServerConnection::new(config).map_err(io::Error::other)?,
            received: BytesMut::new(),
            plaintext: BytesMut::new(),
            unsent: BytesMut::new(),
            is_blocked: false,
            is_at_end: false,
            said_goodbye: false,
        };
        std::future::poll_fn(|context| this.poll_handshake(context)).await?;
        // What ends a handshake of TLS 1.3 are tickets, which leave with the first answer.
        if this.connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            this.flush().await?;
        }
        Ok(this)
    }

    /// Sends and receives by turns: a peer may want to be read before it reads.
    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.connection.is_handshaking() {
            if let Poll::Ready(sent) = self.poll_send_unsent(context) {
                sent?;
            }
            let received = ready!(self.poll_receive(context));
            if received.is_err() {
                // Why, as far as the peer takes it.
                let _ = self.poll_send_unsent(context)?;
            }
            if !received? {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once, and takes every record that is whole then. False at the end of the stream.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        SHARED.with_borrow_mut(|shared| {
            let waiting = self.received.len();
            let (head, free) = shared.read.split_at_mut_checked(waiting).unwrap_or_default();
            // No more than a record: what is decrypted and not asked for is the connection's own to keep.
            let free = free.get_mut(..READ_BYTES).unwrap_or_default();
            if waiting > RECEIVED_BYTES_MAX {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a handshake message is too long")));
            }
            let mut read = ReadBuf::new(free);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
            let count = read.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(false));
            }
            head.copy_from_slice(&mem::take(&mut self.received));
            let incoming = shared.read.get_mut(..waiting + count).unwrap_or_default();
            let processed = self.process(incoming);
            let rest = incoming.get(processed.bytes..).unwrap_or_default();
            self.received = BytesMut::from(rest);
            Poll::Ready(processed.result.map(|()| true))
        })
    }

    /// Takes the records of `incoming` that are whole, and puts what they hold and what is to be answered in its place.
    fn process(&mut self, incoming: &mut [u8]) -> Processed {
        let mut bytes = 0;
        let mut result = Ok(());
        loop {
            // Never less than what waits: rustls remembers places in what is not whole yet.
            let rest = incoming.get_mut(bytes..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(rest);
            let mut is_done = false;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                self.plaintext.extend_from_slice(record.payload);
                            }
                            Err(error) => result = Err(invalid(error)),
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let start = self.unsent.len();
                    if let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) =
                        data.encode(&mut [])
                    {
                        self.unsent.resize(start + required_size, 0);
                        let place = self.unsent.get_mut(start..).unwrap_or_default();
                        if let Err(error) = data.encode(place) {
                            result = Err(invalid(error));
                        }
                    }
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    is_done = self.is_at_end;
                    self.is_at_end = true;
                }
                Ok(_) => is_done = true,
                Err(error) => result = Err(invalid(error)),
            }
            bytes += discard;
            // After a fault an alert may be left to send, and nothing more is to be read.
            if is_done || result.is_err() && !self.connection.wants_write() {
                return Processed { bytes, result };
            }
        }
    }

    /// Encrypts one record behind what is unsent, and offers all to the stream.
    fn send(&mut self, context: &mut Context<'_>, plaintext: &[u8]) -> io::Result<()> {
        SHARED.with_borrow_mut(|Shared { write, .. }| {
            write.clear();
            write.extend_from_slice(&mem::take(&mut self.unsent));
            self.encrypt(plaintext, write)?;
            let written = match Pin::new(&mut self.stream).poll_write(context, write) {
                Poll::Ready(written) => written?,
                Poll::Pending => 0,
            };
            let rest = write.get(written..).unwrap_or_default();
            self.is_blocked = !rest.is_empty();
            self.unsent = BytesMut::from(rest);
            Ok(())
        })
    }

    fn encrypt(&mut self, plaintext: &[u8], into: &mut Vec<u8>) -> io::Result<()> {
        let start = into.len();
        into.resize(start + plaintext.len() + RECORD_OVERHEAD_MAX, 0);
        let place = into.get_mut(start..).unwrap_or_default();
        let bytes = match self.connection.process_tls_records(&mut self.received).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => traffic.encrypt(plaintext, place).map_err(invalid)?,
            Ok(_) => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(error) => return Err(invalid(error)),
        };
        into.truncate(start + bytes);
        Ok(())
    }

    /// Tells the peer once that nothing more comes.
    fn say_goodbye(&mut self) -> io::Result<()> {
        if mem::replace(&mut self.said_goodbye, true) {
            return Ok(());
        }
        let mut alert = [0; RECORD_OVERHEAD_MAX];
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) =
            self.connection.process_tls_records(&mut self.received).state
        {
            let bytes = traffic.queue_close_notify(&mut alert).map_err(invalid)?;
            self.unsent.extend_from_slice(alert.get(..bytes).unwrap_or_default());
        }
        Ok(())
    }

    fn poll_send_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        self.unsent = BytesMut::new();
        self.is_blocked = false;
        Poll::Ready(Ok(()))
    }
}

/// How far [`TlsStream::process`] got.
struct Processed {
    /// Bytes that are done with.
    bytes: usize,
    result: io::Result<()>,
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.plaintext.is_empty() {
            if this.is_at_end {
                return Poll::Ready(Ok(()));
            }
            let unsent = this.unsent.len();
            let received = ready!(this.poll_receive(context));
            // An alert, or an answer to an update of keys. It waits for nobody.
            if this.unsent.len() > unsent {
                let _ = this.poll_send_unsent(context)?;
            }
            if !received? {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        let bytes = into.remaining().min(this.plaintext.len());
        into.put_slice(&this.plaintext.split_to(bytes));
        if this.plaintext.is_empty() {
            this.plaintext = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_blocked {
            ready!(this.poll_send_unsent(context))?;
        }
        let record = bytes.get(..RECORD_BYTES_MAX).unwrap_or(bytes);
        this.send(context, record)?;
        Poll::Ready(Ok(record.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send_unsent(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.say_goodbye()?;
        ready!(this.poll_send_unsent(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
