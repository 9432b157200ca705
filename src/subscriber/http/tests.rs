//! Requests whose body does not come, on a paused clock.

use std::convert::Infallible;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::LocalSet;

use super::*;
use crate::admission::cidr::CidrList;
use crate::admission::config::AuthConfig;
use crate::admission::origin::OriginList;
use crate::admission::{self, Gate};
use crate::subscriber::application::Deaf;
use crate::subscriber::config::{QueuePolicy, SLICE};
use crate::types::Clock;

fn admission() -> admission::Config {
    admission::Config {
        publishers: CidrList::default(),
        origins: OriginList::default(),
        proxy: None,
        publishes_per_second: None,
        auth: AuthConfig::default(),
        rates: None,
        sessions_max: 10,
        sessions_per_address_max: None,
        exempt: CidrList::default(),
    }
}

fn config() -> Config {
    Config {
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        payload_bytes_max: 1_000_000,
        queue_bytes_max: 1 << 20,
        queue_policy: QueuePolicy::Disconnect,
        write_timeout: Duration::from_secs(10),
        // Longer than a POST may take, which ends with its session.
        connect_timeout: Duration::from_secs(60),
        tells_codes: true,
        slice: SLICE,
        node_queue_bytes_max: u64::MAX,
    }
}

/// The consumer port's HTTP on a connection in memory.
fn connect(subscribers: &Subscribers) -> DuplexStream {
    let (client, server) = duplex(4_096);
    let subscribers = subscribers.clone();
    let peer = PeerAddr::new(([192, 0, 2, 1], 1).into());
    let service = service_fn(move |request| {
        let subscribers = subscribers.clone();
        async move { Ok::<_, Infallible>(subscribers.answer(peer, request).await) }
    });
    let lifecycle = Lifecycle::default();
    lifecycle.spawn_local(async move {
        let _ = http1::Builder::new().serve_connection(TokioIo::new(server), service).await;
    });
    client
}

/// Everything that is said until nothing more comes for a moment.
async fn heard(client: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    let mut read = [0; 1024];
    while let Ok(Ok(length @ 1..)) = tokio::time::timeout(Duration::from_millis(1), client.read(&mut read)).await {
        text.extend_from_slice(&read[..length]);
    }
    String::from_utf8(text).unwrap()
}

/// Runs `test` with a node of one worker, and the path of a session that is open.
fn with_session(test: impl AsyncFnOnce(Subscribers, String)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let stats = Arc::<Stats>::default();
        let hub = Hub::new(1, Arc::clone(&stats));
        let gate: Arc<dyn Admission> = Gate::new(admission(), Clock::system(), Arc::clone(&stats));
        let lifecycle = Lifecycle::default();
        let deaf: Arc<dyn Application> = Arc::new(Deaf);
        let (subscribers, worker) = Subscribers::new(1, &config(), &hub, &gate, &deaf, &lifecycle, &stats).remove(0);
        lifecycle.spawn_local(worker.run());
        let mut client = connect(&subscribers);
        client.write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let open = heard(&mut client).await;
        let sid = open.split_once(r#""sid":""#).unwrap().1.split('"').next().unwrap().to_owned();
        test(subscribers, format!("/socket.io/?EIO=4&transport=polling&sid={sid}")).await;
    });
}

/// Asserts that an answer refuses a request, and says that no other is read after it.
fn is_given_up(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"code":3,"message":"Bad request"}"#), "{answer}");
}

#[test]
fn who_is_told_to_continue_and_does_not_is_given_up_after_30_s() {
    with_session(async |subscribers, path| {
        let mut client = connect(&subscribers);
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(heard(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
        tokio::time::sleep(POST_TIMEOUT - Duration::from_millis(10)).await;
        assert_eq!(heard(&mut client).await, "", "30 s are not over");
        tokio::time::sleep(Duration::from_millis(10)).await;
        is_given_up(&heard(&mut client).await);
    });
}

#[test]
fn a_body_that_never_ends_is_given_up_after_30_s() {
    with_session(async |subscribers, path| {
        let mut client = connect(&subscribers);
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let begun = Instant::now();
        let mut answer = String::new();
        while answer.is_empty() {
            assert!(begun.elapsed() < POST_TIMEOUT + Duration::from_secs(1), "it is waited for");
            client.write_all(b"1\r\n4\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = heard(&mut client).await;
        }
        assert!(begun.elapsed() >= POST_TIMEOUT, "{:?}", begun.elapsed());
        is_given_up(&answer);
        assert_eq!(client.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof, "it is closed");
    });
}

/// The beginning of a POST whose body does not come.
fn post_head(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n42")
}

async fn ask(subscribers: &Subscribers, request: &str) -> (DuplexStream, String) {
    let mut client = connect(subscribers);
    client.write_all(request.as_bytes()).await.unwrap();
    let answer = heard(&mut client).await;
    (client, answer)
}

/// Asserts that a session is over.
async fn is_unknown(subscribers: &Subscribers, path: &str) {
    let (_client, answer) = ask(subscribers, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert!(answer.ends_with(r#"{"code":1,"message":"Session ID unknown"}"#), "{answer}");
}

#[test]
fn a_post_to_no_session_is_answered_before_its_body() {
    with_session(async |subscribers, path| {
        let (known, _) = path.split_at(path.len() - 4);
        for path in [format!("{known}AAAA"), "/socket.io/?EIO=4&transport=polling&sid=made-up".to_owned()] {
            let (_client, answer) = ask(&subscribers, &post_head(&path)).await;
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert!(answer.ends_with(r#"{"code":1,"message":"Session ID unknown"}"#), "{answer}");
        }
    });
}

#[test]
fn a_second_post_at_once_ends_the_session_and_both_requests() {
    with_session(async |subscribers, path| {
        let (mut first, answer) = ask(&subscribers, &post_head(&path)).await;
        assert_eq!(answer, "", "its body is waited for");
        let (_second, answer) = ask(&subscribers, &post_head(&path)).await;
        is_given_up(&answer);
        is_given_up(&heard(&mut first).await);
        is_unknown(&subscribers, &path).await;
        assert_eq!(subscribers.stats.queues.bytes(), 0);
    });
}

#[test]
fn a_post_ends_with_its_session() {
    with_session(async |subscribers, path| {
        let (mut client, answer) = ask(&subscribers, &post_head(&path)).await;
        assert_eq!(answer, "", "its body is waited for");
        let poll = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let (_first, _) = ask(&subscribers, &poll).await;
        let (_second, answer) = ask(&subscribers, &poll).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "polls overlap: {answer}");
        is_given_up(&heard(&mut client).await);
    });
}

#[test]
fn one_post_may_follow_another() {
    with_session(async |subscribers, path| {
        let request = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3");
        let mut client = connect(&subscribers);
        for _ in 0..3 {
            client.write_all(request.as_bytes()).await.unwrap();
            let answer = heard(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok"), "{answer}");
        }
    });
}

#[test]
fn a_post_that_is_given_up_ends_its_session() {
    with_session(async |subscribers, path| {
        let (client, answer) = ask(&subscribers, &post_head(&path)).await;
        assert_eq!(answer, "", "its body is waited for");
        drop(client);
        tokio::time::sleep(Duration::from_millis(1)).await;
        is_unknown(&subscribers, &path).await;
    });
}

#[test]
fn a_poll_that_is_given_up_tells_of_packets_that_it_was_answered() {
    let id = SessionId::read(&SessionId::new(0, 0).to_string()).unwrap();
    for (answered, is_lost) in [(None, false), (Some(NOOP), false), (Some("42[\"a\"]"), true)] {
        let (worker, mut commands) = mpsc::unbounded_channel();
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { worker: &worker, id, answer, is_answered: false };
        let reply = match answered {
            Some(packets) => {
                reply.send(Ok(packets.to_owned())).unwrap();
                None
            }
            None => Some(reply),
        };
        drop(waiting);
        let command = commands.try_recv().unwrap();
        assert_eq!(matches!(command, Command::End(_, CloseReason::TransportError)), is_lost, "{answered:?}");
        assert_eq!(matches!(command, Command::Abandon(_)), !is_lost, "{answered:?}");
        assert!(reply.is_none_or(|reply| reply.send(Ok(String::new())).is_err()), "it can be answered no more");
    }
}
