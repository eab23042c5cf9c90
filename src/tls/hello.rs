//! `ClientHello` and `ServerHello` (RFC 8446 §4.1, RFC 5246 §7.4.1).

use super::{Kind, record};

/// What a client says in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The highest version that it offers.
    pub version: u16,
    /// The host it asks for (RFC 6066 §3). Untrusted.
    pub server_name: Option<String>,
    /// The protocols it offers, best first (RFC 7301). Untrusted.
    pub alpn: Vec<String>,
}

/// What a server says in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version that it chose.
    pub version: u16,
    /// The protocol that it chose; TLS 1.3 does not say so in clear. Untrusted.
    pub alpn: Option<String>,
}

/// Which of the two a stream begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// A client's (RFC 8446 §4.1.2).
    Client(ClientHello),
    /// A server's (RFC 8446 §4.1.3).
    Server(ServerHello),
    /// It is cut: more bytes are to come.
    Cut,
    /// It is no hello.
    Neither,
}

/// Reads the hello with which a stream begins. It may lie in several records.
pub fn hello(bytes: &[u8]) -> Hello {
    let mut rest = bytes;
    let mut message = Vec::new();
    loop {
        if let [kind, a, b, c, body @ ..] = message.as_slice() {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            if *kind != 1 && *kind != 2 {
                return Hello::Neither;
            }
            if let Some(body) = body.get(..length) {
                let read = if *kind == 1 {
                    client(Reader(body)).map(Hello::Client)
                } else {
                    server(Reader(body)).map(Hello::Server)
                };
                return read.unwrap_or(Hello::Neither);
            }
        }
        match record(rest) {
            Some(record) if record.kind == Kind::Handshake => {
                message.extend_from_slice(record.content);
                rest = rest.get(record.length..).unwrap_or_default();
                // What is there of a cut record may be enough all the same.
                if !record.is_whole() && !is_enough(&message) {
                    return Hello::Cut;
                }
            }
            None if rest.len() < super::HEADER => return Hello::Cut,
            _ => return Hello::Neither,
        }
    }
}

fn is_enough(message: &[u8]) -> bool {
    let [_, a, b, c, body @ ..] = message else { return false };
    body.len() >= (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c))
}

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

fn client(mut from: Reader<'_>) -> Option<ClientHello> {
    let mut hello = ClientHello { version: from.u16()?, ..ClientHello::default() };
    from.take(32)?;
    from.short()?;
    from.long()?;
    from.short()?;
    // SSL 3.0 has no extensions.
    let Some(mut extensions) = from.long() else { return Some(hello) };
    while let Some((kind, mut body)) = extensions.extension() {
        match kind {
            SERVER_NAME => {
                let mut names = body.long()?;
                while let (Some(kind), Some(name)) = (names.u8(), names.long()) {
                    if kind == 0 && hello.server_name.is_none() {
                        hello.server_name = Some(name.text());
                    }
                }
            }
            ALPN => hello.alpn = body.long()?.names(),
            SUPPORTED_VERSIONS => {
                let mut versions = body.short()?;
                // The others are greased (RFC 8701), or drafts.
                let known =
                    std::iter::from_fn(|| versions.u16()).filter(|v| super::version_name(*v).is_some());
                hello.version = known.max().unwrap_or(hello.version);
            }
            _ => {}
        }
    }
    Some(hello)
}

fn server(mut from: Reader<'_>) -> Option<ServerHello> {
    let mut hello = ServerHello { version: from.u16()?, alpn: None };
    from.take(32)?;
    from.short()?;
    from.take(3)?;
    let Some(mut extensions) = from.long() else { return Some(hello) };
    while let Some((kind, mut body)) = extensions.extension() {
        match kind {
            ALPN => hello.alpn = body.long()?.names().into_iter().next(),
            SUPPORTED_VERSIONS => hello.version = body.u16()?,
            _ => {}
        }
    }
    Some(hello)
}

/// Reads from the front of some bytes; `None` where they do not reach.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|two| u16::from_be_bytes([two[0], two[1]]))
    }

    /// A vector whose length takes one byte.
    fn short(&mut self) -> Option<Self> {
        let length = self.u8()?;
        self.take(length.into()).map(Self)
    }

    /// A vector whose length takes two bytes.
    fn long(&mut self) -> Option<Self> {
        let length = self.u16()?;
        self.take(length.into()).map(Self)
    }

    fn extension(&mut self) -> Option<(u16, Self)> {
        Some((self.u16()?, self.long()?))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    /// A list of short names.
    fn names(mut self) -> Vec<String> {
        /// Browsers offer two or three.
        const MOST: usize = 16;
        std::iter::from_fn(|| self.short()).take(MOST).map(|name| name.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vector whose length takes two bytes.
    fn long(body: &[u8]) -> Vec<u8> {
        [&(body.len() as u16).to_be_bytes()[..], body].concat()
    }

    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &long(body)].concat()
    }

    /// A handshake message in records of at most `size` bytes.
    fn records(kind: u8, body: &[u8], size: usize) -> Vec<u8> {
        let length = (body.len() as u32).to_be_bytes();
        let message = [&[kind][..], &length[1..], body].concat();
        message.chunks(size).flat_map(|part| [&[22, 3, 1][..], &long(part)].concat()).collect()
    }

    fn client_hello(size: usize) -> Vec<u8> {
        let name = long(&[&[0][..], &long(b"chat.example.com")].concat());
        let extensions = [
            extension(0x1A1A, b""),
            extension(SERVER_NAME, &name),
            extension(ALPN, &long(b"\x02h2\x08http/1.1")),
            extension(SUPPORTED_VERSIONS, b"\x06\x7a\x7a\x03\x04\x03\x03"),
        ]
        .concat();
        let front = [&[3, 3][..], &[7; 32], &[0], &long(&[0x13, 1]), &[1, 0]].concat();
        records(1, &[front, long(&extensions)].concat(), size)
    }

    #[test]
    fn a_client_says_whom_it_wants() {
        let expected = ClientHello {
            version: 0x0304,
            server_name: Some("chat.example.com".into()),
            alpn: vec!["h2".into(), "http/1.1".into()],
        };
        for size in [1, 10, 4096] {
            let bytes = client_hello(size);
            assert_eq!(hello(&bytes), Hello::Client(expected.clone()), "records of {size}");
            for len in 0..bytes.len() {
                assert_eq!(hello(&bytes[..len]), Hello::Cut, "{len} bytes of records of {size}");
            }
        }
    }

    #[test]
    fn a_server_says_what_it_chose() {
        let front = [&[3, 3][..], &[7; 32], &[0], &[0x13, 1, 0]].concat();
        let with = |extensions: &[u8]| records(2, &[front.clone(), long(extensions)].concat(), 4096);
        let new = with(&extension(SUPPORTED_VERSIONS, &[3, 4]));
        assert_eq!(hello(&new), Hello::Server(ServerHello { version: 0x0304, alpn: None }));
        let old = with(&extension(ALPN, &long(b"\x08http/1.1")));
        let expected = ServerHello { version: 0x0303, alpn: Some("http/1.1".into()) };
        assert_eq!(hello(&old), Hello::Server(expected));
        assert_eq!(
            hello(&records(2, &front, 4096)),
            Hello::Server(ServerHello { version: 0x0303, alpn: None })
        );
    }

    #[test]
    fn what_is_damaged_is_no_hello() {
        let mut bytes = client_hello(4096);
        // The session id's length reaches beyond the message.
        bytes[5 + 4 + 34] = 255;
        assert_eq!(hello(&bytes), Hello::Neither);
        assert_eq!(hello(b"\x17\x03\x03\x00\x01a"), Hello::Neither);
        assert_eq!(hello(b"\x16\x03\x03\x00\x04\x0b\x00\x00\x00"), Hello::Neither);
    }
}
