//! Packets that were pasted as text, outside any connection.

use super::followed::Followed;
use super::via::{Via, finding_of};
use super::when::When;
use crate::app::engineio;
use crate::app::payload::{self, Payload};
use crate::app::{ENGINE_BAD_PACKET, SOCKET_BAD_PACKET, socketio};
use crate::model::{
    App, AppPacket, Body, Dir, Finding, Flow, Meta, ON, Sink, SourceId, Summary, Transport, Unit,
};

/// What pasted text means.
#[derive(Debug)]
pub struct Pasted {
    packets: Vec<(Vec<u8>, bool, App, Vec<Finding>)>,
    /// What is wrong with the text as a whole.
    findings: Vec<Finding>,
    bytes: u64,
}

impl Pasted {
    /// Whether anything could be read.
    pub fn is_readable(&self) -> bool {
        !self.packets.is_empty()
    }
}

/// Reads packets of Engine.IO: one, or a body of several.
pub fn engine_io(text: &str, version: u8) -> Pasted {
    let bytes = text.as_bytes();
    // A length and a colon make a body of revision 3; a single packet has neither.
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let is_body = version >= 4 || digits > 0 && bytes.get(digits) == Some(&b':');
    let payload = match version {
        4.. => payload::payload_v4(bytes),
        _ if is_body => payload::payload_v3(bytes),
        _ => match engineio::text(bytes) {
            Ok(packet) => Payload { packets: vec![packet], fault: None },
            Err(fault) => Payload { packets: Vec::new(), fault: Some(fault) },
        },
    };
    let mut session = Followed::default();
    session.record.version = Some(version);
    let mut packets = Vec::new();
    for packet in &payload.packets {
        let dir = sender(packet, version);
        let mut findings = Vec::new();
        let mut app = session.packet(packet, via(dir), &mut findings);
        app.session = None;
        let end = (packet.at + packet.len).min(bytes.len());
        packets.push((bytes[packet.at..end].to_vec(), !packet.binary, app, findings));
    }
    let fault = payload.fault.map(|fault| finding_of(&ENGINE_BAD_PACKET, &fault, via(Dir::Client)));
    Pasted { packets, findings: fault.map(unblamed).into_iter().collect(), bytes: bytes.len() as u64 }
}

/// Reads a packet of Socket.IO. A message's type of Engine.IO may stand before it: `42["hi"]`.
pub fn socket_io(text: &str) -> Pasted {
    let bare = socketio::read(text);
    // What begins with 4 and reads as Socket.IO behind it is a message far more likely than a CONNECT_ERROR.
    let inner = text.strip_prefix('4').filter(|rest| {
        socketio::read(rest).is_ok() && (bare.is_err() || rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    if inner.is_some() {
        return engine_io(text, 4);
    }
    let (mut packets, mut findings) = (Vec::new(), Vec::new());
    match bare.and_then(|packet| packet.accepted(4).map(|()| packet)) {
        Ok(packet) => {
            let app = packet.describe(SourceId::Input, 0);
            packets.push((text.as_bytes().to_vec(), true, app, Vec::new()));
        }
        Err(fault) => findings.push(unblamed(finding_of(&SOCKET_BAD_PACKET, &fault, via(Dir::Client)))),
    }
    Pasted { packets, findings, bytes: text.len() as u64 }
}

/// Shows what was read, as any input is shown.
pub fn show(pasted: &Pasted, sink: &mut dyn Sink) -> Flow {
    let meta = Meta { input: "argument".into(), format: "packet".into(), ..Meta::default() };
    sink.take(&Unit::about_input(Body::Meta(&meta)))?;
    let mut summary = Summary { bytes: pasted.bytes, ..Summary::default() };
    let all = pasted.packets.iter().flat_map(|(.., findings)| findings).chain(&pasted.findings);
    for finding in all {
        summary.findings.add(finding.rule, 1);
    }
    for (place, (payload, text, app, findings)) in (1..).zip(&pasted.packets) {
        let packet =
            AppPacket { streamed: None, place, text: *text, length: payload.len() as u64, payload, app };
        sink.take(&Unit { findings, ..Unit::about_input(Body::Packet(&packet)) })?;
    }
    if !pasted.findings.is_empty() {
        sink.take(&Unit { findings: &pasted.findings, ..Unit::about_input(Body::Note) })?;
    }
    sink.take(&Unit::about_input(Body::Summary(&summary)))?;
    ON
}

/// Who would send such a packet: text alone does not tell, so nobody does anything wrong by it.
fn sender(packet: &engineio::Packet<'_>, version: u8) -> Dir {
    let pinger = if version >= 4 { Dir::Server } else { Dir::Client };
    match packet.kind {
        engineio::Kind::PING => pinger,
        engineio::Kind::PONG => pinger.peer(),
        engineio::Kind::OPEN => Dir::Server,
        _ => Dir::Client,
    }
}

fn via(dir: Dir) -> Via {
    Via { dir, transport: Transport::WebSocket, source: SourceId::Input, offset: 0, when: When::default() }
}

fn unblamed(finding: Finding) -> Finding {
    Finding { blame: None, ..finding }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_as_people_paste_them() {
        let of = |pasted: Pasted| -> Vec<String> {
            pasted.packets.iter().map(|(_, _, app, _)| format!("{}: {}", app.name, app.summary)).collect()
        };
        let event = "Socket.IO: EVENT \"chat message\"(\"hi\")";
        assert_eq!(of(socket_io(r#"42["chat message","hi"]"#)), [event]);
        assert_eq!(of(socket_io(r#"2["chat message","hi"]"#)), [event]);
        assert_eq!(of(engine_io(r#"42["chat message","hi"]"#, 4)), [event]);
        assert_eq!(of(engine_io("23:42[\"chat message\",\"hi\"]2:40", 3))[0], event);
        assert_eq!(of(engine_io("2probe", 3)), ["Engine.IO: ping probe: does this transport work?"]);
        assert_eq!(of(engine_io("4hello\u{1e}2", 4)), ["Engine.IO: message hello", "Engine.IO: ping"]);
        assert_eq!(
            of(socket_io("44/random,{\"message\":\"no\"}")),
            ["Socket.IO: CONNECT_ERROR /random {\"message\":\"no\"}"]
        );
        assert!(!socket_io("hello").is_readable() && !engine_io("x", 4).is_readable());
    }
}
