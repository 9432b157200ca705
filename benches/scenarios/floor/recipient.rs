//! A subscriber of the floor's: it is welcomed without being asked anything, and written to.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Rooms, Wire, head_end, open, read_more};

/// Agrees to the one key that `load` shows, and opens a session without a name.
const WELCOME: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x0b0{\"sid\":\"\"}";
/// Lets the client in, whatever its packet says.
const CONNECTED: &[u8] = b"\x81\x0c40{\"sid\":\"\"}";

/// A connection that is written to.
pub struct Recipient {
    wire: RefCell<Box<dyn Wire>>,
    /// What it did not take.
    owed: RefCell<Vec<u8>>,
    /// Wakes the task that reads, and writes what is owed.
    waker: RefCell<Waker>,
    closed: Cell<bool>,
}

/// Serves a connection to its end.
pub(super) async fn serve(socket: TcpStream, tls: Option<TlsAcceptor>, rooms: Rooms) -> Option<()> {
    // In a box of its own, so that the task of an idle connection is small.
    let (room, wire) = Box::pin(welcome(socket, tls)).await?;
    let recipient = Rc::new(Recipient {
        wire: RefCell::new(wire),
        owed: RefCell::default(),
        waker: RefCell::new(Waker::noop().clone()),
        closed: Cell::new(false),
    });
    rooms.borrow_mut().entry(room).or_default().push(Rc::clone(&recipient));
    poll_fn(|context| recipient.poll(context)).await;
    Some(())
}

async fn welcome(socket: TcpStream, tls: Option<TlsAcceptor>) -> Option<(String, Box<dyn Wire>)> {
    let mut wire = open(socket, tls).await?;
    let mut request = Vec::with_capacity(1024);
    while head_end(&request).is_none() {
        read_more(&mut wire, &mut request).await?;
    }
    let text = String::from_utf8(request).ok()?;
    let room = text.split("uniqueUserId=").nth(1)?.split([' ', '&']).next()?.to_owned();
    wire.write_all(WELCOME).await.ok()?;
    wire.flush().await.ok()?;
    read_more(&mut wire, &mut Vec::with_capacity(512)).await?;
    wire.write_all(CONNECTED).await.ok()?;
    wire.flush().await.ok()?;
    Some((room, wire))
}

impl Recipient {
    /// Writes a frame, or as much of it as is taken at once.
    pub(super) fn write(&self, frame: &[u8]) {
        if self.closed.get() {
            return;
        }
        let mut owed = self.owed.borrow_mut();
        let waker = self.waker.borrow();
        let mut context = Context::from_waker(&waker);
        let mut wire = self.wire.borrow_mut();
        let mut rest = frame;
        while owed.is_empty() && !rest.is_empty() {
            match Pin::new(&mut **wire).poll_write(&mut context, rest) {
                Poll::Ready(Ok(written)) => rest = rest.get(written..).unwrap_or_default(),
                Poll::Ready(Err(_)) => return self.closed.set(true),
                Poll::Pending => break,
            }
        }
        owed.extend_from_slice(rest);
        let _ = Pin::new(&mut **wire).poll_flush(&mut context); // goes on when the task is woken
    }

    /// Ready when the client has gone.
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        self.waker.borrow_mut().clone_from(context.waker());
        let mut wire = self.wire.borrow_mut();
        let mut owed = self.owed.borrow_mut();
        let mut space = [0; 64];
        loop {
            let mut read = ReadBuf::new(&mut space);
            match Pin::new(&mut **wire).poll_read(context, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                Poll::Ready(_) => {
                    self.closed.set(true);
                    return Poll::Ready(());
                }
                Poll::Pending => break,
            }
        }
        while !owed.is_empty() {
            match Pin::new(&mut **wire).poll_write(context, &owed) {
                Poll::Ready(Ok(written)) => _ = owed.drain(..written),
                Poll::Ready(Err(_)) => {
                    self.closed.set(true);
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        let _ = Pin::new(&mut **wire).poll_flush(context);
        Poll::Pending
    }
}
