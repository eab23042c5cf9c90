//! The parts of a handshake's heads: what each is called, is for, and where it is defined.

use crate::model::{Cite, FieldDef, Role, fields};

const fn s(section: &'static str) -> Cite {
    Cite::rfc6455(section)
}

/// RFC 9110, HTTP Semantics.
const fn http(section: &'static str) -> Cite {
    Cite { doc: "RFC 9110", section }
}

/// RFC 9112, HTTP/1.1.
const fn http1(section: &'static str) -> Cite {
    Cite { doc: "RFC 9112", section }
}

fields! {
    /// The parts of a head, but for the fields that have a row in [`HEADERS`].
    FIELDS;
    // Start lines.
    REQUEST_LINE = "http.request_line", "request line", http1("3"),
        "What is asked for: method, target, version.";
    METHOD = "http.method", "method", s("4.1"), "A WebSocket begins with GET.";
    TARGET = "http.target", "request target", s("3"),
        "Path and query of the WebSocket URI: its resource name, without a fragment.";
    STATUS_LINE = "http.status_line", "status line", http1("4"),
        "How the server answers: version, status, reason.";
    STATUS = "http.status", "status", s("4.2.2"),
        "101 opens the WebSocket; anything else is ordinary HTTP.";
    REASON = "http.reason", "reason phrase", http1("4"), "For people only; receivers ignore it.";
    VERSION = "http.version", "HTTP version", s("4.1"), "At least 1.1, the first version with Upgrade.";
    // Elements of structured header fields.
    SUBPROTOCOL = "http.subprotocol", "subprotocol", s("1.9"), "What the messages mean, agreed by name.";
    EXTENSION = "http.extension", "extension", s("9.1"), "Something that changes how messages are framed.";
    EXTENSION_PARAM = "http.extension.param", "parameter", s("9.1"),
        "A setting of the extension before it.";
    // A header field without a row in HEADERS.
    OTHER = "http.header", "header field", http("6.3"), "Not part of the handshake.";
}

/// A header field that this tool knows.
#[derive(Debug)]
pub struct Known {
    /// Which one it is.
    pub name: Name,
    /// What is said of it.
    pub def: FieldDef,
}

macro_rules! headers {
    ($($name:ident $id:literal $label:literal $cite:expr, $help:literal;)*) => {
        /// A known header field's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Name { $(#[doc = concat!("`", $label, "`.")] $name,)* }

        /// The known header fields.
        pub static HEADERS: &[Known] = &[$(
            Known {
                name: Name::$name,
                def: FieldDef { id: concat!(
                    "http.", $id), label: $label, help: $help, cite: $cite, role: Role::Plain },
            },
        )*];
    };
}

headers! {
    Host "host" "Host" s("4.1"), "Which host, and port unless it is the default, the client wants.";
    Upgrade "upgrade" "Upgrade" s("4.1"),
        "Asks to switch this connection to the protocol named websocket, or agrees to.";
    Connection "connection" "Connection" s("4.1"),
        "Names the header fields meant for the next hop only; Upgrade must be one of them.";
    Key "sec_websocket_key" "Sec-WebSocket-Key" s("11.3.1"),
        "16 random bytes in Base64, which the server must echo hashed. Not a secret.";
    Accept "sec_websocket_accept" "Sec-WebSocket-Accept" s("11.3.3"),
        "The echo: Base64 of SHA-1 of key and GUID. It proves that the server understood.";
    Version "sec_websocket_version" "Sec-WebSocket-Version" s("11.3.5"),
        "13 is the only version in use. In a refusal: the versions the server understands.";
    Protocol "sec_websocket_protocol" "Sec-WebSocket-Protocol" s("11.3.4"),
        "Subprotocols offered, best first, or the one chosen.";
    Extensions "sec_websocket_extensions" "Sec-WebSocket-Extensions" s("11.3.2"),
        "Extensions offered, best first, or those in use.";
    Origin "origin" "Origin" s("10.2"),
        "The site whose script opens the WebSocket. Browsers always send it; servers should check it.";
    OldKey1 "sec_websocket_key1" "Sec-WebSocket-Key1" s("11.6"),
        "Of a draft from 2010 (hixie-76) that no browser speaks any more.";
    OldKey2 "sec_websocket_key2" "Sec-WebSocket-Key2" s("11.6"),
        "Of a draft from 2010 (hixie-76) that no browser speaks any more.";
    OldOrigin "sec_websocket_origin" "Sec-WebSocket-Origin" s("11.6"), "What drafts up to 10 called Origin.";
    ForwardedFor "x_forwarded_for" "X-Forwarded-For" Cite { doc: "RFC 7239", section: "1" },
        "Whom proxies were asked by: the client first, then each proxy but the last.";
    Forwarded "forwarded" "Forwarded" Cite { doc: "RFC 7239", section: "4" },
        "What X-Forwarded-For says, as a standard.";
    Via "via" "Via" http("7.6.3"), "Proxies the message passed, and the HTTP version each received it with.";
    Location "location" "Location" http("10.2.2"), "Where a redirected client is sent.";
    RetryAfter "retry_after" "Retry-After" http("10.2.3"), "How long to wait before trying again.";
    UserAgent "user_agent" "User-Agent" http("10.1.5"), "The client program, as it names itself.";
    Server "server" "Server" http("10.2.4"), "The server program, as it names itself.";
    Cookie "cookie" "Cookie" s("4.1"),
        "Sent with a WebSocket handshake from any site, which is why Origin must be checked.";
    SetCookie "set_cookie" "Set-Cookie" s("4.1"), "Cookies set by the handshake are kept like any other.";
    Authorization "authorization" "Authorization" s("10.5"),
        "Credentials. Scripts in a browser cannot set them for a WebSocket.";
    Authenticate "www_authenticate" "WWW-Authenticate" s("4.2.2"), "How the client should authenticate.";
    ProxyAuthorization "proxy_authorization" "Proxy-Authorization" s("4.1"), "Credentials for the proxy.";
    ProxyAuthenticate "proxy_authenticate" "Proxy-Authenticate" http("11.7.1"),
        "How the client should authenticate to the proxy.";
    ContentType "content_type" "Content-Type" http("8.3"), "What the body is.";
    ContentLength "content_length" "Content-Length" http("8.6"),
        "Length of the body in bytes. A 101 has none: frames follow.";
    TransferEncoding "transfer_encoding" "Transfer-Encoding" http1("6.1"),
        "How the body is framed. A 101 has none: frames follow.";
    PseudoMethod "pseudo_method" ":method" Cite { doc: "RFC 9113", section: "8.3.1" },
        "The method. Over HTTP/2 a WebSocket begins with CONNECT, and :protocol beside it.";
    PseudoScheme "pseudo_scheme" ":scheme" Cite { doc: "RFC 8441", section: "5" },
        "https for a wss URI, http for a ws URI.";
    PseudoPath "pseudo_path" ":path" Cite { doc: "RFC 8441", section: "4" },
        "Path and query of the WebSocket URI.";
    PseudoAuthority "pseudo_authority" ":authority" Cite { doc: "RFC 8441", section: "5" },
        "Host and port of the WebSocket URI, in place of Host.";
    PseudoProtocol "pseudo_protocol" ":protocol" Cite { doc: "RFC 8441", section: "4" },
        "The protocol that the stream is to carry: websocket. It stands for Upgrade, key and echo.";
    PseudoStatus "pseudo_status" ":status" Cite { doc: "RFC 9113", section: "8.3.2" },
        "The status code: 200 opens the WebSocket over HTTP/2.";
}

impl Name {
    /// How many names are known.
    pub const COUNT: usize = HEADERS.len();

    /// What a field is when no rule judges it, in the words of a verdict: no sentence of its own.
    pub const fn aside(self) -> &'static str {
        match self {
            Self::UserAgent => "the client program, as it names itself",
            Self::Server => "the server program, as it names itself",
            Self::ForwardedFor | Self::Forwarded => "whom the proxies on the way were asked by",
            Self::Via => "the proxies that the message passed",
            Self::Location => "where a redirected client is sent",
            Self::RetryAfter => "how long to wait before trying again",
            Self::Cookie => "sent for pages of any site, which is why Origin must be checked",
            Self::SetCookie => "kept like any other cookie",
            Self::Authorization => "credentials; scripts in a browser cannot set them for a WebSocket",
            Self::Authenticate => "how the client should authenticate",
            Self::ProxyAuthorization => "credentials for the proxy",
            Self::ProxyAuthenticate => "how the client should authenticate to the proxy",
            Self::ContentType => "what the body is",
            Self::ContentLength => "length of the body in bytes",
            Self::TransferEncoding => "how the body is framed",
            Self::OldKey1 | Self::OldKey2 => {
                "of a draft from 2010 (hixie-76), which no browser speaks any more"
            }
            Self::OldOrigin => "what drafts up to 10 called Origin",
            Self::Connection => "options for the next hop only",
            Self::Upgrade => "protocols that the sender could switch to",
            Self::PseudoMethod => "the method",
            Self::PseudoScheme => "whether TLS protects it",
            Self::PseudoPath => "what is asked for",
            Self::PseudoAuthority => "the server, and which of its sites is wanted",
            Self::PseudoProtocol => "the protocol that the stream is to carry",
            Self::PseudoStatus => "how the server answers",
            Self::Host
            | Self::Key
            | Self::Accept
            | Self::Version
            | Self::Protocol
            | Self::Extensions
            | Self::Origin => "means nothing in this message",
        }
    }

    /// The known name that a field has, compared without regard to case.
    pub fn of(name: &[u8]) -> Option<&'static Known> {
        let known = &HEADERS[usize::from(SLOTS[slot(name)?])];
        let label = known.def.label.as_bytes();
        // Mostly it is written as it is in the standards.
        (label == name || label.eq_ignore_ascii_case(name)).then_some(known)
    }
}

/// Where the known fields of a head stand among its lines: for each name the number of the first one,
/// and how many there are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Index([(u16, u16); Name::COUNT]);

impl Default for Index {
    fn default() -> Self {
        Self([(0, 0); Name::COUNT])
    }
}

impl Index {
    /// The index of a head with fields of these names, in order.
    pub fn of<'n>(names: impl Iterator<Item = &'n [u8]>) -> Self {
        let mut index = [(0, 0); Name::COUNT];
        for (at, name) in names.enumerate() {
            if let Some(known) = Name::of(name) {
                let (first, count): &mut (u16, u16) = &mut index[known.name as usize];
                if *count == 0 {
                    *first = at as u16;
                }
                *count += 1;
            }
        }
        Self(index)
    }

    /// The number of the first field of this name, and how many there are.
    #[inline]
    pub fn get(&self, name: Name) -> (usize, usize) {
        let (first, count) = self.0[name as usize];
        (first.into(), count.into())
    }
}

/// Where each name stands in [`HEADERS`]: every name has a slot of its own, so
/// that a header field costs one comparison. Adding a name that shares a slot
/// does not compile; then [`slot`] needs other factors.
static SLOTS: [u8; 128] = {
    let mut slots = [0; 128];
    let mut taken = [false; 128];
    let mut at = 0;
    while at < HEADERS.len() {
        let Some(slot) = slot(HEADERS[at].def.label.as_bytes()) else { panic!("a name is empty") };
        assert!(!taken[slot], "two names share a slot");
        taken[slot] = true;
        slots[slot] = at as u8;
        at += 1;
    }
    slots
};

const fn slot(name: &[u8]) -> Option<usize> {
    let ([first, ..], [.., last]) = (name, name) else { return None };
    Some((name.len() * 4 + (*first | 0x20) as usize + (*last | 0x20) as usize * 6) % 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        let found = |name: &[u8]| Name::of(name).map(|known| known.name);
        assert_eq!(found(b"SEC-WEBSOCKET-KEY"), Some(Name::Key));
        assert_eq!(found(b"host"), Some(Name::Host));
        assert_eq!(found(b"Sec-WebSocket"), None);
    }
}
