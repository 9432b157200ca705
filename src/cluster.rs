//! Worker threads of one process: each a current-thread runtime with listeners of its own.

/// The settings of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// `CLUSTER_MODE`, `CLUSTER_INSTANCES`: worker threads, at least 1.
    pub workers: usize,
}
