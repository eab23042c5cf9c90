//! Which connections: by number, by an endpoint, by what was asked for, and of whom.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::model::Connection;

/// Some connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Those numbered from the first to the last.
    Numbers(u32, u32),
    /// Those of an address, at a port or at any.
    Endpoint(IpAddr, Option<u16>),
    /// Those with a port at either end.
    Port(u16),
    /// Those whose request target is this, with or without its query.
    Path(String),
    /// Those whose request was for this host, as it named it.
    Site(Site),
    /// The one between these two addresses.
    Between(SocketAddr, SocketAddr),
}

/// What a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// As it is written on the command line.
    written: String,
    /// A name, or an address without brackets; in lower case.
    host: String,
    port: Option<u16>,
    /// The request target, where more than the host is named.
    path: Option<String>,
}

impl Site {
    /// Reads `feed.example.com`, `feed:8080` or a URL such as `ws://feed.example.com:8080/chat`.
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let default = match scheme.as_deref() {
            None => None,
            Some("ws" | "http") => Some(80),
            Some("wss" | "https") => Some(443),
            Some(_) => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = authority_of(authority)?;
        // A word alone is more likely something else that is misspelt.
        let is_name = host.contains(['.', ':']) || port.is_some() || scheme.is_some() || host == "localhost";
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if !is_name || host.is_empty() || !host.chars().all(is_plain) || scheme.is_none() && !path.is_empty()
        {
            return None;
        }
        Some(Self {
            written: text.to_owned(),
            host: host.to_ascii_lowercase(),
            port: port.or(default),
            path: (path.len() > 1).then(|| path.to_owned()),
        })
    }

    /// The port may be the one that was asked for or the one that was connected to: a proxy may have made one
    /// of the other.
    fn matches(&self, connection: &Connection) -> bool {
        let asked = connection.host.as_deref().and_then(authority_of);
        let is_port = |port: u16| {
            let server = connection.server.map(|server| server.port());
            let named = asked.as_ref().and_then(|(_, port)| *port);
            named.or(server) == Some(port)
                || server == Some(port)
                || named.is_none() && [80, 443].contains(&port)
        };
        let by_name = asked.as_ref().is_some_and(|(host, _)| host.eq_ignore_ascii_case(&self.host));
        let address = self.host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        let by_address =
            address.is_some() && address == connection.server.map(|server| server.ip().to_canonical());
        (by_name || by_address)
            && self.port.is_none_or(is_port)
            && self.path.as_deref().is_none_or(|path| is_target(connection, path))
    }
}

/// Host and port of `host`, `host:port` or `[address]:port`.
fn authority_of(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    Some((host.to_owned(), port))
}

/// Whether what was asked for is `path`, with or without a query.
fn is_target(connection: &Connection, path: &str) -> bool {
    let asked = connection.target.as_deref();
    asked.is_some_and(|target| target == path || target.split('?').next() == Some(path))
}

impl Stream {
    /// Whether a connection is one of them.
    pub fn matches(&self, conn: u32, connection: &Connection) -> bool {
        match self {
            Self::Numbers(first, last) => (*first..=*last).contains(&conn),
            Self::Endpoint(address, port) => {
                let is_it = |end: SocketAddr| {
                    end.ip().to_canonical() == *address && port.is_none_or(|port| port == end.port())
                };
                [connection.client, connection.server].into_iter().flatten().any(is_it)
            }
            Self::Port(port) => {
                [connection.client, connection.server].into_iter().flatten().any(|end| end.port() == *port)
            }
            Self::Path(path) => is_target(connection, path),
            Self::Site(site) => site.matches(connection),
            Self::Between(a, b) => {
                let ends = [connection.client, connection.server];
                ends == [Some(*a), Some(*b)] || ends == [Some(*b), Some(*a)]
            }
        }
    }
}

/// As it is written on the command line.
impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(first, last) if first == last => write!(f, "{first}"),
            Self::Numbers(first, u32::MAX) => write!(f, "{first}-"),
            Self::Numbers(first, last) => write!(f, "{first}-{last}"),
            Self::Endpoint(address, None) => write!(f, "{address}"),
            Self::Endpoint(address, Some(port)) => SocketAddr::new(*address, *port).fmt(f),
            Self::Port(port) => write!(f, ":{port}"),
            Self::Path(path) => f.write_str(path),
            Self::Site(site) => f.write_str(&site.written),
            Self::Between(a, b) => write!(f, "{a} - {b}"),
        }
    }
}

/// Reads a list such as `1,3-5,9-`, `192.0.2.1:8080,[2001:db8::1]:80`, `:8080`, `feed.example.com`, or a path
/// such as `/chat` or a URL such as `ws://feed.example.com/chat`, which may have commas in them.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_streams(text: &str) -> Result<Vec<Stream>, String> {
    if text.starts_with('/') {
        return Ok(vec![Stream::Path(text.to_owned())]);
    }
    if text.contains("://") {
        return Site::read(text).map(|site| vec![Stream::Site(site)]).ok_or_else(unknown);
    }
    text.split(',').map(|part| one(part.trim())).collect()
}

fn unknown() -> String {
    "connections are a number, a range such as 3-5 or 7-, an address or host name with or without its port, \
     a port such as :8080, a path such as /chat, a URL, or several of these with commas between them"
        .to_owned()
}

fn one(text: &str) -> Result<Stream, String> {
    if let Ok(endpoint) = text.parse::<SocketAddr>() {
        return Ok(Stream::Endpoint(endpoint.ip().to_canonical(), Some(endpoint.port())));
    }
    if let Some(port) = text.strip_prefix(':').and_then(|port| port.parse().ok()) {
        return Ok(Stream::Port(port));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(Stream::Endpoint(address.to_canonical(), None));
    }
    if text.contains(|c: char| c.is_ascii_alphabetic())
        && let Some(site) = Site::read(text)
    {
        return Ok(Stream::Site(site));
    }
    let number = |digits: &str| digits.parse::<u32>().map_err(|_| unknown());
    let (first, last) = match text.split_once('-') {
        Some((first, "")) => (number(first)?, u32::MAX),
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if first == 0 {
        return Err("connections are numbered from 1".to_owned());
    }
    if first > last {
        return Err(format!("{last} comes before {first}"));
    }
    Ok(Stream::Numbers(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::connection;

    #[test]
    fn connections_are_named_in_several_ways() {
        for (text, shown) in [
            ("1", "1"),
            ("1,3-5, 9-", "1 3-5 9-"),
            ("192.0.2.1:8080,[2001:db8::1]:80", "192.0.2.1:8080 [2001:db8::1]:80"),
            ("[::1],::ffff:10.0.0.1", "::1 10.0.0.1"),
            ("/chat,room?x=1", "/chat,room?x=1"),
            (":8080,feed.example.com,backend:9001", ":8080 feed.example.com backend:9001"),
            ("ws://feed.example.com:8080/chat,room", "ws://feed.example.com:8080/chat,room"),
            ("wss://[2001:db8::1]/", "wss://[2001:db8::1]/"),
        ] {
            let shown_again: Vec<String> =
                parse_streams(text).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(shown_again.join(" "), shown, "{text}");
        }
        for wrong in [
            "",
            "0",
            "1,,2",
            "5-3",
            "-3",
            "one",
            "1-2-3",
            "4294967296",
            "chat",
            ":99999",
            "ftp://a.example/",
            "a.example/chat",
            "a:b",
            "ws://",
            "192.0.2.1:http",
        ] {
            assert!(parse_streams(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_they_match() {
        // 192.0.2.1:50000 to 198.51.100.7:80, /chat.
        let connection = connection();
        for (text, fits) in [
            ("7", true),
            ("1-6", false),
            ("5-", true),
            ("192.0.2.1", true),
            ("192.0.2.1:80", false),
            ("198.51.100.7:80", true),
            ("/chat", true),
            ("/chat?x", false),
            ("/cha", false),
            (":80", true),
            (":50000", true),
            (":8080", false),
            ("feed.example.com", true),
            ("FEED.example.com:80", true),
            ("feed.example.com:8080", false),
            ("example.com", false),
            ("ws://feed.example.com/chat", true),
            ("ws://feed.example.com/", true),
            ("ws://feed.example.com:80/chat", true),
            ("ws://feed.example.com/other", false),
            ("ws://198.51.100.7/chat", true),
            ("ws://192.0.2.1/chat", false),
        ] {
            let streams = parse_streams(text).unwrap();
            assert_eq!(streams.iter().any(|stream| stream.matches(7, &connection)), fits, "{text}");
        }
        let asked = Connection { target: Some("/chat?name=Anna".into()), ..connection };
        assert!(Stream::Path("/chat".into()).matches(1, &asked));
        assert!(Stream::Path("/chat?name=Anna".into()).matches(1, &asked));
        assert!(!Stream::Path("/chat?name=Bo".into()).matches(1, &asked));
    }
}
