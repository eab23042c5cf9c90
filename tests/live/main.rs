//! What talks over sockets: the lab, its measurements, handshakes replayed, and other people's programs at
//! the other end.

#[path = "../peers/mod.rs"]
mod peers;
#[path = "../schema/mod.rs"]
mod schema;
#[path = "../shown/mod.rs"]
mod shown;

mod attach;
mod clients;
mod compare;
mod connect;
mod engine;
mod grade;
mod http2;
mod keylog;
mod lab;
mod page;
mod pages;
mod proxy;
mod replay;
mod serve;
mod ways;
