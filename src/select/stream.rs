//! Which connections: by number, by an endpoint, by what was asked for.

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
            Self::Path(path) => connection
                .target
                .as_deref()
                .is_some_and(|target| target == path || target.split('?').next() == Some(path.as_str())),
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
        }
    }
}

/// Reads a list such as `1,3-5,9-`, `192.0.2.1:8080,[2001:db8::1]:80`, or a path such as `/chat`,
/// which may have commas in it.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_streams(text: &str) -> Result<Vec<Stream>, String> {
    if text.starts_with('/') {
        return Ok(vec![Stream::Path(text.to_owned())]);
    }
    text.split(',').map(|part| one(part.trim())).collect()
}

fn one(text: &str) -> Result<Stream, String> {
    let unknown = || {
        "connections are a number, a range such as 3-5 or 7-, an address with or without its port, a path \
         such as /chat, or several of these with commas between them"
            .to_owned()
    };
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
        ] {
            let shown_again: Vec<String> =
                parse_streams(text).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(shown_again.join(" "), shown, "{text}");
        }
        for wrong in ["", "0", "1,,2", "5-3", "-3", "one", "1-2-3", "4294967296", "chat"] {
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
