//! What the sink adds and what it leaves alone.

use super::*;
use crate::model::sample::Talk;
use crate::model::{Connection, Handshake, Roles};

/// A line for each unit that means something to an application.
#[derive(Default)]
struct Lines {
    payload: u64,
    said: Vec<String>,
    /// How often it was said that requests were forgotten.
    forgotten: usize,
}

impl Sink for Lines {
    fn wants(&self) -> Wants {
        Wants { payload: self.payload, app: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.forgotten += unit.rules().filter(|rule| rule.id == "requests-forgotten").count();
        match unit.body {
            Body::Frame(frame) => assert!(frame.payload.len() as u64 <= self.payload),
            Body::Message(message) => {
                assert!(message.kind.is_control() || message.payload.len() as u64 <= self.payload);
                let app =
                    message.app.map_or("-".to_owned(), |app| format!("{}: {}", app.protocol, app.summary));
                self.said.push(app);
            }
            Body::Session(session) => {
                let findings: Vec<_> = unit.findings.iter().map(|f| f.rule.id).collect();
                self.said.push(format!("session {} {:?} {findings:?}", session.number, session.end));
            }
            Body::Summary(summary) => self.said.push(format!("{} rules", summary.findings.len())),
            _ => {}
        }
        ON
    }
}

fn lines(payload: u64, target: Option<&str>, wire: &[&str]) -> Vec<String> {
    let mut lines = Lines { payload, ..Lines::default() };
    let mut timeline = Timeline::new(&mut lines);
    let mut talk = Talk::new(&mut timeline);
    let connection = Connection {
        target: target.map(str::to_owned),
        roles: Roles::Masking,
        handshake: Handshake::Missing,
        ..crate::model::sample::connection()
    };
    talk.tell(None, Body::Connection(&connection), &[]);
    for hex in wire {
        talk.frame(Dir::Server, hex);
    }
    talk.summary(&Summary::default());
    lines.said
}

/// `42["a"]` and `2` as a server sends them.
const EVENT: &str = "8107 34325b2261225d";
const PING: &str = "8101 32";

#[test]
fn a_session_joined_midway_is_known_by_its_packets() {
    let event = "socket.io: EVENT \"a\"()";
    let end = "session 1 Some(CaptureEnd) []";
    assert_eq!(lines(99, None, &[EVENT, PING]), [event, "engine.io: ping", end, "0 rules"]);
    // A digit may be anything until an event has come.
    assert_eq!(lines(99, None, &[PING, EVENT]), ["-", event, end, "0 rules"]);
    assert_eq!(lines(99, Some("/chat"), &[EVENT]), ["-", "0 rules"]);
}

#[test]
fn what_is_no_engine_io_holds_little_of_its_handshake() {
    let mut lines = Lines { payload: 9, ..Lines::default() };
    let mut timeline = Timeline::new(&mut lines);
    let mut talk = Talk::new(&mut timeline);
    talk.tell(None, Body::Connection(&crate::model::sample::connection()), &[]);
    for (dir, start_line) in
        [(Dir::Client, "GET /chat HTTP/1.1"), (Dir::Server, "HTTP/1.1 101 Switching Protocols")]
    {
        talk.tell(Some(dir), Body::Http(&crate::model::sample::head(start_line)), &[]);
    }
    talk.frame(Dir::Server, "8102 6869");
    let conn = timeline.conns.get_mut(1).expect("it is open");
    assert!(conn.before.is_none());
    assert!(size_of::<Conn>() <= 144, "{}", size_of::<Conn>());
}

#[test]
fn requests_are_forgotten_where_memory_is_short() {
    for (memory, is_short) in [(8 * 1000, true), (limits::MEMORY, false)] {
        let mut lines = Lines { payload: 9, ..Lines::default() };
        let mut timeline = Timeline::new(&mut lines).within(memory);
        let mut talk = Talk::new(&mut timeline);
        talk.tell(None, Body::Connection(&crate::model::sample::connection()), &[]);
        for id in 0..20 {
            let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"m\"}}");
            let wire = [&[0x81, text.len() as u8], text.as_bytes()].concat();
            talk.frame_bytes(Dir::Server, &wire);
        }
        talk.summary(&Summary::default());
        let held = timeline.requests.held;
        assert!(held > 0 && (held < 1000) == is_short, "{held} of {memory}");
        // That is said once, though it happens again and again.
        let told = usize::from(is_short);
        assert_eq!(lines.said.last(), Some(&format!("{told} rules")));
        assert_eq!(lines.forgotten, told);
    }
}

#[test]
fn what_the_view_asked_for_is_all_it_gets() {
    assert_eq!(lines(0, None, &[EVENT])[0], "socket.io: EVENT \"a\"()");
}

#[test]
fn findings_of_this_layer_reach_the_summary() {
    let seen = lines(9, Some("/socket.io/?EIO=4&transport=websocket"), &["8101 78"]);
    assert_eq!(seen.last().map(String::as_str), Some("1 rules"), "{seen:?}");
}
