//! What the tests of the whole share: making input, running it through the
//! library, and looking at what comes out.

// Each group of tests is a crate of its own and uses its part of this.
#![allow(dead_code)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Cursor, Read};

use serde_json::Value;
use wstool::input::capture::ETHERNET;
use wstool::input::{self, PcapWriter};
use wstool::model::{Body, Dir, Flow, ON, Sink, SourceId, Span, Summary, Time, Unit, Wants};
use wstool::pipeline;
use wstool::render::json::Json;
use wstool::render::views::Form;
use wstool::render::{Options, VIEWS};
use wstool::synth::rewrite::Packet;
use wstool::synth::{Rng, START, conversation, script};

/// The packets of a conversation script (see docs/script.md), the same every time.
pub fn packets(script: &str) -> Vec<Packet> {
    let steps = script::parse(script).unwrap_or_else(|e| panic!("{e}\n{script}"));
    play(&steps, 1)
}

/// The packets of a conversation.
pub fn play(steps: &[conversation::Step], seed: u64) -> Vec<Packet> {
    let mut rng = Rng::new(seed);
    let mut packets = Vec::new();
    let mut emit = |time: Time, packet: &[u8]| packets.push((time, packet.to_vec()));
    conversation::play(steps, START, &mut |bytes| rng.fill(bytes), &mut emit);
    packets
}

/// A pcap file that holds these packets.
pub fn pcap(packets: &[Packet]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("memory takes it");
    for (time, packet) in packets {
        writer.packet(*time, packet).expect("memory takes it");
    }
    writer.finish().expect("memory takes it")
}

/// A pcapng file that holds these packets: a section, an interface, a block each.
pub fn pcapng(packets: &[Packet]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = (12 + body.len() + padding) as u32;
        file.extend(kind.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(body);
        file.extend(&[0; 4][..padding]);
        file.extend(length.to_le_bytes());
    };
    block(0x0A0D_0D0A, &[&[0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0][..], &[0xFF; 8]].concat());
    block(1, &[1, 0, 0, 0, 0, 0, 4, 0]);
    for (time, packet) in packets {
        let (micros, length) = (time.0 / 1000, (packet.len() as u32).to_le_bytes());
        let (high, low) = (((micros >> 32) as u32).to_le_bytes(), (micros as u32).to_le_bytes());
        block(6, &[&[0; 4], &high, &low, &length, &length, &packet[..]].concat());
    }
    file
}

/// The bytes that hex digits stand for; spaces do not count.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16);
    digits.chunks(2).map(|digits| pair(digits).unwrap_or_else(|_| panic!("no hex: {text}"))).collect()
}

/// Each byte in two hex digits, `before` and `after` around it.
pub fn digits(bytes: &[u8], before: &str, after: &str) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{before}{byte:02x}{after}");
        text
    })
}

/// Gives its bytes in pieces of the sizes listed, over and over.
pub struct Pieces {
    bytes: Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    turn: usize,
}

impl Pieces {
    pub fn new(bytes: &[u8], sizes: &[usize]) -> Self {
        Self { bytes: Cursor::new(bytes.to_vec()), sizes: sizes.to_vec(), turn: 0 }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].clamp(1, into.len().max(1));
        self.turn += 1;
        let end = size.min(into.len());
        self.bytes.read(&mut into[..end])
    }
}

/// What a run said.
#[derive(Debug)]
pub struct Said {
    /// The records of `--format ndjson`.
    pub records: Vec<Value>,
    /// Why the input could not be opened, or ended badly.
    pub error: Option<String>,
}

/// Runs a file's bytes through the library.
pub fn decode(bytes: &[u8]) -> Said {
    read(Box::new(Cursor::new(bytes.to_vec())))
}

/// Runs whatever a reader gives through the library.
pub fn read(reader: Box<dyn Read + Send>) -> Said {
    let input = match input::open(reader, "test") {
        Ok(input) => input,
        Err(e) => return Said { records: Vec::new(), error: Some(e.to_string()) },
    };
    let mut json = Json::lines(Vec::new(), u64::MAX);
    let outcome = pipeline::run(input, &mut json, &mut |_| {});
    let lines = json.finish().expect("memory takes it");
    let records = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let records = records.map(|line| serde_json::from_slice(line).expect("every record is JSON")).collect();
    Said { records, error: outcome.error.map(|e| e.to_string()) }
}

impl Said {
    /// The records of one type.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.records.iter().filter(move |record| record["type"] == kind)
    }

    /// The ids of all findings, in order.
    pub fn findings(&self) -> Vec<&str> {
        self.of("finding").filter_map(|finding| finding["rule"].as_str()).collect()
    }

    /// The texts of all complete text messages.
    pub fn texts(&self) -> Vec<&str> {
        self.of("message").filter_map(|message| message["text"].as_str()).collect()
    }

    pub fn has(&self, rule: &str) -> bool {
        self.findings().contains(&rule)
    }

    /// How many records of one type there are.
    pub fn count(&self, kind: &str) -> usize {
        self.of(kind).count()
    }
}

/// Shows an input in every text view and as statistics.
pub fn every_view(bytes: &[u8]) {
    let options = Options { payload: Some(4096), ..Options::default() };
    let ascii = Options { ascii: true, color: true, width: 40, ..Options::default() };
    let of = |options| VIEWS.map(|view| view.over(io::sink(), Form::Text, &options));
    for mut view in [of(options), of(ascii)].into_iter().flatten() {
        let Ok(input) = open(bytes) else { return };
        pipeline::run(input, view.as_mut(), &mut |_| {});
        view.end().expect("nothing fails");
    }
}

fn open(bytes: &[u8]) -> Result<input::Input, input::InputError> {
    input::open(Box::new(Cursor::new(bytes.to_vec())), "test")
}

/// Looks at every unit, its fields included, and checks what must hold of any.
#[derive(Default)]
pub struct Inspector {
    /// Bytes that each stream can have at most, where the test knows.
    pub streams: HashMap<(u32, Dir), u64>,
    /// Each unit in one line, what its carriage decides left out.
    pub units: Vec<String>,
    pub summary: Option<Summary>,
}

impl Inspector {
    fn span(&self, span: Span, what: &str, unit: &Unit<'_>) {
        assert!(span.start <= span.end, "{what}: {span:?}");
        if let SourceId::Stream { conn, dir } = span.source
            && let Some(most) = self.streams.get(&(conn, dir))
        {
            assert!(span.end <= most.saturating_mul(8), "{what}: {span:?} is past byte {most} in {unit:?}");
        }
        if let (SourceId::Payload { n, .. }, Body::Frame(frame)) = (span.source, unit.body)
            && frame.n == n
        {
            let most = frame.captured.saturating_add(frame.missing).saturating_mul(8);
            assert!(span.end <= most, "{what}: {span:?} is past the payload of {unit:?}");
        }
    }
}

impl Sink for Inspector {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: u64::MAX, app: true, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        for field in unit.fields {
            self.span(field.span, field.def.id, unit);
        }
        for finding in unit.findings {
            for span in &finding.spans {
                self.span(*span, finding.rule.id, unit);
            }
        }
        match unit.body {
            Body::Summary(summary) => self.summary = Some(summary.clone()),
            Body::Frame(frame) => {
                assert!(frame.captured + frame.missing <= frame.header.length, "{unit:?}");
                assert!(frame.payload.len() as u64 <= frame.captured, "{unit:?}");
                assert_eq!(frame.head.len(), usize::from(frame.header.header_length()), "{unit:?}");
                self.units.push(format!("{} {:?} {:?}", unit.conn, unit.dir, unit.body));
            }
            Body::Meta(_) | Body::File(_) | Body::Note => {}
            _ => self.units.push(format!("{} {:?} {:?}", unit.conn, unit.dir, unit.body)),
        }
        ON
    }
}

/// What was seen of an input by an [`Inspector`], and why it ended badly.
pub fn inspect(bytes: &[u8], inspector: &mut Inspector) -> Option<String> {
    match open(bytes) {
        Ok(input) => pipeline::run(input, inspector, &mut |_| {}).error.map(|e| e.to_string()),
        Err(e) => Some(e.to_string()),
    }
}
