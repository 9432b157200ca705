//! One HTTP/1.1 connection, a request at a time.

use std::time::Duration;

use http::{HeaderValue, Method, Request, header, response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Dialer, Error};

/// The longest answer that is read, in bytes; a gateway's are far shorter.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// An open connection. Dropping it closes the socket.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    _driver: JoinSet<()>,
}

impl Connection {
    /// Dials and makes ready for the first request.
    ///
    /// # Errors
    /// As [`Dialer::dial`].
    pub(crate) async fn open(dialer: &Dialer) -> Result<Self, Error> {
        let host = HeaderValue::try_from(dialer.endpoint().authority());
        let host = host.map_err(|error| Error::http(&error))?;
        let (sender, connection) = http1::handshake(TokioIo::new(dialer.dial().await?)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // What breaks the connection is reported to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Self { sender, host, _driver: driver })
    }

    /// Waits until a request can be sent; fails when the other end has closed the connection since the last one.
    ///
    /// # Errors
    /// When the connection is closed.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        Ok(self.sender.ready().await?)
    }

    /// A GET request that is answered within `limit`.
    ///
    /// # Errors
    /// When the exchange breaks or takes too long. Any status is an answer.
    pub(crate) async fn get(&mut self, path: &str, limit: Duration) -> Result<Answer, Error> {
        let request = Request::builder().method(Method::GET).uri(path).body(Full::default());
        self.send(request, limit).await
    }

    /// A POST request that is answered within `limit`.
    ///
    /// # Errors
    /// When the exchange breaks or takes too long. Any status is an answer.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        content_type: &'static str,
        body: Bytes,
        limit: Duration,
    ) -> Result<Answer, Error> {
        let request = Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, content_type);
        self.send(request.body(Full::new(body)), limit).await
    }

    async fn send(&mut self, request: http::Result<Request<Full<Bytes>>>, limit: Duration) -> Result<Answer, Error> {
        let mut request = request.map_err(|error| Error::http(&error))?;
        request.headers_mut().insert(header::HOST, self.host.clone());
        let exchange = async {
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| Error::http(&*error))?;
            Ok(Answer { head, body: body.to_bytes() })
        };
        timeout(limit, exchange).await.map_err(|_| Error::Timeout { step: "the answer", limit })?
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    /// Status and headers.
    pub(crate) head: response::Parts,
    /// The body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body of a 200, or an error that tells the status; `port` is the gateway's that was asked.
    ///
    /// # Errors
    /// Any other status.
    pub(crate) fn ok(self, port: &'static str) -> Result<Bytes, Error> {
        if self.head.status == http::StatusCode::OK {
            Ok(self.body)
        } else {
            Err(Error::status_of(port, self.head.status, &self.body))
        }
    }
}
