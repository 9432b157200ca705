//! What a client and the application say to each other: events whole with their attachments, and namespaces besides `/`.

use std::iter::once;
use std::rc::Rc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::connect::{connect_error, refused};
use super::{End, Session, Socket, State};
use crate::subscriber::application::{Answers, Event, Message};
use crate::subscriber::outbox::Item;
use crate::subscriber::wire::packet::SocketPacket;
use crate::subscriber::worker::Worker;
use crate::types::CloseReason;

/// What is kept of a conversation. A session whose application hears nothing has none.
#[derive(Default)]
pub(super) struct Conversation {
    /// The application's namespaces that the client is in.
    namespaces: Vec<&'static str>,
    /// What follows the answer to a CONNECT that waits for its turn.
    greeting: Vec<Item>,
    /// An event whose attachments are still to come.
    unfinished: Option<Unfinished>,
}

/// An event without all of its attachments.
struct Unfinished {
    packet: Box<str>,
    attachments: Vec<Bytes>,
    /// Bytes that further attachments may have.
    bytes_left: usize,
}

impl Conversation {
    fn is_idle(&self) -> bool {
        self.namespaces.is_empty() && self.greeting.is_empty() && self.unfinished.is_none()
    }
}

impl Session {
    /// Takes the text of one Engine.IO message.
    ///
    /// # Errors
    /// When the session ends with it.
    pub(super) fn receive_text(self: &Rc<Self>, text: &str) -> Result<(), End> {
        if self.is_taken(Message::Text(text))? { Ok(()) } else { self.receive_packet(text) }
    }

    /// Takes one binary message of the client: it must belong to an event.
    ///
    /// # Errors
    /// When no event waits for it, or its attachments are too big, or the session ends with it.
    pub(super) fn receive_binary(&self, bytes: Bytes) -> Result<(), End> {
        if self.is_taken(Message::Binary(&bytes))? {
            return Ok(());
        }
        let whole = {
            let mut state = self.state.borrow_mut();
            let State { attachments_left, conversation, .. } = &mut *state;
            *attachments_left = attachments_left.checked_sub(1).ok_or(CloseReason::ProtocolError)?;
            let Some(talk) = conversation else { return Ok(()) };
            let Some(event) = &mut talk.unfinished else { return Ok(()) };
            event.bytes_left = event.bytes_left.checked_sub(bytes.len()).ok_or(CloseReason::ProtocolError)?;
            event.attachments.push(bytes);
            if *attachments_left > 0 {
                return Ok(());
            }
            let whole = talk.unfinished.take();
            if talk.is_idle() {
                *conversation = None;
            }
            whole
        };
        let Some(Unfinished { packet, attachments, .. }) = whole else { return Ok(()) };
        self.tell(&SocketPacket::read(&packet)?, &attachments)
    }

    /// Offers a message to the application, and says whether it took it.
    fn is_taken(&self, message: Message<'_>) -> Result<bool, End> {
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        let mut answers = Answers::new("/", None);
        let is_taken = worker.door.application.take_message(message, &mut answers);
        if !answers.items.is_empty() {
            self.answer(answers.items.into_iter())?;
        }
        Ok(is_taken)
    }

    /// Takes an event, or what its attachments will complete. `text` is that of the packet.
    pub(super) fn receive_event(&self, packet: &SocketPacket<'_>, text: &str, attachments: u8) -> Result<(), End> {
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        self.state.borrow_mut().attachments_left = attachments;
        let listens = |name: &str| worker.door.application.listens_to(packet.namespace, name);
        if packet.event.as_ref().is_none_or(|event| !listens(&event.name)) || !self.is_in(packet.namespace) {
            return Ok(());
        }
        if attachments == 0 {
            return self.tell(packet, &[]);
        }
        let mut state = self.state.borrow_mut();
        state.conversation.get_or_insert_default().unfinished = Some(Unfinished {
            packet: text.into(),
            attachments: Vec::with_capacity(attachments.into()),
            bytes_left: worker.config.payload_bytes_max,
        });
        Ok(())
    }

    /// Has the application hear an event.
    fn tell(&self, packet: &SocketPacket<'_>, attachments: &[Bytes]) -> Result<(), End> {
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        let Some(event) = &packet.event else { return Ok(()) };
        let values: Vec<&RawValue> = serde_json::from_str(event.array).map_err(|_| CloseReason::ProtocolError)?;
        let arguments = values.get(1..).unwrap_or_default();
        let mut answers = Answers::new(packet.namespace, event.id);
        let event = Event { namespace: packet.namespace, name: &event.name, arguments, attachments };
        worker.door.application.hear(&event, &mut answers);
        self.answer(answers.items.into_iter())
    }

    /// Lets the client into one of the application's namespaces, or tells it why not.
    ///
    /// # Errors
    /// When its `auth` is no JSON, or the session cannot go on.
    pub(super) fn enter(&self, namespace: &str, auth: Option<&str>) -> Result<(), End> {
        let Some(worker) = self.worker.upgrade() else { return Err(CloseReason::Shutdown) };
        let mut known = worker.door.application.namespaces().iter();
        let Some(namespace) = known.find(|known| **known == namespace) else {
            return self.push(connect_error(namespace, "Invalid namespace", None));
        };
        if self.is_in(namespace) {
            return Ok(());
        }
        if let Err(refusal) = self.judge(&worker, auth)? {
            return self.push(refused(&worker, namespace, refusal));
        }
        {
            let mut state = self.state.borrow_mut();
            let Some(handshake) = &state.handshake else { return Ok(()) };
            handshake.was_let_in.set(true);
            state.conversation.get_or_insert_default().namespaces.push(namespace);
        }
        let id = worker.new_socket_id();
        let answer = Item::packet(&["40", namespace, r#",{"sid":""#, &id, r#""}"#]);
        self.answer(once(answer).chain(greeting(&worker, namespace, auth)))
    }

    /// The client leaves one of the application's namespaces.
    pub(super) fn exit(&self, namespace: &str) {
        let mut state = self.state.borrow_mut();
        let Some(talk) = &mut state.conversation else { return };
        talk.namespaces.retain(|name| *name != namespace);
        if talk.is_idle() {
            state.conversation = None;
        }
    }

    fn is_in(&self, namespace: &str) -> bool {
        let state = self.state.borrow();
        match namespace {
            "/" => matches!(state.socket, Socket::Joined(_)),
            _ => state.conversation.as_ref().is_some_and(|talk| talk.namespaces.contains(&namespace)),
        }
    }

    /// Keeps what a client is to be told once it has joined.
    pub(super) fn prepare_greeting(&self, worker: &Worker, auth: Option<&str>) {
        let greeting = greeting(worker, "/", auth);
        let mut state = self.state.borrow_mut();
        if !greeting.is_empty() || state.conversation.is_some() {
            state.conversation.get_or_insert_default().greeting = greeting;
        }
    }

    /// What the client is told now that it has joined.
    pub(super) fn take_greeting(&self) -> Vec<Item> {
        let mut state = self.state.borrow_mut();
        let Some(talk) = &mut state.conversation else { return Vec::new() };
        let greeting = std::mem::take(&mut talk.greeting);
        if talk.is_idle() {
            state.conversation = None;
        }
        greeting
    }
}

fn greeting(worker: &Worker, namespace: &str, auth: Option<&str>) -> Vec<Item> {
    let mut answers = Answers::new(namespace, None);
    // It was read before, so it is JSON.
    let auth = auth.and_then(|auth| serde_json::from_str(auth).ok());
    worker.door.application.greet(namespace, auth, &mut answers);
    answers.items
}
