//! What is done when all subscribers of the node together are owed too much: who is owed the most is closed first.

use std::rc::Rc;

use super::Worker;
use crate::subscriber::session::Session;
use crate::types::CloseReason;

impl Worker {
    /// Closes its worst sessions while the node is owed too much, as long as no other worker has a worse one; else it
    /// lets that worker look.
    pub(super) fn relieve_node(&self) {
        let queues = &self.door.stats.queues;
        if self.queued.bytes() == 0 {
            if self.queued.longest() == 0 {
                return;
            }
            self.queued.set_longest(0);
        }
        let mut owed = None;
        while queues.bytes() > self.config.node_queue_bytes_max
            && let Some(worst) = queues.worst_worker()
        {
            if worst != usize::from(self.index) {
                if let Some(inbox) = self.door.hub.inbox(worst) {
                    inbox.wake();
                }
                return;
            }
            // How long its longest queue is, it knows for certain only when it has looked.
            match &mut owed {
                None => owed = Some(self.owed()),
                Some(owed) => {
                    let Some((_, session)) = owed.pop() else { return };
                    session.cut_off(CloseReason::QueuesFull);
                }
            }
            self.queued.set_longest(owed.iter().flatten().last().map_or(0, |(bytes, _)| *bytes));
        }
    }

    /// Has the worker look soon whether the node is owed too much.
    pub(in crate::subscriber) fn ask_for_relief(&self) {
        if self.queued.bytes() > 0
            && self.door.stats.queues.bytes() > self.config.node_queue_bytes_max
            && let Some(inbox) = self.door.hub.inbox(self.index.into())
        {
            inbox.wake();
        }
    }

    /// The sessions that are owed anything, and how much, the worst of them last.
    fn owed(&self) -> Vec<(u64, Rc<Session>)> {
        let sessions = self.sessions.borrow();
        let owed = |session: &Rc<Session>| (session.state.borrow().outbox.cost() as u64, Rc::clone(session));
        let mut owed: Vec<_> = sessions.sessions.iter().flatten().map(owed).filter(|(bytes, _)| *bytes > 0).collect();
        owed.sort_unstable_by_key(|(bytes, _)| *bytes);
        owed
    }
}
