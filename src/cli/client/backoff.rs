//! How long to wait before coming back, as the stock client does.

use std::time::Duration;

/// The stock client's `reconnectionDelay`.
const DELAY_MIN: Duration = Duration::from_secs(1);
/// The stock client's `reconnectionDelayMax`.
const DELAY_MAX: Duration = Duration::from_secs(5);
/// The stock client's `randomizationFactor`: a herd of clients must not come back in step.
const JITTER: f64 = 0.5;

/// Delays that double from one second to five, each up to half longer or shorter.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The delay before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        self.delay(rand::random_range(1.0 - JITTER..=1.0 + JITTER))
    }

    /// Starts again at the shortest delay, after an attempt that succeeded.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }

    fn delay(&mut self, factor: f64) -> Duration {
        let doubled = DELAY_MIN * (1 << self.attempts.min(8));
        self.attempts = self.attempts.saturating_add(1);
        doubled.mul_f64(factor).min(DELAY_MAX)
    }
}

#[cfg(test)]
mod tests;
