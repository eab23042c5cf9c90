//! What is known of a connection, whatever it speaks at the moment, and what is told of it.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use super::entry::Entry;
use super::rest::Rest;
use super::tunnel::Tunnel;
use super::{Context, Start};
use crate::limits;
use crate::model::{
    At, Body, Connection, Dir, Finding, Flow, Handshake, Layer, ON, Roles, Rule, Side, Software, SourceId,
    StreamEnd, TcpEnd, Time, Unit, Wants,
};

/// What is known of a connection. Its phases are handed it and add to it.
pub(super) struct About {
    /// Kept apart until they are told: a session's first cache line is for what each segment needs.
    pub endpoints: Option<Box<[SocketAddr; 2]>>,
    pub start: Start,
    /// Which endpoint is the client, once that is known.
    pub client: Option<Side>,
    /// What the phases get of it: its streams themselves, or what they decipher to.
    pub layer: Layer,
    /// The connection within which this one is a stream.
    pub parent: Option<NonZeroU32>,
    /// Bytes seen of each side, lost ones included, until the WebSocket begins.
    pub offsets: [u64; 2],
    /// What is told of the connection; `None` until it has to do with WebSocket.
    pub told: Option<Box<Told>>,
    /// The same while it rests.
    pub rest: Option<Box<Rest>>,
    /// The response broke this rule, which its client must not put up with.
    pub bad_handshake: Option<&'static Rule>,
    pub ended: [Option<StreamEnd>; 2],
    /// Packets of both endpoints are in the capture: who is silent is so for certain.
    pub both_heard: bool,
    /// What was kept of its handshake was given up, because memory was short.
    pub heads_given_up: bool,
    /// What is given now was received a while before it was captured.
    pub is_late: bool,
    /// Bytes of the client, and of the server, are missing from the capture.
    pub lacks: [bool; 2],
    /// A PROXY header and how its tunnel was opened, shown once something goes through it that is.
    pub tunnel: Option<Box<Tunnel>>,
    /// What was found about its packets before it was known to be a WebSocket.
    anomalies: Option<Box<Anomalies>>,
}

/// Findings about packets, and whose they were.
#[derive(Debug, Default)]
struct Anomalies(Vec<(Side, Finding, At)>);

/// A connection that was numbered and announced.
#[derive(Debug)]
pub(super) struct Told {
    pub conn: u32,
    /// When the first of it was seen.
    pub began: Option<Time>,
    /// Who was first to end TCP, before there was a WebSocket.
    pub first_end: Option<Box<TcpEnd>>,
    /// Who tells of it says that it failed.
    pub has_failed: bool,
    pub connection: Connection,
    pub entry: Entry,
}

impl About {
    /// A connection of which nothing was seen yet but its beginning.
    pub fn new(endpoints: Option<[SocketAddr; 2]>, start: Start) -> Self {
        Self {
            endpoints: endpoints.map(Box::new),
            start,
            client: None,
            layer: Layer::default(),
            parent: None,
            offsets: [0, 0],
            told: None,
            rest: None,
            bad_handshake: None,
            ended: [None, None],
            both_heard: false,
            heads_given_up: false,
            is_late: false,
            lacks: [false; 2],
            tunnel: None,
            anomalies: None,
        }
    }

    /// Whether all that both endpoints send is there, as far as is known of how it begins.
    pub fn hears_both(&self) -> bool {
        self.both_heard || self.start == Start::Given
    }

    /// The number of the connection, once it has one.
    pub fn conn(&self) -> Option<u32> {
        let told = self.told.as_ref().map(|told| told.conn);
        told.or_else(|| self.rest.as_ref().map(|rest| rest.conn))
    }

    /// The number of the connection, 0 while it has none.
    pub fn number(&self) -> u32 {
        self.conn().unwrap_or_default()
    }

    /// Whether it was numbered.
    #[inline]
    pub fn is_told(&self) -> bool {
        self.told.is_some() || self.rest.is_some()
    }

    /// What is looked at that there is: what is told has no bytes that fields could be annotated in.
    pub fn wants(&self, cx: &Context<'_, '_>) -> Wants {
        let wants = cx.out.wants();
        Wants { fields: wants.fields && !self.layer.is_told(), ..wants }
    }

    /// What the bytes of a direction are called.
    pub fn source(&self, dir: Dir) -> SourceId {
        self.layer.source(self.number(), dir)
    }

    /// What a side is, once that is known.
    pub fn dir(&self, side: Side) -> Option<Dir> {
        let client = self.client?;
        Some(if client == side { Dir::Client } else { Dir::Server })
    }

    /// The side that is the client, or the server; as long as nobody knows better, the client is who opened
    /// the connection.
    pub fn side(&self, dir: Dir) -> Side {
        let client = self.client.unwrap_or(Side::A);
        if dir == Dir::Client { client } else { client.other() }
    }

    /// Whether a handshake was asked for of which no more is known, because memory was short.
    pub fn is_asked_for(&self) -> bool {
        let asked = |told: &Told| told.connection.handshake == Handshake::RequestOnly;
        self.heads_given_up && self.told.as_deref().is_some_and(asked)
    }

    /// Bytes seen of a direction, lost ones included.
    pub fn heard(&self, dir: Dir) -> u64 {
        self.offsets[self.side(dir).index()]
    }

    /// Numbers the connection. Whoever calls shows it, once what is known of it is noted.
    pub fn announce(&mut self, roles: Roles, handshake: Handshake, cx: &mut Context<'_, '_>) {
        if self.told.is_some() {
            return;
        }
        *cx.connections += 1;
        let (client, server) = match (self.endpoints.take().as_deref(), self.client) {
            (Some([a, b]), Some(Side::B)) => (Some(*b), Some(*a)),
            (Some([a, b]), _) => (Some(*a), Some(*b)),
            (None, _) => (None, None),
        };
        // Whoever tells of a connection mostly does not say from where it came.
        let client = client.filter(|client| !(self.layer.is_told() && client.ip().is_unspecified()));
        if let Some(server) = server {
            cx.memory.serves(server);
        }
        let below = self.tunnel.as_ref().and_then(|tunnel| tunnel.below.as_deref());
        let connection = Connection {
            parent: self.parent,
            layer: self.layer,
            client,
            server,
            roles,
            handshake,
            target: None,
            host: None,
            status: None,
            subprotocol: None,
            extensions: None,
            deflate: None,
            http_version: None,
            passes_on: None,
            forwarded: None,
            secured: below.and_then(|below| below.secured.clone()).map(Box::new),
            software: Software::Unnamed,
            ending: None,
            more: Vec::new(),
            unanswered: Vec::new(),
        };
        let told = Told {
            conn: *cx.connections,
            began: None,
            first_end: self.ended_before(),
            has_failed: false,
            connection,
            entry: Entry::default(),
        };
        self.told = Some(cx.memory.spare.told(told));
    }

    /// Who had ended TCP before there was anything to tell.
    fn ended_before(&self) -> Option<Box<TcpEnd>> {
        let of = |by: Dir| {
            let how = self.ended[self.side(by).index()].filter(|how| how.is_final())?;
            Some(Box::new(TcpEnd { by, how, time: None, packet: 0 }))
        };
        of(Dir::Server).or_else(|| of(Dir::Client))
    }

    /// Notes who is the first to end TCP.
    pub fn first_end(&mut self, dir: Option<Dir>, how: StreamEnd, at: At) {
        if let (Some(told), Some(by), true) = (&mut self.told, dir, how.is_final()) {
            told.first_end
                .get_or_insert_with(|| Box::new(TcpEnd { by, how, time: at.time, packet: at.packet }));
        }
    }

    /// Notes that something is wrong with a packet of one side.
    pub fn anomaly(&mut self, side: Side, finding: Finding, at: At) {
        let Anomalies(all) = &mut **self.anomalies.get_or_insert_default();
        if all.len() < limits::ANOMALIES_HELD {
            all.push((side, finding, at));
        }
    }

    /// Tells what was found about packets, once the connection has a number.
    pub fn tell_anomalies(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let Some(told) = &self.told else { return ON };
        let Some(anomalies) = self.anomalies.take() else { return ON };
        for (side, mut finding, at) in anomalies.0 {
            let dir = self.dir(side).unwrap_or(Dir::Server);
            finding.blame = Some(dir);
            told.note(dir, at, &[finding], cx)?;
        }
        ON
    }

    /// When the first of what was found about packets was.
    pub fn first_anomaly(&self) -> Option<Time> {
        let all = self.anomalies.iter().flat_map(|anomalies| &anomalies.0);
        all.filter_map(|(_, _, at)| at.time).min()
    }
}

impl Told {
    pub fn unit(&self, time: Option<Time>) -> Unit<'_> {
        Unit { time, ..Unit::of(self.conn, Body::Connection(&self.connection)) }
    }

    pub fn note(&self, dir: Dir, at: At, findings: &[Finding], cx: &mut Context<'_, '_>) -> Flow {
        cx.out.emit(&Unit { dir: Some(dir), findings, ..Unit::of(self.conn, Body::Note).at(at) })
    }
}
