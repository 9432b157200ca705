//! Who hears what clients send. The gateway hears nothing: [`Deaf`]. Whoever builds a server on the same engine that
//! listens, such as the protocols' own test suites want it, implements [`Application`].
//!
//! An application is asked on the worker that owns the session, between two packets of one client: it answers at once, and
//! what takes longer does not belong here.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::outbox::Item;

/// What a server does with what its clients send. One is shared by all workers; every method that is not written hears
/// nothing and says nothing.
pub trait Application: Send + Sync + 'static {
    /// The namespaces that clients may enter besides `/`. Who enters one is let in by the same rules, and is in no room
    /// by it.
    fn namespaces(&self) -> &'static [&'static str] {
        &[]
    }

    /// Tells a client something right behind the answer to its CONNECT. `auth` is what that carried.
    fn greet(&self, _namespace: &str, _auth: Option<&RawValue>, _answers: &mut Answers<'_>) {}

    /// Whether the event is heard. The attachments of others are counted and dropped as they come.
    fn listens_to(&self, _namespace: &str, _event: &str) -> bool {
        false
    }

    /// Hears an event of a client that is in the event's namespace.
    fn hear(&self, _event: &Event<'_>, _answers: &mut Answers<'_>) {}

    /// Takes an Engine.IO message as it is, before it is read as Socket.IO; false leaves it to Socket.IO.
    fn take_message(&self, _message: Message<'_>, _answers: &mut Answers<'_>) -> bool {
        false
    }
}

/// The gateway's application: it listens to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Deaf;

impl Application for Deaf {}

/// An Engine.IO message.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

/// An event that a client sent.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Where.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What follows the name, as the client wrote it. `{"_placeholder":true,"num":0}` stands for the first attachment;
    /// whether there is one of that number nobody has checked.
    pub arguments: &'a [&'a RawValue],
    /// Binary data, at most 10 pieces, and together at most as many bytes as one message may have.
    pub attachments: &'a [Bytes],
}

/// What a client is told in answer, in this order. It is closed as a slow reader if it does not take what it asks for.
#[derive(Debug)]
pub struct Answers<'a> {
    namespace: &'a str,
    /// What the client wants the event acknowledged by, until it is.
    id: Option<u64>,
    pub(super) items: Vec<Item>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(namespace: &'a str, id: Option<u64>) -> Self {
        Self { namespace, id, items: Vec::new() }
    }

    /// Sends an event. A placeholder in the arguments stands for each attachment, as in [`Event::arguments`].
    pub fn emit(&mut self, name: &str, arguments: &[&RawValue], attachments: &[Bytes]) {
        let name = serde_json::Value::from(name).to_string();
        let values: Vec<&str> = std::iter::once(name.as_str()).chain(arguments.iter().map(|json| json.get())).collect();
        self.push(["42", "45"], "", &values, attachments);
    }

    /// Acknowledges the event that is answered, once, if its sender wants that.
    pub fn acknowledge(&mut self, arguments: &[&RawValue], attachments: &[Bytes]) {
        let Some(id) = self.id.take() else { return };
        let values: Vec<&str> = arguments.iter().map(|json| json.get()).collect();
        self.push(["43", "46"], &id.to_string(), &values, attachments);
    }

    /// Sends a message of Engine.IO.
    pub fn send(&mut self, message: Message<'_>) {
        self.items.push(match message {
            Message::Text(text) => Item::packet(&["4", text]),
            Message::Binary(bytes) => Item::binary(bytes),
        });
    }

    /// A packet, whose type depends on whether attachments follow it, and the attachments.
    fn push(&mut self, [text, binary]: [&str; 2], id: &str, values: &[&str], attachments: &[Bytes]) {
        let count = format!("{}-", attachments.len());
        let kind = if attachments.is_empty() { [text, ""] } else { [binary, &count] };
        let namespace = if self.namespace == "/" { ["", ""] } else { [self.namespace, ","] };
        let body = values.join(",");
        self.items.push(Item::packet(&[&kind[..], &namespace, &[id, "[", &body, "]"]].concat()));
        self.items.extend(attachments.iter().map(|bytes| Item::binary(bytes)));
    }
}

#[cfg(test)]
mod tests;
