//! What is fuzzed: bytes in, every view out.
//!
//! `cargo fuzz` and `tests/decode/fuzz_smoke.rs` share these functions.

// A fuzz target is a crate of its own and uses one of them.
#![allow(dead_code)]

use std::io::{self, Cursor, Write};

use wstool::app::DIALECTS;
use wstool::http::accept::{Steps, accept_value, diagnose};
use wstool::http::head::{Head, HeadReader};
use wstool::input::capture::ETHERNET;
use wstool::input::{self, Input, PcapWriter};
use wstool::lang::Lang;
use wstool::model::{Dir, Flow, Opcode, Sink, SourceId, Time, Unit, Wants};
use wstool::pipeline;
use wstool::render::film::Projector;
use wstool::render::json::Scope;
use wstool::render::json::film::Films;
use wstool::render::views::Form;
use wstool::render::{Options, VIEWS, View};
use wstool::replay::{film, transcript};
use wstool::synth::conversation::{Content, Send, Step, play};
use wstool::synth::frames::Message;
use wstool::synth::handshake::{Request, Response};
use wstool::synth::tcp::{Delivery, Ends};
use wstool::synth::{Rng, START, script as language};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("capture", capture),
    ("conversation", conversation),
    ("raw", raw),
    ("head", head),
    ("hex", hex),
    ("script", script),
    ("accept", accept),
    ("replay", replay),
    ("app", app),
];

/// A file of any format.
pub fn capture(data: &[u8]) {
    if let Ok(input) = input::open(Box::new(Cursor::new(data.to_vec())), "fuzz") {
        show(input);
    }
}

/// What two endpoints send each other over TCP, well or badly delivered.
///
/// The first byte chooses how the connection begins; then each part has a byte of
/// flags, a byte of length, and that many bytes of stream.
pub fn conversation(data: &[u8]) {
    let Some((&how, mut rest)) = data.split_first() else { return };
    let mut steps = vec![Step::Connect(Ends { syn: how & 1 == 0, ..Ends::default() })];
    let deflate = (how & 2 != 0).then(|| "permessage-deflate".to_owned());
    let request = Request { extensions: deflate.clone(), ..Request::default() };
    if how & 4 == 0 {
        steps.push(Step::send(Dir::Client, Content::Request(request)));
    }
    if how & 8 == 0 {
        steps.push(Step::send(
            Dir::Server,
            Content::Response(Response { extensions: deflate, ..Response::default() }),
        ));
    }
    while let [flags, length, tail @ ..] = rest {
        let (bytes, after) = tail.split_at(tail.len().min(usize::from(*length)));
        let from = if flags & 1 == 0 { Dir::Client } else { Dir::Server };
        let delivery = Delivery {
            mss: (flags & 2 != 0).then_some(1 + usize::from(flags >> 4)),
            lost: flags & 0x0C == 0x0C,
            twice: flags & 0x0C == 0x08,
            altered: flags & 0x4C == 0x44,
            bad_checksum: flags & 0x4C == 0x04,
        };
        steps.push(match flags {
            0xFF => Step::Reset(from),
            0xFE => Step::Finish(from),
            _ => Step::Send(Send {
                from,
                content: Content::Raw(bytes.to_vec()),
                delivery,
                more: flags & 0x80 != 0,
            }),
        });
        rest = after;
    }
    if how & 16 != 0 {
        steps.push(Step::Leave);
    }
    played(&steps);
}

/// The bytes of one direction, with nothing around them.
pub fn raw(data: &[u8]) {
    // What could be text is taken for text: a frame makes it bytes.
    let data = [b"\x8A\x00", data].concat();
    capture(&data);
}

/// The opening handshake's heads.
pub fn head(data: &[u8]) {
    let source = SourceId::Stream { conn: 1, dir: Dir::Client };
    let whole = Head::parse(data, source, 0);
    let _ = (whole.start_line(), whole.status(), whole.version());
    let mut reader = HeadReader::new();
    for piece in data.chunks(7) {
        reader.push(piece);
    }
    let _ = reader.parse(source, 0);
    // The halves as request and response of a connection.
    let (request, response) = data.split_at(data.len() / 2);
    let mut steps = vec![Step::Connect(Ends::default())];
    let line = |dir, first: &[u8], bytes: &[u8]| Step::send(dir, Content::Raw([first, bytes].concat()));
    steps.push(line(Dir::Client, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n", request));
    steps.push(line(Dir::Client, b"\r\n\r\n", b""));
    steps.push(line(Dir::Server, b"HTTP/1.1 101 Switching Protocols\r\n", response));
    steps.push(line(Dir::Server, b"\r\n\r\n\x81\x02Hi", b""));
    played(&steps);
    capture(data);
}

/// Text that may be hex.
pub fn hex(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(input) = input::from_argument(&text) {
        show(input);
    }
    let _ = input::hex::parse(&text);
}

/// A conversation script.
pub fn script(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(steps) = language::parse(&text) else { return };
    // A script may ask for as much as its author has memory for.
    let asked: usize = steps.iter().map(size).sum();
    if asked < 1 << 16 {
        played(&steps);
    }
}

fn size(step: &Step) -> usize {
    match step {
        Step::Send(Send { content: Content::Message(message, _), .. }) => message.payload.len(),
        Step::Send(Send { content: Content::Raw(bytes), .. }) => bytes.len(),
        _ => 0,
    }
}

/// Keys and answers.
pub fn accept(data: &[u8]) {
    let (key, value) = data.split_at(data.len() / 2);
    let _ = Steps::of(key);
    let right = accept_value(key);
    let _ = diagnose(key, value, &[]);
    assert!(diagnose(key, right.as_bytes(), &[]).is_none(), "the right answer has nothing to diagnose");
}

/// What applications say to each other.
///
/// The lower bits of the first byte choose the application; then each message has a byte of flags, a
/// byte of length, and that many bytes, which an answer by polling carries as well.
pub fn app(data: &[u8]) {
    const BY_PATH: [(&str, Option<&str>); 4] = [
        ("/socket.io/?EIO=4&transport=websocket", None),
        ("/socket.io/?EIO=3&transport=websocket", None),
        ("/chatHub", None),
        ("/", None),
    ];
    let agreed = DIALECTS.iter().filter_map(|dialect| Some(("/ws", Some(*dialect.subprotocols.first()?))));
    let spoken: Vec<_> = BY_PATH.into_iter().chain(agreed).collect();
    let Some((&how, mut rest)) = data.split_first() else { return };
    let (path, subprotocol) = spoken[usize::from(how & 0x3F) % spoken.len()];
    let request =
        Request { path: Some(path.into()), subprotocol: subprotocol.map(Into::into), ..Request::default() };
    let mut steps = vec![Step::Connect(Ends::default())];
    let poll = |steps: &mut Vec<Step>, body: &[u8]| {
        let version = 3 + (how & 1);
        let kind = if how & 0x40 == 0 { "text/plain" } else { "application/octet-stream" };
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        let get = format!("GET /socket.io/?EIO={version}&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n");
        steps.push(Step::send(Dir::Client, Content::Raw(get.into_bytes())));
        steps.push(Step::send(Dir::Server, Content::Raw([head.as_bytes(), body].concat())));
    };
    if how & 0x80 != 0 {
        poll(&mut steps, rest);
        steps.push(Step::Connect(Ends::default()));
    }
    steps.extend(Step::handshake(request, Response::default()));
    while let [flags, length, tail @ ..] = rest {
        let (bytes, after) = tail.split_at(tail.len().min(usize::from(*length)));
        let from = if flags & 1 == 0 { Dir::Client } else { Dir::Server };
        let opcode = if flags & 2 == 0 { Opcode::TEXT } else { Opcode::BINARY };
        steps.push(Step::message(from, Message::new(opcode, bytes)));
        rest = after;
    }
    played(&steps);
}

/// A transcript of opening handshakes.
pub fn replay(data: &[u8]) {
    let wide = Options::default();
    let narrow = Options { width: 40, ascii: true, ..Options::default() };
    let mut projectors = [Projector::new(&wide, true), Projector::new(&narrow, false)];
    let mut films = Films::lines(Records::default());
    for exchange in transcript::parse(data, "fuzz") {
        let film = film(&exchange, &[]);
        films.film(&film, "recorded");
        for projector in &mut projectors {
            for step in projector.show(&film) {
                Plain.write_all(step.as_bytes()).expect("nothing fails");
            }
        }
    }
    films.finish().expect("nothing fails");
}

/// Plays a conversation and shows its capture.
fn played(steps: &[Step]) {
    let mut rng = Rng::new(1);
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("memory takes it");
    let mut emit = |time: Time, packet: &[u8]| {
        // Times after 2106 do not fit the format.
        let _ = writer.packet(time, packet);
    };
    play(steps, START, &mut |bytes| rng.fill(bytes), &mut emit);
    capture(&writer.finish().expect("memory takes it"));
}

/// Runs an input into every view at once.
fn show(input: Input) {
    let mut views = Views::default();
    pipeline::run(input, &mut views, &mut |_| {});
    views.0.into_iter().for_each(|view| view.end().expect("nothing fails"));
}

/// All views in all forms, fed the same units.
struct Views(Vec<Box<dyn View>>);

impl Default for Views {
    fn default() -> Self {
        let wide = Options { payload: Some(512), lang: Lang::Zh, ..Options::default() };
        let narrow = Options { width: 40, ascii: true, ..Options::default() };
        let mut all = Vec::new();
        for view in VIEWS {
            all.push(view.over(Plain, Form::Text, &wide));
            all.push(view.over(Plain, Form::Text, &narrow));
            // The records of the others are those of the first.
            if *view == *VIEWS[0] || view.scope != Scope::All || view.is_late {
                all.push(view.over(Records::default(), Form::Lines, &Options::default()));
            }
        }
        Self(all)
    }
}

impl Sink for Views {
    fn wants(&self) -> Wants {
        self.0.iter().map(|view| view.wants()).fold(Wants::NOTHING, Wants::or)
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let fields = unit.fields.iter().map(|field| field.span);
        let findings = unit.findings.iter().flat_map(|finding| finding.spans.iter().copied());
        for span in fields.chain(findings) {
            assert!(span.start <= span.end, "{span:?} in {unit:?}");
        }
        self.0.iter_mut().try_for_each(|view| view.take(unit))
    }
}

/// A terminal that takes no control character.
struct Plain;

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).expect("views write UTF-8, whole characters at a time");
        let bad = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(bad, None, "in {text:?}");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader of NDJSON that insists on JSON.
#[derive(Debug, Default)]
struct Records {
    line: Vec<u8>,
}

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|b| *b == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let record = serde_json::from_slice::<serde_json::Value>(&self.line);
                assert!(
                    record.is_ok_and(|r| r["type"].is_string()),
                    "{}",
                    String::from_utf8_lossy(&self.line)
                );
                self.line.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
