//! The table: each cause has the status and words that its reader understands.

use super::*;

#[test]
fn causes_that_pass_by_themselves_let_the_stock_client_come_back() {
    for cause in Cause::ALL {
        let status = Refusal::lasting(cause).status().as_u16();
        let expected = match cause {
            Cause::AddressRate | Cause::UserRate | Cause::PublishRate | Cause::AddressFull => 429,
            Cause::SessionsFull | Cause::SocketsFull | Cause::Draining => 503,
            _ => 403,
        };
        assert_eq!(status, expected, "{cause:?}");
    }
}

#[test]
fn the_wait_is_rounded_up_to_whole_seconds() {
    let secs = |wait| Refusal::passing(Cause::AddressRate, wait).retry_after_secs();
    assert_eq!(secs(Duration::ZERO), Some(1));
    assert_eq!(secs(Duration::from_nanos(1)), Some(1));
    assert_eq!(secs(Duration::from_secs(1)), Some(1));
    assert_eq!(secs(Duration::from_millis(1001)), Some(2));
    assert_eq!(secs(Duration::from_secs(10)), Some(10));
    assert_eq!(Refusal::lasting(Cause::ForeignOrigin).retry_after_secs(), None);
}

#[test]
fn the_longest_wait_is_a_number() {
    assert_eq!(Refusal::passing(Cause::AddressRate, Duration::MAX).retry_after_secs(), Some(u64::MAX));
}

#[test]
fn connect_errors_are_worded_as_vrchats_words_them() {
    assert_eq!(Refusal::lasting(Cause::InvalidToken).connect_error(), "invalid token");
    assert_eq!(Refusal::lasting(Cause::InvalidRoom).connect_error(), "invalid room");
    assert_eq!(Refusal::passing(Cause::UserRate, Duration::ZERO).connect_error(), "rate limit block");
}
