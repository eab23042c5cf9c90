//! How a session of Engine.IO is carried, and what its URL says of that.

use crate::cli::dial::Url;
use crate::lab::engine::packet::Revision;

/// How a session of Engine.IO is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    /// On a WebSocket from the start
    #[value(name = "websocket")]
    WebSocket,
    /// By HTTP long polling
    Polling,
    /// By polling first, then on a WebSocket, as browsers do
    Upgrade,
}

/// Which revision of Engine.IO a URL asks for.
pub fn revision(url: &Url) -> Revision {
    let query = url.resource.split_once('?').map_or("", |(_, query)| query);
    if query.split('&').any(|it| it == "EIO=3") { Revision::V3 } else { Revision::V4 }
}

/// The URL of a server's Engine.IO: `/socket.io/` where no path is named. It names a revision, and no
/// transport.
pub fn url(mut url: Url) -> Url {
    if url.resource == "/" {
        url.resource.replace_range(.., "/socket.io/");
    } else if let Some(query) = url.resource.strip_prefix("/?") {
        url.resource = format!("/socket.io/?{query}");
    }
    let (path, query) = url.resource.split_once('?').unwrap_or((&url.resource, ""));
    let mut query: Vec<&str> =
        query.split('&').filter(|it| !it.is_empty() && !it.starts_with("transport=")).collect();
    if !query.iter().any(|it| it.starts_with("EIO=")) {
        query.push("EIO=4");
    }
    url.resource = format!("{path}?{}", query.join("&"));
    url
}

/// The transport that a URL names, as one that was copied from a browser does.
pub fn named(url: &Url) -> Option<Transport> {
    let (_, query) = url.resource.split_once('?')?;
    query.split('&').find_map(|it| match it {
        "transport=polling" => Some(Transport::Polling),
        "transport=websocket" => Some(Transport::WebSocket),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_engine_io() {
        for (given, resource, named) in [
            ("ws://a", "/socket.io/?EIO=4", None),
            ("ws://a/?token=1", "/socket.io/?token=1&EIO=4", None),
            ("ws://a/other/", "/other/?EIO=4", None),
            ("ws://a/x?EIO=3&transport=websocket", "/x?EIO=3", Some(Transport::WebSocket)),
            ("ws://a/x?transport=polling&t=1", "/x?t=1&EIO=4", Some(Transport::Polling)),
        ] {
            let given = Url::parse(given).unwrap();
            assert_eq!((&*url(given.clone()).resource, super::named(&given)), (resource, named));
        }
    }
}
