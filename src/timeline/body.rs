//! The bodies of Engine.IO's requests and responses: out of their codings, into packets.

use std::borrow::Cow;

use super::followed::Followed;
use super::via::{Via, finding_of};
use crate::app::payload::{self, Payload};
use crate::app::{ENGINE_BAD_PAYLOAD, engineio};
use crate::coding::Codings;
use crate::limits;
use crate::model::{App, Dir, Finding, HttpHead, readable};

/// A packet that came in a body.
pub(super) struct Carried {
    pub place: u64,
    pub binary: bool,
    pub data: Vec<u8>,
    pub app: App,
    pub findings: Vec<Finding>,
}

/// Reads the packets of a body, which came as `via` says.
pub(super) fn carried(session: &mut Followed, head: &HttpHead<'_>, via: Via, said: &mut Vec<Carried>) {
    let Says { body, whole } = says(head);
    if body.is_empty() || via.dir == Dir::Server && &*body == b"ok" {
        if body.len() < head.body.len() && !whole {
            // What it says cannot be read.
            session.lost(via.dir);
        }
        return;
    }
    let payload: Payload<'_> =
        if session.version() >= 4 { payload::payload_v4(&body) } else { payload::payload_v3(&body) };
    let count = payload.packets.len() as u64;
    for (place, packet) in (1..).zip(&payload.packets) {
        let mut findings = Vec::new();
        let app = session.packet(packet, via, &mut findings);
        if !whole && place == count {
            // It may go on.
            findings.clear();
        }
        said.push(Carried { place, binary: packet.binary, data: data_of(packet), app, findings });
    }
    if !whole {
        session.lost(via.dir);
    }
    if let (Some(fault), true) = (&payload.fault, whole) {
        let finding = finding_of(&ENGINE_BAD_PAYLOAD, fault, via);
        match said.last_mut() {
            Some(last) => last.findings.push(finding),
            None => session.find(finding, &[via.when]),
        }
    }
}

/// The packet as it would stand in a WebSocket message: text with its type, or bare bytes.
fn data_of(packet: &engineio::Packet<'_>) -> Vec<u8> {
    if packet.binary {
        return packet.data.to_vec();
    }
    let mut data = vec![b'0' + packet.kind.0];
    data.extend_from_slice(&packet.data);
    data
}

/// What a body says, without content codings and JSONP.
pub(super) struct Says<'h> {
    pub body: Cow<'h, [u8]>,
    /// That is all of it.
    pub whole: bool,
}

/// Takes off what is around a body. What cannot be read says nothing.
pub(super) fn says<'h>(head: &HttpHead<'h>) -> Says<'h> {
    let plain = Codings::of_head(head).plain(head.body, limits::APP_PAYLOAD as usize);
    let whole = head.body_whole && !plain.is_cut && plain.stop.is_none();
    let body = plain.bytes;
    if body.starts_with(b"___eio[") {
        let body = payload::from_jsonp(&body).map_or(body, |text| Cow::Owned(text.into_bytes()));
        return Says { body, whole };
    }
    let content_type = head.header("Content-Type").unwrap_or_default();
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let body = payload::from_form(&body).map_or(body, Cow::Owned);
        return Says { body, whole };
    }
    Says { body, whole }
}

pub(super) fn first_bytes(body: &[u8]) -> String {
    let text = readable(&String::from_utf8_lossy(&body[..body.len().min(60)]));
    // What is a string already is not put in quotes twice.
    format!("“{}{}”", text.trim_matches('"'), if body.len() > 60 { "…" } else { "" })
}
