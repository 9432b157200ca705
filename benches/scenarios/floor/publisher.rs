//! A publisher of the floor's: each body is cut at fixed places, framed once and written to all members of its room.

use std::rc::Rc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Rooms, head_end, open, read_more};
use crate::frame;
use crate::load::{BODY_DATA_AT, BODY_ROOM};

/// Serves a connection to its end.
pub(super) async fn serve(socket: TcpStream, tls: Option<TlsAcceptor>, rooms: Rooms) -> Option<()> {
    let mut wire = open(socket, tls).await?;
    let mut request = Vec::with_capacity(1 << 16);
    loop {
        read_more(&mut wire, &mut request).await?;
        let Some(head) = head_end(&request) else { continue };
        let text = str::from_utf8(request.get(..head)?).ok()?;
        let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
        let length: usize = length.parse().ok()?;
        let Some(body) = request.get(head..head + length) else { continue };
        let room = str::from_utf8(body.get(BODY_ROOM)?).ok()?;
        let data = str::from_utf8(body.get(BODY_DATA_AT..)?).ok()?;
        let frame = frame::text(&format!("42[\"{room}\",{{{data}]"));
        // Else the runtime would call every socket busy after 128 writes in one turn.
        tokio::task::unconstrained(async {
            let rooms = Rc::clone(&rooms);
            for recipient in rooms.borrow().get(room).into_iter().flatten() {
                recipient.write(&frame);
            }
        })
        .await;
        request.clear();
        wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").await.ok()?;
        wire.flush().await.ok()?;
    }
}
