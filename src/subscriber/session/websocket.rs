//! A session's websocket: frames in, and the outbox out.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::{End, Session, State, Transport};
use crate::subscriber::outbox::{Item, Outbox};
use crate::subscriber::wire::frame::{self, Decoder, Message, Violation};
use crate::types::CloseReason;

/// Bytes that are read at once, on the stack: no connection keeps a buffer.
const READ_BYTES: usize = 4096;

/// Bytes that are written at once where several items wait; a TLS record holds as many.
const PIECE_BYTES: usize = 16 << 10;

thread_local! {
    /// Where items are put together, for all connections of a thread.
    static PIECE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The bytes of a websocket, once HTTP is done with them.
pub trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// A websocket in use.
pub(in crate::subscriber) struct Websocket {
    link: Box<dyn Link>,
    decoder: Decoder,
    /// Whether the link holds bytes of its own that are to be flushed.
    unflushed: bool,
    /// Of the task that serves it.
    waker: Option<Waker>,
    /// Nothing is read any more; what waits is written, and then it ends.
    closing: bool,
}

impl Websocket {
    pub(in crate::subscriber) fn new(link: Box<dyn Link>, message_bytes_max: usize) -> Self {
        Self { link, decoder: Decoder::new(message_bytes_max), unflushed: false, waker: None, closing: false }
    }

    /// Writes an item at once. What the link does not take is queued, and the serving task goes on with it.
    ///
    /// # Errors
    /// When the link is broken.
    pub(super) fn write_now(&mut self, item: &Item, outbox: &mut Outbox) -> Result<(), End> {
        // Nobody is to be woken by this attempt: the serving task is, below, and tries again with a waker of its own.
        let mut context = Context::from_waker(Waker::noop());
        if self.unflushed {
            outbox.push(item.clone());
            return Ok(());
        }
        let mut written = 0;
        while let Some(rest @ [_, ..]) = item.frame().get(written..) {
            match Pin::new(&mut *self.link).poll_write(&mut context, rest) {
                Poll::Ready(Ok(0)) => return Err(CloseReason::TransportError),
                Poll::Ready(Ok(bytes)) => written += bytes,
                Poll::Ready(Err(error)) => return Err(reason_of(&error)),
                Poll::Pending => break,
            }
        }
        if written < item.frame().len() {
            outbox.push_rest(item.clone(), written);
            self.wake();
            return Ok(());
        }
        match Pin::new(&mut *self.link).poll_flush(&mut context) {
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(error)) => Err(reason_of(&error)),
            Poll::Pending => {
                self.unflushed = true;
                self.wake();
                Ok(())
            }
        }
    }

    /// Whether everything was taken that was written.
    pub(super) fn is_idle(&self, outbox: &Outbox) -> bool {
        outbox.is_empty() && !self.unflushed
    }

    /// Writes what waits before anything else, in as few pieces as it fits into.
    fn poll_flush(&mut self, outbox: &mut Outbox, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !outbox.is_empty() {
            let written = ready!(PIECE.with_borrow_mut(|piece| {
                let bytes = outbox.piece(PIECE_BYTES, piece);
                Pin::new(&mut *self.link).poll_write(context, bytes)
            }))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            outbox.advance(written);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut *self.link).poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads nothing more, and ends when what waits is written.
    pub(super) fn close(&mut self, code: Option<u16>, outbox: &mut Outbox) {
        outbox.push(Item::control(frame::close(code)));
        self.closing = true;
        self.wake();
    }

    /// Lets the serving task look at it again.
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>, messages: &mut Vec<Message>) -> Poll<Result<(), Broken>> {
        let mut buffer = [0; READ_BYTES];
        let mut read = ReadBuf::new(&mut buffer);
        if let Err(error) = ready!(Pin::new(&mut *self.link).poll_read(context, &mut read)) {
            return Poll::Ready(Err(Broken::Link(reason_of(&error))));
        }
        let mut bytes = read.filled();
        if bytes.is_empty() {
            return Poll::Ready(Err(Broken::Link(CloseReason::ClientClosed)));
        }
        loop {
            match self.decoder.next(&mut bytes) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return Poll::Ready(Ok(())),
                Err(violation) => return Poll::Ready(Err(Broken::Rules(violation))),
            }
        }
    }
}

/// Why nothing more can be read.
enum Broken {
    Link(CloseReason),
    Rules(Violation),
}

/// Why a session ends whose link is broken. The system gives a peer up that takes nothing (`TCP_USER_TIMEOUT`) after the
/// same time as the session's own timer.
fn reason_of(error: &io::Error) -> CloseReason {
    if error.kind() == io::ErrorKind::TimedOut { CloseReason::WriteTimeout } else { CloseReason::TransportError }
}

/// Serves a session's websocket until both are over.
pub(in crate::subscriber) async fn serve(session: Rc<Session>) {
    let served = Served(session);
    poll_fn(|context| served.0.poll_websocket(context)).await;
    served.0.end(CloseReason::TransportError);
}

/// A session whose websocket is served. If a defect ends the task that does so, the session ends too.
struct Served(Rc<Session>);

impl Drop for Served {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(CloseReason::Defect);
        }
    }
}

impl Session {
    /// Closes what is not closed yet, and gives everything back.
    fn end(self: &Rc<Self>, reason: CloseReason) {
        self.close(reason);
        self.state.borrow_mut().end_transport();
        if let Some(worker) = self.worker.upgrade() {
            worker.forget(self.id);
        }
    }

    fn poll_websocket(self: &Rc<Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut messages = Vec::new();
        loop {
            let read = {
                let mut state = self.state.borrow_mut();
                let State { transport: Transport::Websocket(websocket), outbox, stalled_since, .. } = &mut *state
                else {
                    return Poll::Ready(());
                };
                websocket.waker = Some(context.waker().clone());
                let waiting = outbox.bytes();
                let flushed = websocket.poll_flush(outbox, context);
                if websocket.is_idle(outbox) {
                    *stalled_since = None;
                } else if outbox.bytes() < waiting {
                    *stalled_since = Some(Instant::now());
                }
                match flushed {
                    Poll::Ready(Ok(())) if websocket.closing => {
                        return Pin::new(&mut *websocket.link).poll_shutdown(context).map(|_| ());
                    }
                    Poll::Ready(Err(error)) => {
                        drop(state);
                        self.close(reason_of(&error));
                        return Poll::Ready(());
                    }
                    Poll::Ready(Ok(())) | Poll::Pending => {}
                }
                if websocket.closing {
                    return Poll::Pending;
                }
                websocket.poll_read(context, &mut messages)
            };
            for message in messages.drain(..) {
                // Who closes is answered with its own code (RFC 6455, 5.5.1).
                let code = if let Message::Close(code) = message { code } else { None };
                if let Err(reason) = self.receive_message(message) {
                    self.close_with(reason, code);
                    break;
                }
            }
            match read {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(Broken::Link(reason))) => {
                    self.close(reason);
                    return Poll::Ready(());
                }
                Poll::Ready(Err(Broken::Rules(violation))) => {
                    self.close_with(CloseReason::ProtocolError, Some(violation.close_code()));
                }
                Poll::Pending if self.is_closed() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn receive_message(self: &Rc<Self>, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => self.receive(&text),
            Message::Binary(bytes) => self.receive_binary(bytes.into()),
            Message::Ping(payload) => self.push(Item::pong(&payload)),
            Message::Pong => Ok(()),
            Message::Close(_) => Err(CloseReason::ClientClosed),
        }
    }
}
