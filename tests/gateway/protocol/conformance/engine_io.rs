//! The 25 cases of Engine.IO's suite, against a server that sends every message back.

mod handshake {
    mod http_long_polling {
        use super::super::super::*;

        #[tokio::test]
        async fn successfully_opens_a_session() {
            transport::opens_over_polling(&echo(Pings::AsPublished).await).await;
        }

        #[tokio::test]
        async fn fails_with_an_invalid_eio_query_parameter() {
            transport::refuses_versions_over_polling(&echo(Pings::None).await).await;
        }

        #[tokio::test]
        async fn fails_with_an_invalid_transport_query_parameter() {
            transport::refuses_transports_over_polling(&echo(Pings::None).await).await;
        }

        #[tokio::test]
        async fn fails_with_an_invalid_request_method() {
            transport::refuses_methods(&echo(Pings::None).await).await;
        }
    }

    mod websocket {
        use super::super::super::*;

        #[tokio::test]
        async fn successfully_opens_a_session() {
            transport::opens_over_websocket(&echo(Pings::AsPublished).await).await;
        }

        #[tokio::test]
        async fn fails_with_an_invalid_eio_query_parameter() {
            transport::refuses_versions_over_websocket(&echo(Pings::None).await).await;
        }

        #[tokio::test]
        async fn fails_with_an_invalid_transport_query_parameter() {
            transport::refuses_transports_over_websocket(&echo(Pings::None).await).await;
        }
    }
}

mod message {
    mod http_long_polling {
        use super::super::super::*;

        /// Asserts that a payload comes back as it went out.
        async fn comes_back(payload: &str) {
            let server = echo(Pings::None).await;
            let mut session = polling(&server).await;
            let posted = session.post(payload).await;
            assert_eq!((posted.status, posted.body.as_str()), (200, "ok"));
            let polled = session.poll().await;
            assert_eq!((polled.status, polled.body.as_str()), (200, payload));
        }

        #[tokio::test]
        async fn sends_and_receives_a_payload_containing_one_plain_text_packet() {
            comes_back("4hello").await;
        }

        #[tokio::test]
        async fn sends_and_receives_a_payload_containing_several_plain_text_packets() {
            comes_back("4test1\u{1e}4test2\u{1e}4test3").await;
        }

        #[tokio::test]
        async fn sends_and_receives_a_payload_containing_plain_text_and_binary_packets() {
            comes_back("4hello\u{1e}bAQIDBA==").await;
        }

        #[tokio::test]
        async fn closes_the_session_upon_invalid_packet_format() {
            let server = echo(Pings::None).await;
            let mut session = polling(&server).await;
            assert_eq!(session.post("abc").await.status, 400);
            assert_eq!(session.poll().await.status, 400);
        }

        #[tokio::test]
        async fn closes_the_session_upon_duplicate_poll_requests() {
            let server = echo(Pings::None).await;
            let mut session = polling(&server).await;
            let mut first = session.poll_elsewhere(server.consumer()).await;
            assert_eq!(session.poll().await.status, 400);
            let first = first.answer(false).await.unwrap();
            assert_eq!((first.status, first.body.as_str()), (200, "1"));
            assert_eq!(session.poll().await.status, 400);
        }

        #[tokio::test]
        async fn closes_the_session_upon_cancelled_polling_request() {
            let server = echo(Pings::None).await;
            let mut session = polling(&server).await;
            drop(session.poll_elsewhere(server.consumer()).await);
            assert_eq!(session.poll().await.status, 400);
        }
    }

    mod websocket {
        use super::super::super::*;

        #[tokio::test]
        async fn sends_and_receives_a_plain_text_packet() {
            let server = echo(Pings::None).await;
            let (mut socket, _) = websocket(&server).await;
            socket.send("4hello").await;
            assert_eq!(socket.packet().await.as_deref(), Some("4hello"));
        }

        #[tokio::test]
        async fn sends_and_receives_a_binary_packet() {
            let server = echo(Pings::None).await;
            let (mut socket, _) = websocket(&server).await;
            socket.send(vec![1, 2, 3, 4]).await;
            assert_eq!(socket.binary().await, [1, 2, 3, 4]);
        }

        #[tokio::test]
        async fn closes_the_session_upon_invalid_packet_format() {
            let server = echo(Pings::None).await;
            let (mut socket, _) = websocket(&server).await;
            socket.send("abc").await;
            assert_eq!(socket.packet().await, None);
        }
    }
}

mod heartbeat {
    mod http_long_polling {
        use super::super::super::*;

        #[tokio::test]
        async fn sends_ping_pong_packets() {
            transport::pings_over_polling(&echo(Pings::Often).await).await;
        }

        #[tokio::test]
        async fn closes_the_session_upon_ping_timeout() {
            transport::gives_up_the_silent_over_polling(&echo(Pings::AsPublished).await).await;
        }
    }

    mod websocket {
        use super::super::super::*;

        #[tokio::test]
        async fn sends_ping_pong_packets() {
            transport::pings_over_websocket(&echo(Pings::Often).await).await;
        }

        #[tokio::test]
        async fn closes_the_session_upon_ping_timeout() {
            transport::gives_up_the_silent_over_websocket(&echo(Pings::AsPublished).await).await;
        }
    }
}

mod close {
    mod http_long_polling {
        use super::super::super::*;

        #[tokio::test]
        async fn forcefully_closes_the_session() {
            transport::closes_over_polling(&echo(Pings::None).await).await;
        }
    }

    mod websocket {
        use super::super::super::*;

        #[tokio::test]
        async fn forcefully_closes_the_session() {
            transport::closes_over_websocket(&echo(Pings::None).await).await;
        }
    }
}

mod upgrade {
    use super::super::*;

    /// Asserts that the session goes on over the websocket.
    async fn echoes(socket: &mut Websocket) {
        socket.send("4hello").await;
        assert_eq!(socket.packet().await.as_deref(), Some("4hello"));
    }

    #[tokio::test]
    async fn successfully_upgrades_from_http_long_polling_to_websocket() {
        let server = echo(Pings::None).await;
        let mut session = polling(&server).await;
        let mut socket = probed(&server, &session).await;
        let answer = session.poll().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "6"));
        socket.send("5").await;
        echoes(&mut socket).await;
    }

    #[tokio::test]
    async fn ignores_http_requests_with_same_sid_after_upgrade() {
        let server = echo(Pings::None).await;
        let session = polling(&server).await;
        let mut socket = probed(&server, &session).await;
        socket.send("5").await;
        polls_until_refused(&server, &session).await;
        echoes(&mut socket).await;
    }

    #[tokio::test]
    async fn ignores_websocket_connection_with_same_sid_after_upgrade() {
        let server = echo(Pings::None).await;
        let session = polling(&server).await;
        let mut socket = probed(&server, &session).await;
        socket.send("5").await;
        let mut second = Websocket::open(server.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
        assert_eq!(second.next().await, None);
        echoes(&mut socket).await;
    }
}
