//! The demo page: what it consists of, and the token that it asks for at each connect.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

use crate::admission::token::{active_day, daily_token};
use crate::types::{Clock, Secret};

/// What to do when the stock client is not installed.
pub const CLIENT_MISSING: &str = "The page needs the socket.io client: type `make dev`, or `npm ci` in client_example.";

const PAGE: &str = include_str!("../../../client_example/browser/index.html");
const SCRIPT: &str = include_str!("../../../client_example/browser/app.js");

/// Nothing from elsewhere: the page works without the internet, and an event that holds markup stays text.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
     connect-src 'self' wss:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page is told.
#[derive(Clone, Debug)]
pub struct Demo {
    /// The user that it connects as, and so the room that it listens to.
    pub user: &'static str,
    /// The line that publishes to that room.
    pub curl: String,
    /// The secret of the daily token.
    pub secret: Secret,
    /// Tells which day's token to give.
    pub clock: Clock,
    /// The stock client's bundle.
    pub client_script: PathBuf,
}

/// `/demo` and what is under it.
pub fn router(demo: Demo) -> Router {
    Router::new()
        .route("/demo", get(page))
        .route("/demo/", get(page))
        .route("/demo/app.js", get(|| async { content("text/javascript; charset=utf-8", SCRIPT.to_owned()) }))
        .route("/demo/socket.io.min.js", get(client))
        .route("/demo/token", get(token))
        .with_state(Arc::new(demo))
}

async fn page() -> Response {
    let mut page = content("text/html; charset=utf-8", PAGE.to_owned());
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    page
}

/// Read at each request: it may be installed while the gateway runs.
async fn client(State(demo): State<Arc<Demo>>) -> Response {
    match tokio::fs::read_to_string(&demo.client_script).await {
        Ok(text) => content("text/javascript; charset=utf-8", text),
        Err(_) => {
            (StatusCode::NOT_FOUND, content("text/plain; charset=utf-8", CLIENT_MISSING.to_owned())).into_response()
        }
    }
}

async fn token(State(demo): State<Arc<Demo>>) -> Response {
    let token = daily_token(&demo.secret, active_day(demo.clock.now(), 0));
    let answer = serde_json::json!({ "token": token, "user": demo.user, "curl": demo.curl });
    content("application/json", answer.to_string())
}

/// Never from a cache: the parts must fit the gateway that runs now.
fn content(kind: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests;
