//! The page's parts as a browser asks for them.

use std::path::Path;

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tempfile::TempDir;
use tower::ServiceExt;

use super::{CLIENT_MISSING, Demo, router};
use crate::types::{Clock, Secret};

/// What vrchats gives for `some-nasty-secret` on 2026-12-1.
const TOKEN: &str = "13579873fa934fcaec9c053d6d634ee5dabfc33b51dfa9c14bdbebcaec9a51ed420daabff67508c85e08c361c5b31bd6d83e0b86babf8d07f3e98f1453151326";

async fn get(path: &str, client_script: &Path) -> Response<String> {
    let router = router(Demo {
        user: "the-user",
        curl: "curl 'x'".to_owned(),
        secret: Secret::new("some-nasty-secret"),
        clock: Clock::from_fn(|| "2026-12-01T00:00:00Z".parse().unwrap()),
        client_script: client_script.into(),
    });
    let (parts, body) = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

fn text(response: &Response<String>, name: header::HeaderName) -> &str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn the_page_takes_nothing_from_elsewhere() {
    for path in ["/demo", "/demo/"] {
        let page = get(path, Path::new("missing")).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(text(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert!(text(&page, header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
        for attribute in ["src=\"", "href=\""] {
            for source in page.body().split(attribute).skip(1) {
                assert!(source.starts_with("/demo/") || source.starts_with("data:"), "{source:.40}");
            }
        }
    }
    let script = get("/demo/app.js", Path::new("missing")).await;
    assert_eq!(text(&script, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    assert!(script.body().contains("/demo") || script.body().contains("settings.token"));
}

#[tokio::test]
async fn the_token_is_the_days_and_is_never_cached() {
    let answer = get("/demo/token", Path::new("missing")).await;
    assert_eq!(text(&answer, header::CACHE_CONTROL), "no-store");
    assert_eq!(text(&answer, header::CONTENT_TYPE), "application/json");
    let answer: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(answer, serde_json::json!({ "token": TOKEN, "user": "the-user", "curl": "curl 'x'" }));
}

#[tokio::test]
async fn the_client_is_served_once_it_is_installed() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("socket.io.min.js");
    let before = get("/demo/socket.io.min.js", &script).await;
    assert_eq!((before.status(), before.body().as_str()), (StatusCode::NOT_FOUND, CLIENT_MISSING));
    std::fs::write(&script, "io()").unwrap();
    let after = get("/demo/socket.io.min.js", &script).await;
    assert_eq!((after.status(), after.body().as_str()), (StatusCode::OK, "io()"));
}
