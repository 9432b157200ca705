//! What only those ask for whose backends or clients know vrchats: `LEGACY_PUBLISH`.

mod publish;
