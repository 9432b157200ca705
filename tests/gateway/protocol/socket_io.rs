//! The 32 cases of Socket.IO's suite. The first 16 are Engine.IO's once more, under the same names but for a "should"; those
//! 13 that do nothing else stand in `engine_io`. The three upgrades stand here: they do not wait for the answer to the probe.

mod engine_io_protocol {
    mod upgrade {
        use super::super::super::*;

        /// Opens a websocket for the session that probes and takes over in one go.
        async fn hasty(gateway: &Gateway, session: &Polling) -> Websocket {
            let mut socket = Websocket::open(gateway.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
            socket.send("2probe").await;
            socket.send("5").await;
            socket
        }

        #[tokio::test]
        async fn should_successfully_upgrade_from_http_long_polling_to_websocket() {
            let gateway = gateway().await;
            let session = polling_subscriber(&gateway).await;
            let mut socket = hasty(&gateway, &session).await;
            assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
            hears(&gateway, &mut socket).await;
        }

        #[tokio::test]
        async fn should_ignore_http_requests_with_same_sid_after_upgrade() {
            let gateway = calm_gateway().await;
            let session = polling_subscriber(&gateway).await;
            let mut socket = hasty(&gateway, &session).await;
            polls_until_refused(&gateway, &session).await;
            assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
            hears(&gateway, &mut socket).await;
        }

        #[tokio::test]
        async fn should_ignore_websocket_connection_with_same_sid_after_upgrade() {
            let gateway = gateway().await;
            let session = polling_subscriber(&gateway).await;
            let mut socket = hasty(&gateway, &session).await;
            let mut second = Websocket::open(gateway.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
            assert_eq!(second.next().await, None);
            assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
            hears(&gateway, &mut socket).await;
        }
    }
}

mod socket_io_protocol {
    mod connect {
        use super::super::super::*;
        use std::time::{Duration, Instant};

        /// Asserts that the packet is the answer to a CONNECT: an id and nothing else.
        fn is_let_in(packet: &str) {
            let data: Value = serde_json::from_str(packet.strip_prefix("40").unwrap()).unwrap();
            assert!(data["sid"].is_string() && data.as_object().unwrap().len() == 1, "{packet}");
        }

        async fn answer_to(gateway: &Gateway, connect: &str) -> (Websocket, Option<String>) {
            let (mut socket, _) = websocket(gateway).await;
            socket.send(connect).await;
            let answer = socket.packet().await;
            (socket, answer)
        }

        /// Adapted: no event `auth` follows.
        #[tokio::test]
        async fn should_allow_connection_to_the_main_namespace() {
            let gateway = gateway().await;
            let (mut socket, answer) = answer_to(&gateway, "40").await;
            is_let_in(&answer.unwrap());
            hears(&gateway, &mut socket).await;
        }

        /// Adapted: no event `auth` follows.
        #[tokio::test]
        async fn should_allow_connection_to_the_main_namespace_with_a_payload() {
            let gateway = gateway().await;
            let (mut socket, answer) = answer_to(&gateway, r#"40{"token":"123"}"#).await;
            is_let_in(&answer.unwrap());
            hears(&gateway, &mut socket).await;
        }

        /// Adapted: there is none.
        #[tokio::test]
        async fn should_allow_connection_to_a_custom_namespace() {
            let gateway = gateway().await;
            let (_, answer) = answer_to(&gateway, "40/custom,").await;
            assert_eq!(answer.as_deref(), Some(r#"44/custom,{"message":"Invalid namespace"}"#));
        }

        /// Adapted: there is none.
        #[tokio::test]
        async fn should_allow_connection_to_a_custom_namespace_with_a_payload() {
            let gateway = gateway().await;
            let (_, answer) = answer_to(&gateway, r#"40/custom,{"token":"abc"}"#).await;
            assert_eq!(answer.as_deref(), Some(r#"44/custom,{"message":"Invalid namespace"}"#));
        }

        #[tokio::test]
        async fn should_disallow_connection_to_an_unknown_namespace() {
            let gateway = gateway().await;
            let (_, answer) = answer_to(&gateway, "40/random").await;
            assert_eq!(answer.as_deref(), Some(r#"44/random,{"message":"Invalid namespace"}"#));
        }

        #[tokio::test]
        async fn should_disallow_connection_with_an_invalid_handshake() {
            let gateway = gateway().await;
            assert_eq!(answer_to(&gateway, "4abc").await.1, None);
        }

        /// It answers pings all the while.
        #[tokio::test]
        async fn should_close_the_connection_if_no_handshake_is_received() {
            let gateway = gateway().await;
            let begun = Instant::now();
            let (mut socket, _) = websocket(&gateway).await;
            assert_eq!(socket.packet().await, None);
            assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
        }
    }

    mod disconnect {
        use super::super::super::*;

        #[tokio::test]
        async fn should_disconnect_from_the_main_namespace() {
            let gateway = gateway().await;
            let mut socket = subscriber(&gateway).await;
            socket.send("41").await;
            assert_eq!(socket.next().await.as_deref(), Some("2"));
            gateway.until(|stats| stats.subscribers.get() == 0).await;
            gateway.publish("room-1", &json!({})).await;
            socket.send("3").await;
            assert_eq!(socket.next().await.as_deref(), Some("2"), "and no event");
        }

        /// Adapted: the connect is refused, and what is published is heard.
        #[tokio::test]
        async fn should_connect_then_disconnect_from_a_custom_namespace() {
            let gateway = gateway().await;
            let mut socket = subscriber(&gateway).await;
            socket.send("40/custom").await;
            assert_eq!(socket.packet().await.as_deref(), Some(r#"44/custom,{"message":"Invalid namespace"}"#));
            socket.send("41/custom").await;
            socket.send(r#"42["message","message to main namespace"]"#).await;
            hears(&gateway, &mut socket).await;
        }
    }

    mod message {
        use super::super::super::*;
        use tokio_tungstenite::tungstenite::Message;

        /// Asserts that the packet and its attachments are taken, that nothing answers them, and that the subscriber goes
        /// on to hear.
        async fn is_taken(packet: &str, attachments: &[&'static [u8]]) {
            let gateway = gateway().await;
            let mut socket = subscriber(&gateway).await;
            socket.send(packet).await;
            for attachment in attachments {
                socket.send(Message::binary(*attachment)).await;
            }
            // The answer to this one says that those before it were read.
            socket.send("40/custom").await;
            assert_eq!(socket.packet().await.as_deref(), Some(r#"44/custom,{"message":"Invalid namespace"}"#));
            hears(&gateway, &mut socket).await;
        }

        async fn is_closed_for(packet: &str) {
            let gateway = gateway().await;
            let mut socket = subscriber(&gateway).await;
            socket.send(packet).await;
            assert_eq!(socket.packet().await, None);
        }

        /// Adapted: nothing comes back.
        #[tokio::test]
        async fn should_send_a_plain_text_packet() {
            is_taken(r#"42["message",1,"2",{"3":[true]}]"#, &[]).await;
        }

        /// Adapted: nothing comes back.
        #[tokio::test]
        async fn should_send_a_packet_with_binary_attachments() {
            let packet = r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
            is_taken(packet, &[&[1, 2, 3], &[4, 5, 6]]).await;
        }

        /// Adapted: nobody acknowledges it.
        #[tokio::test]
        async fn should_send_a_plain_text_packet_with_an_ack() {
            is_taken(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#, &[]).await;
        }

        /// Adapted: nobody acknowledges it.
        #[tokio::test]
        async fn should_send_a_packet_with_binary_attachments_and_an_ack() {
            let packet = r#"452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
            is_taken(packet, &[&[1, 2, 3], &[4, 5, 6]]).await;
        }

        #[tokio::test]
        async fn should_close_the_connection_upon_invalid_format_unknown_packet_type() {
            is_closed_for("4abc").await;
        }

        #[tokio::test]
        async fn should_close_the_connection_upon_invalid_format_invalid_payload_format() {
            is_closed_for("42{}").await;
        }

        #[tokio::test]
        async fn should_close_the_connection_upon_invalid_format_invalid_ack_id() {
            is_closed_for(r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#).await;
        }
    }
}
