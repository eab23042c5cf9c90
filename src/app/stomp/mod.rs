//! STOMP 1.0 to 1.2: a command, headers, an empty line, a body up to a NUL; line feeds between frames.
//!
//! Over WebSocket a message mostly holds one frame. It may hold several, and some clients cut a large
//! frame into several messages, which Spring's brokers put together again.

mod frame;

use std::ops::Range;

use self::frame::{Frame, Seen, command_of, look};
use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::pending::{Id, Pending, Request, Requests};
use super::stream::{Begun, Whole};
use crate::limits::APP_PACKETS;
use crate::model::quantity::span;
use crate::model::{
    Answer, App, Case, Cite, Dir, Failure, Field, FieldDef, Finding, Parting, Span, Text, Time, Value,
    fields, rules,
};

/// STOMP 1.0 to 1.2.
pub static DIALECT: Dialect = Dialect {
    id: "stomp",
    subprotocols: &["v10.stomp", "v11.stomp", "v12.stomp", "stomp"],
    looks_like: Some(|said| command_of(said.bytes).is_some()),
    first: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Stomp>::default()),
    sheet: Sheet {
        name: "STOMP 1.0 to 1.2",
        shown_by: "a message that is a frame: command, headers, NUL",
        decoded: "command, headers and body of each frame, also of frames over several messages; receipts \
                  and CONNECTED tied to what asked for them",
        sample: "clean/stomp.script",
        source: ("STOMP 1.2", "https://stomp.github.io/stomp-specification-1.2.html"),
    },
};

const CITE: Cite = Cite { doc: "STOMP 1.2", section: "STOMP Frames" };

fields! {
    /// The fields of STOMP.
    FIELDS;
    COMMAND = "stomp.command", "command", CITE, "What the frame is for.";
    HEADERS = "stomp.headers", "headers", CITE,
        "Where it goes and how it is to be treated, `name:value` a line.";
    BODY = "stomp.body", "body", CITE, "What the frame carries.";
}

rules! {
    /// The rules of STOMP.
    RULES;
    MALFORMED = "stomp-malformed-frame", Error, CITE, Either,
        "Not a STOMP frame",
        "The receiver answers with ERROR, if it is the server, and closes the connection.";
    BEAT_OVER = "stomp-heart-beat-over", Error, Cite { doc: "STOMP 1.2", section: "Heart-beating" }, Either,
        "An endpoint was silent for twice the time after which it had promised a heart-beat",
        "Its peer takes it for gone, and ends the connection.",
        usually "a program that is suspended or blocked, a broker whose scheduler stands still, or a network \
                 that was lost",
        mend "send heart-beats from a timer that nothing blocks; or promise them less often (heart-beat)";
    WITHOUT_NUL = "stomp-frame-without-nul", Error, CITE, Either,
        "A STOMP frame without the NUL that ends it",
        "The receiver waits for the rest, and takes what comes next for a part of the frame.";
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Stomp {
    lanes: [Lane; 2],
    /// Frames that ask for a RECEIPT, and the CONNECT.
    pending: Pending,
}

/// What is remembered of a direction.
#[derive(Debug, Default)]
struct Lane {
    /// A frame whose NUL has not come.
    begun: Begun,
    /// Something is missing: what comes next may be the rest of a frame.
    lost: bool,
    /// Something was missing once, or may be.
    was_lost: bool,
    /// Milliseconds: how often it can send heart-beats, and how often it wants them; 0 for never.
    beats: [u64; 2],
    /// When it said something last.
    spoke: Option<Time>,
}

impl Decoder for Stomp {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.known {
            // Only a whole frame shows by itself that this is STOMP; what is wrong with another need not be
            // put in words.
            command_of(said.bytes)?;
            let Seen::Frame(end, _) = look(said.bytes) else { return None };
            let rest = said.bytes.get(end..).unwrap_or_default();
            if !said.is_whole() || rest.iter().any(|byte| !b"\r\n".contains(byte)) {
                return None;
            }
        }
        let Self { lanes, pending } = self;
        let lane = &mut lanes[said.dir.index()];
        lane.spoke = said.time;
        if lane.lost {
            return Some(lane.regain(said, pending, found));
        }
        if !lane.begun.is_empty() && command_of(said.bytes).is_some() {
            found.push(without_nul(said.dir, &lane.begun));
            lane.begun.clear();
        }
        lane.run(said, pending, found)
    }

    fn lost(&mut self, dir: Dir) {
        self.lanes[dir.index()] = Lane { lost: true, was_lost: true, ..Lane::default() };
        self.pending.lost(dir);
    }

    fn behind(&mut self, dir: Dir) {
        // Frames go on where they are.
        self.lanes[dir.index()].was_lost = true;
        self.pending.lost(dir);
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }

    fn end(&mut self, ended: Option<Time>, found: &mut Vec<Finding>) {
        for dir in [Dir::Client, Dir::Server] {
            found.extend(ended.and_then(|ended| self.overdue(dir, ended)));
            let begun = &self.lanes[dir.index()].begun;
            if !begun.is_empty() {
                found.push(without_nul(dir, begun));
            }
        }
    }
}

impl Stomp {
    /// One of them was silent for so long that its peer may give it up.
    fn overdue(&self, dir: Dir, ended: Time) -> Option<Finding> {
        let (own, peer) = (&self.lanes[dir.index()], &self.lanes[dir.peer().index()]);
        let ([can, _], [_, wants]) = (own.beats, peer.beats);
        if can == 0 || wants == 0 || own.was_lost {
            return None;
        }
        let every = i64::try_from(can.max(wants)).ok()?.checked_mul(1_000_000)?;
        let silent = ended.since(own.spoke?);
        if silent < every.checked_mul(2)? {
            return None;
        }
        let expected =
            Text::new("a heart-beat of the {} at least every {}").word(dir.name()).and(span(every));
        let got = Text::with("none for {} before the end", span(silent));
        let what = Text::new("had nothing of the {} for {}, which had promised a heart-beat every {}")
            .word(dir.name())
            .and(span(silent))
            .and(span(every));
        Some(Finding::new(&BEAT_OVER, dir, expected, got).like(Case::new(what, Vec::new())))
    }
}

impl Lane {
    /// Takes what a frame promises of heart-beats.
    fn promise(&mut self, frame: &Frame, bytes: &[u8]) {
        if !matches!(&bytes[frame.command.clone()], b"CONNECT" | b"STOMP" | b"CONNECTED") {
            return;
        }
        let (can, wants) =
            frame.header(bytes, "heart-beat").and_then(|it| it.split_once(',')).unwrap_or_default();
        self.beats = [can, wants].map(|number| number.trim().parse().unwrap_or_default());
    }

    fn run(&mut self, said: &Said<'_>, pending: &mut Pending, found: &mut Vec<Finding>) -> Option<App> {
        let (mut apps, mut at) = (Vec::new(), 0);
        let mut begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            let (before, since) = (begun.seen, begun.since);
            begun.take(said, 0, said.length);
            let whole = begun.whole(said.conn(), said.m());
            match look(whole.bytes) {
                Seen::Frame(end, frame) if end as u64 > before => {
                    let mut app = describe(whole, &frame);
                    app.answers = frame.tie(whole.bytes, said, pending);
                    at = usize::try_from(end as u64 - before).unwrap_or(usize::MAX);
                    begun.trace(said.conn(), said.m(), &mut app);
                    app.summary = Text::new("{}; begun in message {}").word(app.summary).and(since);
                    apps.push(app);
                }
                // What is beyond the cap is not looked through: the frame ends where a message ends in a NUL.
                Seen::Unfinished if ends_in_nul(said) && (whole.bytes.len() as u64) < begun.seen => {
                    let command = command_of(whole.bytes).unwrap_or_default();
                    let text = Text::with("{}, {} bytes", command).and(begun.seen);
                    apps.push(app(Text::new("{}; begun in message {}").word(text).and(since)));
                    return Some(app(Text::default()).around(apps));
                }
                _ => {
                    let command = command_of(whole.bytes).unwrap_or_default();
                    let text = Text::with("{} goes on: {} bytes so far", command).and(begun.seen);
                    self.begun = begun;
                    return Some(app(text));
                }
            }
        }
        while at < said.bytes.len() {
            let whole = Whole { bytes: &said.bytes[at..], source: said.source, offset: at as u64 };
            match look(whole.bytes) {
                Seen::HeartBeat(length) => {
                    if at == 0 {
                        apps.push(app(Text::with("{}", "heart-beat")));
                    }
                    at += length;
                }
                Seen::Frame(length, frame) => {
                    let app = describe(Whole { bytes: &whole.bytes[..length], ..whole }, &frame);
                    let parting = frame.parting(whole.bytes);
                    apps.push(App { answers: frame.tie(whole.bytes, said, pending), parting, ..app });
                    self.promise(&frame, whole.bytes);
                    at += length;
                }
                Seen::Unfinished => {
                    let command = command_of(whole.bytes).unwrap_or_default();
                    self.begun.take(said, at as u64, said.length - at as u64);
                    apps.push(app(Text::with("{} begins: {} bytes so far", command).and(self.begun.seen)));
                    break;
                }
                Seen::Broken { at: bad, expected, got } => {
                    let span = Span::bytes(said.source, (at + bad) as u64, 1);
                    found.push(Finding::new(&MALFORMED, said.dir, expected, got).at(span));
                    if apps.is_empty() {
                        return None;
                    }
                    break;
                }
            }
            if apps.len() >= APP_PACKETS {
                break;
            }
        }
        if apps.is_empty() { None } else { Some(app(Text::default()).around(apps)) }
    }

    /// Reads a message of a direction in which something is missing.
    fn regain(&mut self, said: &Said<'_>, pending: &mut Pending, found: &mut Vec<Finding>) -> App {
        if command_of(said.bytes).is_some() || matches!(look(said.bytes), Seen::HeartBeat(_)) {
            self.lost = false;
            if let Some(app) = self.run(said, pending, found) {
                return app;
            }
        }
        self.lost &= !ends_in_nul(said);
        app(Text::with("{} bytes of a frame whose beginning is missing", said.length))
    }
}

impl Frame {
    /// The value of the first header of this name.
    fn header<'b>(&self, bytes: &'b [u8], name: &str) -> Option<&'b str> {
        let headers = str::from_utf8(&bytes[self.headers.clone()]).ok()?;
        headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_end)
    }

    /// Remembers what asks for an answer, or finds what this answers.
    /// What it says of the end: a client leaves, or the server says what is wrong and ends the connection.
    fn parting(&self, bytes: &[u8]) -> Option<Parting> {
        match &bytes[self.command.clone()] {
            b"DISCONNECT" => Some(Parting::Leave),
            b"ERROR" => Some(Parting::Error(clipped(self.header(bytes, "message")?).into())),
            _ => None,
        }
    }

    fn tie(&self, bytes: &[u8], said: &Said<'_>, pending: &mut Pending) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        let command = str::from_utf8(&bytes[self.command.clone()]).ok()?;
        // The answer to CONNECT has no id.
        let fits = |id: Id| move |asked: &Request| asked.id == id;
        match command {
            "CONNECTED" => return pending.take(dir, now, fits(Id::None), None).map(|(answer, _)| answer),
            "RECEIPT" => {
                let id = self.header(bytes, "receipt-id").and_then(Id::text)?;
                return pending.answer(dir, now, fits(id), None);
            }
            "ERROR" => {
                let id = self.header(bytes, "receipt-id").map_or(Some(Id::None), Id::text)?;
                let message = self.header(bytes, "message").map(|words| clipped(words).into_owned());
                return pending.answer(dir, now, fits(id), Some(Failure { code: None, message }));
            }
            _ => {}
        }
        let id = match (command, self.header(bytes, "receipt")) {
            ("CONNECT" | "STOMP", _) => Id::None,
            (_, receipt) => Id::text(receipt?)?,
        };
        let method = Some(command.to_owned());
        let what = match self.header(bytes, "destination") {
            Some(to) => format!("{command} {}", clipped(to)),
            None => command.to_owned(),
        };
        pending.begin(dir, now, Request { id, what, method, ..Request::default() });
        None
    }
}

fn without_nul(dir: Dir, begun: &Begun) -> Finding {
    let command = command_of(&begun.bytes).unwrap_or_default();
    let got = Text::with("{} of {} bytes, begun in message {}, without one", command)
        .and(begun.seen)
        .and(begun.since);
    Finding::new(&WITHOUT_NUL, dir, "a NUL at the end of the frame".into(), got)
}

fn ends_in_nul(said: &Said<'_>) -> bool {
    let end = said.bytes.iter().rev().find(|byte| !b"\r\n".contains(byte));
    said.is_whole() && end == Some(&0)
}

fn describe(whole: Whole<'_>, frame: &Frame) -> App {
    let text = |at: &Range<usize>| String::from_utf8_lossy(&whole.bytes[at.clone()]).into_owned();
    let command = text(&frame.command);
    let headers = text(&frame.headers).trim_end().to_owned();
    let body = &whole.bytes[frame.body.clone()];
    let header = |name: &str| {
        headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_end)
    };
    let summary = match (header("destination"), header("id").or(header("message-id"))) {
        (Some(to), _) if body.is_empty() => Text::with("{} {}", &command).and(to),
        (Some(to), _) => Text::with("{} {}, {} bytes", &command).and(to).and(body.len()),
        (None, Some(id)) => Text::with("{} {}", &command).and(id),
        (None, None) => Text::with("{}", &command),
    };
    let field = |def: &'static FieldDef, at: &Range<usize>, value: Value| {
        let span = Span::bytes(whole.source, whole.offset + at.start as u64, at.len() as u64);
        Field { def, span, value, meaning: Text::default(), depth: 0 }
    };
    let short = |text: &str| Value::Text(super::excerpt::cut(text).to_owned());
    let mut fields = vec![
        field(&COMMAND, &frame.command, Value::Text(command)),
        field(&HEADERS, &frame.headers, short(&headers)),
    ];
    if !body.is_empty() {
        fields.push(field(&BODY, &frame.body, super::json::content(body)));
    }
    App { fields, ..app(summary) }
}

fn app(summary: Text) -> App {
    App { protocol: "stomp", name: "STOMP", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The summary of each message, and what was found.
    fn read(messages: &[&str]) -> (Vec<String>, Vec<&'static str>) {
        let (mut stomp, mut found, mut lines) = (Stomp::default(), Vec::new(), Vec::new());
        for (i, wire) in messages.iter().enumerate() {
            let said = Said::sample(Dir::Client, i as u64 + 1, true, wire.as_bytes());
            lines.push(stomp.read(&said, &mut found).map_or("-".into(), |app| app.summary.to_string()));
        }
        stomp.end(None, &mut found);
        (lines, found.iter().map(|f| f.rule.id).collect())
    }

    #[test]
    fn frames() {
        for (wire, summary) in [
            ("CONNECT\naccept-version:1.2\nhost:x\n\n\0", "CONNECT"),
            ("SEND\ndestination:/queue/a\n\nhello\0\n", "SEND /queue/a, 5 bytes"),
            ("SEND\ndestination:/queue/a\ncontent-length:5\n\nhe\0lo\0", "SEND /queue/a, 5 bytes"),
            ("SUBSCRIBE\r\nid:0\r\ndestination:/queue/a\r\n\r\n\0", "SUBSCRIBE /queue/a"),
            ("UNSUBSCRIBE\nid:0\n\n\0", "UNSUBSCRIBE 0"),
            ("BEGIN\ntransaction:t\n\n\0\nUNSUBSCRIBE\nid:0\n\n\0", "BEGIN; UNSUBSCRIBE 0"),
            ("\n", "heart-beat"),
        ] {
            assert_eq!(read(&[wire]), (vec![summary.to_owned()], vec![]), "{wire:?}");
        }
    }

    #[test]
    fn what_is_no_frame() {
        for (wire, rule) in [
            ("HELLO\n\n\0", "stomp-malformed-frame"),
            ("SEND\nno colon\n\n\0", "stomp-malformed-frame"),
            ("SEND\ndestination:/a\ncontent-length:3\n\nhello\0", "stomp-malformed-frame"),
            ("SEND\ndestination:/a\n\nhello", "stomp-frame-without-nul"),
        ] {
            assert_eq!(read(&[wire]).1, [rule], "{wire:?}");
        }
        // What does not end is blamed where the next frame begins.
        let (lines, found) = read(&["SEND\ndestination:/a\n\nhello", "ACK\nid:1\n\n\0"]);
        assert_eq!(lines, ["SEND begins: 26 bytes so far", "ACK 1"]);
        assert_eq!(found, ["stomp-frame-without-nul"]);
    }

    #[test]
    fn a_large_frame_may_be_cut_into_messages() {
        let (lines, found) = read(&["SEND\ndestination:/a\n\nhel", "lo", "\0\n", "\n"]);
        assert_eq!(
            lines,
            [
                "SEND begins: 24 bytes so far",
                "SEND goes on: 26 bytes so far",
                "SEND /a, 5 bytes; begun in message 1",
                "heart-beat"
            ]
        );
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn who_leaves_and_who_says_what_is_wrong() {
        let (mut stomp, mut found) = (Stomp::default(), Vec::new());
        for (dir, wire, expected) in [
            (Dir::Client, "DISCONNECT\nreceipt:1\n\n\0", Some(Parting::Leave)),
            (
                Dir::Server,
                "ERROR\nmessage:no such queue\n\ngone\0",
                Some(Parting::Error("no such queue".into())),
            ),
            (Dir::Server, "RECEIPT\nreceipt-id:1\n\n\0", None),
        ] {
            let app = stomp.read(&Said::sample(dir, 1, true, wire.as_bytes()), &mut found).unwrap();
            assert_eq!(app.parting(), expected.as_ref(), "{wire}");
        }
    }

    #[test]
    fn receipts_find_what_asked_for_them() {
        let (mut stomp, mut found) = (Stomp::default(), Vec::new());
        let mut read = |dir, wire: &str| {
            let app = stomp.read(&Said::sample(dir, 1, true, wire.as_bytes()), &mut found).unwrap();
            let what = |it: &Answer| {
                (it.what.clone(), it.method().to_owned(), it.failure.clone().and_then(|it| it.message))
            };
            app.answers().map(what).collect::<Vec<_>>()
        };
        let own = |what: &str, method: &str, why: Option<&str>| {
            vec![(what.to_owned(), method.to_owned(), why.map(str::to_owned))]
        };
        read(Dir::Client, "CONNECT\naccept-version:1.2\nhost:x\n\n\0");
        assert_eq!(read(Dir::Server, "CONNECTED\nversion:1.2\n\n\0"), own("CONNECT", "CONNECT", None));
        read(Dir::Client, "SEND\ndestination:/a\nreceipt:m-1\n\nx\0SEND\ndestination:/b\n\nx\0");
        read(Dir::Client, "SUBSCRIBE\nid:0\ndestination:/c\nreceipt:m-2\n\n\0");
        let error = "ERROR\nreceipt-id:m-2\nmessage:not allowed\n\n\0";
        assert_eq!(read(Dir::Server, error), own("SUBSCRIBE /c", "SUBSCRIBE", Some("not allowed")));
        assert_eq!(read(Dir::Server, "RECEIPT\nreceipt-id:m-1\n\n\0"), own("SEND /a", "SEND", None));
        assert_eq!(read(Dir::Server, "RECEIPT\nreceipt-id:m-9\n\n\0"), []);
    }

    #[test]
    fn heart_beats_that_were_promised_are_missed() {
        let silent = |said_at: &[(u64, Dir, &str)], ended: u64| {
            let (mut stomp, mut found) = (Stomp::default(), Vec::new());
            let time = |ms: u64| Some(Time(ms * 1_000_000));
            for (m, (at, dir, wire)) in (1..).zip(said_at) {
                let said = Said { time: time(*at), ..Said::sample(*dir, m, true, wire.as_bytes()) };
                stomp.read(&said, &mut found);
            }
            stomp.end(time(ended), &mut found);
            found.iter().map(|it| (it.rule.id, it.blame)).collect::<Vec<_>>()
        };
        let connect = (0, Dir::Client, "CONNECT\naccept-version:1.2\nheart-beat:4000,1000\n\n\0");
        let connected = (0, Dir::Server, "CONNECTED\nversion:1.2\nheart-beat:500,0\n\n\0");
        let beat = (1000, Dir::Server, "\n");
        // The server has to say something every second, and wants nothing of the client.
        let over = [("stomp-heart-beat-over", Some(Dir::Server))];
        assert_eq!(silent(&[connect, connected, beat], 3100), over);
        assert_eq!(silent(&[connect, connected, beat], 2900), []);
        let never = (0, Dir::Server, "CONNECTED\nversion:1.2\n\n\0");
        assert_eq!(silent(&[connect, never], 60_000), []);
    }

    #[test]
    fn behind_a_hole_a_frame_begins_with_its_command() {
        let (mut stomp, mut found) = (Stomp::default(), Vec::new());
        let mut read = |m, wire: &str| {
            if m == 2 {
                stomp.lost(Dir::Client);
            }
            let said = Said::sample(Dir::Client, m, true, wire.as_bytes());
            stomp.read(&said, &mut found).map(|app| app.summary.to_string())
        };
        assert_eq!(read(1, "SEND\ndestination:/a\n\nhel").as_deref(), Some("SEND begins: 24 bytes so far"));
        assert_eq!(read(2, "lo\0").as_deref(), Some("3 bytes of a frame whose beginning is missing"));
        assert_eq!(read(3, "ACK\nid:1\n\n\0").as_deref(), Some("ACK 1"));
        assert!(found.is_empty());
    }
}
