//! The head's deadline on a paused clock.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, advance, timeout};

use super::*;

fn pair() -> (HeadTimed<DuplexStream, ()>, DuplexStream, CancellationToken) {
    let (server, client) = duplex(1024);
    let closing = CancellationToken::new();
    (HeadTimed::new(server, closing.clone(), ()), client, closing)
}

#[tokio::test(start_paused = true)]
async fn a_first_head_that_never_comes_times_out() {
    let (mut stream, _client, _) = pair();
    let start = Instant::now();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn bytes_that_trickle_do_not_move_the_deadline() {
    let (mut stream, mut client, _) = pair();
    let start = Instant::now();
    let dribble = async {
        loop {
            client.write_all(b"x").await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    };
    let read_all = async {
        loop {
            if let Err(error) = stream.read_u8().await {
                return error;
            }
        }
    };
    tokio::select! {
        () = dribble => unreachable!(),
        error = read_all => assert_eq!(error.kind(), io::ErrorKind::TimedOut),
    }
    assert!(start.elapsed() <= HEAD_TIMEOUT + Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_waits_and_its_next_head_has_a_deadline_of_its_own() {
    let (mut stream, mut client, _) = pair();
    client.write_all(b"a").await.unwrap();
    stream.read_u8().await.unwrap();
    stream.phase().answering();
    stream.phase().awaiting();
    let idle = timeout(Duration::from_secs(60), stream.read_u8()).await;
    assert!(idle.is_err(), "nothing may end an idle connection here");

    client.write_all(b"b").await.unwrap();
    stream.read_u8().await.unwrap();
    let start = Instant::now();
    assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn closing_ends_reads_but_not_the_answer_under_way() {
    let (mut stream, mut client, closing) = pair();
    client.write_all(b"ab").await.unwrap();
    stream.phase().answering();
    closing.cancel();
    assert_eq!(stream.read_u8().await.unwrap(), b'a');
    stream.phase().upgraded();
    let frame = timeout(HEAD_TIMEOUT, stream.read_u8()).await;
    assert!(frame.is_err(), "neither a frame nor the end, which would close the websocket with its queue unwritten");
    stream.phase().awaiting();
    assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    advance(HEAD_TIMEOUT * 2).await;
}
