//! The daily token: lowercase hex SHA-512 of secret and date.

use chrono::NaiveDate;

use crate::types::Secret;

/// The token of a day: 128 hex characters over the secret and `Y-M-D`, month and day without zero padding.
pub fn daily_token(_secret: &Secret, _day: NaiveDate) -> String {
    todo!()
}
