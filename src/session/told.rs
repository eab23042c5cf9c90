//! What is told of a connection's handshake.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::Context;
use super::about::{About, Told};
use super::address::is_public;
use super::entry::Attempt;
use super::failed::How;
use super::http::polls;
use super::judged::Judged;
use super::spare::Spare;
use crate::http::handshake::{self, ResponseFacts};
use crate::http::head::Head;
use crate::http::{self, CLEARTEXT, CLIENT_ACCEPTED_BAD};
use crate::limits;
use crate::model::{
    At, Body, Dir, Finding, Flow, Handshake, HttpExtent, HttpHead, Layer, ON, Opcode, Origin, Source, Text,
    Time, Unit, prefix,
};

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
        let behind = attempt.forwarded.or(proxied.map(|client| client.ip()));
        self.connection.forwarded = behind.map(Box::new);
        let (client, server) = (self.connection.client, self.connection.server);
        let pair = behind.or(client.map(|client| client.ip())).zip(server);
        let attempt = Attempt { pair, ..*attempt };
        cx.memory.request(self.conn, &mut self.entry, &attempt, findings);
        self.connection.passes_on = self.entry.passes_on;
    }

    /// A request came in clear.
    fn is_clear(&self, findings: &mut Vec<Finding>) {
        if let Some(server) = self.connection.server.filter(|server| is_public(server.ip())) {
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
    /// Keeps a head that asks for a tunnel, or answers that.
    pub(super) fn tunnel_head(&mut self, head: Judged) {
        let tunnel = self.tunnel.get_or_insert_default();
        if tunnel.heads.len() < limits::TUNNEL_HEADS {
            tunnel.heads.push(head);
        }
    }

    /// The proxy answers the `CONNECT` before it otherwise than by opening a tunnel.
    pub(super) fn no_tunnel(&mut self, status: u16, head: &Head<'_>, at: At, cx: &mut Context<'_, '_>) {
        if status < 300 {
            // It answers what was asked for within the tunnel: that to the CONNECT is missing.
            return;
        }
        let asked = self
            .tunnel
            .as_ref()
            .and_then(|tunnel| tunnel.heads.iter().rev().find(|it| it.dir == Dir::Client));
        let (Some(asked), Some(endpoints)) = (asked, self.endpoints.as_deref()) else { return };
        let to = asked.start_line.split(' ').nth(1).unwrap_or_default().into();
        let answer = head.start_line();
        let answer = answer.split_once(' ').map_or("", |(_, answer)| answer.trim()).into();
        let how = How::Tunnel { status, answer, to };
        cx.memory.failures.count(endpoints[self.side(Dir::Server).index()], how, at);
    }

    /// Shows a connection that was announced, which began at `time` unless it began with a tunnel, and
    /// how that was opened.
    pub(super) fn introduce(&mut self, time: Option<Time>, cx: &mut Context<'_, '_>) -> Flow {
        let Some(told) = &mut self.told else { return ON };
        let Some(tunnel) = &mut self.tunnel else {
            told.began = time;
            return cx.out.emit(&told.unit(time));
        };
        let began = tunnel.began().or(time);
        told.began = began;
        let told = &*told;
        cx.out.emit(&told.unit(began))?;
        if let Some(mut below) = tunnel.below.as_deref_mut().map(std::mem::take) {
            let conn = told.conn;
            if let Some(preface) = &below.preface {
                preface.show(conn, Layer::Stream.source(conn, Dir::Client), cx)?;
            }
            tunnel.below.get_or_insert_default().preface = below.preface.take();
            let layer = std::mem::take(&mut self.layer);
            let shown = below.heads.iter_mut().try_for_each(|head| self.show_early(head, cx));
            self.layer = layer;
            shown?;
            below.said.into_iter().try_for_each(|said| said.show(conn, cx))?;
        }
        let (Some(told), Some(tunnel)) = (&self.told, &mut self.tunnel) else { return ON };
        if let Some(preface) = &tunnel.preface {
            preface.show(told.conn, self.layer.source(told.conn, Dir::Client), cx)?;
        }
        std::mem::take(&mut tunnel.heads).iter_mut().try_for_each(|head| self.show_early(head, cx))
    }

    /// Shows a head that was read before the connection had a number, which spans can name now.
    fn show_early(&self, head: &mut Judged, cx: &mut Context<'_, '_>) -> Flow {
        let source = self.source(head.dir);
        for header in &mut head.headers {
            (header.name_at.source, header.value_at.source) = (source, source);
        }
        self.show(head, None, cx)
    }

    /// Shows a head, and as much of its body as there is, if the connection was announced.
    pub(super) fn show(&self, judged: &Judged, body: Option<&http::Body>, cx: &mut Context<'_, '_>) -> Flow {
        let Some(told) = &self.told else { return ON };
        let preview = body.map_or(&[][..], http::Body::preview);
        let whole =
            |b: &http::Body| b.length() == preview.len() as u64 && (b.is_done() || b.is_until_close());
        let extent = HttpExtent {
            head: if self.layer.is_told() { 0 } else { judged.length },
            content: body.map_or(0, http::Body::length),
            framing: body.map_or(0, http::Body::framing),
        };
        let head = HttpHead {
            stream: judged.stream.map(|(stream, _)| stream),
            offset: judged.offset,
            bytes: &judged.bytes,
            start_line: &judged.start_line,
            complete: judged.complete,
            headers: &judged.headers,
            body: preview,
            // A head that breaks off has no body yet.
            body_whole: body.is_none_or(whole) && judged.complete && !judged.streams,
            streams: judged.streams,
            diagnoses: &judged.diagnoses,
            extent,
        };
        let packets = judged.pieces.first().zip(judged.pieces.last());
        let wants_source = self.wants(cx).fields;
        let is_told = self.layer.is_told();
        let says_something = !(is_told || judged.findings.is_empty() && judged.diagnoses.is_empty());
        let findings: Vec<Finding>;
        let findings = if is_told {
            // They are about what it says; where that stood on the wire nobody knows.
            findings = judged.findings.iter().cloned().map(Finding::nowhere).collect();
            &findings
        } else {
            &judged.findings
        };
        let source = || match (judged.stream, judged.pieces.clone()) {
            (Some((_, of)), pieces) if !pieces.is_empty() => Source {
                id: Layer::headers(told.conn, judged.dir),
                origin: Origin::Decompressed { of, pieces },
            },
            (Some(_), pieces) => Source::carried(Layer::headers(told.conn, judged.dir), pieces),
            (None, pieces) => Source::carried(self.source(judged.dir), pieces),
        };
        let source = wants_source.then(source);
        cx.out.emit(&Unit {
            dir: Some(judged.dir),
            time: judged.time,
            packets: packets.map(|(first, last)| (first.packet, judged.last_packet.unwrap_or(last.packet))),
            // Who asks for none is told them of what there is something to say about.
            fields: if wants_source || says_something { &judged.fields } else { &[] },
            findings,
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
            let room = cx.memory.spare.headers();
            headers = handshake::usual_headers(bytes, dir, self.source(dir), room);
            if !findings.is_empty() {
                let head = Head::parse(bytes, self.source(dir), 0);
                let asked = asked.map(|asked| Head::parse(asked, self.source(Dir::Client), 0));
                fields = handshake::fields(&head, asked.as_ref());
            }
        }
        let head = HttpHead {
            stream: None,
            offset: 0,
            bytes: &[],
            start_line,
            complete: true,
            headers: &headers,
            body: &[],
            body_whole: true,
            streams: false,
            diagnoses: &[],
            extent: HttpExtent { head: bytes.len() as u64, ..HttpExtent::default() },
        };
        let unit = Unit::of(told.conn, Body::Http(&head)).at(at);
        let flow = cx.out.emit(&Unit { dir: Some(dir), findings, fields: &fields, ..unit });
        cx.memory.spare.keep_headers(headers);
        flow
    }

    /// Holds a request against the addresses and against other connections.
    pub(super) fn compare(
        &mut self,
        attempt: &Attempt<'_>,
        findings: &mut Vec<Finding>,
        cx: &mut Context<'_, '_>,
    ) {
        let proxied = self.tunnel.as_ref().and_then(|tunnel| tunnel.preface()?.client());
        let is_clear = matches!(self.layer, Layer::Stream | Layer::Told { secure: false });
        if let Some(told) = &mut self.told {
            told.compare(attempt, proxied, findings, cx);
            if is_clear {
                told.is_clear(findings);
            }
        }
    }

    /// Tells, once, that the client goes on with these bytes although it must not put up with the response.
    #[cold]
    pub(super) fn tell_accepted(&mut self, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Flow {
        let (Some(cause), Some(told)) = (self.bad_handshake.take(), &self.told) else { return ON };
        //= RFC 6455 §7.1.7
        //# If _The WebSocket Connection is Established_ prior to the point where
        //# the endpoint is required to _Fail the WebSocket Connection_, the
        //# endpoint SHOULD send a Close frame with an appropriate status code
        // So may who finds the response out only once it is open, and nothing may follow a Close frame.
        if bytes.first().is_some_and(|first| first & 0x0F == Opcode::CLOSE.0) {
            return ON;
        }
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
        told.connection.handshake = match is_upgrade {
            true => Handshake::RequestOnly,
            false if polls(target.as_bytes()) => Handshake::Polling,
            false => Handshake::Http,
        };
        // It is kept as long as the connection lasts.
        let host = host.map(|host| prefix(host, limits::TARGET));
        let (target, host) = spare.texts(prefix(target, limits::TARGET), host);
        (told.connection.target, told.connection.host) = (Some(target), host);
        told.connection.http_version = http_version;
    }

    /// Notes what a later exchange without an upgrade says of a connection that asked for none: what says
    /// more stands for all of it.
    pub(super) fn exchanges(&mut self, seen: Handshake) {
        use Handshake::{Http, Polling, Streaming};
        let Some(told) = &mut self.told else { return };
        let known = &mut told.connection.handshake;
        if let (Http, Polling | Streaming) | (Polling, Streaming) = (*known, seen) {
            *known = seen;
        }
    }

    /// Notes what a response makes of it.
    pub(super) fn describe_response(&mut self, facts: &ResponseFacts, has_request: bool) {
        let Some(told) = &mut self.told else { return };
        let connection = &mut told.connection;
        connection.status = facts.status;
        connection.software = facts.software;
        connection.handshake = match (facts.opens(), has_request) {
            (true, true) => Handshake::Full,
            (true, false) => Handshake::ResponseOnly,
            _ => Handshake::Refused,
        };
        if facts.opens() {
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
