//! How a request says where its body ends.

use http::HeaderMap;
use http::header::TRANSFER_ENCODING;

/// Whether a body comes as it is, or in chunks and in no coding besides.
///
/// Lists of codings are what proxies and servers disagree on: one that ignores `chunked, chunked` or `identity, chunked`
/// sees the end of a request elsewhere, and what it takes for a body could be served here as a request (RFC 9112, 11.2).
/// A length beside chunks is hyper's to deal with: chunks count, and the connection is closed after the answer.
pub fn is_framed_plainly(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests;
