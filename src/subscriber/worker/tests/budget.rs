//! However many are written to in one go, none of the writes is put off.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{self, Context, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

use super::super::*;
use super::{Node, config, in_virtual_time, settle};

/// Writes that were taken, and those that were put off.
#[derive(Default)]
struct Writes {
    taken: AtomicUsize,
    put_off: AtomicUsize,
}

impl Writes {
    fn count(&self) -> (usize, usize) {
        (self.taken.load(Ordering::Relaxed), self.put_off.load(Ordering::Relaxed))
    }
}

struct Counted(DuplexStream, Arc<Writes>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> task::Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(context, bytes);
        let count = if written.is_ready() { &self.1.taken } else { &self.1.put_off };
        count.fetch_add(1, Ordering::Relaxed);
        task::Poll::Ready(ready!(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> task::Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[test]
fn answers_and_pings_of_a_crowd_are_written_at_once() {
    in_virtual_time(async {
        // Whenever between 90 and 100 ms a ping is due, the tick is the same.
        let node = Node::start(1, &Config { ping_interval: Duration::from_millis(100), ..config() });
        let writes = Arc::<Writes>::default();
        let mut clients = Vec::new();
        for _ in 0..500 {
            let (near, far) = duplex(1_000);
            clients.push(near);
            node.ask(0, Command::OpenWebsocket(node.handshake(&[]), Box::new(Counted(far, Arc::clone(&writes)))));
        }
        settle().await;
        assert_eq!(writes.count(), (500, 0), "open packets");
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(writes.count(), (1_000, 0), "pings");
        drop(clients);
        node.assert_empty().await;
    });
}
