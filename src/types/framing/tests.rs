//! Chunks alone, or nothing said.

use http::HeaderValue;

use super::*;

fn with(codings: &[&'static str]) -> HeaderMap {
    codings.iter().map(|coding| (TRANSFER_ENCODING, HeaderValue::from_static(coding))).collect()
}

#[test]
fn one_coding_is_taken_and_it_is_chunked() {
    for codings in [&[][..], &["chunked"], &["Chunked"]] {
        assert!(is_framed_plainly(&with(codings)), "{codings:?}");
    }
    for codings in [
        &["chunked, chunked"][..],
        &["chunked", "chunked"],
        &["identity, chunked"],
        &["gzip", "chunked"],
        &[",chunked"],
        &["chunked,"],
        &["xchunked"],
        &["gzip"],
        &[""],
    ] {
        assert!(!is_framed_plainly(&with(codings)), "{codings:?}");
    }
}
