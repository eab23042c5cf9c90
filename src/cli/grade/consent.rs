//! Whether the server may be tested: one on this machine may, for others somebody has to say so.

use std::net::IpAddr;

use super::Args;
use crate::cli::dial::Url;
use crate::cli::dial::line::Reach;
use crate::cli::dial::route::Resolve;
use crate::model::Text;

/// Refuses to test a server on another machine unless it is said that this may be done.
///
/// # Errors
/// Why, and how to say so.
pub(super) async fn ask(args: &Args, reach: &Reach) -> Result<(), Text> {
    if args.i_may || is_here(&reach.url, reach).await {
        return Ok(());
    }
    let asked = Text::with(
        "{} is not on this machine, and what is played is full of mistakes made on purpose, which its \
         operator may take for an attack; if it is yours, or you were allowed to, add --i-may, and --gentle \
         where others use it",
        &reach.url.host,
    );
    Err(asked)
}

/// Whether a URL leads to this machine, whatever a proxy would make of it.
async fn is_here(url: &Url, reach: &Reach) -> bool {
    if reach.proxy.is_some() {
        return false;
    }
    if let Ok(address) = url.host.parse::<IpAddr>() {
        return is_loopback(address);
    }
    if let Some(address) = Resolve::find(&reach.resolve, &url.host, url.port) {
        return is_loopback(address);
    }
    match tokio::net::lookup_host((&*url.host, url.port)).await {
        Ok(mut found) => found.all(|it| is_loopback(it.ip())),
        // Who cannot be found is not tested either: that is said when it is connected to.
        Err(_) => true,
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
