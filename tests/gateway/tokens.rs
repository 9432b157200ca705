//! Who may subscribe, over time: the daily token by a clock that the test sets, and JSON Web Tokens of every kind.

mod daily;
mod jwt;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::harness::Gateway;
use crate::harness::socket::Socket;

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

/// Connects with a token; refused, with the only words there are.
async fn connect(gateway: &Gateway, query: &str, token: &str) -> Option<Socket> {
    connect_with(gateway, query, json!({ "token": token })).await
}

async fn connect_with(gateway: &Gateway, query: &str, auth: Value) -> Option<Socket> {
    let (socket, answer) = gateway.connect(query, auth).await;
    let refused = answer == r#"44{"message":"invalid token","data":{"code":"invalid_token"}}"#;
    assert!(refused || answer.starts_with("40{"), "{answer}");
    (!refused).then_some(socket)
}
