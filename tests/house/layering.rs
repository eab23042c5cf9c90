//! The house stands as it was drawn: imports run downward only, and what touches
//! the world is in one place.
//!
//! The sources are read, not compiled: `use` trees and paths beginning with
//! `crate::` are followed, comments and string literals are not. A new module
//! gets a row in [`LAYERS`], a new dependency one in [`CRATES`] if it must not
//! spread.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What the siblings below the session may use.
const GROUND: &[&str] = &["model", "limits"];

/// What the commands stand on.
const DECODING: &[&str] = &[
    "pipeline", "decoder", "cause", "select", "synth", "input", "net", "tls", "http", "h2", "ws", "app",
    "model", "lang", "limits",
];

/// What the conformance suite stands on: it plays with peers over sockets.
const GRADING: &[&str] = &[
    "lab", "replay", "synth", "pipeline", "decoder", "cause", "select", "input", "net", "tls", "http", "h2",
    "ws", "app", "model", "lang", "limits",
];

/// What the exercises stand on: their answers come from the tool itself.
const COURSE: &[&str] = &[
    "compare", "replay", "explain", "pipeline", "decoder", "select", "synth", "input", "net", "tls", "http",
    "h2", "ws", "app", "model", "lang", "limits",
];

/// Each module of the crate and the modules it may import. Those whose code has
/// not arrived yet have their place already.
const LAYERS: &[(&str, &[&str])] = &[
    // The vocabulary: the standard library only.
    ("model", &[]),
    ("limits", &[]),
    ("lang", &["model"]),
    // What others find compressed, wherever they meet it.
    ("coding", GROUND),
    // Siblings: none imports another.
    ("input", &["coding", "model", "limits"]),
    ("net", GROUND),
    ("tls", GROUND),
    ("http", &["coding", "model", "limits"]),
    ("h2", GROUND),
    ("ws", GROUND),
    ("app", &["coding", "model", "limits"]),
    // Bytes of connections to units; packets to bytes of connections.
    ("session", &["tls", "http", "h2", "ws", "coding", "model", "limits"]),
    ("timeline", &["app", "coding", "model", "limits"]),
    ("cause", &["ws", "http", "net", "model", "limits"]),
    ("decoder", &["session", "timeline", "cause", "tls", "ws", "model", "limits"]),
    ("pipeline", &["decoder", "input", "net", "tls", "ws", "model", "limits"]),
    ("select", GROUND),
    ("testing", &["ws", "model", "limits"]),
    // Writing traffic.
    ("synth", &["ws", "model", "limits"]),
    // Every view is a function of units.
    ("render", &["cause", "coding", "model", "lang", "limits"]),
    // What the commands do.
    ("compare", DECODING),
    ("replay", DECODING),
    ("explain", DECODING),
    ("lesson", COURSE),
    ("grade", GRADING),
    ("lab", DECODING),
];

/// What the crate's root offers: lists of what the spec sheets say. Who may import all the
/// sheets may use them.
const LISTS: &[&str] = &["rules", "fields"];
const SHEET_LAYERS: &[&str] = &["net", "http", "ws", "app"];

/// What tests are made of: everybody's, as it is there in tests only.
const TESTING: &str = "testing";

/// Modules above everything: they may import what they like.
const TOP: &[&str] = &["cli", "lib", "main"];

/// A path beginning and the files (or folders) that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("pcap_file", &["input/capture"]),
    ("brotli_decompressor", &["coding/brotli.rs"]),
    ("bzip2", &["input/packed.rs"]),
    ("lzma_rust2", &["input/packed/xz.rs"]),
    ("ruzstd", &["coding/zstd.rs", "input/packed/zstd.rs"]),
    ("parquet", &["render/tables"]),
    ("etherparse", &["net", "synth"]),
    ("httparse", &["http"]),
    ("colored", &["render/style.rs", "cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("terminal_size", &["cli"]),
    ("getrandom", &["cli", "grade", "lab"]),
    (
        "toml",
        &[
            "explain",
            "lesson/data.rs",
            "cli/proxy/rules.rs",
            "app/described/load.rs",
            "app/described/load",
            "grade/load.rs",
        ],
    ),
    ("strsim", &["explain", "app/described/load", "cli/protocols/schema.rs"]),
    ("protox", &["cli/protocols/schema.rs"]),
    ("minicbor", &["app/value/cbor.rs"]),
    ("console", &["cli/replay"]),
    ("httlib_hpack", &["compare/http.rs", "h2/hpack.rs"]),
    ("httlib_huffman", &["h2/hpack.rs"]),
    (
        "tokio",
        &[
            "lab",
            "grade",
            "cli/attach",
            "cli/compare",
            "cli/connect",
            "cli/dial",
            "cli/grade",
            "cli/interrupt.rs",
            "cli/live",
            "cli/proxy",
            "cli/replay/messages.rs",
            "cli/serve",
        ],
    ),
    ("hyper", &["lab", "cli/compare", "cli/connect/polling.rs"]),
    ("h2", &["lab/http2", "lab/serve/web.rs"]),
    ("hyper_util", &["lab"]),
    ("http_body_util", &["lab"]),
    ("httpdate", &["lab"]),
    ("rustix", &["lab/gauge.rs", "cli/connect/input.rs"]),
    ("resvg", &["cli/compare/picture.rs"]),
    ("quick_xml", &["app/xmpp.rs"]),
    ("rcgen", &["lab/authority.rs"]),
    ("rustls", &["cli/dial", "lab"]),
    ("tokio_rustls", &["lab", "cli/dial"]),
    ("aes", &["tls/cipher.rs"]),
    ("aes_gcm", &["tls/cipher.rs"]),
    ("cbc", &["tls/cipher.rs"]),
    ("chacha20poly1305", &["tls/cipher.rs"]),
    ("hkdf", &["tls/cipher.rs"]),
    ("hmac", &["tls/cipher.rs"]),
    ("csv", &["lesson/roster.rs", "lesson/grade/csv.rs", "lesson/handout/key.rs"]),
    ("etcetera", &["cli/folder.rs"]),
    ("pulldown_cmark", &["render/markdown", "lesson/handout"]),
    ("webpki_roots", &["cli/dial/tls.rs"]),
];

/// What touches the world: files, environment, clock, processes, sockets.
const WORLD: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
];

/// Who may touch the world, and sockets or threads besides.
const WORLDLY: &[&str] = &["cli", "main.rs", "lab", "grade"];

/// Who may have threads, behind a feature, and nothing else of the world.
const THREADED: &[&str] = &["pipeline/stages.rs"];

/// Macros that write to the process's own streams. Even the command line writes
/// to writers: a broken pipe must not panic.
const PRINTING: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// Lines of code a file may have; its tests, which stand last, are not counted.
const LINES: usize = 500;

/// Lines from which a file is worth dividing. One file in so many may be as long.
const LINES_WISHED: usize = 350;
const LONG_FILES: usize = 10;

/// Lines of a protocol's spec sheet: its `mod.rs`, mostly a table of rules.
const LINES_OF_A_SHEET: usize = 700;
const SHEETS: &[&str] = &["http/mod.rs", "ws/mod.rs", "net/mod.rs", "tls/mod.rs", "h2/mod.rs", "app/mod.rs"];

#[test]
fn imports_run_downward_only() {
    let mut wrong = String::new();
    for file in sources() {
        let layer = file.layer();
        if TOP.contains(&layer.as_str()) {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            let _ = writeln!(wrong, "src/{}: `{layer}` has no row in LAYERS", file.path);
            continue;
        };
        for (line, module) in file.modules_of_this_crate() {
            let is_list = LISTS.contains(&module.as_str());
            let may = if module == TESTING {
                true
            } else if is_list {
                SHEET_LAYERS.iter().all(|sheet| allowed.contains(sheet))
            } else {
                module == layer || allowed.contains(&module.as_str())
            };
            if !may {
                let _ = writeln!(wrong, "src/{}:{line}: {layer} must not import {module}", file.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Who decodes with a [`Decoder`](wstool::decoder::Decoder) and with nothing below it.
const DECODER_ONLY: &[&str] = &["lab", "replay", "compare", "pipeline.rs", "pipeline", "cli"];

/// What a decoder is made of.
const PARTS: &[&str] = &[
    "crate::session",
    "crate::ws::Conversation",
    "crate::ws::Scratch",
    "crate::ws::conversation",
    "crate::ws::half",
    "crate::ws::header",
    "httparse",
];

/// What reads HTTP, piece by piece. A handshake in a text, or one that is answered live, is no
/// connection that a decoder could be given: one file reads those, and two what a proxy has to change, heads
/// and what polls.
const HTTP_READERS: &[&str] = &[
    "crate::http::Body",
    "crate::http::HeadReader",
    "crate::http::HeadState",
    "crate::http::Sniff",
    "crate::http::body",
    "crate::http::head",
    "crate::http::sniff",
];
const READS_HTTP: &[&str] = &["replay/heard.rs", "lab/proxy/head.rs", "lab/proxy/exchange.rs"];

#[test]
fn there_is_one_decoder() {
    let mut wrong = String::new();
    for file in sources().iter().filter(|file| file.is_in(DECODER_ONLY)) {
        for (line, path) in file.paths() {
            let is = |part: &&&str| path == ***part || path.starts_with(&format!("{part}::"));
            let parts = PARTS.iter().chain(HTTP_READERS.iter().filter(|_| !file.is_in(READS_HTTP)));
            if let Some(part) = parts.into_iter().find(is) {
                let _ = writeln!(wrong, "src/{}:{line}: {part} is for the decoder only", file.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut wrong = String::new();
    for file in sources() {
        for (line, path) in file.paths() {
            let first = path.split("::").next().unwrap_or_default();
            if let Some((name, places)) = CRATES.iter().find(|(name, _)| *name == first)
                && !file.is_in(places)
            {
                let _ = writeln!(wrong, "src/{}:{line}: {name} is for {} only", file.path, places.join(", "));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn only_the_command_line_touches_the_world() {
    let mut wrong = String::new();
    for file in sources() {
        let worldly = file.is_in(WORLDLY);
        for (line, path) in file.paths() {
            let touches = |thing: &&&str| path == ***thing || path.starts_with(&format!("{thing}::"));
            if let Some(thing) = WORLD.iter().find(touches)
                && !worldly
                && !(*thing == "std::thread" && file.is_in(THREADED))
            {
                let _ =
                    writeln!(wrong, "src/{}:{line}: {thing} is for {} only", file.path, WORLDLY.join(", "));
            }
        }
        for (number, line) in file.code.lines().enumerate() {
            if let Some(print) = PRINTING.iter().find(|print| names(line, print)) {
                let _ = writeln!(wrong, "src/{}:{}: {print} panics on a broken pipe", file.path, number + 1);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_file_has_more_than_one_subject() {
    let files: Vec<(String, usize)> = sources().into_iter().map(|f| (f.path.clone(), f.lines())).collect();
    for (path, lines) in &files {
        let most = if SHEETS.contains(&path.as_str()) { LINES_OF_A_SHEET } else { LINES };
        assert!(*lines <= most, "src/{path} has {lines} lines of code, more than {most}: divide it");
    }
    let mut long: Vec<_> = files.iter().filter(|(_, lines)| *lines > LINES_WISHED).collect();
    long.sort_by_key(|(path, lines)| (std::cmp::Reverse(*lines), path));
    let list = long.iter().fold(String::new(), |list, (path, lines)| format!("{list}\n  {lines} src/{path}"));
    let most = files.len() / LONG_FILES;
    assert!(
        long.len() <= most,
        "{} files above {LINES_WISHED} lines of code, {most} may be:{list}",
        long.len()
    );
}

/// Files of one folder import each other in one direction, so that each can be understood with what is
/// below it and nothing else.
///
/// A folder's own file (`mod.rs`, or `half.rs` beside `half/`) stands on top of its files. What it passes
/// on from one of them (`pub use`) counts as that file's. Its statics and constants, a spec sheet's rules and
/// fields, are everybody's. What else it declares may be used by its private files, which are parts of it,
/// and by a public one only if it does not use that file itself.
#[test]
fn files_of_a_folder_do_not_import_each_other_in_a_circle() {
    let sources = sources();
    let folders: BTreeSet<Vec<&str>> =
        sources.iter().filter_map(File::module).map(|m| m[..m.len() - 1].to_vec()).collect();
    let mut wrong = String::new();
    for folder in folders.iter().filter(|folder| !folder.is_empty()) {
        let name = folder.join("/");
        if let Some(circle) = circle(&imports_within(folder, &sources)) {
            let _ = writeln!(wrong, "src/{name}: {circle}");
        }
    }
    assert!(wrong.is_empty(), "circles:\n{wrong}");
}

#[test]
fn circles_are_seen() {
    let file = |path: &str, code: &str| File { path: path.to_owned(), code: strip(code) };
    let circle_of = |files: &[File]| circle(&imports_within(&["app"], files));
    let json = || file("app/json.rs", "use super::text::cut;");
    // One imports the other: fine; both: a circle, also through a path in the code or a third file.
    assert_eq!(circle_of(&[json(), file("app/text.rs", "use crate::model::Text;")]), None);
    let both = circle_of(&[json(), file("app/text.rs", "fn f() { crate::app::json::g() }")]);
    assert_eq!(both.as_deref(), Some("json -> text (line 1) -> json (line 1)"));
    let three =
        [json(), file("app/text.rs", "use super::c;"), file("app/c/mod.rs", "\nuse super::super::json;")];
    assert_eq!(circle_of(&three), None);
    let three =
        [json(), file("app/text.rs", "use super::c;"), file("app/c/x.rs", "\nuse super::super::json;")];
    assert_eq!(circle_of(&three).as_deref(), Some("c -> json (line 2) -> text (line 1) -> c (line 1)"));
    // Tests may use everything.
    let tests = "\n#[cfg(test)]\nmod tests { use super::super::json; }";
    assert_eq!(circle_of(&[json(), file("app/text.rs", tests)]), None);
    // What the folder's file passes on is its file's, what it declares is its own.
    let on_top = |code: &str| {
        [file("app/mod.rs", code), file("app/json.rs", "use super::Cut;"), file("app/text.rs", "")]
    };
    assert_eq!(circle_of(&on_top("pub use text::Cut;")), None);
    assert_eq!(circle_of(&on_top("pub use json::Cut;")), None);
    assert_eq!(circle_of(&on_top("struct Cut;")), None);
    let declared = circle_of(&on_top("pub mod json; use self::json::Json; struct Cut(Json);"));
    assert_eq!(declared.as_deref(), Some("json -> mod.rs (line 1) -> json (line 1)"));
    assert_eq!(circle_of(&on_top("mod json; use self::json::Json; struct Cut(Json);")), None);
    let sheet = [
        file("app/mod.rs", "pub mod json; use json::Json; static RULES: u8;"),
        file("app/json.rs", "use super::RULES;"),
    ];
    assert_eq!(circle_of(&sheet), None);
}

/// Who imports whom among the modules of a folder, `mod.rs` being its own file, and in which line.
fn imports_within(folder: &[&str], sources: &[File]) -> BTreeMap<String, BTreeMap<String, usize>> {
    let children: BTreeSet<&str> = sources
        .iter()
        .filter_map(File::module)
        .filter_map(|module| Some(*module.strip_prefix(folder)?.first()?))
        .collect();
    let top = sources.iter().find(|file| file.module().as_deref() == Some(folder));
    let is_public = |who: &str| top.is_some_and(|top| top.code.contains(&format!("pub mod {who};")));
    let passed_on = top.map(|top| top.passed_on(&children)).unwrap_or_default();
    let mut imports: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for file in sources {
        let Some(module) = file.module() else { continue };
        let Some(within) = module.strip_prefix(folder) else { continue };
        let who = within.first().copied().unwrap_or(TOP_FILE);
        for (line, path) in file.absolute_paths() {
            let path: Vec<&str> = path.split("::").collect();
            let Some([name, ..]) = path.strip_prefix(folder) else { continue };
            let is_shouted = !name.contains(|c: char| c.is_ascii_lowercase());
            let whom = match (children.get(name), passed_on.get(*name)) {
                (Some(child), _) => child,
                (None, Some(child)) => child.as_str(),
                (None, None) if is_shouted || *name == "*" || !is_public(who) => continue,
                (None, None) => TOP_FILE,
            };
            if whom != who {
                imports.entry(who.to_owned()).or_default().entry(whom.to_owned()).or_insert(line);
            }
        }
    }
    imports
}

/// A folder's own file, among the modules of the folder.
const TOP_FILE: &str = "mod.rs";

/// The first circle there is, with the lines of the imports.
fn circle(imports: &BTreeMap<String, BTreeMap<String, usize>>) -> Option<String> {
    // Whoever imports nobody, or only such, is in no circle.
    let mut left: BTreeSet<&str> = imports.keys().map(String::as_str).collect();
    let next = |who: &str, left: &BTreeSet<&str>| {
        imports[who]
            .iter()
            .find(|(whom, _)| left.contains(whom.as_str()))
            .map(|(whom, line)| (whom.clone(), *line))
    };
    while let Some(free) = left.iter().find(|who| next(who, &left).is_none()).copied() {
        left.remove(free);
    }
    let mut way: Vec<(String, usize)> = vec![((*left.first()?).to_owned(), 0)];
    loop {
        let (whom, line) = next(&way.last()?.0, &left)?;
        let start = way.iter().position(|(who, _)| *who == whom);
        way.push((whom, line));
        if let Some(start) = start {
            let steps = way[start + 1..].iter().map(|(whom, line)| format!(" -> {whom} (line {line})"));
            return Some(way[start].0.clone() + &steps.collect::<String>());
        }
    }
}

/// A decoder does not know on which layer it stands: it is told the source of the bytes that it gets.
#[test]
fn decoders_do_not_name_their_own_source() {
    const DECODERS: [&str; 6] = ["http", "ws", "app", "session", "timeline", "tls"];
    const NAMES: [&str; 2] = ["SourceId::Stream", "SourceId::Decrypted"];
    let mut wrong = String::new();
    for file in sources().iter().filter(|file| DECODERS.contains(&file.layer().as_str())) {
        let code = file.lines();
        for (line, path) in file.paths().iter().filter(|(line, _)| *line <= code) {
            if NAMES.iter().any(|name| path.ends_with(name)) {
                let _ = writeln!(wrong, "src/{}:{line}: {path}: ask whoever opens it", file.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The reader itself is read first: a net with holes would hold nothing.
#[test]
fn the_reader_sees_every_way_to_import() {
    let file = File {
        path: "http/head.rs".to_owned(),
        code: strip(
            "use crate::{limits, ws::{mask, Frame as F}};\n\
             use super::super::net::Tracker; // use crate::lab;\n\
             fn f() { crate::render::words::plural(\"crate::cli\", 'x', r#\"crate::cli\"#) }\n\
             use std::{io, fs::{self, File}};\n\
             mod tests { use super::super::super::input; use super::*; }\n",
        ),
    };
    let seen: Vec<_> = file.modules_of_this_crate().into_iter().collect();
    let expected = [(1, "limits"), (1, "ws"), (2, "net"), (3, "render"), (5, "input")];
    assert_eq!(seen, expected.map(|(line, name)| (line, name.to_owned())));
    assert!(file.paths().contains(&(4, "std::fs::File".to_owned())));
    assert!(
        names("    print!(\"x\")", "print!") && !names("eprint!()", "print!") && !names("printer!", "print!")
    );
}

/// A source file with its comments and string literals blanked out.
pub struct File {
    /// From `src/` on.
    pub path: String,
    code: String,
}

pub fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    assert!(paths.len() > 50, "the sources are in src/");
    paths
        .into_iter()
        .map(|path| {
            let code = fs::read_to_string(&path).expect("sources are UTF-8");
            let path = path.strip_prefix(&root).expect("found below it");
            File { path: path.to_string_lossy().replace('\\', "/"), code: strip(&code) }
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("src/ can be listed").flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

impl File {
    /// The top-level module it belongs to.
    fn layer(&self) -> String {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs").to_owned()
    }

    /// The module that it is; `None` for tests, and for the roots of the crate.
    fn module(&self) -> Option<Vec<&str>> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let module: Vec<&str> = path.split('/').collect();
        let is_test = module.iter().any(|name| ["tests", "testing", "fixture"].contains(name));
        let is_root = ["lib", "main"].contains(&path);
        (!is_test && !is_root).then_some(module)
    }

    /// Whether it is more than a test, or what tests are made of.
    pub fn is_shipped(&self) -> bool {
        self.module().is_some() || ["lib.rs", "main.rs"].contains(&&*self.path)
    }

    /// The code without the tests at its foot.
    pub fn code_before_tests(&self) -> &str {
        let foot = self.code.match_indices("\n#[cfg(test)]\n").find(|(at, attribute)| {
            let next = self.code[at + attribute.len()..].lines().next().unwrap_or_default();
            next.starts_with("mod ") && next.contains('{')
        });
        &self.code[..foot.map_or(self.code.len(), |(at, _)| at)]
    }

    /// Every path from a module of this crate on, from the crate's root, without `crate`.
    fn absolute_paths(&self) -> Vec<(usize, String)> {
        let module = self.module().unwrap_or_default();
        let (_, code) = divide_exports(self.code_before_tests());
        let written = Self::paths_as_written(&code).into_iter();
        written.map(|it| (it.line, absolute(&module, &it))).collect()
    }

    /// The names that it passes on from its modules (`pub use`), and whose they are.
    fn passed_on(&self, children: &BTreeSet<&str>) -> BTreeMap<String, String> {
        let module = self.module().unwrap_or_default();
        let (exports, _) = divide_exports(self.code_before_tests());
        let mut found = BTreeMap::new();
        for it in Self::paths_as_written(&exports) {
            let path = absolute(&module, &it);
            let path: Vec<&str> = path.split("::").collect();
            if let Some([child, .., name]) = path.strip_prefix(&*module)
                && children.contains(child)
            {
                found.insert((*name).to_owned(), (*child).to_owned());
            }
        }
        found
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path == *place
                || self.path.starts_with(&format!("{place}/"))
                || self.path == format!("{place}.rs")
        })
    }

    /// Lines before the tests at its foot.
    fn lines(&self) -> usize {
        let is_test_file = self.path.ends_with("tests.rs");
        if is_test_file {
            return 0;
        }
        let mut lines = self.code.lines().peekable();
        let mut count = 0;
        while let Some(line) = lines.next() {
            let at_foot = line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.ends_with('{'));
            if at_foot {
                break;
            }
            count += 1;
        }
        count
    }

    /// How many modules deep its code is: `select.rs` 1, `http/head.rs` 2, `http/mod.rs` 1.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// The modules of this crate that it names, with the lines, without repetitions.
    fn modules_of_this_crate(&self) -> BTreeSet<(usize, String)> {
        let of = |(line, path): &(usize, String)| {
            let inner = path.strip_prefix("crate::")?;
            let module = inner.split("::").next()?;
            let is_module = module.starts_with(|c: char| c.is_ascii_lowercase());
            is_module.then(|| (*line, module.to_owned()))
        };
        self.paths().iter().filter_map(of).collect()
    }

    /// Every path of two or more parts, braces of `use` expanded, `super::` that
    /// leads to the crate's root written `crate::`; each with its line.
    fn paths(&self) -> Vec<(usize, String)> {
        let written = Self::paths_as_written(&self.code).into_iter();
        written.map(|it| (it.line, self.rooted(&it.path, it.inline_modules))).collect()
    }

    /// Every path of two or more parts in `code`, braces of `use` expanded.
    fn paths_as_written(code: &str) -> Vec<Written> {
        let mut found = Vec::new();
        let mut scopes: Vec<bool> = Vec::new();
        let (mut line, mut rest) = (1, code);
        let mut word_before = String::new();
        while let Some(c) = rest.chars().next() {
            if c.is_ascii_alphabetic() || c == '_' {
                let (paths, length) = tree(rest);
                let lines = rest[..length].matches('\n').count();
                for path in paths {
                    if path.contains("::") {
                        let inline_modules = scopes.iter().filter(|is_module| **is_module).count();
                        found.push(Written { line, path, inline_modules });
                    } else {
                        word_before.clone_from(&path);
                    }
                }
                line += lines;
                rest = &rest[length..];
                // `mod name {` opens a module.
                if word_before == "mod" {
                    let trimmed = rest.trim_start();
                    let name = trimmed.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count();
                    let after = trimmed[name..].trim_start();
                    if name > 0 && after.starts_with('{') {
                        let skip = rest.len() - after.len();
                        line += rest[..skip].matches('\n').count();
                        rest = &after[1..];
                        scopes.push(true);
                    }
                    word_before.clear();
                }
                continue;
            }
            match c {
                '\n' => line += 1,
                '{' => scopes.push(false),
                '}' => drop(scopes.pop()),
                _ => {}
            }
            rest = &rest[c.len_utf8()..];
        }
        found
    }

    fn rooted(&self, path: &str, inline_modules: usize) -> String {
        let mut rest = path.strip_prefix("self::").unwrap_or(path);
        let mut up = 0;
        while let Some(inner) = rest.strip_prefix("super::") {
            (rest, up) = (inner, up + 1);
        }
        if up > 0 && up >= self.depth() + inline_modules { format!("crate::{rest}") } else { path.to_owned() }
    }
}

/// A path as it stands in a source.
struct Written {
    line: usize,
    path: String,
    /// How many modules of the same file are around it.
    inline_modules: usize,
}

/// A path from the crate's root on, as it is meant in `module`.
fn absolute(module: &[&str], written: &Written) -> String {
    if let Some(path) = written.path.strip_prefix("crate::") {
        return path.to_owned();
    }
    let mut rest = written.path.strip_prefix("self::").unwrap_or(&written.path);
    let mut up = 0_usize;
    while let Some(inner) = rest.strip_prefix("super::") {
        (rest, up) = (inner, up + 1);
    }
    let base = &module[..module.len().saturating_sub(up.saturating_sub(written.inline_modules))];
    let parts: Vec<&str> = base.iter().copied().chain([rest]).collect();
    parts.join("::")
}

/// The statements that pass names on (`pub use …;`), and the rest, each with the lines of both.
fn divide_exports(code: &str) -> (String, String) {
    let (mut exports, mut rest) = (String::new(), String::new());
    let mut is_export = false;
    for line in code.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let public = trimmed.strip_prefix("pub").map_or("", |after| match after.strip_prefix('(') {
            Some(scope) => scope.split_once(')').map_or("", |(_, after)| after),
            None => after,
        });
        is_export |= public.trim_start().starts_with("use ");
        let (to, other) = if is_export { (&mut exports, &mut rest) } else { (&mut rest, &mut exports) };
        to.push_str(line);
        other.push('\n');
        is_export &= !trimmed.trim_end().ends_with(';');
    }
    (exports, rest)
}

/// Reads a path, with the braces that may end it, from the beginning of `code`:
/// the paths it stands for and how many bytes it takes.
fn tree(code: &str) -> (Vec<String>, usize) {
    let word = code.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let name = &code[..word];
    let Some(after) = code[word..].strip_prefix("::") else { return (vec![name.to_owned()], word) };
    let mut at = word + 2;
    let inner = match after.bytes().next() {
        Some(b'{') => {
            at += 1;
            let mut inner = Vec::new();
            loop {
                at += code[at..].bytes().take_while(|b| b.is_ascii_whitespace() || *b == b',').count();
                match code[at..].bytes().next() {
                    Some(b) if b.is_ascii_alphabetic() || b == b'_' => {
                        let (paths, length) = tree(&code[at..]);
                        at += length;
                        inner.extend(paths);
                        // `as Other` names nothing new.
                        if let Some(renamed) = code[at..].strip_prefix(" as ") {
                            at += 4 + renamed
                                .bytes()
                                .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                                .count();
                        }
                    }
                    Some(b'}') => {
                        at += 1;
                        break;
                    }
                    Some(_) => at += 1,
                    None => break,
                }
            }
            inner
        }
        Some(b) if b.is_ascii_alphabetic() || b == b'_' => {
            let (paths, length) = tree(after);
            at += length;
            paths
        }
        // A glob, or generic arguments.
        _ => vec!["*".to_owned()],
    };
    (
        inner
            .into_iter()
            .map(|path| if path == "self" { name.to_owned() } else { format!("{name}::{path}") })
            .collect(),
        at,
    )
}

/// Whether `line` calls this macro, and not one whose name ends likewise.
fn names(line: &str, print: &str) -> bool {
    line.match_indices(print).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && line[at + print.len()..].starts_with(['(', '[', '{'])
    })
}

/// Blanks out comments and the insides of string and character literals; lines stay lines.
fn strip(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let skip = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => 1 + literal(&rest[1..]),
            'r' if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_literal(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if skip == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..skip].chars().filter(|c| *c == '\n'));
            rest = &rest[skip..];
        }
    }
    out
}

/// Bytes to the end of a string literal, its closing quote included.
fn literal(rest: &str) -> usize {
    let mut escaped = false;
    for (at, b) in rest.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Bytes of a raw string literal; 0 when it is none.
fn raw_literal(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
    let Some(inner) = rest[1 + hashes..].strip_prefix('"') else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    inner.find(&end).map_or(rest.len(), |at| 1 + hashes + 1 + at + end.len())
}

/// Bytes of a character literal; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(0, |at| at + 4),
        Some((_, c)) => match chars.next() {
            Some((at, '\'')) if c != '\'' => at + 1,
            _ => 0,
        },
        None => 0,
    }
}
