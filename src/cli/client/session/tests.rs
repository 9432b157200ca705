//! A subscriber's life, against a gateway of a few lines.

use super::{Session, Transport};
use crate::cli::client::Error;
use crate::cli::client::testing::Gateway;

fn rooms(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn rooms_go_into_the_query_and_auth_into_connect() {
    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let client = async {
        let rooms = rooms(&["a", "b&c=é"]);
        Session::connect(&dialer, Transport::Websocket, &rooms, r#"{"token":"t"}"#).await.unwrap()
    };
    let server = async {
        let (mut peer, path) = gateway.open().await;
        let connect = peer.receive().await;
        peer.send("40{}").await;
        (path, connect, peer)
    };
    let (_session, (path, connect, _peer)) = tokio::join!(client, server);
    assert_eq!(path, "/socket.io/?EIO=4&transport=websocket&uniqueUserId=a&uniqueUserId=b%26c%3D%C3%A9");
    assert_eq!(connect, r#"40{"token":"t"}"#);
}

#[tokio::test]
async fn events_arrive_and_pings_are_answered() {
    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let server = async {
        let (mut peer, _) = gateway.subscriber().await;
        peer.send("2").await;
        assert_eq!(peer.receive().await, "3");
        peer.send(r#"42["a",{"n":1}]"#).await;
        peer.send("41").await;
        peer
    };
    let client = async {
        let mut session = Session::connect(&dialer, Transport::Websocket, &[], "").await.unwrap();
        let event = session.next().await.unwrap();
        (event, session.next().await.unwrap_err())
    };
    let ((event, end), _peer) = tokio::join!(client, server);
    assert_eq!(event, r#"["a",{"n":1}]"#);
    assert!(matches!(end, Error::Disconnected) && end.is_final(), "{end}");
}

#[tokio::test]
async fn a_refusal_is_final_and_a_close_is_not() {
    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let server = async {
        let (mut peer, _) = gateway.open().await;
        peer.receive().await;
        peer.send(r#"44{"message":"invalid token"}"#).await;
        let (closing, _) = gateway.subscriber().await;
        closing.close().await;
        peer
    };
    let client = async {
        let Err(refused) = Session::connect(&dialer, Transport::Websocket, &[], "{}").await else {
            panic!("connected")
        };
        let mut session = Session::connect(&dialer, Transport::Websocket, &[], "").await.unwrap();
        (refused, session.next().await.unwrap_err())
    };
    let ((refused, closed), _peer) = tokio::join!(client, server);
    assert_eq!(refused.to_string(), "the gateway refused the subscriber: invalid token");
    assert!(refused.is_final());
    assert!(matches!(closed, Error::Closed { .. }) && !closed.is_final(), "{closed}");
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_left() {
    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let (session, peer) = tokio::join!(Session::connect(&dialer, Transport::Websocket, &[], ""), gateway.subscriber());
    let mut session = session.unwrap();
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    let end = session.next().await.unwrap_err();
    assert!(matches!(end, Error::Silent), "{end}");
    assert!(before.elapsed().as_secs() <= 45, "{:?}", before.elapsed());
    drop(peer);
}

#[tokio::test]
async fn an_http_refusal_tells_its_status() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let server = async {
        let mut peer = gateway.accept().await;
        let mut request = [0; 4096];
        assert!(peer.read(&mut request).await.unwrap() > 0);
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nForbidden";
        peer.write_all(answer).await.unwrap();
        peer
    };
    let (session, _peer) = tokio::join!(Session::connect(&dialer, Transport::Websocket, &[], ""), server);
    let Err(error) = session else { panic!("connected") };
    assert!(error.to_string().starts_with("the gateway answered 403 Forbidden"), "{error}");
}

#[tokio::test]
async fn who_showed_no_token_is_told_how_to() {
    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let server = async {
        let (mut peer, _) = gateway.open().await;
        peer.receive().await;
        peer.send(r#"44{"message":"invalid token"}"#).await;
        peer
    };
    let (session, _peer) = tokio::join!(Session::connect(&dialer, Transport::Websocket, &[], ""), server);
    let Err(error) = session else { panic!("connected") };
    let told = error.to_string();
    assert!(told.ends_with("invalid token; no token was given: --token, --secret-file or --secret-env"), "{told}");
}

#[tokio::test]
async fn the_alert_of_a_tls_port_is_no_http() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let gateway = Gateway::bind().await;
    let dialer = gateway.dialer().await;
    let server = async {
        for _ in 0..2 {
            let mut peer = gateway.accept().await;
            assert!(peer.read(&mut [0; 4096]).await.unwrap() > 0);
            peer.write_all(&[0x15, 3, 3, 0, 2, 2, 70]).await.unwrap();
        }
    };
    let client = async {
        for transport in [Transport::Websocket, Transport::Polling] {
            let Err(error) = Session::connect(&dialer, transport, &[], "").await else { panic!("connected") };
            assert!(matches!(error, Error::NotHttp), "{error}");
            assert!(error.is_final() && error.to_string().ends_with("the port speaks TLS: use https://"), "{error}");
        }
    };
    tokio::join!(client, server);
}
