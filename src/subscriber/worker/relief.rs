//! What is done when all subscribers of the node together are owed too much: who is owed the most is closed first.

use std::rc::Rc;

use super::Worker;
use crate::subscriber::session::Session;
use crate::types::CloseReason;

impl Worker {
    /// Closes its worst sessions while the node is owed too much, as long as no other worker has a worse one; else it
    /// lets that worker do so.
    pub(super) fn relieve_node(&self) {
        let queues = &self.door.stats.queues;
        let is_too_much = || queues.bytes() > self.config.node_queue_bytes_max;
        if self.queued.bytes() == 0 || !is_too_much() {
            return;
        }
        let mut owed = self.owed();
        while is_too_much() {
            self.queued.set_longest(owed.last().map_or(0, |(bytes, _)| *bytes));
            let Some(worst) = queues.worst_worker() else { return };
            if worst != usize::from(self.index) {
                if let Some(inbox) = self.door.hub.inbox(worst) {
                    inbox.wake();
                }
                return;
            }
            let Some((_, session)) = owed.pop() else { return };
            session.cut_off(CloseReason::QueuesFull);
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
