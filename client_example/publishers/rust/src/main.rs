//! Publishes one event. Options: see README.md of client_example.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// One for the life of the program: a connection is kept from one event to the next.
fn agent() -> Result<Agent, Box<dyn Error>> {
    let mut tls = TlsConfig::builder();
    if let Ok(path) = env::var("ROOMCAST_CA") {
        tls = tls.root_certs(RootCerts::new_with_certs(&certificates(&path)?));
    }
    if let (Ok(path), Ok(key)) = (env::var("ROOMCAST_CERT"), env::var("ROOMCAST_KEY")) {
        let key = PrivateKey::from_pem(&fs::read(key)?)?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&certificates(&path)?, key)));
    }
    let config = Agent::config_builder().tls_config(tls.build());
    let config = config.timeout_global(Some(Duration::from_secs(10))).http_status_as_error(false).max_redirects(0);
    Ok(config.build().into())
}

fn certificates(path: &str) -> Result<Vec<Certificate<'static>>, Box<dyn Error>> {
    let items = parse_pem(&fs::read(path)?).collect::<Result<Vec<_>, _>>()?;
    Ok(items
        .into_iter()
        .filter_map(|item| if let PemItem::Certificate(one) = item { Some(one) } else { None })
        .collect())
}

fn publish(agent: &Agent, url: &str, event: &Value) -> Result<(), Box<dyn Error>> {
    for attempt in 1.. {
        let request = agent.post(format!("{url}/publish")).header("Content-Type", "application/json");
        let answer = request.send(event.to_string())?;
        match answer.status().as_u16() {
            200 => break,
            429 | 503 if attempt < 5 => {
                let seconds = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
                sleep(Duration::from_secs(seconds.unwrap_or(1)));
            }
            status => return Err(format!("not published: the gateway answered {status}").into()),
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("ROOMCAST_PRODUCER_URL").unwrap_or_else(|_| "https://localhost:2053".to_owned());
    let event = json!({ "target_id": env::var("ROOMCAST_TARGET")?, "message": env::var("ROOMCAST_MESSAGE")? });
    publish(&agent()?, &url, &event)
}
