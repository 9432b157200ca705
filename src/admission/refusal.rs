//! The one table of refusals: what a refused publisher or subscriber is told.

use std::time::Duration;

use http::StatusCode;

use crate::types::Cause;

/// A refusal that `admission` decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why; the metric's label.
    pub cause: Cause,
    /// When to come back, for causes that pass by themselves. Rounded up to seconds in `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal that does not pass by itself.
    pub fn lasting(cause: Cause) -> Self {
        Self { cause, retry_after: None }
    }

    /// A refusal that passes after `retry_after`.
    pub fn passing(cause: Cause, retry_after: Duration) -> Self {
        Self { cause, retry_after: Some(retry_after) }
    }

    /// The HTTP status of the answer, on either port.
    pub fn status(&self) -> StatusCode {
        match self.cause {
            Cause::AddressRate | Cause::UserRate | Cause::PublishRate | Cause::AddressFull => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Cause::SessionsFull | Cause::SocketsFull | Cause::Draining => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// The value of `Retry-After`, in whole seconds and never 0.
    pub fn retry_after_secs(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1))
    }

    /// The `message` of the CONNECT_ERROR packet, as vrchats words it.
    pub fn connect_error(&self) -> &'static str {
        match self.cause {
            Cause::InvalidRoom => "invalid room",
            Cause::UserRate => "rate limit block",
            _ => "invalid token",
        }
    }
}

#[cfg(test)]
mod tests;
