//! The 25 cases of Engine.IO's suite.

use serde_json::{Value, json};

/// What both transports tell in the open packet.
fn is_open_packet(open: &Value, upgrades: &[&str]) {
    let names: Vec<_> = open.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "{open}");
    assert!(open["sid"].is_string(), "{open}");
    assert_eq!(open["upgrades"], json!(upgrades));
    assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&json!(300), &json!(200)));
    assert_eq!(open["maxPayload"], 1_000_000);
}

mod handshake {
    mod http_long_polling {
        use super::super::super::*;
        use super::super::is_open_packet;

        #[tokio::test]
        async fn successfully_opens_a_session() {
            let gateway = impatient_gateway().await;
            let (_, open) = Polling::open(gateway.consumer(), "").await.ok().unwrap();
            is_open_packet(&open, &["websocket"]);
        }

        #[tokio::test]
        async fn fails_with_an_invalid_eio_query_parameter() {
            let gateway = gateway().await;
            for query in ["transport=polling", "EIO=abc&transport=polling"] {
                assert_eq!(gateway.ask_consumer(&format!("GET /socket.io/?{query}"), "").await.status, 400);
            }
        }

        #[tokio::test]
        async fn fails_with_an_invalid_transport_query_parameter() {
            let gateway = gateway().await;
            for query in ["EIO=4", "EIO=4&transport=abc"] {
                assert_eq!(gateway.ask_consumer(&format!("GET /socket.io/?{query}"), "").await.status, 400);
            }
        }

        #[tokio::test]
        async fn fails_with_an_invalid_request_method() {
            let gateway = gateway().await;
            for method in ["POST", "PUT"] {
                let line = format!("{method} /socket.io/?EIO=4&transport=polling");
                assert_eq!(gateway.ask_consumer(&line, "").await.status, 400);
            }
        }
    }

    mod websocket {
        use super::super::super::*;
        use super::super::is_open_packet;

        #[tokio::test]
        async fn successfully_opens_a_session() {
            let gateway = impatient_gateway().await;
            is_open_packet(&websocket(&gateway).await.1, &[]);
        }

        #[tokio::test]
        async fn fails_with_an_invalid_eio_query_parameter() {
            let gateway = gateway().await;
            for query in ["transport=websocket", "EIO=abc&transport=websocket"] {
                assert_eq!(gateway.ask_consumer(&format!("GET /socket.io/?{query}{UPGRADE}"), "").await.status, 400);
            }
        }

        #[tokio::test]
        async fn fails_with_an_invalid_transport_query_parameter() {
            let gateway = gateway().await;
            for query in ["EIO=4", "EIO=4&transport=abc"] {
                assert_eq!(gateway.ask_consumer(&format!("GET /socket.io/?{query}{UPGRADE}"), "").await.status, 400);
            }
        }
    }
}

mod message {
    mod http_long_polling {
        use super::super::super::*;
        use crate::harness::http::Connection;

        fn accepted(answer: &Answer) {
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
        }

        /// Adapted: CONNECT goes out, and its answer comes back.
        #[tokio::test]
        async fn sends_and_receives_a_payload_containing_one_plain_text_packet() {
            let gateway = gateway().await;
            let mut session = polling(&gateway).await;
            accepted(&session.post("40").await);
            let answer = poll(&mut session).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.starts_with(r#"40{"sid":""#) && !answer.body.contains('\u{1e}'), "{answer:?}");
        }

        /// Adapted: three events go out, and three others, that are published, come in.
        #[tokio::test]
        async fn sends_and_receives_a_payload_containing_several_plain_text_packets() {
            let gateway = calm_gateway().await;
            let mut session = polling_subscriber(&gateway).await;
            accepted(&session.post("42[\"test1\"]\u{1e}42[\"test2\"]\u{1e}42[\"test3\"]").await);
            for number in 1..=3 {
                gateway.publish("room-1", &json!({ "test": number })).await;
            }
            let mut heard = Vec::new();
            while heard.len() < 3 {
                heard.extend(poll(&mut session).await.body.split('\u{1e}').map(str::to_owned));
            }
            let expected = (1..=3).map(|number| format!(r#"42["room-1",{{"test":{number}}}]"#));
            assert_eq!(heard, expected.collect::<Vec<_>>());
        }

        /// Adapted: an event with binary data goes out, and one that is published comes in.
        #[tokio::test]
        async fn sends_and_receives_a_payload_containing_plain_text_and_binary_packets() {
            let gateway = gateway().await;
            let mut session = polling_subscriber(&gateway).await;
            accepted(&session.post("451-[\"hello\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==").await);
            gateway.publish("room-1", &json!({})).await;
            assert_eq!(poll(&mut session).await.body, r#"42["room-1",{}]"#);
        }

        #[tokio::test]
        async fn closes_the_session_upon_invalid_packet_format() {
            let gateway = gateway().await;
            let mut session = polling(&gateway).await;
            assert_eq!(session.post("abc").await.status, 400);
            assert_eq!(session.poll().await.status, 400);
        }

        #[tokio::test]
        async fn closes_the_session_upon_duplicate_poll_requests() {
            let gateway = calm_gateway().await;
            let session = polling(&gateway).await;
            let poll = format!("GET {}", session.path());
            // Either may be the second.
            let (one, other) = tokio::join!(gateway.ask_consumer(&poll, ""), gateway.ask_consumer(&poll, ""));
            let (first, second) = if one.status == 200 { (one, other) } else { (other, one) };
            assert_eq!((first.status, first.body.as_str()), (200, "1"));
            assert_eq!(second.status, 400);
            assert_eq!(gateway.ask_consumer(&poll, "").await.status, 400);
        }

        #[tokio::test]
        async fn closes_the_session_upon_cancelled_polling_request() {
            let gateway = calm_gateway().await;
            let mut session = polling(&gateway).await;
            let mut cancelled = Connection::open(gateway.consumer()).await;
            cancelled.send_request(&format!("GET {}", session.path()), "").await;
            drop(cancelled);
            // The next poll may come before the gateway has read the cancelled one, and then learns of the end first.
            let answer = session.poll().await;
            assert!(answer.status == 400 || answer.body == "1", "{answer:?}");
            assert_eq!(session.poll().await.status, 400);
        }
    }

    mod websocket {
        use super::super::super::*;
        use tokio_tungstenite::tungstenite::Message;

        /// Adapted: an event goes out, and one that is published comes in.
        #[tokio::test]
        async fn sends_and_receives_a_plain_text_packet() {
            let gateway = gateway().await;
            let mut socket = subscriber(&gateway).await;
            socket.send(r#"42["hello"]"#).await;
            hears(&gateway, &mut socket).await;
        }

        /// Adapted: binary data goes out with its event, and text comes in.
        #[tokio::test]
        async fn sends_and_receives_a_binary_packet() {
            let gateway = gateway().await;
            let mut socket = subscriber(&gateway).await;
            socket.send(r#"451-["hello",{"_placeholder":true,"num":0}]"#).await;
            socket.send(Message::binary(vec![1, 2, 3, 4])).await;
            hears(&gateway, &mut socket).await;
        }

        #[tokio::test]
        async fn closes_the_session_upon_invalid_packet_format() {
            let gateway = gateway().await;
            let (mut socket, _) = websocket(&gateway).await;
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
            let gateway = gateway().await;
            let mut session = polling(&gateway).await;
            for _ in 0..3 {
                let answer = session.poll().await;
                assert_eq!((answer.status, answer.body.as_str()), (200, "2"));
                assert_eq!(session.post("3").await.status, 200);
            }
        }

        #[tokio::test]
        async fn closes_the_session_upon_ping_timeout() {
            let gateway = impatient_gateway().await;
            let mut session = polling(&gateway).await;
            gateway.emptied().await;
            assert_eq!(session.poll().await.status, 400);
        }
    }

    mod websocket {
        use super::super::super::*;

        #[tokio::test]
        async fn sends_ping_pong_packets() {
            let gateway = gateway().await;
            let (mut socket, _) = websocket(&gateway).await;
            for _ in 0..3 {
                assert_eq!(socket.next().await.as_deref(), Some("2"));
                socket.send("3").await;
            }
        }

        #[tokio::test]
        async fn closes_the_session_upon_ping_timeout() {
            let gateway = impatient_gateway().await;
            let (mut socket, _) = websocket(&gateway).await;
            socket.closed().await;
        }
    }
}

mod close {
    mod http_long_polling {
        use super::super::super::*;
        use crate::harness::http::Connection;

        #[tokio::test]
        async fn forcefully_closes_the_session() {
            let gateway = calm_gateway().await;
            loop {
                let mut session = polling(&gateway).await;
                let mut waiting = Connection::open(gateway.consumer()).await;
                waiting.send_request(&format!("GET {}", session.path()), "").await;
                assert_eq!(session.post("1").await.status, 200);
                let answer = waiting.answer(false).await.unwrap();
                assert_eq!(session.poll().await.status, 400);
                // The poll was on its way only, and comes too late: once more.
                if answer.status != 400 {
                    assert_eq!((answer.status, answer.body.as_str()), (200, "6"));
                    return;
                }
            }
        }
    }

    mod websocket {
        use super::super::super::*;

        #[tokio::test]
        async fn forcefully_closes_the_session() {
            let gateway = gateway().await;
            let (mut socket, _) = websocket(&gateway).await;
            socket.send("1").await;
            assert_eq!(socket.packet().await, None);
        }
    }
}

mod upgrade {
    use super::super::*;

    /// Adapted in its last line: what is published is heard over the websocket.
    #[tokio::test]
    async fn successfully_upgrades_from_http_long_polling_to_websocket() {
        let gateway = calm_gateway().await;
        let mut session = polling_subscriber(&gateway).await;
        let mut socket = probed(&gateway, &session).await;
        let answer = session.poll().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "6"));
        socket.send("5").await;
        socket.send(r#"42["hello"]"#).await;
        hears(&gateway, &mut socket).await;
    }

    /// Adapted in its last line: what is published is heard over the websocket.
    #[tokio::test]
    async fn ignores_http_requests_with_same_sid_after_upgrade() {
        let gateway = calm_gateway().await;
        let session = polling_subscriber(&gateway).await;
        let mut socket = probed(&gateway, &session).await;
        socket.send("5").await;
        polls_until_refused(&gateway, &session).await;
        hears(&gateway, &mut socket).await;
    }

    /// Adapted in its last line: what is published is heard over the websocket.
    #[tokio::test]
    async fn ignores_websocket_connection_with_same_sid_after_upgrade() {
        let gateway = calm_gateway().await;
        let session = polling_subscriber(&gateway).await;
        let mut socket = probed(&gateway, &session).await;
        socket.send("5").await;
        let mut second = Websocket::open(gateway.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
        assert_eq!(second.next().await, None);
        hears(&gateway, &mut socket).await;
    }
}
