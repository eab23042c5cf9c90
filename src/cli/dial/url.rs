//! `ws://` and `wss://` URLs (RFC 6455 §3).

use std::net::IpAddr;

use crate::model::Text;

/// Where to connect, and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub secure: bool,
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// Path and query.
    pub resource: String,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Text> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(match Self::without_scheme(text) {
                Some(scheme) => Text::with("write {}:// in front: {}://{}", scheme).and(scheme).and(text),
                None => {
                    Text::with("`{}` is no WebSocket URL: write ws://host:port/path or wss://host/path", text)
                }
            });
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            "http" => return Err(Text::with("write ws:// instead of http://: ws://{}", rest)),
            "https" => return Err(Text::with("write wss:// instead of https://: wss://{}", rest)),
            other => return Err(Text::with("`{}` is no WebSocket scheme: use ws or wss", other)),
        };
        //= RFC 6455 §3
        //# Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on
        //# these URIs.
        if rest.contains('#') {
            return Err("a WebSocket URL has no fragment (RFC 6455 §3): write a literal # as %23".into());
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at(end);
        if authority.contains('@') {
            return Err("a WebSocket URL has no user: `connect` takes it as --user NAME:PASSWORD".into());
        }
        if resource.contains(|c: char| c.is_ascii_control() || c == ' ' || !c.is_ascii()) {
            let sent = resource.replace(' ', "%20");
            let sent = percent_encoding::utf8_percent_encode(&sent, percent_encoding::CONTROLS);
            let words = "write spaces and other characters of the path as %XX: {}://{}{}";
            return Err(Text::with(words, scheme).and(authority).and(sent));
        }
        let (host, port) = split_port(authority)?;
        //= RFC 6455 §3
        //# "/" if the path component is empty
        let resource = if resource.starts_with('/') { resource.to_owned() } else { format!("/{resource}") };
        Ok(Self { secure, host, port: port.unwrap_or(if secure { 443 } else { 80 }), resource })
    }

    /// The scheme that is missing in front of what is a URL otherwise: that of its port, or of most servers.
    fn without_scheme(text: &str) -> Option<&'static str> {
        let plain = "ws";
        let url = Self::parse(&format!("{plain}://{text}")).ok()?;
        let is_address = url.host.parse::<IpAddr>().is_ok();
        let names_port = url.port != 80;
        match url.port {
            443 => Some("wss"),
            _ if is_address || names_port || url.host == "localhost" => Some("ws"),
            // A name with a port of its own or not: on the net it is TLS that is spoken.
            _ => url.host.contains('.').then_some("wss"),
        }
    }

    /// The value of Host: the port only when it is not the default.
    pub fn host_field(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.secure { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

fn split_port(authority: &str) -> Result<(String, Option<u16>), Text> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("an IPv6 address ends with ]")?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            Some(_) => return Err(Text::with("write an IPv6 address in brackets: [{}]", authority)),
            None => (authority, None),
        },
    };
    if host.is_empty() || !host.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("the URL names no host".into());
    }
    let port = match port {
        None | Some("") => None,
        Some(port) => match port.parse() {
            Ok(port @ 1..) => Some(port),
            _ => return Err(Text::with("`{}` is no port: a number from 1 to 65535", port)),
        },
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, secure, host, port, resource, field) in [
            ("ws://127.0.0.1:9000/path", false, "127.0.0.1", 9000, "/path", "127.0.0.1:9000"),
            ("WSS://example.com", true, "example.com", 443, "/", "example.com"),
            ("ws://example.com:80/", false, "example.com", 80, "/", "example.com"),
            ("wss://example.com:80?a=b", true, "example.com", 80, "/?a=b", "example.com:80"),
            ("ws://[::1]:9000/a?b", false, "::1", 9000, "/a?b", "[::1]:9000"),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!((url.secure, &*url.host, url.port, &*url.resource), (secure, host, port, resource));
            assert_eq!(url.host_field(), field);
        }
    }

    #[test]
    fn what_is_no_websocket_url_is_refused_with_advice() {
        for (text, advice) in [
            ("localhost:9000", "write ws:// in front: ws://localhost:9000"),
            ("127.0.0.1/echo", "write ws:// in front: ws://127.0.0.1/echo"),
            ("example.com/chat", "write wss:// in front: wss://example.com/chat"),
            ("example.com:443", "write wss:// in front: wss://example.com:443"),
            ("echo", "ws://host:port"),
            ("localhost:port", "ws://host:port"),
            ("", "ws://host:port"),
            ("http://a/b", "ws://a/b"),
            ("https://a/b", "wss://a/b"),
            ("ftp://a", "use ws or wss"),
            ("ws://a/#b", "%23"),
            ("ws://u@a/", "--user NAME:PASSWORD"),
            ("ws://:80/", "no host"),
            ("ws://a:b/", "port"),
            ("ws://a:0/", "port"),
            ("ws://::1/", "brackets"),
            ("ws://[::1/", "]"),
            ("ws://a/b c", "%XX: ws://a/b%20c"),
            ("wss://a?名=ö%20", "%XX: wss://a?%E5%90%8D=%C3%B6%20"),
            ("ws://a/\r\nX: y", "%XX"),
        ] {
            let problem = Url::parse(text).expect_err(text);
            assert!(problem.to_string().contains(advice), "{text}: {problem}");
        }
    }
}
