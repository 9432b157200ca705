//! Content encodings of a publish body, and their inflation within a limit.

use std::io::{self, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

use super::body::BodyError;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Identity,
    /// `gzip`.
    Gzip,
    /// `deflate`, which is the zlib format (RFC 9110, 8.4.1.2); Node takes no other.
    Deflate,
}

impl Encoding {
    /// The encoding that the headers name. An empty name is none, as in vrchats.
    ///
    /// # Errors
    /// When the encoding is another, or there are several.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let mut lines = headers.get_all(header::CONTENT_ENCODING).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Ok(Self::Identity),
            (Some(line), None) => match line.as_bytes().to_ascii_lowercase().as_slice() {
                b"" | b"identity" => Ok(Self::Identity),
                b"gzip" => Ok(Self::Gzip),
                b"deflate" => Ok(Self::Deflate),
                _ => Err(BodyError::Encoding),
            },
            (Some(_), Some(_)) => Err(BodyError::Encoding),
        }
    }

    /// The most bytes that may be sent so that `bytes_max` come out: what does not compress grows by 5 bytes in each
    /// block of 16 KiB or more, and a header may carry a file's name.
    pub(super) fn sent_bytes_max(self, bytes_max: usize) -> usize {
        match self {
            Self::Identity => bytes_max,
            Self::Gzip | Self::Deflate => bytes_max.saturating_add(bytes_max / 1024).saturating_add(1024),
        }
    }

    /// Decodes what was sent. Stops at the first byte over `bytes_max`, so that a bomb costs no more than a body.
    ///
    /// # Errors
    /// When more than `bytes_max` bytes come out, or the data is broken, cut off, or followed by other data.
    pub(super) fn decode(self, sent: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
        match self {
            Self::Identity => Ok(sent),
            Self::Gzip => inflate(MultiGzDecoder::new(sent.as_slice()), bytes_max).map(|(json, _)| json),
            Self::Deflate => {
                let (json, decoder) = inflate(ZlibDecoder::new(sent.as_slice()), bytes_max)?;
                if decoder.get_ref().is_empty() {
                    Ok(json)
                } else {
                    Err(BodyError::Undecodable(io::ErrorKind::InvalidData.into()))
                }
            }
        }
    }
}

fn inflate<D: Read>(decoder: D, bytes_max: usize) -> Result<(Vec<u8>, D), BodyError> {
    let mut json = Vec::new();
    let mut limited = decoder.take(bytes_max as u64 + 1);
    limited.read_to_end(&mut json).map_err(BodyError::Undecodable)?;
    if json.len() > bytes_max {
        return Err(BodyError::TooLarge { bytes_max });
    }
    Ok((json, limited.into_inner()))
}

#[cfg(test)]
mod tests;
