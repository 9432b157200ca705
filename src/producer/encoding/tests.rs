//! Inflation: what is intact and small enough comes out, everything else is refused at little cost.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn named(lines: &[&'static str]) -> Option<Encoding> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(line));
    }
    Encoding::of(&headers).ok()
}

/// The outcome as a word, or the bytes.
fn decoded(encoding: Encoding, sent: &[u8], bytes_max: usize) -> Result<Vec<u8>, &'static str> {
    encoding.decode(sent.to_vec(), bytes_max).map_err(|error| match error {
        BodyError::TooLarge { .. } => "too large",
        BodyError::Undecodable(_) => "undecodable",
        other => panic!("{other}"),
    })
}

#[test]
fn one_known_encoding_is_taken() {
    assert_eq!(named(&[]), Some(Encoding::Identity));
    assert_eq!(named(&[""]), Some(Encoding::Identity));
    assert_eq!(named(&["identity"]), Some(Encoding::Identity));
    assert_eq!(named(&["GZip"]), Some(Encoding::Gzip));
    assert_eq!(named(&["deflate"]), Some(Encoding::Deflate));
    for lines in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["identity, gzip"], &["x-gzip"], &["gzip;q=1"]] {
        assert_eq!(named(lines), None, "{lines:?}");
    }
}

#[test]
fn the_limit_counts_what_comes_out() {
    let data = [b'x'; 1_000];
    for (encoding, sent) in [(Encoding::Gzip, gzip(&data)), (Encoding::Deflate, zlib(&data))] {
        assert_eq!(decoded(encoding, &sent, 1_000), Ok(data.to_vec()));
        assert_eq!(decoded(encoding, &sent, 999), Err("too large"));
    }
}

#[test]
fn broken_data_is_refused() {
    let data = b"{\"target_id\":\"a\",\"x\":[1,2,3]}";
    for (encoding, sent) in [(Encoding::Gzip, gzip(data)), (Encoding::Deflate, zlib(data))] {
        for cut in 0..sent.len() {
            assert_eq!(decoded(encoding, &sent[..cut], 1_000), Err("undecodable"), "{encoding:?} cut at {cut}");
        }
        let trailed = [&sent[..], b"x"].concat();
        assert_eq!(decoded(encoding, &trailed, 1_000), Err("undecodable"), "{encoding:?} with a tail");
        let mut wrong_sum = sent;
        let tail = wrong_sum.len() - 6;
        wrong_sum[tail..].fill(0x55);
        assert_eq!(decoded(encoding, &wrong_sum, 1_000), Err("undecodable"), "{encoding:?} with a wrong sum");
    }
    assert_eq!(decoded(Encoding::Gzip, data, 1_000), Err("undecodable"));
    assert_eq!(decoded(Encoding::Deflate, &gzip(data), 1_000), Err("undecodable"));
}

#[test]
fn deflate_without_its_zlib_frame_is_refused_as_in_node() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"{\"target_id\":\"a\"}").unwrap();
    assert_eq!(decoded(Encoding::Deflate, &encoder.finish().unwrap(), 1_000), Err("undecodable"));
}

#[test]
fn a_gzip_body_may_have_several_members() {
    let sent = [gzip(b"{\"a\":"), gzip(b"1}")].concat();
    assert_eq!(decoded(Encoding::Gzip, &sent, 7), Ok(b"{\"a\":1}".to_vec()));
    assert_eq!(decoded(Encoding::Gzip, &sent, 6), Err("too large"));
}

#[test]
fn a_bomb_is_given_up_at_the_limit() {
    // 10 GiB: a gzip of 10 MiB of zeros, 1,024 times.
    let bomb = gzip(&vec![0; 10 << 20]).repeat(1_024);
    let mut decoder = MultiGzDecoder::new(bomb.as_slice());
    assert!(matches!(inflate(&mut decoder, 102_400), Err(BodyError::TooLarge { bytes_max: 102_400 })));
    let consumed = bomb.len() - decoder.get_ref().len();
    assert!(consumed <= 1_024, "{consumed} bytes were read for 102,401");
}

proptest! {
    #[test]
    fn what_was_compressed_comes_out_within_the_bytes_that_may_be_sent(data in prop::collection::vec(any::<u8>(), 0..4_096)) {
        for (encoding, sent) in [(Encoding::Gzip, gzip(&data)), (Encoding::Deflate, zlib(&data))] {
            prop_assert!(sent.len() <= encoding.sent_bytes_max(data.len()));
            prop_assert_eq!(decoded(encoding, &sent, data.len()), Ok(data.clone()));
        }
    }

    #[test]
    fn any_bytes_are_inflated_or_refused(data in prop::collection::vec(any::<u8>(), 0..256)) {
        for encoding in [Encoding::Gzip, Encoding::Deflate] {
            if let Ok(out) = decoded(encoding, &data, 100) {
                prop_assert!(out.len() <= 100);
            }
        }
    }
}
