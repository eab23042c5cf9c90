//! Where to listen, as it is written on the command line.

use std::io;
use std::net::{TcpListener, ToSocketAddrs};

use crate::model::Text;

/// A listener at an address, or at a port of this machine's own.
///
/// # Errors
/// Why there cannot be one, and what to try.
pub fn listen(address: &str) -> Result<TcpListener, Text> {
    let full = if address.contains(':') { address.to_owned() } else { format!("127.0.0.1:{address}") };
    let addresses = full.to_socket_addrs().map(Vec::from_iter).map_err(|_| {
        Text::with("`{}` is no address to listen on: write ADDRESS:PORT, such as 127.0.0.1:9000", address)
    })?;
    TcpListener::bind(&addresses[..]).map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => {
            Text::with("{} is in use: stop what listens there, or take a free port: --listen {}:0", &full)
                .and(host(&full))
        }
        io::ErrorKind::AddrNotAvailable => {
            Text::with("{} is no address of this machine: try 127.0.0.1", &full)
        }
        io::ErrorKind::PermissionDenied => Text::with("{} needs privileges: take a port from 1024 on", &full),
        _ => Text::with("cannot listen on {}: {}", &full).and(e),
    })
}

fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}
