//! The bytes of a request's body.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::transcript::{Encode, Request};

/// The body of a request, filled to its size and encoded.
pub fn bytes(request: &Request) -> Vec<u8> {
    let nested = || format!("{}{}", "[".repeat(request.bytes), "]".repeat(request.bytes));
    let text = match &request.body {
        body if body.contains("{nest}") => body.replace("{nest}", &nested()),
        body if body.contains("{pad}") => {
            body.replace("{pad}", &"x".repeat(request.bytes + "{pad}".len() - body.len()))
        }
        body => body.clone(),
    };
    match request.encode {
        Encode::Utf8 => text.into_bytes(),
        Encode::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encode::Latin1 => text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect(),
        Encode::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        Encode::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
    }
}
