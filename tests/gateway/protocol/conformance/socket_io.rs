//! The 32 cases of Socket.IO's suite, against a server that talks. The first 16 are those of the transport below.

mod engine_io_protocol {
    mod handshake {
        mod http_long_polling {
            use super::super::super::super::*;

            #[tokio::test]
            async fn should_successfully_open_a_session() {
                transport::opens_over_polling(&talker(Pings::AsPublished).await).await;
            }

            #[tokio::test]
            async fn should_fail_with_an_invalid_eio_query_parameter() {
                transport::refuses_versions_over_polling(&talker(Pings::None).await).await;
            }

            #[tokio::test]
            async fn should_fail_with_an_invalid_transport_query_parameter() {
                transport::refuses_transports_over_polling(&talker(Pings::None).await).await;
            }

            #[tokio::test]
            async fn should_fail_with_an_invalid_request_method() {
                transport::refuses_methods(&talker(Pings::None).await).await;
            }
        }

        mod websocket {
            use super::super::super::super::*;

            #[tokio::test]
            async fn should_successfully_open_a_session() {
                transport::opens_over_websocket(&talker(Pings::AsPublished).await).await;
            }

            #[tokio::test]
            async fn should_fail_with_an_invalid_eio_query_parameter() {
                transport::refuses_versions_over_websocket(&talker(Pings::None).await).await;
            }

            #[tokio::test]
            async fn should_fail_with_an_invalid_transport_query_parameter() {
                transport::refuses_transports_over_websocket(&talker(Pings::None).await).await;
            }
        }
    }

    mod heartbeat {
        mod http_long_polling {
            use super::super::super::super::*;

            #[tokio::test]
            async fn should_send_ping_pong_packets() {
                transport::pings_over_polling(&talker(Pings::Often).await).await;
            }

            #[tokio::test]
            async fn should_close_the_session_upon_ping_timeout() {
                transport::gives_up_the_silent_over_polling(&talker(Pings::AsPublished).await).await;
            }
        }

        mod websocket {
            use super::super::super::super::*;

            #[tokio::test]
            async fn should_send_ping_pong_packets() {
                transport::pings_over_websocket(&talker(Pings::Often).await).await;
            }

            #[tokio::test]
            async fn should_close_the_session_upon_ping_timeout() {
                transport::gives_up_the_silent_over_websocket(&talker(Pings::AsPublished).await).await;
            }
        }
    }

    mod close {
        mod http_long_polling {
            use super::super::super::super::*;

            #[tokio::test]
            async fn should_forcefully_close_the_session() {
                transport::closes_over_polling(&talker(Pings::None).await).await;
            }
        }

        mod websocket {
            use super::super::super::super::*;

            #[tokio::test]
            async fn should_forcefully_close_the_session() {
                transport::closes_over_websocket(&talker(Pings::None).await).await;
            }
        }
    }

    mod upgrade {
        use super::super::super::*;

        /// Opens a websocket for the session that probes and takes over in one go.
        async fn hasty(server: &Gateway, session: &Polling) -> Websocket {
            let mut socket = Websocket::open(server.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
            socket.send("2probe").await;
            socket.send("5").await;
            socket
        }

        #[tokio::test]
        async fn should_successfully_upgrade_from_http_long_polling_to_websocket() {
            let server = talker(Pings::None).await;
            let session = polling(&server).await;
            let mut socket = hasty(&server, &session).await;
            assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
        }

        #[tokio::test]
        async fn should_ignore_http_requests_with_same_sid_after_upgrade() {
            let server = talker(Pings::None).await;
            let session = polling(&server).await;
            let mut socket = hasty(&server, &session).await;
            polls_until_refused(&server, &session).await;
            assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
        }

        #[tokio::test]
        async fn should_ignore_websocket_connection_with_same_sid_after_upgrade() {
            let server = talker(Pings::None).await;
            let session = polling(&server).await;
            let mut socket = hasty(&server, &session).await;
            let mut second = Websocket::open(server.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
            assert_eq!(second.next().await, None);
            assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
        }
    }
}

mod socket_io_protocol {
    mod connect {
        use super::super::super::*;
        use serde_json::Value;
        use std::time::Instant;

        /// Connects, and asserts that an id and nothing else comes, and then the event.
        async fn is_let_in(connect: &str, answer: &str, event: &str) {
            let server = talker(Pings::None).await;
            let (mut socket, _) = websocket(&server).await;
            socket.send(connect).await;
            let packet = socket.packet().await.unwrap();
            let data: Value = serde_json::from_str(packet.strip_prefix(answer).unwrap()).unwrap();
            assert!(data["sid"].is_string() && data.as_object().unwrap().len() == 1, "{packet}");
            assert_eq!(socket.packet().await.as_deref(), Some(event));
        }

        async fn answer_to(connect: &str) -> Option<String> {
            let server = talker(Pings::None).await;
            let (mut socket, _) = websocket(&server).await;
            socket.send(connect).await;
            socket.packet().await
        }

        #[tokio::test]
        async fn should_allow_connection_to_the_main_namespace() {
            is_let_in("40", "40", r#"42["auth",{}]"#).await;
        }

        #[tokio::test]
        async fn should_allow_connection_to_the_main_namespace_with_a_payload() {
            is_let_in(r#"40{"token":"123"}"#, "40", r#"42["auth",{"token":"123"}]"#).await;
        }

        #[tokio::test]
        async fn should_allow_connection_to_a_custom_namespace() {
            is_let_in("40/custom,", "40/custom,", r#"42/custom,["auth",{}]"#).await;
        }

        #[tokio::test]
        async fn should_allow_connection_to_a_custom_namespace_with_a_payload() {
            is_let_in(r#"40/custom,{"token":"abc"}"#, "40/custom,", r#"42/custom,["auth",{"token":"abc"}]"#).await;
        }

        #[tokio::test]
        async fn should_disallow_connection_to_an_unknown_namespace() {
            assert_eq!(answer_to("40/random").await.as_deref(), Some(r#"44/random,{"message":"Invalid namespace"}"#));
        }

        #[tokio::test]
        async fn should_disallow_connection_with_an_invalid_handshake() {
            assert_eq!(answer_to("4abc").await, None);
        }

        /// It answers pings all the while.
        #[tokio::test]
        async fn should_close_the_connection_if_no_handshake_is_received() {
            let timeout = Duration::from_secs(1);
            let server = Gateway::start_hearing(Talker, timeout, &Pings::Often.settings()).await;
            let begun = Instant::now();
            let (mut socket, _) = websocket(&server).await;
            assert_eq!(socket.packet().await, None);
            assert!(begun.elapsed() >= timeout, "{:?}", begun.elapsed());
        }
    }

    mod disconnect {
        use super::super::super::*;

        #[tokio::test]
        async fn should_disconnect_from_the_main_namespace() {
            let server = talker(Pings::Often).await;
            let mut socket = connected(&server).await;
            socket.send("41").await;
            assert_eq!(socket.next().await.as_deref(), Some("2"));
            server.until(|stats| stats.subscribers.get() == 0).await;
        }

        #[tokio::test]
        async fn should_connect_then_disconnect_from_a_custom_namespace() {
            let server = talker(Pings::Often).await;
            let mut socket = connected(&server).await;
            assert_eq!(socket.next().await.as_deref(), Some("2"));
            socket.send("3").await;
            socket.send("40/custom").await;
            assert!(socket.packet().await.unwrap().starts_with(r#"40/custom,{"sid":""#));
            assert_eq!(socket.packet().await.as_deref(), Some(r#"42/custom,["auth",{}]"#));
            socket.send("41/custom").await;
            socket.send(r#"42["message","message to main namespace"]"#).await;
            let back = r#"42["message-back","message to main namespace"]"#;
            assert_eq!(socket.packet().await.as_deref(), Some(back));
        }
    }

    mod message {
        use super::super::super::*;

        const ATTACHMENTS: [[u8; 3]; 2] = [[1, 2, 3], [4, 5, 6]];

        /// Asserts that the packet and its attachments are answered by another, and by attachments of its own.
        async fn is_answered(packet: &str, attachments: &[[u8; 3]], answer: &str) {
            let server = talker(Pings::None).await;
            let mut socket = connected(&server).await;
            socket.send(packet).await;
            for bytes in attachments {
                socket.send(bytes.to_vec()).await;
            }
            assert_eq!(socket.packet().await.as_deref(), Some(answer));
            for bytes in attachments {
                assert_eq!(socket.binary().await, bytes);
            }
        }

        async fn is_closed_for(packet: &str) {
            let server = talker(Pings::None).await;
            let mut socket = connected(&server).await;
            socket.send(packet).await;
            assert_eq!(socket.packet().await, None);
        }

        #[tokio::test]
        async fn should_send_a_plain_text_packet() {
            let back = r#"42["message-back",1,"2",{"3":[true]}]"#;
            is_answered(r#"42["message",1,"2",{"3":[true]}]"#, &[], back).await;
        }

        #[tokio::test]
        async fn should_send_a_packet_with_binary_attachments() {
            let packet = r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
            let back = r#"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
            is_answered(packet, &ATTACHMENTS, back).await;
        }

        #[tokio::test]
        async fn should_send_a_plain_text_packet_with_an_ack() {
            let packet = r#"42456["message-with-ack",1,"2",{"3":[false]}]"#;
            is_answered(packet, &[], r#"43456[1,"2",{"3":[false]}]"#).await;
        }

        #[tokio::test]
        async fn should_send_a_packet_with_binary_attachments_and_an_ack() {
            let packet = r#"452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
            let ack = r#"462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
            is_answered(packet, &ATTACHMENTS, ack).await;
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
