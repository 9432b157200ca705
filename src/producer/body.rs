//! The body of a request on its way in: limited in bytes and in time.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// How long a body may take. A publish is small; a sender that needs longer is stalled or means harm.
pub(super) const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// How much of a refused body is read and thrown away, so that the sender, which reads only after it has written, gets
/// an answer and not a reset.
pub(super) const DRAIN_BYTES_MAX: usize = 1024 * 1024;

/// How long a refused body is read. What is still to come was mostly in flight when the refusal was decided.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);

/// Memory set aside at most for a body on the word of its `Content-Length`.
const RESERVED_BYTES_MAX: usize = 16 * 1024;

/// Why the connection could not go on with a body.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a request, however it comes.
pub trait RequestBody: Body<Data = Bytes, Error: Into<BoxError>> + Unpin {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> RequestBody for B {}

/// Why a body could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// No content type, several, or another one.
    #[error("the content type is not application/json")]
    Type,
    /// A transfer coding besides chunked, or several.
    #[error("the transfer coding is not chunked alone")]
    Framing,
    /// A charset besides UTF-8.
    #[error("the charset is not utf-8")]
    Charset,
    /// A content encoding besides identity, gzip and deflate.
    #[error("the content encoding is not identity, gzip or deflate")]
    Encoding,
    /// Over the limit, as sent or after inflation.
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// Not all of it came within [`BODY_TIME_MAX`].
    #[error("the body did not arrive within {} s", BODY_TIME_MAX.as_secs())]
    Timeout,
    /// The connection ended inside the body, or its chunks are malformed.
    #[error("the body broke off: {0}")]
    Broken(BoxError),
    /// The compressed data is malformed or cut off.
    #[error("the body cannot be inflated: {0}")]
    Undecodable(io::Error),
}

/// A body that knows how much of it was read.
pub(super) struct Inbound<B> {
    body: B,
    /// The sender waits for a `100 Continue`, which goes out when the body is first asked for.
    awaits_continue: bool,
    is_read: bool,
}

impl<B: RequestBody> Inbound<B> {
    pub(super) fn new(headers: &HeaderMap, body: B) -> Self {
        let is_read = body.is_end_stream();
        Self { body, awaits_continue: headers.contains_key(header::EXPECT), is_read }
    }

    /// Whether nothing is left, so that another request may follow on the connection.
    pub(super) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// When it is larger than `bytes_max`, takes longer than [`BODY_TIME_MAX`], or breaks off. One that announces
    /// itself as too large is not read at all.
    pub(super) async fn read(&mut self, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
        if self.bytes_left_min() > bytes_max {
            return Err(BodyError::TooLarge { bytes_max });
        }
        timeout(BODY_TIME_MAX, self.collect(bytes_max)).await.unwrap_or(Err(BodyError::Timeout))
    }

    async fn collect(&mut self, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
        let mut bytes = Vec::with_capacity(self.bytes_left_min().min(RESERVED_BYTES_MAX));
        while let Some(chunk) = self.chunk().await.map_err(BodyError::Broken)? {
            if chunk.len() > bytes_max - bytes.len() {
                return Err(BodyError::TooLarge { bytes_max });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Throws away what is left of the body, as far as [`DRAIN_BYTES_MAX`] and [`DRAIN_TIME_MAX`] go, and tells
    /// whether that was all. A sender that waits for a `100 Continue` is not asked for a body that nobody wants.
    pub(super) async fn drain(&mut self) -> bool {
        if !self.is_read && !self.awaits_continue && self.bytes_left_min() <= DRAIN_BYTES_MAX {
            let _: Result<(), _> = timeout(DRAIN_TIME_MAX, self.discard()).await;
        }
        self.is_read
    }

    async fn discard(&mut self) {
        let mut left = DRAIN_BYTES_MAX;
        while let Ok(Some(chunk)) = self.chunk().await {
            let Some(rest) = left.checked_sub(chunk.len()) else { return };
            left = rest;
        }
    }

    /// The next bytes; none at the end. Trailers are passed over.
    async fn chunk(&mut self) -> Result<Option<Bytes>, BoxError> {
        self.awaits_continue = false;
        while let Some(frame) = self.body.frame().await {
            if let Ok(data) = frame.map_err(Into::into)?.into_data() {
                return Ok(Some(data));
            }
        }
        self.is_read = true;
        Ok(None)
    }

    /// What is still to come at least: all of it when `Content-Length` was said, else 0.
    fn bytes_left_min(&self) -> usize {
        usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
