//! What goes over the wire, without input or output: bytes in, messages out, and back.

pub(super) mod frame;
pub(super) mod packet;
pub(super) mod payload;
