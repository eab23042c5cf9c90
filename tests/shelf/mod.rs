//! The samples on their shelf: each as the bytes that the tool would be given,
//! and as what it says about them.

// Each group of tests is a crate of its own and uses its part of this.
#![allow(dead_code)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wstool::input::capture::ETHERNET;
use wstool::input::{self, PcapWriter};
use wstool::limits;
use wstool::model::Sink;
use wstool::model::film::Film;
use wstool::pipeline::{self, Means};
use wstool::render::json::Json;
use wstool::render::{Options, Tree};
use wstool::replay::{film, transcript};
use wstool::select::{Select, Selection};
use wstool::synth::{Rng, START, conversation, script};

/// The seed that scripts are played with: `wstool encode --seed 1`.
pub const SEED: u64 = 1;

/// What samples are.
pub const KINDS: [&str; 8] = ["bin", "gz", "har", "hex", "http", "pcap", "pcapng", "script"];

/// A file of `samples/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Its path below `samples/`, with slashes.
    pub name: String,
    pub path: PathBuf,
}

/// Where the samples are.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Every sample but the incidents and those within TLS, in order of their names.
pub fn samples() -> Vec<Sample> {
    below(root())
}

/// The incidents: connections of real programs that went wrong (`samples/incidents/truth.toml`). What is
/// right about them is said there, not in snapshots.
pub fn incidents() -> Vec<Sample> {
    below(root().join("incidents"))
}

/// `WebSockets` within TLS. What they carry is said in `samples/tls/truth.json`, not in snapshots.
pub fn encrypted() -> Vec<Sample> {
    below(root().join("tls"))
}

fn below(folder: PathBuf) -> Vec<Sample> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("samples/ is readable") {
            let path = entry.expect("samples/ is readable").path();
            // Handshakes are played by `tests/cli/replay.rs`.
            if path.is_dir() && !["handshakes", "incidents", "tls"].iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            } else if path.is_file() && Sample::at(&path).is_sample() {
                found.push(Sample::at(&path));
            }
        }
    }
    found.sort();
    found
}

impl Sample {
    /// The sample at a path.
    pub fn at(path: &Path) -> Self {
        let name = path.strip_prefix(root()).expect("below samples/").components();
        let name: Vec<_> = name.map(|part| part.as_os_str().to_str().expect("UTF-8")).collect();
        Self { name: name.join("/"), path: path.to_owned() }
    }

    fn is_sample(&self) -> bool {
        self.path.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known))
    }

    /// The folder below `samples/`; empty for what lies there itself.
    pub fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The name of the file without its kind.
    pub fn stem(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).expect("UTF-8")
    }

    /// What the file holds, if it is text.
    pub fn source(&self) -> Option<String> {
        fs::read_to_string(&self.path).ok()
    }

    /// The input it stands for: a script is the capture that it makes.
    pub fn bytes(&self) -> Vec<u8> {
        let bytes = fs::read(&self.path).expect("samples are readable");
        if self.path.extension().is_some_and(|kind| kind == "script") {
            capture(std::str::from_utf8(&bytes).expect("scripts are UTF-8"))
        } else {
            bytes
        }
    }

    /// The tree view on 80 columns.
    pub fn text(&self, selection: Selection) -> String {
        let mut select = Select::new(selection, Tree::new(Vec::new(), Options::default()));
        self.play(&mut select);
        let bytes = select.into_inner().finish().expect("memory takes it");
        String::from_utf8(bytes).expect("a view is UTF-8")
    }

    /// The records of `--format ndjson`, with so many bytes of each payload.
    pub fn ndjson(&self, selection: Selection, payload: u64) -> String {
        let mut select = Select::new(selection, Json::lines(Vec::new(), payload));
        self.play(&mut select);
        let bytes = select.into_inner().finish().expect("memory takes it");
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }

    /// The ids of all findings, in order.
    pub fn findings(&self) -> Vec<String> {
        let mut json = Json::lines(Vec::new(), 1 << 20);
        self.play(&mut json);
        findings(&records(json))
    }

    /// Bytes that may be held while it is decoded: a script may say so, `# Memory: 65536`.
    pub fn memory(&self) -> usize {
        let source = self.source().unwrap_or_default();
        let named = source.lines().find_map(|line| line.strip_prefix("# Memory: "));
        named.map_or(limits::MEMORY, |bytes| bytes.parse().expect("a number of bytes"))
    }

    /// Shows it to a sink.
    pub fn play(&self, sink: &mut dyn Sink) {
        run(self.memory(), &self.name, self.bytes(), sink);
    }
}

fn run(memory: usize, name: &str, bytes: Vec<u8>, sink: &mut dyn Sink) {
    let input = input::open(Box::new(Cursor::new(bytes)), name).unwrap_or_else(|e| panic!("{name}: {e}"));
    let outcome = pipeline::run_with(Means { memory, ..Means::default() }, input, sink, &mut |_| {});
    assert!(outcome.error.is_none(), "{name}: {:?}", outcome.error);
}

/// What the tool says about some bytes.
pub fn records_of(bytes: &[u8]) -> Vec<Value> {
    let mut json = Json::lines(Vec::new(), 1 << 20);
    run(limits::MEMORY, "bytes", bytes.to_vec(), &mut json);
    records(json)
}

fn records(json: Json<Vec<u8>>) -> Vec<Value> {
    let lines = String::from_utf8(json.finish().expect("memory takes it")).expect("JSON is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("every record is JSON")).collect()
}

/// The records of one type.
pub fn of<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["type"] == kind).collect()
}

/// The ids of all findings, in order.
pub fn findings(records: &[Value]) -> Vec<String> {
    let id = |finding: &Value| finding["rule"].as_str().expect("an id").to_owned();
    of(records, "finding").into_iter().map(id).collect()
}

/// The capture that a script makes, the same every time.
pub fn capture(text: &str) -> Vec<u8> {
    let steps = script::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut rng = Rng::new(SEED);
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("memory takes it");
    conversation::play(&steps, START, &mut |bytes| rng.fill(bytes), &mut |time, packet| {
        writer.packet(time, packet).expect("memory takes it");
    });
    writer.finish().expect("memory takes it")
}

/// The films of every handshake there is to play.
pub fn films() -> Vec<(String, Film)> {
    let mut films = Vec::new();
    let mut folders = vec![root().join("handshakes")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("samples/ is readable") {
            let path = entry.expect("samples/ is readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "http") {
                continue;
            }
            let name = Sample::at(&path).name;
            let text = fs::read(&path).expect("it is readable");
            films.extend(transcript::parse(&text, &name).iter().map(|one| (name.clone(), film(one, &[]))));
        }
    }
    films.sort_by(|a, b| a.0.cmp(&b.0));
    films
}
