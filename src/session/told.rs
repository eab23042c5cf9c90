//! What is told of a connection's handshake.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::Context;
use super::about::{About, Told};
use super::http::plain_headers;
use super::memory::{Attempt, is_public};
use super::spare::Spare;
use crate::http::handshake::{self, ResponseFacts};
use crate::http::head::Head;
use crate::http::{CLEARTEXT, CLIENT_ACCEPTED_BAD};
use crate::limits;
use crate::model::{
    At, Body, Diagnosis, Dir, Field, Finding, Flow, Handshake, Header, HttpHead, ON, Piece, Source, Text,
    Time, Unit, Wants, prefix,
};

/// A head with the verdict on it.
pub(super) struct Judged {
    /// It is Engine.IO's, and asks for no WebSocket.
    pub polls: bool,
    pub dir: Dir,
    pub offset: u64,
    /// The head itself, for those who look at fields.
    pub bytes: Vec<u8>,
    pub start_line: String,
    /// Its empty line was seen.
    pub complete: bool,
    pub headers: Vec<Header<'static>>,
    pub fields: Vec<Field>,
    pub findings: Vec<Finding>,
    pub diagnoses: Vec<Diagnosis>,
    pub pieces: Vec<Piece>,
    pub time: Option<Time>,
    /// The last packet of its body.
    pub last_packet: Option<u64>,
}

impl Judged {
    /// A whole head without its header fields and without a verdict, which came in these pieces and was
    /// complete at `time`.
    pub fn new(dir: Dir, head: &Head<'_>, wants: Wants, pieces: Vec<Piece>, time: Option<Time>) -> Self {
        Self {
            polls: false,
            dir,
            offset: head.offset,
            bytes: if wants.fields { head.bytes.to_vec() } else { Vec::new() },
            start_line: head.start_line().into_owned(),
            complete: true,
            headers: Vec::new(),
            fields: Vec::new(),
            findings: Vec::new(),
            diagnoses: Vec::new(),
            pieces,
            time,
            last_packet: None,
        }
    }

    /// The same of a head that is no handshake's: its header fields mean nothing to WebSocket.
    pub fn plain(dir: Dir, head: &Head<'_>, wants: Wants, pieces: Vec<Piece>, time: Option<Time>) -> Self {
        Self { headers: plain_headers(head), ..Self::new(dir, head, wants, pieces, time) }
    }
}

/// A [usual](handshake::usual_headers) head.
pub(super) struct UsualHead<'b> {
    pub start_line: &'b str,
    pub bytes: &'b [u8],
    /// The head of the request that it answers, if it does.
    pub asked: Option<&'b [u8]>,
}

impl Told {
    /// Holds a request against the addresses and against other connections. A proxy may have said that
    /// it comes from `proxied`.
    fn compare(
        &mut self,
        attempt: &Attempt<'_>,
        proxied: Option<SocketAddr>,
        findings: &mut Vec<Finding>,
        cx: &mut Context<'_, '_>,
    ) {
        let (client, server) = (self.connection.client, self.connection.server);
        let pair = proxied.or(client).map(|client| client.ip()).zip(server);
        let attempt = Attempt { pair, ..*attempt };
        cx.memory.request(self.conn, &mut self.entry, &attempt, findings);
        if let Some(server) = server.filter(|server| is_public(server.ip())) {
            //= RFC 6455 §10.6
            //# Connection confidentiality and integrity is provided by running the
            //# WebSocket Protocol over TLS
            let got = Text::with("HTTP without TLS to {}", server);
            findings.push(Finding::new(&CLEARTEXT, None, "TLS over the open Internet".into(), got));
        }
    }

    /// The handshake has failed.
    pub(super) fn refused(&mut self) {
        self.connection.handshake = Handshake::Refused;
    }
}

impl About {
    /// Shows a head, and as much of its body as there is, if the connection was announced.
    pub(super) fn show(
        &self,
        judged: &Judged,
        body: &[u8],
        body_whole: bool,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Some(told) = &self.told else { return ON };
        let head = HttpHead {
            offset: judged.offset,
            bytes: &judged.bytes,
            start_line: &judged.start_line,
            complete: judged.complete,
            headers: &judged.headers,
            body,
            // A head that breaks off has no body yet.
            body_whole: body_whole && judged.complete,
            diagnoses: &judged.diagnoses,
        };
        let packets = judged.pieces.first().zip(judged.pieces.last());
        let wants_source = cx.out.wants().fields;
        let says_something = !(judged.findings.is_empty() && judged.diagnoses.is_empty());
        let source = || Source::carried(self.source(judged.dir), judged.pieces.clone());
        let source = wants_source.then(source);
        cx.out.emit(&Unit {
            dir: Some(judged.dir),
            time: judged.time,
            packets: packets.map(|(first, last)| (first.packet, judged.last_packet.unwrap_or(last.packet))),
            // Who asks for none is told them of what there is something to say about.
            fields: if wants_source || says_something { &judged.fields } else { &[] },
            findings: &judged.findings,
            sources: source.as_slice(),
            ..Unit::of(told.conn, Body::Http(&head))
        })
    }

    /// Shows a [usual](handshake::usual_headers) head that came whole and begins its sender's stream.
    pub(super) fn show_usual(
        &self,
        dir: Dir,
        usual: &UsualHead<'_>,
        findings: &[Finding],
        at: At,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Some(told) = &self.told else { return ON };
        let UsualHead { start_line, bytes, asked } = *usual;
        let (mut headers, mut fields) = (Vec::new(), Vec::new());
        if cx.out.wants().heads() {
            headers = handshake::usual_headers(bytes, dir, self.source(dir));
            if !findings.is_empty() {
                let head = Head::parse(bytes, self.source(dir), 0);
                fields = handshake::fields(&head, asked);
            }
        }
        let head = HttpHead {
            offset: 0,
            bytes: &[],
            start_line,
            complete: true,
            headers: &headers,
            body: &[],
            body_whole: true,
            diagnoses: &[],
        };
        let unit = Unit::of(told.conn, Body::Http(&head)).at(at);
        cx.out.emit(&Unit { dir: Some(dir), findings, fields: &fields, ..unit })
    }

    /// Holds a request against the addresses and against other connections.
    pub(super) fn compare(
        &mut self,
        attempt: &Attempt<'_>,
        findings: &mut Vec<Finding>,
        cx: &mut Context<'_, '_>,
    ) {
        let proxied = self.tunnel.as_ref().and_then(|tunnel| tunnel.preface.as_ref()?.client());
        if let Some(told) = &mut self.told {
            told.compare(attempt, proxied, findings, cx);
        }
    }

    /// Tells, once, that the client goes on although it must not put up with the response.
    #[cold]
    pub(super) fn tell_accepted(&mut self, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let (Some(cause), Some(told)) = (self.bad_handshake.take(), &self.told) else { return ON };
        told.note(Dir::Client, at, &[accepted_bad_handshake(cause.id)], cx)
    }

    /// Notes what a request says of the connection.
    pub(super) fn describe_request(
        &mut self,
        is_upgrade: bool,
        target: &str,
        host: Option<&str>,
        http_version: Option<Cow<'static, str>>,
        spare: &mut Spare,
    ) {
        let Some(told) = &mut self.told else { return };
        told.connection.handshake = if is_upgrade { Handshake::RequestOnly } else { Handshake::Polling };
        // It is kept as long as the connection lasts.
        told.connection.target = Some(spare.text(prefix(target, limits::TARGET)));
        told.connection.host = host.map(|host| spare.text(prefix(host, limits::TARGET)));
        told.connection.http_version = http_version;
    }

    /// Notes what a response makes of it.
    pub(super) fn describe_response(&mut self, facts: &ResponseFacts, has_request: bool) {
        let Some(told) = &mut self.told else { return };
        let connection = &mut told.connection;
        connection.status = facts.status;
        connection.handshake = match (facts.status, has_request) {
            (Some(101), true) => Handshake::Full,
            (Some(101), false) => Handshake::ResponseOnly,
            _ => Handshake::Refused,
        };
        if facts.status == Some(101) {
            connection.http_version = connection.http_version.take().or_else(|| facts.http_version.clone());
            connection.subprotocol.clone_from(&facts.subprotocol);
            connection.extensions.clone_from(&facts.extensions);
            connection.deflate = facts.deflate;
        }
    }
}

/// A client went on although the response broke the rule `cause`.
fn accepted_bad_handshake(cause: &'static str) -> Finding {
    let got = Text::with("frames, although the response is broken ({})", cause);
    Finding::new(&CLIENT_ACCEPTED_BAD, Dir::Client, "the connection failed".into(), got)
}
