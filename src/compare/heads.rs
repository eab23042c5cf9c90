//! The HTTP heads an exchange carries: those of a browser and a common server, of the
//! published comparison, or the user's own.

use crate::model::Text;

/// A request or response head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The request or status line.
    pub start: String,
    /// Names and values in order.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// Reads a head, with line ends of either kind, up to the first empty line.
    ///
    /// # Errors
    /// What is wrong with which line.
    pub fn parse(text: &str) -> Result<Self, Text> {
        let mut lines = text.lines();
        let start = lines.next().unwrap_or_default().trim_end().to_owned();
        if start.is_empty() {
            return Err(Text::new("is empty: a request line and header fields are wanted"));
        }
        let mut fields = Vec::new();
        for (at, line) in lines.enumerate() {
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(Text::with("line {}: a header field has a colon", at + 2));
            };
            fields.push((name.to_owned(), value.trim_start().to_owned()));
        }
        Ok(Self { start, fields })
    }

    /// Bytes on the wire: with line ends and the empty line.
    pub fn len(&self) -> u64 {
        let fields: usize = self.fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        (self.start.len() + 2 + fields + 2) as u64
    }

    /// Whether it says nothing, which no head does.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// With one field set, at its place or at the end.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        match self.fields.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(field) => field.1 = value,
            None => self.fields.push((name.to_owned(), value)),
        }
        self
    }

    /// Without the fields of these names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.fields.retain(|(name, _)| !names.iter().any(|n| n.eq_ignore_ascii_case(name)));
        self
    }

    /// With another request target, and method.
    #[must_use]
    pub fn asking(mut self, method: &str, target: &str) -> Self {
        let version = self.start.rsplit(' ').next().unwrap_or("HTTP/1.1").to_owned();
        self.start = format!("{method} {target} {version}");
        self
    }

    /// The request target.
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or("/")
    }
}

/// What a browser's `fetch` sends: the fields and their order are Chromium's.
const REQUEST: &str = "\
GET /messages HTTP/1.1
Host: example.com
Connection: keep-alive
sec-ch-ua-platform: \"Linux\"
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
Safari/537.36
sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"
sec-ch-ua-mobile: ?0
Accept: */*
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: http://example.com/
Accept-Encoding: gzip, deflate
Accept-Language: en-US,en;q=0.9
";

/// What a small server answers: the last four fields are those Node.js adds by itself.
const RESPONSE: &str = "\
HTTP/1.1 200 OK
Content-Type: text/plain; charset=utf-8
Cache-Control: no-store
Date: Fri, 20 Nov 2026 09:00:00 GMT
Connection: keep-alive
Keep-Alive: timeout=60
Content-Length: 0
";

/// Lubbers and Greco's request and response, as published.
const QUANTUM_LEAP_REQUEST: &str = "\
GET /PollingStock//PollingStock HTTP/1.1
Host: localhost:8080
User-Agent: Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.9.1.5) Gecko/20091102 Firefox/3.5.5
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
Accept-Language: en-us
Accept-Encoding: gzip,deflate
Accept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7
Keep-Alive: 300
Connection: keep-alive
Referer: http://www.example.com/PollingStock/
Cookie: showInheritedConstant=false; showInheritedProtectedConstant=false; showInheritedProperty=false; \
showInheritedProtectedProperty=false; showInheritedMethod=false; showInheritedProtectedMethod=false; \
showInheritedEvent=false; showInheritedStyle=false; showInheritedEffect=false
";

const QUANTUM_LEAP_RESPONSE: &str = "\
HTTP/1.x 200 OK
X-Powered-By: Servlet/2.5
Server: Sun Java System Application Server 9.1_02
Content-Type: text/html;charset=UTF-8
Content-Length: 21
Date: Sat, 07 Nov 2009 00:32:46 GMT
";

/// Fields of a request that say how its own connection is used, or that its own kind of request has.
const OF_FETCH: &[&str] = &[
    "connection",
    "sec-ch-ua-platform",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "accept",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "referer",
    "keep-alive",
    "content-type",
    "content-length",
    "if-none-match",
    "if-modified-since",
];

/// The heads of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Whose they are, for people.
    pub origin: Text,
    /// A poll.
    pub request: Head,
    /// Its answer; Content-Length is set for each.
    pub response: Head,
}

impl Heads {
    /// Those of a current browser and a small server.
    pub fn browser() -> Self {
        Self::read("as Chromium's fetch and a Node.js server send them", REQUEST, RESPONSE)
    }

    /// Those of the published comparison: 716 and 193 bytes.
    pub fn quantum_leap() -> Self {
        Self::read("as Lubbers and Greco published them", QUANTUM_LEAP_REQUEST, QUANTUM_LEAP_RESPONSE)
    }

    fn read(origin: &'static str, request: &str, response: &str) -> Self {
        let empty = || Head { start: String::new(), fields: Vec::new() };
        Self {
            origin: origin.into(),
            request: Head::parse(request).unwrap_or_else(|_| empty()),
            response: Head::parse(response).unwrap_or_else(|_| empty()),
        }
    }

    /// The user's own: a request head and, after an empty line, perhaps a response head.
    ///
    /// # Errors
    /// What is wrong with which line.
    pub fn from_text(text: &str, origin: Text) -> Result<Self, Text> {
        let text = text.replace("\r\n", "\n");
        let (request, response) = text.split_once("\n\n").unwrap_or((&text, ""));
        let request = Head::parse(request)?;
        if request.start.split(' ').count() != 3 || !request.start.contains("HTTP/") {
            return Err(Text::new("line 1: a request line is wanted, such as GET / HTTP/1.1"));
        }
        let response = match response.trim() {
            "" => Self::browser().response,
            text if text.starts_with("HTTP/") => Head::parse(text)?,
            _ => {
                return Err(Text::new(
                    "after the empty line a status line is wanted, such as HTTP/1.1 200 OK",
                ));
            }
        };
        Ok(Self { origin, request, response })
    }

    /// With a cookie of so many bytes, name and value; none for 0.
    #[must_use]
    pub fn with_cookies(mut self, bytes: u64) -> Self {
        if bytes > 0 {
            self.request = self.request.with("Cookie", "c".repeat(bytes as usize));
        }
        self
    }

    /// A request without a body, to a target or the usual one.
    pub fn get(&self, target: Option<&str>) -> Head {
        let target = target.unwrap_or(self.request.target()).to_owned();
        self.request.clone().asking("GET", &target)
    }

    /// A request with a body.
    pub fn post(&self, target: Option<&str>, length: u64) -> Head {
        let target = target.unwrap_or(self.request.target()).to_owned();
        let head = self.request.clone().asking("POST", &target);
        head.with("Content-Type", "text/plain;charset=UTF-8")
            .with("Content-Length", length.to_string())
            .with("Origin", self.web_origin())
    }

    /// An answer with so long a body.
    pub fn answer(&self, length: u64) -> Head {
        self.response.clone().with("Content-Length", length.to_string())
    }

    /// The request that opens an event stream.
    pub fn stream_request(&self) -> Head {
        self.get(None).with("Accept", "text/event-stream").with("Cache-Control", "no-cache")
    }

    /// Its answer.
    pub fn stream_answer(&self) -> Head {
        let head = self.response.clone().without(&["content-length"]);
        head.with("Content-Type", "text/event-stream").with("Transfer-Encoding", "chunked")
    }

    /// The opening handshake's request, with the fields every request of this client has (RFC 6455 §4.1).
    pub fn upgrade(&self, target: Option<&str>) -> Head {
        let mut head = self.get(target).without(OF_FETCH);
        for (name, value) in [
            ("Connection", "Upgrade"),
            ("Pragma", "no-cache"),
            ("Cache-Control", "no-cache"),
            ("Upgrade", "websocket"),
            ("Origin", ""),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
        ] {
            let value = if name == "Origin" { self.web_origin() } else { value.to_owned() };
            head = head.with(name, value);
        }
        head
    }

    /// Its answer (RFC 6455 §4.2.2).
    pub fn switching() -> Head {
        let fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ];
        Head {
            start: "HTTP/1.1 101 Switching Protocols".to_owned(),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    fn web_origin(&self) -> String {
        format!("http://{}", self.request.field("host").unwrap_or("example.com"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_heads_have_their_published_lengths() {
        let heads = Heads::quantum_leap();
        assert_eq!((heads.request.len(), heads.response.len()), (716, 193));
        assert_eq!(heads.answer(21).len(), 193, "the body it was published with");
        let line_ends = 2 * (heads.request.fields.len() + heads.response.fields.len() + 4) as u64;
        assert_eq!(716 + 193 - line_ends, 871);
    }

    #[test]
    fn a_users_heads() {
        let heads =
            Heads::from_text("GET /x HTTP/1.1\nHost: a\n\nHTTP/1.1 200 OK\nServer: b\n", "here".into())
                .unwrap();
        assert_eq!(heads.request.len(), 17 + 9 + 2);
        assert_eq!(heads.answer(5).field("content-length"), Some("5"));
        let own = Heads::from_text("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "here".into()).unwrap();
        assert_eq!(own.response, Heads::browser().response);
        for (text, problem) in [
            ("", "is empty: a request line and header fields are wanted"),
            ("GET / HTTP/1.1\nnonsense", "line 2: a header field has a colon"),
            ("Host: a", "line 1: a request line is wanted, such as GET / HTTP/1.1"),
            (
                "GET / HTTP/1.1\nHost: a\n\nbody",
                "after the empty line a status line is wanted, such as HTTP/1.1 200 OK",
            ),
        ] {
            assert_eq!(Heads::from_text(text, "here".into()).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn a_cookie_is_in_every_request() {
        let heads = Heads::browser().with_cookies(100);
        for head in [heads.get(None), heads.post(None, 1), heads.upgrade(None), heads.stream_request()] {
            assert_eq!(head.field("cookie").map(str::len), Some(100));
        }
        assert_eq!(
            heads.get(None).len() - Heads::browser().get(None).len(),
            100 + "Cookie: \r\n".len() as u64
        );
    }

    #[test]
    fn a_post_says_how_long_its_body_is() {
        let head = Heads::browser().post(Some("/socket.io/"), 17);
        assert!(head.start.starts_with("POST /socket.io/ HTTP/1.1"));
        assert_eq!(head.field("Content-Length"), Some("17"));
    }
}
