//! What talks over sockets: the lab, its measurements, handshakes replayed, and other people's programs at
//! the other end.

#[path = "../peers/mod.rs"]
mod peers;
#[path = "../schema/mod.rs"]
mod schema;

mod compare;
mod lab;
mod replay;
