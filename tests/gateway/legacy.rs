//! What only those ask for whose backends or clients know vrchats: `LEGACY_PUBLISH` and
//! `LEGACY_QUIRKS`.

mod publish;
mod quirks;
