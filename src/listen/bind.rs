//! Binding: one listening socket, or one a worker on the same port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn (4096 on current kernels).
const BACKLOG: i32 = 4096;

/// Binds `host:port` once for each of `workers`. Port 0 takes a free one, the same for all.
///
/// # Errors
/// When the address cannot be bound, which includes that another process listens there: SO_REUSEPORT alone would share
/// the port with it in silence, so the first socket is bound without.
pub fn bind(host: IpAddr, port: u16, workers: usize) -> io::Result<Vec<TcpListener>> {
    let host = if host.is_unspecified() && !has_ipv6() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { host };
    let first = listen_on(SocketAddr::new(host, port), false)?;
    if workers <= 1 {
        return Ok(vec![first]);
    }
    let addr = first.local_addr()?;
    drop(first);
    (0..workers).map(|_| listen_on(addr, true)).collect()
}

fn listen_on(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(!addr.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn has_ipv6() -> bool {
    Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)).is_ok()
}

#[cfg(test)]
mod tests;
