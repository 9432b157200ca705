//! Long answers to a poll are compressed for clients that say they can read it, as Node's server does.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use tower_http::CompressionLevel;
use tower_http::compression::Compression;

/// Node's `httpCompression.threshold`.
const BYTES_MIN: u64 = 1024;

/// Compresses the body with gzip or deflate, if it is long enough and `accepted` names one.
pub(super) async fn compressed(answer: Response<Full<Bytes>>, accepted: Option<HeaderValue>) -> Response<Full<Bytes>> {
    let Some(accepted) = accepted.filter(|_| is_long(answer.body())) else { return answer };
    let mut request = Request::new(());
    request.headers_mut().insert(ACCEPT_ENCODING, accepted);
    // The middleware wants a service; this one has its answer already.
    let answered = tower::service_fn(move |_: Request<()>| std::future::ready(Ok::<_, Infallible>(answer.clone())));
    // The fastest level: a megabyte holds the worker for milliseconds, not for tens of them.
    let compression = Compression::new(answered).quality(CompressionLevel::Fastest);
    let Ok(answer) = compression.oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(parts, Full::new(body))
}

fn is_long(body: &Full<Bytes>) -> bool {
    http_body::Body::size_hint(body).exact().is_some_and(|bytes| bytes >= BYTES_MIN)
}

#[cfg(test)]
mod tests;
