//! Who may speak: lists, proxies and rates.

use std::num::NonZeroU32;
use std::path::Path;

use super::auth;
use crate::admission::Config;
use crate::admission::cidr::CidrList;
use crate::admission::config::{ProxyConfig, RateConfig, UserRate};
use crate::admission::origin::OriginList;
use crate::config::parse::{self, number, number_or_off};
use crate::config::raw::Raw;
use crate::config::reader::{Noted, Reader};
use crate::config::sources::read_bounded;

/// A million a second: more than one machine serves, and small enough for the bursts that are counted from it.
const RATE_MAX: u64 = 1_000_000;
/// Far above what one address opens: 2^32 sessions.
const SESSIONS_MAX: u64 = 1 << 32;
/// Warnings that are told of one list; a provider's list of proxies is public addresses on every line.
const LIST_WARNINGS_MAX: usize = 3;

/// Admission's settings; `sessions_max` is not yet known.
pub(super) fn config(reader: &mut Reader<'_>, raw: &Raw, legacy_quirks: Result<bool, Noted>) -> Result<Config, Noted> {
    let publishers = networks(reader, "TRUST_CIDR_LIST", raw.trust_cidr_list.as_deref());
    if raw.trust_cidr_list.is_none() {
        reader.warn("TRUST_CIDR_LIST", "is not set: nobody may publish; name the backends' addresses");
    }
    let origins = origins(reader, raw.trust_origin_list.as_deref());
    let proxy = proxy(reader, raw);
    let publish_rate = raw.publish_rate_limit.as_deref();
    let publishes_per_second = reader.optional("PUBLISH_RATE_LIMIT", publish_rate, number_or_off(1..=RATE_MAX));
    let auth = auth::config(reader, raw);
    let rates = rates(reader, raw, legacy_quirks);
    let exempt = networks(reader, "RATE_LIMIT_EXEMPT", raw.rate_limit_exempt.as_deref());
    let share = raw.max_connections_per_ip.as_deref();
    let share = reader.optional("MAX_CONNECTIONS_PER_IP", share, number_or_off(1..=SESSIONS_MAX));
    let config = Config {
        publishers: publishers?,
        origins: origins?,
        proxy: proxy?,
        publishes_per_second: publishes_per_second?.flatten().and_then(non_zero),
        auth: auth?,
        rates: rates?,
        sessions_max: 0,
        sessions_per_address_max: share?.flatten(),
        exempt: exempt?,
    };
    reader.settings.resolve("PUBLISH_RATE_LIMIT", "off".to_owned());
    reader.settings.resolve("MAX_CONNECTIONS_PER_IP", "off".to_owned());
    Ok(config)
}

/// A list of addresses and networks; the empty list if it is not set.
fn networks(reader: &mut Reader<'_>, key: &str, text: Option<&str>) -> Result<CidrList, Noted> {
    let Some(text) = text else { return Ok(CidrList::default()) };
    match CidrList::parse(text) {
        Ok(parsed) => {
            // The published ranges of a content network are public, and the right ones to trust as proxies.
            let public_ranges = parsed.public_ranges.into_iter().filter(|_| key != "TRUST_PROXY_LIST");
            let warnings: Vec<_> = parsed.host_bits.into_iter().chain(public_ranges).collect();
            let hidden = warnings.len().saturating_sub(LIST_WARNINGS_MAX);
            for warning in warnings.into_iter().take(LIST_WARNINGS_MAX) {
                reader.warn(key, warning);
            }
            if hidden > 0 {
                reader.warn(key, format!("and {hidden} more entries like these"));
            }
            Ok(parsed.list)
        }
        Err(problems) => Err(all(reader, key, problems)),
    }
}

fn origins(reader: &mut Reader<'_>, text: Option<&str>) -> Result<OriginList, Noted> {
    let key = "TRUST_ORIGIN_LIST";
    let Some(text) = text else {
        reader.warn(key, "is not set: no browser may listen; name the origins of your pages");
        return Ok(OriginList::default());
    };
    OriginList::parse(text).map_err(|problems| all(reader, key, problems))
}

/// Each entry of a list that is wrong is a fault of its own.
fn all(reader: &mut Reader<'_>, key: &str, problems: Vec<String>) -> Noted {
    for problem in problems {
        reader.fault(key, problem);
    }
    Noted
}

fn proxy(reader: &mut Reader<'_>, raw: &Raw) -> Result<Option<ProxyConfig>, Noted> {
    let key = "TRUST_PROXY_LIST";
    let is_on = reader.required("USE_PROXY", raw.use_proxy.as_deref(), parse::switch);
    let header = reader.required("PROXY_HEADER", raw.proxy_header.as_deref(), str::parse);
    let text = reader.optional(key, raw.trust_proxy_list.as_deref(), list_text)?;
    let trusted = networks(reader, key, text.as_deref())?;
    if !is_on? {
        return Ok(None);
    }
    if trusted.is_empty() {
        return Err(reader.fault(key, "names no proxy, and USE_PROXY=1 needs one; name the proxies' addresses"));
    }
    Ok(Some(ProxyConfig { trusted, header: header? }))
}

/// A list as it stands, or for `@FILE` what the file holds: an entry a line or commas, and comments after `#`.
fn list_text(text: &str) -> Result<String, String> {
    let Some(path) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let bytes = read_bounded(Path::new(path)).map_err(|error| {
        format!("cannot read {path:?}: {error}; give the path of a file with an address or network a line")
    })?;
    let list = String::from_utf8(bytes).map_err(|_| format!("{path:?} is not UTF-8 text"))?;
    let entries: Vec<&str> = list.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    Ok(entries.join(","))
}

fn rates(reader: &mut Reader<'_>, raw: &Raw, legacy_quirks: Result<bool, Noted>) -> Result<Option<RateConfig>, Noted> {
    let is_on = reader.required("RATE_LIMIT", raw.rate_limit.as_deref(), parse::switch);
    let per_address = reader.required("RATE_LIMIT_PER_IP", raw.rate_limit_per_ip.as_deref(), rate);
    let per_user = reader.required("RATE_LIMIT_PER_USER", raw.rate_limit_per_user.as_deref(), rate);
    let (per_address, per_user) = (per_address?, per_user?);
    let per_user = if legacy_quirks? {
        if per_user != NonZeroU32::MIN {
            reader.warn("RATE_LIMIT_PER_USER", "has no effect with LEGACY_QUIRKS=1: a user opens one session a second");
        }
        UserRate::OneOrRefused
    } else {
        UserRate::Waits(per_user)
    };
    Ok(is_on?.then_some(RateConfig { per_address, per_user }))
}

fn rate(text: &str) -> Result<NonZeroU32, String> {
    let problem = |problem| format!("{problem}; RATE_LIMIT=0 turns the limits off");
    number(1..=RATE_MAX)(text).map_err(problem).and_then(|rate| non_zero(rate).ok_or_else(|| "is 0".to_owned()))
}

fn non_zero(number: u64) -> Option<NonZeroU32> {
    u32::try_from(number).ok().and_then(NonZeroU32::new)
}
