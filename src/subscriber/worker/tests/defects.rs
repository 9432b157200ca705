//! A defect amid a fan-out costs sessions, and no event in silence.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::*;
use crate::subscriber::session::websocket::Link;
use crate::types::CloseReason;

/// A link that panics when it is written to, once it was told to.
struct Defective {
    pipe: DuplexStream,
    panics: Arc<AtomicBool>,
}

impl AsyncRead for Defective {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(context, read)
    }
}

impl AsyncWrite for Defective {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        assert!(!self.panics.load(Ordering::Relaxed), "a defect of the link");
        Pin::new(&mut self.pipe).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(context)
    }
}

/// Nine members of one room, in the order of their places; writing to the fifth panics from the first event on.
async fn crowd(node: &Node) -> Vec<Client> {
    let mut crowd = Vec::new();
    let panics = Arc::<AtomicBool>::default();
    for place in 0..9 {
        let switch = if place == 4 { Arc::clone(&panics) } else { Arc::default() };
        let wrap = |pipe| Box::new(Defective { pipe, panics: switch }) as Box<dyn Link>;
        let mut client = Client::websocket_through(node, 0, &["a"], 4_096, wrap).await;
        client.connect(node).await;
        crowd.push(client);
    }
    panics.store(true, Ordering::Relaxed);
    crowd
}

#[test]
fn a_defect_closes_those_whom_the_event_did_not_reach_and_nobody_else() {
    in_virtual_time(async {
        for slice in [2, 9] {
            let node = Node::start(1, &Config { slice, ..config() });
            let mut members = crowd(&node).await;
            let mut other = Client::websocket(&node, 0, &["b"], 4_096).await;
            let mut late = Client::websocket(&node, 0, &["a"], 4_096).await;
            other.connect(&node).await;
            assert_eq!(node.publish("a", 1, 10), Ok(9));
            // It has joined when the event comes to the defect, and it is not for it.
            node.session(late.id).unwrap().receive("40").unwrap();
            assert_eq!(node.publish("b", 2, 10), Ok(1));
            assert_eq!(node.publish("a", 3, 10), Ok(10));
            settle().await;
            for (place, client) in members.iter_mut().enumerate() {
                client.catch_up(&node).await;
                let hears: &[u64] = if place > 4 { &[1, 3] } else { &[] };
                assert_eq!((client.numbers().as_slice(), client.is_over), (hears, place <= 4), "place {place}");
            }
            for (client, numbers) in [(&mut other, vec![2]), (&mut late, vec![3])] {
                client.catch_up(&node).await;
                assert_eq!(client.numbers(), numbers);
            }
            node.assert_closed_for_each(&[(CloseReason::Defect, 5)]);
            node.close();
            node.assert_empty().await;
        }
    });
}
