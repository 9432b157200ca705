//! What a publish body may be: JSON in UTF-8, said so by its content type.

use http::{HeaderMap, header};

use super::body::BodyError;

/// Judges the content type: `application/json`, with any parameters, of which a charset must be UTF-8.
///
/// # Errors
/// When the type is missing, said twice, or another; when the charset is another.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), BodyError> {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(BodyError::Type);
    };
    let mut parts = line.to_str().map_err(|_| BodyError::Type)?.split(';').map(str::trim);
    if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(BodyError::Type);
    }
    let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
    if parameters.any(|(name, value)| name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value)) {
        return Err(BodyError::Charset);
    }
    Ok(())
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim();
    let unquoted = charset.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(charset);
    unquoted.eq_ignore_ascii_case("utf-8")
}

#[cfg(test)]
mod tests;
