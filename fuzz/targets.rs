//! What is fuzzed: bytes in, every view out.
//!
//! `cargo fuzz` and `tests/decode/fuzz_smoke.rs` share these functions.

// A fuzz target is a crate of its own and uses one of them.
#![allow(dead_code)]

use std::io::{self, Cursor, Write};
use std::sync::Arc;

use wstool::app::described::{self, Interpreter};
use wstool::app::path::Path;
use wstool::app::protobuf::Protobuf;
use wstool::app::value::{self, Node, Notation};
use wstool::app::{DIALECTS, Decoder as _, Reader, Said};
use wstool::http::accept::{Steps, accept_value, diagnose};
use wstool::http::head::{Head, HeadReader};
use wstool::input::capture::ETHERNET;
use wstool::input::{self, Input, PcapWriter};
use wstool::lang::Lang;
use wstool::model::{App, At, Dir, Flow, Opcode, Sink, SourceId, Time, Unit, Wants};
use wstool::pipeline;
use wstool::render::film::Projector;
use wstool::render::har::Har;
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
use wstool::tls::{Carried, Event, Machine, Secrets};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("capture", capture),
    ("conversation", conversation),
    ("raw", raw),
    ("har", har),
    ("head", head),
    ("hex", hex),
    ("script", script),
    ("accept", accept),
    ("replay", replay),
    ("app", app),
    ("http2", http2),
    ("hpack", hpack),
    ("described", described),
    ("values", values),
    ("dialect", dialect),
    ("tls", tls),
];

/// A file of any format.
pub fn capture(data: &[u8]) {
    if let Ok(input) = input::open(Box::new(Cursor::new(data.to_vec())), "fuzz") {
        show(input);
    }
}

/// What a browser or proxy saved; and it is saved again.
pub fn har(data: &[u8]) {
    let open = || match input::open(Box::new(Cursor::new(data.to_vec())), "fuzz") {
        Ok(input @ Input::Har(_)) => Some(input),
        _ => None,
    };
    if let Some(input) = open() {
        show(input);
    }
    if let Some(input) = open() {
        let mut har = Box::new(Har::new(Vec::new()));
        pipeline::run(input, &mut *har, &mut |_| {});
        har.end().expect("nothing fails");
    }
}

/// What two endpoints send each other over TCP, well or badly delivered.
///
/// The first byte chooses how the connection begins; then each part has a byte of
/// flags, a byte of length, and that many bytes of stream.
pub fn conversation(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
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
    steps.extend(parts(rest).map(sent));
    if how & 16 != 0 {
        steps.push(Step::Leave);
    }
    played(&steps);
}

/// What a client of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What two endpoints send each other over HTTP/2, in the same form; without the first byte's lowest bit the
/// connection begins with its preface.
pub fn http2(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let mut steps = vec![Step::Connect(Ends { syn: how & 2 == 0, ..Ends::default() })];
    if how & 1 == 0 {
        steps.push(Step::send(Dir::Client, Content::Raw(PREFACE.to_vec())));
    }
    steps.extend(parts(rest).map(sent));
    steps.push(Step::Leave);
    played(&steps);
}

/// Header blocks of HTTP/2: each part is one, with a byte of flags (who sends it, and whether it goes on in
/// CONTINUATION), a byte of length, and that many bytes.
pub fn hpack(data: &[u8]) {
    let mut steps =
        vec![Step::Connect(Ends::default()), Step::send(Dir::Client, Content::Raw(PREFACE.to_vec()))];
    let mut send = |from, kind, flags, stream: u32, payload: &[u8]| {
        let head = [0, 0, payload.len() as u8, kind, flags];
        let bytes = [&head[..], &stream.to_be_bytes(), payload].concat();
        steps.push(Step::send(from, Content::Raw(bytes)));
    };
    send(Dir::Server, 4, 0, 0, b"\x00\x08\x00\x00\x00\x01");
    let mut stream = 1;
    for (flags, bytes) in parts(data) {
        let (first, second) = bytes.split_at(if flags & 2 == 0 { bytes.len() } else { bytes.len() / 2 });
        let ends = if flags & 2 == 0 { 4 } else { 0 };
        send(from(flags), 1, ends | flags >> 4 & 1, stream, first);
        if ends == 0 {
            send(from(flags), 9, 4, stream, second);
        }
        stream += if flags & 4 == 0 { 2 } else { 0 };
    }
    steps.push(Step::Leave);
    played(&steps);
}

/// Takes bytes apart: a byte of flags, a byte of length, and that many bytes, or as many as there are.
fn parts(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let [flags, length, tail @ ..] = rest else { return None };
        let (bytes, after) = tail.split_at(tail.len().min(usize::from(*length)));
        rest = after;
        Some((*flags, bytes))
    })
}

/// Whose a part is.
fn from(flags: u8) -> Dir {
    if flags & 1 == 0 { Dir::Client } else { Dir::Server }
}

/// A part of a stream.
fn sent((flags, bytes): (u8, &[u8])) -> Step {
    let delivery = Delivery {
        mss: (flags & 2 != 0).then_some(1 + usize::from(flags >> 4)),
        lost: flags & 0x0C == 0x0C,
        twice: flags & 0x0C == 0x08,
        altered: flags & 0x4C == 0x44,
        bad_checksum: flags & 0x4C == 0x04,
    };
    match flags {
        0xFF => Step::Reset(from(flags)),
        0xFE => Step::Finish(from(flags)),
        _ => Step::Send(Send {
            from: from(flags),
            content: Content::Raw(bytes.to_vec()),
            delivery,
            more: flags & 0x80 != 0,
            data: None,
        }),
    }
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

/// What two endpoints say in TLS, with the secrets of RFC 8448 §3, and a key log.
///
/// Each part has a byte of flags, a byte of length, and that many bytes of stream, or so many that are
/// missing.
pub fn tls(data: &[u8]) {
    let _ = Secrets::default().read(data);
    let mut secrets = Secrets::default();
    assert_eq!(secrets.read(include_bytes!("rfc8448.keys")), []);
    let mut machine = Machine::default();
    for (flags, bytes) in parts(data) {
        let dir = from(flags);
        let mut content = 0;
        let hear = |carried: &Carried<'_>, event: Event<'_>| {
            if let Event::Data(bytes) = event {
                content += bytes.len();
                let runs: usize = carried.runs(bytes).map(|(run, _)| run.len()).sum();
                assert_eq!(runs, bytes.len(), "each byte was carried");
            }
            Flow::Continue(())
        };
        let mut hear = (&secrets, hear);
        let flow = if flags & 6 == 6 {
            machine.gap(dir, u64::from(flags >> 3), &mut hear)
        } else {
            machine.push(dir, bytes, At::default(), &mut hear)
        };
        assert!(flow.is_continue() && machine.cost() < 1 << 20);
    }
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
    let Some((&how, rest)) = data.split_first() else { return };
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
    for (flags, bytes) in parts(rest) {
        let opcode = if flags & 2 == 0 { Opcode::TEXT } else { Opcode::BINARY };
        steps.push(Step::message(from(flags), Message::new(opcode, bytes)));
    }
    played(&steps);
}

/// Messages of one connection, read by every protocol that is known.
///
/// Each has a byte of flags, a byte of length, and that many bytes: who sent it, whether it is binary,
/// whether the protocol was agreed on, expected or seen before, whether something is missing before it.
pub fn dialect(data: &[u8]) {
    for dialect in DIALECTS {
        let mut session = match dialect.reader {
            Reader::Session(new) => Some(new()),
            Reader::Each(_) | Reader::Whole(_) => None,
        };
        let mut found = Vec::new();
        for (m, (flags, bytes)) in (1..).zip(parts(data)) {
            let dir = from(flags);
            let text = flags & 2 == 0 && std::str::from_utf8(bytes).is_ok();
            let [agreed, expected, known, lost] = [4, 8, 16, 32].map(|bit| flags & bit != 0);
            let said = Said {
                length: bytes.len() as u64 + if flags & 64 == 0 { 0 } else { 1 << 40 },
                time: Some(Time(m * 4_000_000_000)),
                packets: Some((m, m)),
                agreed,
                subprotocol: dialect.subprotocols.last().copied().filter(|_| agreed),
                known: known || agreed,
                expected,
                bare: !agreed,
                ..Said::new(dir, text, bytes, SourceId::Message { conn: 1, m })
            };
            let app = match (dialect.reader, &mut session) {
                (Reader::Each(read), _) => read(&said),
                (Reader::Whole(read), _) => {
                    let mut app = App::default();
                    read(&said, &mut app).then_some(app)
                }
                (_, Some(session)) => {
                    if lost {
                        session.lost(dir);
                    }
                    session.read(&said, &mut found)
                }
                _ => None,
            };
            if let Some(app) = &app {
                look_at(app, &said);
            }
        }
        if let Some(mut session) = session {
            session.end(Some(Time(1 << 40)), &mut found);
            if let Some(requests) = session.requests() {
                requests.list(Some(Time(1 << 40)), &mut Vec::new());
                requests.forget();
                assert_eq!(requests.held(), 0, "{}", dialect.id);
            }
        }
        let spans = found.iter().flat_map(|finding| &finding.spans);
        spans.for_each(|span| assert!(span.start <= span.end, "{span:?} of {}", dialect.id));
    }
}

/// What is said of a packet lies within its message.
fn look_at(app: &App, said: &Said<'_>) {
    for field in app.fields.iter().filter(|field| field.span.source == said.source) {
        let end = 8 * said.length.max(1);
        assert!(field.span.start <= field.span.end && field.span.end <= end, "{field:?} of {}", app.protocol);
    }
    let _ = app.summary.to_string();
    app.packets.iter().for_each(|packet| look_at(packet, said));
}

/// A message of bytes as one of either side.
fn said(dir: Dir, text: bool, bytes: &[u8]) -> Said<'_> {
    let source = SourceId::Message { conn: 1, m: 1 };
    Said { agreed: true, known: true, ..Said::new(dir, text, bytes, source) }
}

/// A binary message: as a value of every notation, and as Protocol Buffers.
pub fn values(data: &[u8]) {
    for notation in [Notation::MessagePack, Notation::Cbor] {
        let _ = (value::is_evident(notation, data), value::sequence(notation, data));
        for bytes in value::whole(notation, data).into_iter().flatten() {
            let node = Node::Binary(notation, bytes);
            let _ = (node.value(), node.number(), node.element(0), node.member("a"));
            for leaf in node.leaves(64).into_iter().flatten() {
                let way = Path::parse(&leaf.path).expect("a way that is understood");
                assert!(leaf.is_hidden || way.find_in(node) == Some(leaf.node), "{leaf:?}");
            }
        }
    }
    let mut protobuf = Protobuf::by(None);
    for dir in [Dir::Client, Dir::Server] {
        let _ = protobuf.read(&said(dir, false, data), &mut Vec::new());
    }
}

/// A file that describes a dialect, a NUL, and a message.
pub fn described(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (file, message) = data.split_at(at);
    let Ok(file) = str::from_utf8(file) else { return };
    match described::load(file) {
        Ok(described) => {
            let mut decoder = Interpreter::new(Arc::new(described));
            let message = message.get(1..).unwrap_or_default();
            for (dir, text) in [(Dir::Client, false), (Dir::Server, false), (Dir::Client, true)] {
                let text = text && str::from_utf8(message).is_ok();
                let _ = decoder.read(&said(dir, text, message), &mut Vec::new());
            }
        }
        Err(wrong) => assert!(wrong.at.start <= file.len(), "{wrong:?}"),
    }
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
