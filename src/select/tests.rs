//! What a selection shows, and the verdict on it.

use super::search::Regex;
use super::*;
use crate::model::Dir::{Client, Server};
use crate::model::Opcode;
use crate::model::sample::{Talk, finding, note};
use crate::model::{EndKind, Summary};

/// Writes down what it is shown, in short.
struct Seen {
    units: Vec<String>,
    payload: u64,
}

impl Sink for Seen {
    fn wants(&self) -> Wants {
        Wants { payload: self.payload, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let conn = unit.conn;
        self.units.push(match unit.body {
            Body::Meta(_) => "meta".into(),
            Body::File(_) => "file".into(),
            Body::Summary(_) => "summary".into(),
            Body::Connection(connection) if connection.ending.is_some() => format!("end {conn}"),
            Body::Connection(_) => format!("connection {conn}"),
            Body::Http(_) => format!("http {conn}"),
            Body::Frame(frame) => format!("frame {conn}.{}:{}", frame.n, frame.payload.len()),
            Body::Message(message) => {
                format!("message {conn}.{}:{}", message.m, message.payload.len())
            }
            Body::Opening(_) => format!("opening {conn}"),
            Body::Gap(_) => "gap".into(),
            Body::Note => format!("note {conn}:{}", unit.findings.len()),
            Body::Packet(p) => format!("packet {conn}:{}", p.place),
            Body::Session(s) => format!("session {}", s.number),
            Body::Judgement(_) => format!("judgement {conn}"),
        });
        Flow::Continue(())
    }
}

/// Two connections; what of them is shown, and the verdict.
fn shown(selection: Selection) -> (Vec<String>, Verdict) {
    let mut select = Select::new(selection, Seen { units: Vec::new(), payload: 99 });
    let mut talk = Talk::new(&mut select);
    talk.meta().connect(1).handshake();
    talk.frame(Client, "818537fa213d7f9f4d5158").frame(Server, "010348656c");
    talk.frame(Server, "8900").frame(Server, "80026c6f");
    talk.tell(None, Body::Note, &[note()]);
    talk.end(EndKind::Fin, None).connect(2);
    talk.findings.push(finding());
    talk.frame(Client, "8203414243").frame(Client, "8800").end(EndKind::Fin, None);
    talk.summary(&Summary::default());
    (select.inner().units.clone(), select.verdict())
}

#[test]
fn each_condition_shows_its_part() {
    let everything = Selection::default;
    let grep = |regex| Selection { grep: Some(Regex::new(regex).unwrap()), ..everything() };
    let findings = || Selection { findings: true, ..everything() };
    for (selection, units) in [
        (
            everything(),
            "meta, connection 1, http 1, http 1, frame 1.1:5, message 1.1:5, frame 1.2:3, frame 1.3:0, \
             message 1.2:0, frame 1.4:2, message 1.3:5, note 1:1, end 1, connection 2, frame 2.1:3, \
             message 2.1:3, frame 2.2:0, message 2.2:0, end 2, summary",
        ),
        (
            Selection { streams: parse_streams("2").unwrap(), ..everything() },
            "meta, connection 2, frame 2.1:3, message 2.1:3, frame 2.2:0, message 2.2:0, end 2, summary",
        ),
        (
            Selection { from: Some(Client), ..everything() },
            "meta, connection 1, http 1, frame 1.1:5, message 1.1:5, note 1:1, end 1, connection 2, \
             frame 2.1:3, message 2.1:3, frame 2.2:0, message 2.2:0, end 2, summary",
        ),
        (
            Selection { opcodes: vec![Opcode::CONTINUATION, Opcode::PING], ..everything() },
            "meta, connection 1, frame 1.3:0, message 1.2:0, frame 1.4:2, end 1, summary",
        ),
        (
            grep("^Hello$"),
            "meta, connection 1, frame 1.1:5, message 1.1:5, frame 1.2:3, frame 1.4:2, message 1.3:5, end 1, \
             summary",
        ),
        (grep("B"), "meta, connection 2, frame 2.1:3, message 2.1:3, end 2, summary"),
        (grep("nowhere"), "meta, summary"),
        (findings(), "meta, connection 1, note 1:1, end 1, connection 2, frame 2.1:3, end 2, summary"),
        (
            Selection { min_severity: Severity::Warning, ..findings() },
            "meta, connection 2, frame 2.1:3, end 2, summary",
        ),
        (Selection { opcodes: vec![Opcode::TEXT], ..findings() }, "meta, summary"),
    ] {
        assert_eq!(shown(selection.clone()).0.join(", "), units, "{selection:?}");
    }
}

#[test]
fn the_limit_ends_decoding_after_the_message() {
    let run = |limit, talk: fn(&mut Talk<'_, Select<Seen>>)| {
        let selection = Selection { limit: Some(limit), ..Selection::default() };
        let mut select = Select::new(selection, Seen { units: Vec::new(), payload: 99 });
        let mut told = Talk::new(&mut select);
        talk(&mut told);
        let flow = told.flow;
        (select.into_inner().units.join(", "), flow.is_break())
    };
    let whole = |talk: &mut Talk<'_, Select<Seen>>| drop_it(talk.frame(Server, "8900"));
    assert_eq!(run(1, whole), ("frame 1.1:0, message 1.1:0".into(), true));
    assert_eq!(run(2, whole), ("frame 1.1:0, message 1.1:0".into(), false));
    assert_eq!(run(0, whole), (String::new(), true));
    assert_eq!(run(1, |talk| drop_it(talk.frame(Server, "010141"))), ("frame 1.1:1".into(), true));
    // A final frame that completes nothing does not hold back the end for long.
    let (units, over) = run(1, |talk| drop_it(talk.frame(Server, "8b00").frame(Server, "8900")));
    assert_eq!((units.as_str(), over), ("frame 1.1:0", true));
}

fn drop_it<T>(_: T) {}

#[test]
fn the_verdict_is_on_what_was_shown() {
    let all = shown(Selection::default()).1;
    assert!(all.reaches(Severity::Error) && all.reaches(Severity::Warning));
    let first = shown(Selection { streams: parse_streams("1").unwrap(), ..Selection::default() }).1;
    assert_eq!(first.worst, Some(Severity::Note));
    assert!(first.reaches(Severity::Note) && !first.reaches(Severity::Warning));
    assert!(!Verdict::default().reaches(Severity::Note));
}

#[test]
fn searching_does_not_show_more_payload() {
    let selection = Selection { grep: Some(Regex::new("lo").unwrap()), ..Selection::default() };
    let mut select = Select::new(selection, Seen { units: Vec::new(), payload: 2 });
    assert_eq!(select.wants().payload, limits::PAYLOAD_SHOWN);
    Talk::new(&mut select).frame(Server, "810548656c6c6f").frame(Server, "890548656c6c6f");
    assert_eq!(select.inner().units, ["frame 1.1:2", "message 1.1:2", "frame 1.2:2", "message 1.2:5"]);
}

#[test]
fn opcodes_have_names_and_numbers() {
    for (text, opcode) in [
        ("text", Some(Opcode::TEXT)),
        ("PING", Some(Opcode::PING)),
        ("0", Some(Opcode::CONTINUATION)),
        ("10", Some(Opcode::PONG)),
        ("0xB", Some(Opcode(11))),
        ("16", None),
        ("reserved", None),
        ("", None),
        ("-1", None),
    ] {
        assert_eq!(parse_opcode(text).ok(), opcode, "{text}");
    }
}
