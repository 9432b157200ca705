//! Settings: one table of keys, three sources, and every fault at once.

/// Every setting, parsed and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Ports and certificates.
    pub listen: crate::listen::Config,
    /// Who may speak.
    pub admission: crate::admission::Config,
    /// The producer's API.
    pub producer: crate::producer::Config,
    /// The publish pipeline.
    pub publish: crate::publish::Config,
    /// The Socket.IO side.
    pub subscriber: crate::subscriber::Config,
    /// Workers.
    pub cluster: crate::cluster::Config,
    /// The admin listener.
    pub ops: crate::ops::Config,
    /// The log.
    pub log: crate::ops::LogConfig,
    /// The end of the process.
    pub lifecycle: crate::lifecycle::Config,
}
