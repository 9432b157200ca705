//! The daily token: vrchats' vectors, every date, and the edges of the day.

use super::*;

const SECRET: &str = "some-nasty-secret";

fn config(start_hour: u8, grace: Duration) -> TokenConfig {
    TokenConfig { secret: Secret::new(SECRET), previous: None, start_hour, grace }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn token_of(day: NaiveDate) -> String {
    daily_token(&Secret::new(SECRET), day)
}

#[test]
fn the_tokens_are_those_of_vrchats() {
    for ((year, month, date), token) in [
        (
            (2023, 1, 2),
            "448fc3c138459425fa887faaf910f9573a5949b79442e52a3865c0eb4c3fcebb221004b087e2c77ff5ba635909cf5a9dd1165e1b866964187a2705ac9d6f2770",
        ),
        (
            (2024, 2, 11),
            "2bd064e5654e409f1898f893ba311a94383e6895aad9c85a0b4a143f0ff90bf8480876e80262bbd8170780357b42327685c590c80ab50dee745068b7f1088de2",
        ),
        (
            (2026, 11, 21),
            "6266c998f848a723b1599fde93c5e5083c8eff7e959257424f2a0a70d4433b417a7ccb7e2806f21749d5852db161288d6391239b587fa68f5edf96515500442b",
        ),
        (
            (2026, 12, 1),
            "13579873fa934fcaec9c053d6d634ee5dabfc33b51dfa9c14bdbebcaec9a51ed420daabff67508c85e08c361c5b31bd6d83e0b86babf8d07f3e98f1453151326",
        ),
    ] {
        assert_eq!(token_of(day(year, month, date)), token);
    }
}

/// Days since 1970 to year, month and day (Howard Hinnant's civil_from_days), without the calendar of the code.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[test]
fn v_33_every_date_from_1970_to_2100_is_written_without_padding() {
    let mut dates = 0;
    for days in 0.. {
        let (year, month, date) = civil(days);
        if year > 2100 {
            break;
        }
        let noon = DateTime::from_timestamp(days * 86_400 + 43_200, 0).unwrap();
        let expected: [u8; DIGEST_BYTES] = Sha512::digest(format!("{SECRET}{year}-{month}-{date}")).into();
        assert_eq!(digest(&Secret::new(SECRET), active_day(noon, 0)), expected, "{year}-{month}-{date}");
        dates += 1;
    }
    assert_eq!(dates, 131 * 365 + 32, "131 years, 32 of them leap years");
}

#[test]
fn v_19_the_day_changes_at_the_start_hour() {
    assert_eq!(active_day(at("2026-03-01T00:00:00Z"), 0), day(2026, 3, 1));
    assert_eq!(active_day(at("2026-03-01T02:59:59.999Z"), 3), day(2026, 2, 28));
    assert_eq!(active_day(at("2026-03-01T03:00:00Z"), 3), day(2026, 3, 1));
    assert_eq!(active_day(at("2027-01-01T22:59:59Z"), 23), day(2026, 12, 31));
}

#[test]
fn v_17_yesterdays_token_is_good_within_the_grace_exactly() {
    let config = config(3, Duration::from_millis(300_000));
    let yesterday = token_of(day(2026, 2, 28));
    for (now, good) in [
        ("2026-03-01T02:59:59.999Z", true),
        ("2026-03-01T03:00:00Z", true),
        ("2026-03-01T03:04:59.999Z", true),
        ("2026-03-01T03:05:00Z", false),
        ("2026-03-02T02:00:00Z", false),
    ] {
        assert_eq!(check(&config, at(now), &yesterday), good, "{now}");
    }
}

#[test]
fn without_grace_yesterdays_token_ends_with_the_day() {
    let config = config(0, Duration::ZERO);
    assert!(check(&config, at("2026-02-28T23:59:59.999Z"), &token_of(day(2026, 2, 28))));
    assert!(!check(&config, at("2026-03-01T00:00:00Z"), &token_of(day(2026, 2, 28))));
}

#[test]
fn an_endless_grace_reaches_yesterday_and_no_further() {
    let config = config(0, Duration::MAX);
    let now = at("2026-03-01T23:58:00Z");
    assert!(check(&config, now, &token_of(day(2026, 2, 28))));
    assert!(!check(&config, now, &token_of(day(2026, 2, 27))));
}

#[test]
fn tomorrows_token_is_good_one_minute_early_exactly() {
    let config = config(0, Duration::ZERO);
    let tomorrow = token_of(day(2026, 3, 1));
    assert!(!check(&config, at("2026-02-28T23:58:59.999Z"), &tomorrow));
    assert!(check(&config, at("2026-02-28T23:59:00Z"), &tomorrow));
    assert!(check(&config, at("2026-03-01T00:00:00Z"), &tomorrow));
}

#[test]
fn v_18_a_step_of_the_clock_is_followed_at_once() {
    let config = config(0, Duration::from_secs(300));
    let (old, new) = (token_of(day(2026, 2, 28)), token_of(day(2026, 3, 1)));
    let goods = |now: &str| (check(&config, at(now), &old), check(&config, at(now), &new));
    assert_eq!(goods("2026-02-28T23:59:58Z"), (true, true));
    assert_eq!(goods("2026-03-01T00:00:01Z"), (true, true));
    assert_eq!(goods("2026-02-28T23:59:57Z"), (true, true), "stepped back over midnight");
    assert_eq!(goods("2026-02-28T20:00:00Z"), (true, false), "stepped back by hours");
    assert_eq!(goods("2026-03-01T12:00:00Z"), (false, true), "woken after a long sleep");
}

#[test]
fn the_previous_secret_is_good_while_it_is_configured() {
    let now = at("2026-03-01T12:00:00Z");
    let mut config = config(0, Duration::ZERO);
    let previous = Secret::new("the-secret-before-this");
    let token = daily_token(&previous, day(2026, 3, 1));
    assert!(!check(&config, now, &token));
    config.previous = Some(previous);
    assert!(check(&config, now, &token));
    assert!(check(&config, now, &token_of(day(2026, 3, 1))));
}

#[test]
fn only_128_lowercase_hex_characters_are_a_token() {
    let config = config(0, Duration::ZERO);
    let now = at("2026-03-01T12:00:00Z");
    let good = token_of(day(2026, 3, 1));
    assert!(check(&config, now, &good));
    let mut wrong =
        vec![good.to_uppercase(), good[..127].to_owned(), format!("{good}0"), format!(" {good}"), String::new()];
    wrong.push(good.replacen(&good[..1], "g", 1));
    wrong.push("0".repeat(128));
    wrong.push("\u{20ac}".repeat(64));
    for at in 0..128 {
        let flipped = if &good[at..=at] == "0" { "1" } else { "0" };
        wrong.push(format!("{}{flipped}{}", &good[..at], &good[at + 1..]));
    }
    for wrong in wrong {
        assert!(!check(&config, now, &wrong), "{wrong}");
    }
}

#[test]
fn the_shape_tells_a_daily_token_from_a_json_web_token() {
    assert!(looks_daily(&token_of(day(2026, 3, 1))));
    assert!(looks_daily(&token_of(day(2026, 3, 1)).to_uppercase()));
    assert!(!looks_daily("eyJhbGciOiJIUzI1NiJ9.e30.x"));
    assert!(!looks_daily(&"0".repeat(127)));
}

#[test]
fn the_ends_of_the_calendar_end_nothing() {
    let config = config(23, Duration::MAX);
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        assert!(!check(&config, now, &"0".repeat(128)));
    }
}
