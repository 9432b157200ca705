//! A connection that never waits, plain or in TLS.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Interest, Poll, Token};
use rustix::io::Errno;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use socket2::{Domain, Socket, Type};

/// Bytes that are taken from the kernel at once.
const READ_BYTES: usize = 1 << 18;

/// What all connections read into, one after another.
pub struct Scratch {
    raw: Box<[u8]>,
    /// What the last read found.
    pub read: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { raw: vec![0; READ_BYTES].into(), read: Vec::new() }
    }
}

/// A connection. Events of its socket are edges, so each of them asks for [`Link::read`] and [`Link::flush`].
pub struct Link {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    unsent: Vec<u8>,
}

impl Link {
    /// Begins to connect, and takes segments of `mss` bytes at most, if that is given.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn dial(
        addr: SocketAddr,
        mss: Option<u32>,
        tls: Option<Arc<ClientConfig>>,
        poll: &Poll,
        token: Token,
    ) -> anyhow::Result<Self> {
        let mut socket = connect(addr, mss)?;
        poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let connection = |config| ClientConnection::new(config, "localhost".try_into()?).map_err(anyhow::Error::from);
        let mut tls = tls.map(connection).transpose()?.map(Box::new);
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None);
        }
        Ok(Self { socket, tls, unsent: Vec::new() })
    }

    /// What is to be sent with the next [`Link::flush`].
    pub fn unsent(&mut self) -> &mut Vec<u8> {
        &mut self.unsent
    }

    /// Whether its handshake took up an earlier session.
    pub fn is_resumed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// Takes all that has come. False when the other side has closed.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn read(&mut self, scratch: &mut Scratch) -> io::Result<bool> {
        scratch.read.clear();
        loop {
            let read = match self.socket.read(&mut scratch.raw) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let raw = scratch.raw.get(..read).unwrap_or_default();
            match &mut self.tls {
                Some(tls) => {
                    if !decrypt(tls, raw, &mut scratch.read)? {
                        return Ok(false);
                    }
                }
                None => scratch.read.extend_from_slice(raw),
            }
            // Whatever comes later is another edge.
            if read < scratch.raw.len() {
                return Ok(true);
            }
        }
    }

    /// Sends as much as the kernel takes.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            while !self.unsent.is_empty() {
                let Some(sent) = taken(self.socket.write(&self.unsent))? else { return Ok(()) };
                self.unsent.drain(..sent);
            }
            return Ok(());
        };
        if !self.unsent.is_empty() {
            tls.writer().write_all(&self.unsent)?;
            self.unsent.clear();
        }
        while tls.wants_write() {
            if taken(tls.write_tls(&mut self.socket))?.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn connect(addr: SocketAddr, mss: Option<u32>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM.nonblocking(), None)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(mss) = mss {
        socket.set_tcp_mss(mss)?;
    }
    match socket.connect(&addr.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        Ok(()) | Err(_) => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Bytes that were written; none when the kernel takes no more, or the connection is not there yet.
fn taken(written: io::Result<usize>) -> io::Result<Option<usize>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Some(0)),
        Err(error) => Err(error),
    }
}

/// Appends what the records say. False when the other side has said goodbye.
fn decrypt(tls: &mut ClientConnection, mut raw: &[u8], plain: &mut Vec<u8>) -> io::Result<bool> {
    while !raw.is_empty() {
        tls.read_tls(&mut raw)?;
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let start = plain.len();
        plain.resize(start + state.plaintext_bytes_to_read(), 0);
        tls.reader().read_exact(plain.get_mut(start..).unwrap_or_default())?;
        if state.peer_has_closed() {
            return Ok(false);
        }
    }
    Ok(true)
}
