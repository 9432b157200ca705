//! The end of a session whose queue is needed for others: at once, and without what it was owed.

use std::rc::Rc;

use super::{Session, Transport};
use crate::types::CloseReason;

impl Session {
    /// Ends the session and gives up what it is owed, all at once.
    pub(in crate::subscriber) fn cut_off(self: &Rc<Self>, reason: CloseReason) {
        self.leave(reason);
        let Some(worker) = self.worker.upgrade() else { return };
        let mut state = self.state.borrow_mut();
        state.handshake = None;
        state.waiter = None;
        state.close_deadline = None;
        if let Transport::Websocket(websocket) = &mut state.transport {
            // Who serves it gives its place back.
            websocket.wake();
        }
        let is_served = matches!(state.transport, Transport::Websocket(_));
        state.end_transport();
        drop(state);
        if !is_served {
            worker.forget(self.id);
        }
    }
}
