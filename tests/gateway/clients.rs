//! Stock clients: of each version that is supported, while they change their transport, and how they come back.

mod reconnect;
mod upgrade;
mod versions;

/// The packages of the versions 4.8, 4.0 and 3.1, as tests/client/package.json names them.
const VERSIONS: [&str; 3] = ["socket.io-client", "socket.io-client-4.0", "socket.io-client-3.1"];
