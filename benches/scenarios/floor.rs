//! The floor: the least that a server from publish to fan-out can cost over TCP or TLS, to measure others by.
//!
//! One thread, no protocol beyond a fixed handshake, no pings, no limits, no errors, one write for each recipient. What a
//! gateway costs above it is the price of what it does. It understands what `load` sends and nothing else; what a
//! recipient does not take waits for it without bound.

mod publisher;
mod recipient;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rustls::server::NoServerSessionStorage;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::certificate;
use recipient::Recipient;

/// A connection, plain or not.
trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

/// Who hears what is published to a room.
type Rooms = Rc<RefCell<HashMap<String, Vec<Rc<Recipient>>>>>;

/// Serves until it is killed. With a folder, the ports speak TLS with the certificate there.
///
/// # Errors
/// When a port is taken or the certificate cannot be read.
pub fn serve(producer: SocketAddr, consumer: SocketAddr, folder: Option<&Path>) -> anyhow::Result<()> {
    let tls = folder.map(acceptor).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let rooms = Rooms::default();
        let (producer, consumer) = (TcpListener::bind(producer).await?, TcpListener::bind(consumer).await?);
        loop {
            tokio::select! {
                Ok((socket, _)) = consumer.accept() => run(recipient::serve(socket, tls.clone(), Rc::clone(&rooms))),
                Ok((socket, _)) = producer.accept() => run(publisher::serve(socket, tls.clone(), Rc::clone(&rooms))),
            }
        }
    })
}

#[expect(clippy::disallowed_methods, reason = "its tasks end with its process")]
fn run(connection: impl Future<Output = Option<()>> + 'static) {
    tokio::task::spawn_local(connection);
}

/// TLS as the gateway has it, but for tickets: there are none.
fn acceptor(folder: &Path) -> anyhow::Result<TlsAcceptor> {
    let mut config = certificate::server(folder)?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn open(socket: TcpStream, tls: Option<TlsAcceptor>) -> Option<Box<dyn Wire>> {
    socket.set_nodelay(true).ok()?;
    Some(match tls {
        Some(tls) => Box::new(tls.accept(socket).await.ok()?),
        None => Box::new(socket),
    })
}

/// Reads more of a request; none when the other side has closed.
async fn read_more(wire: &mut Box<dyn Wire>, request: &mut Vec<u8>) -> Option<usize> {
    wire.read_buf(request).await.ok().filter(|read| *read > 0)
}

/// Where the body of a request begins, once the whole of its head is there.
fn head_end(request: &[u8]) -> Option<usize> {
    request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
