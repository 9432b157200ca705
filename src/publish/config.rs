//! What publishing needs to know.

use regex::Regex;

/// The settings of the publish pipeline.
#[derive(Clone, Debug)]
pub struct Config {
    /// `EVENT_ID_REGEX_VALIDATION_PATTERN`: which target ids may be published to. None: 1 to 255 bytes without control
    /// characters.
    pub target_pattern: Option<Regex>,
    /// `LEGACY_PUBLISH`: in a body without `target_id`, `uuid` is the target.
    pub takes_uuid: bool,
}
