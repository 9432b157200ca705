//! The HTTPS API for publishers: routes, request shapes, and the one place where their errors become HTTP.

mod answer;
mod body;
pub mod config;
mod encoding;
mod error;
mod media;

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Method, Request};
use tokio_util::sync::CancellationToken;

use crate::admission::{Client, Gate, Refusal};
use crate::publish::Publisher;
use crate::types::{Cause, PeerAddr, Stats, is_framed_plainly};
pub use answer::Body;
use answer::{Response, text};
use body::{BodyError, Inbound, RequestBody};
pub use config::Config;
use encoding::Encoding;
use error::Error;

/// When to come back to a gateway that stops.
const DRAIN_RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the producer's API needs to answer a request.
#[derive(Clone)]
pub struct Producer {
    /// Who may publish.
    pub gate: Arc<Gate>,
    /// Takes the publications.
    pub publisher: Arc<Publisher>,
    /// The API's settings.
    pub config: Config,
    /// Cancelled when the gateway stops; a publish that comes later is refused.
    pub stopping: CancellationToken,
    /// Where refusals are counted.
    pub stats: Arc<Stats>,
}

impl Config {
    /// Whether a path is one of the API's, which decides for the producer when both ports are one.
    pub fn serves(&self, path: &str) -> bool {
        Endpoint::at(path, self).is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Publish,
    Status,
    /// Both, as vrchats had them up to 0.3.
    Legacy,
}

impl Endpoint {
    /// The endpoint of a path, matched as Express does: in any case, with one slash more at the end or not.
    fn at(path: &str, config: &Config) -> Option<Self> {
        if path == "/" {
            return config.has_legacy_route.then_some(Self::Legacy);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.eq_ignore_ascii_case("/publish") {
            Some(Self::Publish)
        } else if path.eq_ignore_ascii_case("/status") {
            Some(Self::Status)
        } else {
            None
        }
    }
}

impl Producer {
    /// Answers one request of the producer port. It is called by no framework: a publish is the hot path, and vrchats'
    /// paths are matched in any case, which routers do not do.
    pub async fn answer<B: RequestBody>(&self, peer: PeerAddr, request: Request<B>) -> http::Response<Body> {
        let (head, body) = request.into_parts();
        let mut body = Inbound::new(&head.headers, body);
        let (answer, reusable) = match self.serve(peer, &head, &mut body).await {
            Ok(answer) => (answer, body.drain().await),
            Err(error) => (
                error.answer(&head, &self.config),
                if error.abandons_body() { body.is_read() } else { body.drain().await },
            ),
        };
        answer::on_connection(answer, &head, reusable)
    }

    async fn serve<B: RequestBody>(
        &self,
        peer: PeerAddr,
        head: &Parts,
        body: &mut Inbound<B>,
    ) -> Result<Response, Error> {
        let client = self.gate.publisher(peer, &head.headers)?;
        let answer = self.route(client, head, body).await;
        if let Err(error) = &answer {
            self.report(peer, client, error);
        }
        answer
    }

    async fn route<B: RequestBody>(
        &self,
        client: Client,
        head: &Parts,
        body: &mut Inbound<B>,
    ) -> Result<Response, Error> {
        if !is_framed_plainly(&head.headers) {
            return Err(BodyError::Framing.into());
        }
        match (Endpoint::at(head.uri.path(), &self.config), &head.method) {
            (Some(Endpoint::Publish | Endpoint::Legacy), &Method::POST) => {
                self.require_running()?;
                self.gate.publish(client)?;
                self.publish(head, body).await
            }
            (Some(Endpoint::Publish), &Method::OPTIONS) => Ok(answer::allowed(&text::POST)),
            (Some(Endpoint::Status | Endpoint::Legacy), &Method::GET | &Method::HEAD) => Ok(answer::status(head)),
            (Some(Endpoint::Status), &Method::OPTIONS) => Ok(answer::allowed(&text::GET_HEAD)),
            (Some(Endpoint::Legacy), &Method::OPTIONS) => Ok(answer::allowed(&text::GET_HEAD_POST)),
            _ => Err(Error::NotFound),
        }
    }

    /// Another gateway, or this one after its restart, will take it.
    fn require_running(&self) -> Result<(), Refusal> {
        if self.stopping.is_cancelled() {
            self.stats.refusals(Cause::Draining).inc();
            return Err(Refusal::passing(Cause::Draining, DRAIN_RETRY_AFTER));
        }
        Ok(())
    }

    async fn publish<B: RequestBody>(&self, head: &Parts, body: &mut Inbound<B>) -> Result<Response, Error> {
        media::require_json(&head.headers)?;
        let encoding = Encoding::of(&head.headers)?;
        let bytes_max = self.config.body_bytes_max;
        let sent = body.read(encoding.sent_bytes_max(bytes_max)).await?;
        let json = encoding.decode(sent, bytes_max)?;
        tracing::trace!(body = %String::from_utf8_lossy(&json), "publish");
        let receipt = self.publisher.publish(&json)?;
        tracing::debug!(receivers = receipt.receivers, "published");
        Ok(answer::published(receipt.receivers))
    }

    /// Counts a refusal of our own and logs it in vrchats' words. What the gate refuses, the gate counts and logs.
    fn report(&self, peer: PeerAddr, client: Client, error: &Error) {
        let Some(cause) = error.cause() else { return };
        self.stats.refusals(cause).inc();
        let Some(message) = error.log_message() else { return };
        let forwarded = client.forwarded.map(tracing::field::display);
        tracing::warn!(remoteIp = %peer, forwardedIp = forwarded, cause = cause.label(), %error, "{message}");
    }
}

#[cfg(test)]
mod tests;
