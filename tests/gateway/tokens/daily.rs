//! The daily token: which days' tokens are good at which time.

use chrono::NaiveDate;

use super::{at, connect};
use crate::harness::{Gateway, SECRET, token_of};
use roomcast::admission::token::daily_token;
use roomcast::types::Secret;

/// Asserts which of the tokens of 20, 21, 22 and 23 November are good at each time.
async fn good_at(gateway: &Gateway, times: &[(&str, [bool; 4])]) {
    for (time, expected) in times {
        gateway.set_clock(at(time));
        let mut good = [false; 4];
        for (index, day) in (20..24).enumerate() {
            good[index] = connect(gateway, "", &token_of((2026, 11, day))).await.is_some();
        }
        assert_eq!(good, *expected, "{time}");
    }
}

#[tokio::test]
async fn the_day_changes_at_midnight_with_a_minute_before_and_a_grace_after() {
    let gateway = Gateway::start(&[]).await;
    let times = [
        ("2026-11-21T00:04:59.999Z", [true, true, false, false]),
        ("2026-11-21T00:05:00.001Z", [false, true, false, false]),
        ("2026-11-21T12:00:00Z", [false, true, false, false]),
        ("2026-11-21T23:58:59.999Z", [false, true, false, false]),
        ("2026-11-21T23:59:00Z", [false, true, true, false]),
        ("2026-11-21T23:59:59.999Z", [false, true, true, false]),
        ("2026-11-22T00:00:00Z", [false, true, true, false]),
        ("2026-11-22T00:04:59.999Z", [false, true, true, false]),
        ("2026-11-22T00:05:00.001Z", [false, false, true, false]),
    ];
    good_at(&gateway, &times).await;
}

#[tokio::test]
async fn the_grace_is_as_it_is_set() {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH_TOKEN_GRACE_MS", "0")]).await;
    let times = [
        ("2026-11-21T23:59:59.999Z", [false, true, true, false]),
        ("2026-11-22T00:00:00Z", [false, false, true, false]),
    ];
    good_at(&gateway, &times).await;
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH_TOKEN_GRACE_MS", "86400000")]).await;
    let times = [
        ("2026-11-22T12:00:00Z", [false, true, true, false]),
        ("2026-11-22T23:59:30Z", [false, true, true, true]),
        ("2026-11-23T00:00:01Z", [false, false, true, true]),
    ];
    good_at(&gateway, &times).await;
}

#[tokio::test]
async fn the_start_hour_moves_all_of_it() {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", "23")]).await;
    let times = [
        ("2026-11-21T12:00:00Z", [true, false, false, false]),
        ("2026-11-21T22:59:00Z", [true, true, false, false]),
        ("2026-11-21T23:00:00Z", [true, true, false, false]),
        ("2026-11-21T23:05:01Z", [false, true, false, false]),
        ("2026-11-22T22:58:59Z", [false, true, false, false]),
    ];
    good_at(&gateway, &times).await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_finds_the_token_of_the_time_it_shows() {
    let gateway = Gateway::start(&[]).await;
    let times = [
        ("2026-11-22T00:00:02Z", [false, true, true, false]),
        ("2026-11-21T23:59:58Z", [false, true, true, false]),
        ("2026-11-22T12:00:00Z", [false, false, true, false]),
        ("2026-11-21T12:00:00Z", [false, true, false, false]),
        ("2026-11-23T12:00:00Z", [false, false, false, true]),
        ("2026-11-20T12:00:00Z", [true, false, false, false]),
    ];
    good_at(&gateway, &times).await;
}

#[tokio::test]
async fn the_previous_secret_stays_good_while_the_new_one_comes_in() {
    let old = "the-secret-of-last-year";
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH_TOKEN_SECRET_PREVIOUS", old)]).await;
    let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    for (secret, date, good) in
        [(SECRET, 21, true), (old, 21, true), (old, 20, false), (old, 22, false), ("another-secret-16", 21, false)]
    {
        let token = daily_token(&Secret::new(secret), day(date));
        assert_eq!(connect(&gateway, "", &token).await.is_some(), good, "{date}");
    }
    gateway.set_clock(at("2026-11-22T00:01:00Z"));
    assert!(connect(&gateway, "", &daily_token(&Secret::new(old), day(21))).await.is_some(), "its grace too");
}

#[tokio::test]
async fn sessions_outlive_their_token_for_days() {
    let gateway = Gateway::start(&[]).await;
    let mut subscriber = gateway.subscribe("room-1").await;
    for time in ["2026-11-22T00:00:00Z", "2026-11-22T00:05:01Z", "2026-11-25T12:00:00Z", "2026-11-01T00:00:00Z"] {
        gateway.set_clock(at(time));
        gateway.expect_silence(&mut subscriber, "room-1").await;
    }
}

#[tokio::test]
async fn the_ends_of_months_and_years_and_leap_days_follow_the_calendar() {
    let gateway = Gateway::start(&[]).await;
    for (time, day) in [
        ("2026-12-31T23:50:00Z", (2026, 12, 31)),
        ("2027-01-01T00:00:00Z", (2027, 1, 1)),
        ("2028-02-28T23:59:59Z", (2028, 2, 29)),
        ("2028-02-29T12:00:00Z", (2028, 2, 29)),
        ("2028-03-01T00:10:00Z", (2028, 3, 1)),
        ("2026-01-11T12:00:00Z", (2026, 1, 11)),
    ] {
        gateway.set_clock(at(time));
        assert!(connect(&gateway, "", &token_of(day)).await.is_some(), "{time}");
    }
    assert!(connect(&gateway, "", &token_of((2026, 11, 1))).await.is_none(), "2026-1-11 is not 2026-11-1");
}
