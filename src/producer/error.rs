//! Where the producer's errors become HTTP: the one file that chooses their statuses.

use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::Config;
use super::answer::{self, Response, Text, text};
use super::body::BodyError;
use crate::admission::Refusal;
use crate::publish::{PublishError, TargetFault};
use crate::types::Cause;

/// Why a request was not served. The text is for the log; the answer says only the status.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The gate's word.
    #[error("refused: {}", .0.cause.label())]
    Refused(Refusal),
    /// No such path or verb.
    #[error("no such path or verb")]
    NotFound,
    /// The body did not arrive as it should.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body arrived and cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Body(BodyError::Type | BodyError::Charset | BodyError::Encoding) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Body(BodyError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::Timeout) => StatusCode::REQUEST_TIMEOUT,
            Self::Publish(PublishError::Overloaded(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Body(BodyError::Framing | BodyError::Broken(_) | BodyError::Undecodable(_)) | Self::Publish(_) => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// The status of vrchats. To it a body of another type is one without a target, and it has one answer for all that it
    /// fails at: 500.
    fn legacy_status(&self) -> StatusCode {
        match self {
            Self::Body(BodyError::Type) => StatusCode::BAD_REQUEST,
            Self::Body(
                BodyError::Charset | BodyError::Encoding | BodyError::TooLarge { .. } | BodyError::Undecodable(_),
            )
            | Self::Publish(
                PublishError::NoMembers
                | PublishError::Malformed { .. }
                | PublishError::TooDeep
                | PublishError::Target { fault: TargetFault::Reserved, .. },
            ) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => self.status(),
        }
    }

    /// The metric's label. None for what the gate has counted.
    pub(super) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Refused(_) => None,
            Self::NotFound => Some(Cause::NotFound),
            Self::Body(BodyError::Type | BodyError::Charset | BodyError::Encoding) => Some(Cause::UnsupportedMedia),
            Self::Body(BodyError::TooLarge { .. }) => Some(Cause::BodyTooLarge),
            Self::Body(BodyError::Timeout) => Some(Cause::BodyTimeout),
            Self::Body(BodyError::Framing | BodyError::Broken(_) | BodyError::Undecodable(_)) => {
                Some(Cause::InvalidBody)
            }
            Self::Publish(error) => Some(error.cause()),
        }
    }

    /// What vrchats logs of it; nothing of a path that is not there.
    pub(super) fn log_message(&self) -> Option<&'static str> {
        match self.cause()? {
            Cause::NotFound => None,
            Cause::InvalidTarget => Some("Invalid req.body.id"),
            _ => Some("req/res error"),
        }
    }

    /// Whether what is left of the body is not read: the sender is not trusted, or the body does not come, or nobody can
    /// be sure where it ends.
    pub(super) fn abandons_body(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status() == StatusCode::FORBIDDEN,
            Self::Body(error) => matches!(error, BodyError::Framing | BodyError::Timeout | BodyError::Broken(_)),
            Self::NotFound | Self::Publish(_) => false,
        }
    }

    /// The answer, which tells the status and nothing of the reason.
    pub(super) fn answer(&self, head: &Parts, config: &Config) -> Response {
        let status = if config.has_legacy_statuses { self.legacy_status() } else { self.status() };
        if matches!(self, Self::NotFound) {
            return answer::page(status, head);
        }
        let mut answer = answer::plain(status, text_of(status));
        if let Some(secs) = self.retry_after_secs() {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        answer
    }

    fn retry_after_secs(&self) -> Option<u64> {
        match self {
            Self::Refused(refusal) => refusal.retry_after_secs(),
            // An inbox of 64 MiB is sent within a second, or so much was published that the next second is full too.
            Self::Publish(PublishError::Overloaded(_)) => Some(1),
            _ => None,
        }
    }
}

fn text_of(status: StatusCode) -> &'static Text {
    match status {
        StatusCode::BAD_REQUEST => &text::BAD_REQUEST,
        StatusCode::FORBIDDEN => &text::FORBIDDEN,
        StatusCode::REQUEST_TIMEOUT => &text::REQUEST_TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE => &text::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &text::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::TOO_MANY_REQUESTS => &text::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE => &text::SERVICE_UNAVAILABLE,
        _ => &text::INTERNAL_SERVER_ERROR,
    }
}
