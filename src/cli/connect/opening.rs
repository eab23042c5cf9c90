//! The opening handshake: the request, the connection, and what is made of the answer; `stream`: over HTTP/2.

mod stream;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;

use super::args::Args;
use crate::cli::dial::line::Reach;
use crate::cli::dial::{Url, answer};
use crate::http::handshake::{PASS_ON, with_body};
use crate::http::{Outcome, RequestReport, ResponseReport, check_request, check_response, codings};
use crate::lab::frames::Reader;
use crate::lab::socket::{Manners, Socket, Stream};
use crate::lab::tap::{Tap, Tapped};
use crate::limits;
use crate::model::{Deflate, Dir, SourceId, Text};
use crate::replay::fault::Misfit;
use crate::replay::{Heard, Pace, Sending};

/// What a client says to open a WebSocket, and how it gets there.
#[derive(Clone)]
pub struct Opening {
    /// The URL as it was given.
    pub named: String,
    /// The way to the server.
    pub reach: Reach,
    /// What is asked for.
    pub asking: Asking,
    /// Bytes of a message that are taken.
    pub most: u64,
    /// Whether frames are masked.
    pub masks: bool,
    /// Whether it is opened on a stream of HTTP/2 (RFC 8441).
    pub http2: bool,
}

/// What an opening handshake asks for.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    /// Header fields besides those of every handshake, and those that are set otherwise or, with an empty
    /// value, left out.
    pub fields: Vec<(String, String)>,
    /// The key; a fresh one where none is named.
    pub key: Option<String>,
    /// The version, if not 13.
    pub version: Option<String>,
    /// The value of Sec-WebSocket-Extensions.
    pub extensions: Option<String>,
    /// What is done wrong on purpose.
    pub faults: Vec<crate::replay::Fault>,
}

/// An open WebSocket.
pub struct Open {
    /// It.
    pub socket: Socket,
    /// The status that opened it.
    pub status: u16,
    /// The number of its stream, over HTTP/2.
    pub stream: Option<u32>,
    /// The compression that was agreed.
    pub deflate: Option<Deflate>,
    /// The subprotocol.
    pub subprotocol: Option<String>,
    /// The version of TLS.
    pub tls: Option<&'static str>,
    /// The proxy that it goes through, and who named that.
    pub proxy: Option<String>,
    /// From the first look-up to the answer.
    pub took: Duration,
    /// What is odd about it all the same.
    pub notes: Vec<Text>,
}

/// Why there is no WebSocket.
#[derive(Debug)]
pub enum Failure {
    /// The server was not reached, or gave no answer.
    Unreached(Text),
    /// It gave one, but not to open a WebSocket.
    Refused {
        /// The status; 0 where there is none.
        code: u16,
        /// What it said.
        got: Text,
        /// What that means.
        meaning: Text,
        /// What to try.
        advice: Text,
    },
    /// The request cannot be made.
    Usage(Text),
}

/// How long the body of a refusal is waited for.
const BODY: Duration = Duration::from_secs(2);

impl Asking {
    /// What the options ask for.
    pub fn of(args: &Args) -> Self {
        let extensions = match (&args.deflate, args.no_deflate) {
            (_, true) => None,
            (Some(parameters), _) if parameters.trim().starts_with("permessage-") => Some(parameters.clone()),
            (Some(parameters), _) => {
                Some(format!("permessage-deflate; {}", parameters.trim().trim_matches(';').trim()))
            }
            (None, false) => Some("permessage-deflate; client_max_window_bits".to_owned()),
        };
        Self {
            fields: args.dial.fields(),
            key: args.key.clone(),
            version: args.ws_version.clone(),
            extensions,
            faults: args.faults.clone(),
        }
    }

    /// The request's bytes (RFC 6455 §4.1).
    ///
    /// # Errors
    /// When a fault belongs to the other side.
    pub fn bytes(&self, url: &Url) -> Result<Vec<u8>, Text> {
        let key = self.key.clone().unwrap_or_else(|| {
            let mut nonce = [0; 16];
            // Without randomness the key is 0, which opens a WebSocket too.
            let _ = getrandom::fill(&mut nonce);
            STANDARD.encode(nonce)
        });
        let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut fields = vec![
            owned("Host", &url.host_field()),
            owned("Upgrade", "websocket"),
            owned("Connection", "Upgrade"),
            owned("Sec-WebSocket-Key", &key),
            owned("Sec-WebSocket-Version", self.version.as_deref().unwrap_or("13")),
        ];
        fields.extend(self.extensions.iter().map(|value| owned("Sec-WebSocket-Extensions", value)));
        let usual = fields.len();
        for (name, value) in &self.fields {
            let is_it = |field: &(String, String)| field.0.eq_ignore_ascii_case(name);
            match fields.iter().position(is_it) {
                _ if value.is_empty() => fields.retain(|field| !is_it(field)),
                // What every request has is set otherwise; what was added may be there several times.
                Some(at) if at < usual => fields[at].1.clone_from(value),
                _ => fields.push((name.clone(), value.clone())),
            }
        }
        let mut head = format!("GET {} HTTP/1.1\r\n", url.resource);
        for (name, value) in fields {
            // Writing to a string cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let sending = Sending { faults: self.faults.clone(), ..Sending::default() };
        sending.bytes(&Heard::of(head.as_bytes(), SourceId::Input, 0)).map_err(Misfit::text)
    }
}

impl Opening {
    /// The same elsewhere on the server.
    #[must_use]
    pub fn at(&self, url: Url) -> Self {
        let mut other = self.clone();
        other.reach.url = url;
        other
    }

    /// Opens it. `tap` is told all that goes over the connection.
    ///
    /// # Errors
    /// Why it is not open.
    pub async fn open(&self, tap: &Tap) -> Result<Open, Failure> {
        if self.http2 {
            return stream::open(self, tap).await;
        }
        let began = Instant::now();
        let timeout = self.reach.timeout;
        let request = self.asking.bytes(&self.reach.url).map_err(Failure::Usage)?;
        let line = self.reach.connect().await.map_err(Failure::Unreached)?;
        let wire = line.tapped(tap);
        let mut stream = Tapped::new(line.stream, wire, Dir::Client);
        let deadline = Instant::now() + timeout;
        for (piece, pause) in Pace::of(&self.asking.faults).pieces(&request) {
            // Who refuses may do so before it has read everything: its answer says why.
            if stream.write_all(piece).await.is_err() || stream.flush().await.is_err() {
                break;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        let deadline = deadline.max(Instant::now() + timeout / 2);
        let mut answer =
            answer::read(&mut stream, &self.named, deadline, timeout).await.map_err(Failure::Unreached)?;
        let took = began.elapsed();
        let asked = check_request(&Heard::of(&request, SourceId::Input, 0).head(), true);
        let answered = check_response(Some(&asked.facts), &answer.heard.head(), Vec::new, true);
        if answered.facts.outcome != Outcome::Open {
            if answered.facts.status != Some(101) {
                answer.read_body(&mut stream, deadline.min(Instant::now() + BODY)).await;
            }
            return Err(refusal(&asked, answered, &answer.heard));
        }
        let socket = self.socket(stream, &answered).having_read(&answer.rest);
        Ok(self.opened(socket, (&asked, answered), line.tls, took))
    }

    /// A WebSocket on a stream on which an answer has opened it.
    fn socket(&self, stream: impl Stream, answered: &ResponseReport) -> Socket {
        let manners = Manners {
            reader: Reader::taking(usize::try_from(self.most).unwrap_or(usize::MAX)),
            masks: (!self.masks).then_some(false),
            ..Manners::default()
        };
        Socket::new(stream, Dir::Client, answered.facts.deflate, manners)
    }

    /// What is to be said of it.
    fn opened(
        &self,
        socket: Socket,
        (asked, answered): (&RequestReport, ResponseReport),
        tls: Option<&'static str>,
        took: Duration,
    ) -> Open {
        Open {
            socket,
            status: 101,
            stream: None,
            deflate: answered.facts.deflate,
            notes: notes(asked, &answered),
            subprotocol: answered.facts.subprotocol,
            tls,
            proxy: self.reach.proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host, proxy.port)),
            took,
        }
    }
}

/// What is odd about a WebSocket that is open.
fn notes(asked: &RequestReport, answered: &ResponseReport) -> Vec<Text> {
    let mut notes = Vec::new();
    for finding in &answered.findings {
        let words = Text::new("{} ({}): {}").word(finding.rule.title).and(finding.rule.id);
        notes.push(words.word(finding.got.clone()));
    }
    if asked.facts.subprotocols.is_some() && answered.facts.subprotocol.is_none() {
        notes.push("the server chose none of the subprotocols offered: a browser would close now".into());
    }
    notes
}

/// What an answer says that opens no WebSocket.
fn refusal(asked: &RequestReport, mut answered: ResponseReport, heard: &Heard) -> Failure {
    let code = answered.facts.status.unwrap_or_default();
    if let Outcome::Failed(rule) = answered.facts.outcome {
        let found = answered.findings.iter().find(|finding| finding.rule == rule);
        let got = found.map_or_else(Text::default, |finding| finding.got.clone());
        let behind = answered.diagnoses.into_iter().next();
        let (meaning, advice) = behind.map_or_else(Default::default, |it| (it.what, it.fix));
        let got = Text::new("{} ({}): {}").word(rule.title).and(rule.id).word(got);
        return Failure::Refused { code, got, meaning, advice };
    }
    let start = heard.head().start_line().into_owned();
    let mut got = Text::with("{}", start.split_once(' ').map_or(&*start, |(_, rest)| rest));
    let mut behind = answered.diagnoses.into_iter().next();
    if let Some(finding) = answered.findings.iter_mut().find(|finding| finding.case.is_some()) {
        let plain = codings(&heard.head()).plain(&heard.body, limits::REFUSAL_READ);
        with_body(finding, &plain.bytes, false);
        if let Some(case) = finding.case.take() {
            got = case.what;
            behind = case.behind.or(behind);
        }
    }
    let (mut meaning, mut advice) = behind.map_or_else(Default::default, |it| (it.what, it.fix));
    if let Some(rule) = asked.facts.broken.first() {
        meaning =
            Text::new("the request is broken, and rightly refused: {} ({})").word(rule.title).and(rule.id);
        advice = Text::default();
    } else {
        match code {
            401 => {
                advice = "--user NAME:PASSWORD, --header 'Authorization: …', or --cookie NAME=VALUE".into();
            }
            400 if is_engine_io(&heard.body) && !asked.facts.target.contains("EIO=") => {
                meaning = "the server speaks Socket.IO, a protocol of its own on top of WebSocket".into();
                advice = "--socketio, or the path of a plain WebSocket".into();
            }
            400 if is_taken_for_a_poll(&heard.body) && asked.facts.target.contains("transport=websocket") => {
                meaning = "Engine.IO takes the request for a poll: Upgrade was lost on the way to it".into();
                advice = PASS_ON.into();
            }
            403 if asked.facts.origin.is_none() => {
                advice = "--origin of a page that it knows, or --cookie, --user of somebody who may".into();
            }
            _ => {}
        }
    }
    Failure::Refused { code, got, meaning, advice }
}

/// Whether that is what Engine.IO says to a request whose query names none of its transports.
fn is_engine_io(body: &[u8]) -> bool {
    const SAYS: &[u8] = b"Transport unknown";
    body.windows(SAYS.len()).any(|part| part == SAYS)
}

/// Whether that is what Engine.IO says to a request whose transport its query names wrongly, as it came.
fn is_taken_for_a_poll(body: &[u8]) -> bool {
    const SAYS: &[u8] = b"{\"code\":3,";
    body.starts_with(SAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(asking: &Asking) -> String {
        let url = Url::parse("wss://example.com:9000/chat?x=1").unwrap();
        String::from_utf8(asking.bytes(&url).unwrap()).unwrap()
    }

    #[test]
    fn a_request_is_right_unless_it_is_asked_to_be_wrong() {
        let report = |asking: &Asking| {
            let bytes = request(asking);
            check_request(&Heard::of(bytes.as_bytes(), SourceId::Input, 0).head(), false)
        };
        let extensions = Some("permessage-deflate; client_max_window_bits".to_owned());
        let fields = [("X-A", "1"), ("x-a", "2"), ("host", "other"), ("Origin", "null"), ("origin", "")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let asking = Asking { fields, extensions, ..Asking::default() };
        let text = request(&asking);
        assert!(text.starts_with("GET /chat?x=1 HTTP/1.1\r\nHost: other\r\n"), "{text}");
        assert!(text.contains("\r\nX-A: 1\r\nx-a: 2\r\n\r\n") && !text.contains("rigin"), "{text}");
        assert!(report(&asking).findings.is_empty(), "{:?}", report(&asking).findings);
        let wrong = Asking { version: Some("8".to_owned()), key: Some("short".to_owned()), ..asking };
        let rules: Vec<_> = report(&wrong).findings.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(rules, ["invalid-sec-websocket-key", "unsupported-version"]);
    }
}
