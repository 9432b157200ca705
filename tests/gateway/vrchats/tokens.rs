//! The daily token's: it follows from the clock at each check, and its change closes nothing.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde_json::json;

use crate::harness::{Gateway, SECRET, TODAY, token_of};
use roomcast::admission::token::daily_token;
use roomcast::types::Secret;

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

async fn lets_in(gateway: &Gateway, token: &str) -> bool {
    let (_, answer) = gateway.connect("&uniqueUserId=a", json!({ "token": token })).await;
    assert!(
        answer.starts_with("40{") || answer == r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#,
        "{answer}"
    );
    answer.starts_with("40{")
}

/// V-19b is the same seen from outside: nobody has to restart anything at the day's change, and nobody is cut off.
#[tokio::test]
async fn v_17_yesterdays_token_has_its_grace_and_sessions_outlive_the_days_change() {
    let gateway = Gateway::start(&[]).await;
    gateway.set_clock(at("2026-11-21T23:59:00Z"));
    let mut before_midnight = gateway.subscribe("room-1").await;
    gateway.set_clock(at("2026-11-22T00:04:59Z"));
    assert!(lets_in(&gateway, &token_of(TODAY)).await, "five minutes of grace");
    gateway.set_clock(at("2026-11-22T00:05:01Z"));
    assert!(!lets_in(&gateway, &token_of(TODAY)).await, "and no more");
    gateway.expect_silence(&mut before_midnight, "room-1").await;
}

#[tokio::test]
async fn v_18_a_clock_that_is_set_back_over_midnight_refuses_nobody_for_long() {
    let gateway = Gateway::start(&[]).await;
    let tomorrow = token_of((2026, 11, 22));
    gateway.set_clock(at("2026-11-22T00:00:02Z"));
    assert!(lets_in(&gateway, &tomorrow).await);
    gateway.set_clock(at("2026-11-21T23:59:58Z"));
    assert!(lets_in(&gateway, &tomorrow).await, "a backend whose clock is right is let in early");
    assert!(lets_in(&gateway, &token_of(TODAY)).await);
    gateway.set_clock(at("2026-11-22T00:00:06Z"));
    assert!(lets_in(&gateway, &tomorrow).await, "no timer has kept yesterday");
}

#[tokio::test]
async fn v_19_the_start_hour_moves_the_change_of_the_day_whenever_the_gateway_was_started() {
    let settings =
        [("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", "3"), ("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL", "4294967296")];
    let gateway = Gateway::start(&settings).await;
    let (today, tomorrow) = (token_of(TODAY), token_of((2026, 11, 22)));
    for (time, expected) in [
        ("2026-11-21T12:00:00Z", (true, false)),
        ("2026-11-22T02:58:59Z", (true, false)),
        ("2026-11-22T03:00:00Z", (true, true)),
        ("2026-11-22T03:05:01Z", (false, true)),
    ] {
        gateway.set_clock(at(time));
        assert_eq!((lets_in(&gateway, &today).await, lets_in(&gateway, &tomorrow).await), expected, "{time}");
    }
}

#[tokio::test]
async fn v_33_the_date_is_not_padded_and_stays_so_over_the_year() {
    for (day, token) in [
        ((2023, 1, 2), "448fc3c138459425fa887faaf910f9573a5949b79442e52a3865c0eb4c3fcebb"),
        ((2024, 2, 11), "2bd064e5654e409f1898f893ba311a94383e6895aad9c85a0b4a143f0ff90bf8"),
        ((2026, 11, 21), "6266c998f848a723b1599fde93c5e5083c8eff7e959257424f2a0a70d4433b41"),
        ((2026, 12, 1), "13579873fa934fcaec9c053d6d634ee5dabfc33b51dfa9c14bdbebcaec9a51ed"),
    ] {
        assert_eq!(&token_of(day)[..64], token, "{day:?}");
    }
    let gateway = Gateway::start(&[]).await;
    // Days around each change in the number of digits, and the ends of a leap year.
    for day in ["2024-01-01", "2024-01-09", "2024-01-10", "2024-02-29", "2024-09-30", "2024-10-01", "2024-12-31"] {
        gateway.set_clock(at(&format!("{day}T12:00:00Z")));
        let day: NaiveDate = day.parse().unwrap();
        assert!(lets_in(&gateway, &token_of((day.year(), day.month(), day.day()))).await, "{day}");
    }
    use sha2::{Digest as _, Sha512};
    let mut day = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    for _ in 0..366 {
        let text = format!("{SECRET}{}-{}-{}", day.year(), day.month(), day.day());
        let digest: String = Sha512::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(daily_token(&Secret::new(SECRET), day), digest, "{day}");
        day = day.succ_opt().unwrap();
    }
}
