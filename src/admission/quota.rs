//! How many sessions there are, of the node and of each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Client, Config};
use crate::types::stats::{Gauge, GaugeGuard};
use crate::types::{Cause, Stats};

/// The place of one session; dropping it gives the place back. The default one counts nothing.
#[derive(Debug, Default)]
pub struct Seat {
    _node: Option<GaugeGuard>,
    _address: Option<AddressSeat>,
}

/// The places of the node.
#[derive(Debug)]
pub(super) struct Seats {
    sessions: Arc<Gauge>,
    sessions_max: u64,
    addresses: Arc<Addresses>,
    sessions_per_address_max: Option<u64>,
}

impl Seats {
    pub(super) fn new(config: &Config, stats: &Stats) -> Self {
        Self {
            sessions: Arc::clone(&stats.sessions),
            sessions_max: config.sessions_max,
            addresses: Arc::default(),
            sessions_per_address_max: config.sessions_per_address_max,
        }
    }

    /// Takes a place of the client's address, then one of the node.
    pub(super) fn take(&self, client: Client) -> Result<Seat, Cause> {
        let address = match self.sessions_per_address_max {
            Some(max) if client.limited => {
                Some(self.addresses.take(client.addr.limit_key(), max).ok_or(Cause::AddressFull)?)
            }
            _ => None,
        };
        let node = self.sessions.try_enter(self.sessions_max).ok_or(Cause::SessionsFull)?;
        Ok(Seat { _node: Some(node), _address: address })
    }
}

/// The live sessions of each address. An address without one is not kept, so the node's number bounds the table.
#[derive(Debug, Default)]
struct Addresses(Mutex<HashMap<IpAddr, u64>>);

impl Addresses {
    fn take(self: &Arc<Self>, key: IpAddr, max: u64) -> Option<AddressSeat> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sessions.get(&key).copied().unwrap_or(0);
        if count >= max {
            return None;
        }
        sessions.insert(key, count + 1);
        Some(AddressSeat { addresses: Arc::clone(self), key })
    }

    fn give_back(&self, key: IpAddr) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sessions.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                sessions.remove(&key);
            }
        }
    }
}

/// One place of an address.
#[derive(Debug)]
struct AddressSeat {
    addresses: Arc<Addresses>,
    key: IpAddr,
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        self.addresses.give_back(self.key);
    }
}

#[cfg(test)]
mod tests;
