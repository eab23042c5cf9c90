//! The catalogue of another language is whole, tidy and well-spoken.
//!
//! English is complete by definition: its words are the keys. That no word is
//! missing in Chinese is held three ways: the sources are read for words that
//! have no translation, all that decoders say of every sample is looked up, and
//! `tests/cli/chinese.rs` searches every view of every sample for English.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use wstool::lab::pages;
use wstool::lang::Lang;
use wstool::lang::catalogue::Catalogue;
use wstool::model::film::Film;
use wstool::model::{
    App, Arg, Body, Diagnosis, Field, FieldDef, Finding, Flow, ON, Rule, Sink, Text, Unit, Wants,
};

use crate::literals::{Literal, literals};
use crate::shelf::{self, samples};

/// Parts of the sources that say nothing in another language: records for programs,
/// and what generators of exercises put into the words of the lessons.
const SILENT: &[&str] = &[
    // What clap says of options.
    "app/keys.rs",
    // The specifications' own names.
    "app/jsonrpc/names.rs",
    "app/mqtt/names.rs",
    "app/path.rs",
    // Headings of docs/causes.md.
    "cause/mod.rs",
    // Of shells, and of files.
    "cli/completions.rs",
    "cli/decode/export/named.rs",
    // Messages of a test.
    "cli/decode/ways.rs",
    "cli/decode/tables/folder.rs",
    "cli/explain/record.rs",
    // Words of other tools' command lines.
    "cli/habits/filter.rs",
    "cli/habits/names.rs",
    // Those of schemas.
    "cli/protocols/edition.rs",
    // Heads as browsers and servers send them: see those of a comparison below.
    "compare/heads.rs",
    "decoder/ways.rs",
    "explain",
    // What is wrong with a file of cases, between TOML's own words.
    "grade/load.rs",
    "input/capture/write.rs",
    "lab",
    "lang/",
    "lesson/course",
    "lesson/handout/html.rs",
    // Headings of docs/rules.md.
    "lib.rs",
    "limits",
    "render/compare/chart.rs",
    "render/compare/data.rs",
    // Names and markup around words that stand in the catalogue.
    "render/grade/autobahn.rs",
    "render/grade/html",
    "render/grade/json.rs",
    "render/grade/junit.rs",
    "render/har.rs",
    "render/har/exchange.rs",
    // Names that the script of a page knows, and the page around it.
    "render/html/blocks.rs",
    "render/html/fields.rs",
    "render/html/known.rs",
    "render/html/page.rs",
    "render/html/records.rs",
    "render/html/shown.rs",
    "render/html/view.rs",
    "render/html/wire.rs",
    "render/json",
    "render/stats/json.rs",
    // Columns, for docs/many.md.
    "render/tables",
    "select",
    // Heads, frames and packets that are written.
    "synth/conversation.rs",
    "synth/frames.rs",
    "synth/handshake.rs",
    "synth/rewrite.rs",
    "synth/tcp.rs",
    "synth/workload.rs",
    "synth/wrap.rs",
];

/// Parts in which a literal is hardly ever anything but words.
const WORDY: &[&str] = &["cli/", "render/"];

/// Literals that are no words of the tool, by what they are.
const KEPT: &[(&str, &[&str])] = &[
    (
        "what is written in HTTP/2",
        &[":protocol: websocket", ":scheme: http", "sec-websocket-version: 13", ":method: CONNECT"],
    ),
    (
        "help and usage, which clap says",
        &[
            ", or all",
            "echo",
            "accept, version, upgrade, connection, key, protocol, extensions, status=CODE, slow, split=BYTES",
            "one of {NAMES}",
            "no view has that name",
            "say what to write: FORMAT={text}; the formats are {}",
            "the formats are {}",
            "where to? {}=PATH",
        ],
    ),
    (
        "what requests of Engine.IO say, and their refusals",
        &["&sid=", "transport=", "{}&transport={transport}"],
    ),
    ("names of threads, files and protocols", &["keeper", ".proto:", "google.", "quic"]),
    (
        "cases that look what kind of server it is, and what a request says of who asks",
        &[
            " (conformance cases, grade --gentle)",
            "chapter = \"framing\"\n[[case]]\nid = \"probe\"\ntitle = { en = \"\", zh = \"\" }\n",
            "patience = \"2s\"\nplay = \"await 1\\nrst\"",
            "patience = \"{}s\"\nplay = 'text \"{WORDS}\"'\npass = \"echo\"",
            "wstool grade: do you send this back?",
            "play = ''\npass = ''",
            "broadcastserver",
            "echoclient",
            "echoserver",
            "fuzzingclient",
            "fuzzingserver",
            "testeeclient",
            "testeeserver",
            "  http{s}://{ours}/  {}",
            "  ws{s}://{ours}  {how}",
            "wstool grade --listen {ours}",
            "there are too many agents",
            "this is a WebSocket: open it with a WebSocket client\n",
            "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             {fields}Connection: {}close\r\n\r\n",
            "&amp;",
            "&gt;",
            "&lt;",
            "</details>\n",
            "ping \"still there\"",
            "pong \"still there\"",
            "wstool/",
            "{name}.pcap",
        ],
    ),
    (
        "words of cases, and the command that plays one",
        &[
            "wstool lesson {}",
            "close {}{shown}",
            "still {name}",
            "{again} --case {}",
            "text{}",
            "binary{}",
            "ping{}",
            "pong{}",
            "close {code}",
            "close {code}{}",
            "{again} --case {id} --explain",
            "wstool grade {}",
            " --cases-file {}",
            " --cert {cert} --key {key}",
            " --tls",
            "--cacert",
            "--cases-file",
            "--endpoint",
            "--http2",
            "--i-may",
            "--origin",
            "--subprotocol",
        ],
    ),
    (
        "keys of reports, and names of their formats and files",
        &[
            "agent",
            "behavior",
            "behaviorClose",
            "cases",
            "peers",
            "schema",
            "verdict",
            "json",
            "ndjson",
            "txt",
            "xml",
            "index.html",
            ".part",
        ],
    ),
    (
        "what is typed at the prompt of connect, and stands in its scripts",
        &[
            "hex:",
            "    hex:00ff, @FILE",
            "/binary HEX|@FILE",
            "/close [CODE [REASON]]",
            "/deflate on|off",
            "/emit EVENT [JSON…]",
            "/emit {line}",
            "/fragment N TEXT",
            "/help",
            "/ping [TEXT]",
            "/pong [TEXT]",
            "/quit",
            "/raw HEX|@FILE",
            "await",
            "deflate",
            "emit",
            "emit-ack",
            "expect",
            "expect-binary",
            "expect-close",
            "expect-pong",
            "expect-silence",
            "expect-text",
            "fragment",
            "json ",
            "json {path}",
            "json {path}={value}",
            "off",
            "on",
            "send",
            "send-binary",
            "timeout",
            "wait",
        ],
    ),
    (
        "of a client's requests, of Socket.IO and of URLs",
        &[
            " after {took}",
            "_placeholder",
            "ack {}{after} {data}",
            "ends",
            "hex:{}",
            "http://{}:{}",
            "max",
            "num",
            "panel",
            "permessage-",
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; {}",
            "socks",
            "ws://{authority}",
            "--proxy",
            "message",
        ],
    ),
    ("names of views", &["bits", "causes", "hex", "session", "stats", "table", "tree"]),
    (
        "words of the command line itself",
        &[
            "[space]  [b]  [q]",
            "--color",
            "--lang",
            "--lang=",
            "--lang={}",
            "compare",
            "encode",
            "help",
            "last",
            "random",
            "auto",
            "socketio",
            "wstool",
            "wstool ",
            "wstool-{name}",
            "dumb",
            "zh",
            "gb",
            "gi",
            "gib",
            "kb",
            "ki",
            "kib",
            "mb",
            "mi",
            "mib",
            "--file FILE",
            "$ wstool {}",
            "{name:>5}  {state}{}  wstool lesson {name}",
            "cmd",
            "exit",
            "hint",
            "quit",
            "sh",
            "learners",
            "lock",
            "explorer",
            "localhost",
            "macos",
            "nc",
            "nc {} {}",
            "off",
            "on",
            "serve",
            "xdg-open",
            "{name}.new",
            "/* {said} */\nstatic const unsigned char frame_{n}[{}] = {{",
        ],
    ),
    (
        "command lines that are proposed",
        &[
            " | wstool decode ",
            "--color=",
            "--follow",
            "--format",
            "--grep",
            "--output",
            "--stream",
            "any",
            "bin",
            "cap",
            "decode",
            "gz",
            "pcap",
            "pcapng",
            "port {}",
            "quiet",
            "silent",
            "tcpdump -i {} --immediate-mode -U -w -",
            "connect",
            "wstool connect -v {}",
            "wstool replay --to {}",
        ],
    ),
    (
        "how others are told to trust a certificate, and what a rule or a line of the prompt is read by",
        &[
            "curl",
            "curl --cacert {}",
            "NODE_EXTRA_CA_CERTS={} node …",
            "SSL_CERT_FILE={} python …",
            "wstool connect --cacert {} wss://…",
            "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n wstool -i {}",
            "certutil -user -addstore Root {}",
            "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {}",
            "sudo cp {} /usr/local/share/ca-certificates/wstool.crt; sudo update-ca-certificates",
            "authority",
            "new",
            "recorder",
            "proxy",
            "attach",
            "http://",
            "prompt",
            "signals",
            "pass> ",
            "/answer",
            "/close",
            "/drop",
            "close={}",
        ],
    ),
    (
        "what clap and parsers of numbers say, to be recognised",
        &[
            " comes before ",
            " is not from ",
            "one of ",
            "error: ",
            "regex parse error",
            " to ",
            " is not in ",
            "{size} is not from {least} to {most}",
            " is less than ",
            "{size} is less than {least}",
            "cannot parse float from empty string",
            "cannot parse integer from empty string",
            "invalid digit found in string",
            "invalid float literal",
            "number too large to fit in target type",
            "number too small to fit in target type",
        ],
    ),
    (
        "what Chromium says of a failure",
        &[
            "Connection closed before receiving",
            "HTTP Authentication failed",
            "'Upgrade' header",
            "'Connection' header",
            "'Sec-WebSocket-Accept' header",
            "no response was received",
            "'Sec-WebSocket-Protocol' header",
            "reserved bits are on",
            "as UTF-8",
            "frame",
            "previous message is unfinished",
            "timed out",
            "Unexpected response code: ",
            "Error in connection establishment: ",
            "Error during WebSocket handshake: ",
        ],
    ),
    (
        "what peers say, to be recognised",
        &[
            "ping timeout",
            "unmatched topic",
            "no required ssl certificate",
            "plain http request",
            "http request to an https server",
            "upstream connect error",
            "no healthy upstream",
            "connection refused",
            "connect: no route",
            "speaking plain http",
            "header or cookie too large",
            "header fields too large",
            "header too large",
            "Invalid websocket upgrade",
            "Invalid JSONP index number",
            "is not an accepted origin.",
            "The client is using an unsupported version of the Socket.IO or Engine.IO protocols",
        ],
    ),
    (
        "heads that a comparison counts, and times",
        &[
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
             Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
            "{:.1} ms",
            "{:.2} ms",
        ],
    ),
    (
        "names of options, as clap has them",
        &[
            "--live-server",
            "burst",
            "chart",
            "cookies",
            "direction",
            "duration",
            "heartbeat",
            "jitter",
            "loss",
            "mtu",
            "preset",
            "seed",
            "simulate",
            "sweep",
        ],
    ),
    (
        "what a process says to another, and parts of HTTP",
        &["client={client}", "content-length", "transfer-encoding", "unknown"],
    ),
    (
        "keys of JSON, names of formats and schemes",
        &[
            "about",
            "accept",
            "at",
            "decoded",
            "diagnosis",
            "fix",
            "group",
            "guid",
            "id",
            "joined",
            "path",
            "raw",
            "rule",
            "value",
            "what",
            "http",
            "https",
            "tls",
            "ws",
            "wss",
            "console",
        ],
    ),
    (
        "commands to type, and names of samples",
        &[
            "/broken/",
            "broken/{}",
            "samples",
            "samples/",
            "less -R",
            "wstool decode --view bits {}",
            "wstool replay {name}",
            "--write",
            " --lang zh",
            "```sh\nwstool lesson {lesson} --course {course} --student {seed}\n\
             wstool lesson answer {lesson}.1 \
             \"…\"\nwstool lesson report > {}\n```",
        ],
    ),
    (
        "from the wire, or a script's own words",
        &[
            "00 00 ff ff",
            "Bad handshake method",
            "Unsupported protocol version",
            "Upgrade: websocket",
            "onclose: code 1006, reason \"\", wasClean false",
            "sid",
            "two words",
            "websocket",
        ],
    ),
    (
        "sections of documents that are cited by their titles",
        &["Connection to a namespace", "Sending and receiving data"],
    ),
    ("what columns of a list are called", &["full name", "id number", "student id", "student name"]),
    ("names of files", &["html", "md", "png", "svg", "{}.html", "{}.md", ".cap", ".pcap", ".pcapng"]),
    ("units, and what stands for a sign in ASCII", &["min", "ms", "ns", "us", "{} min", "sec. "]),
    ("part of a line that is English in every language", &["Close 1000 from the "]),
    (
        "not shown to anybody",
        &[
            " at line ",
            "lessons/{slug}/lesson.toml has the exercises {ids:?}, the generators are {makes:?}",
            "open 10.0.0.9:5000 10.0.0.1:80 true",
        ],
    ),
];

fn zh() -> &'static Catalogue {
    Lang::Zh.catalogue().expect("Chinese has one")
}

fn is_kept(text: &str) -> bool {
    KEPT.iter().any(|(_, kept)| kept.contains(&text))
}

/// Literals that may be words.
fn spoken() -> Vec<Literal> {
    let mut all = literals();
    all.retain(|literal| {
        let words = words_in(&literal.text);
        let most = if is_in(&literal.file, WORDY) { 1 } else { 2 };
        let is_manual = literal.text.contains("Exit status:");
        !is_in(&literal.file, SILENT) && words >= most && !is_manual
    });
    all
}

fn is_in(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file.starts_with(place))
}

/// How many words of lower-case letters there are, holes not counted.
fn words_in(text: &str) -> usize {
    let mut outside = String::new();
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    let is_word = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'\'')
    };
    outside.split([' ', '\n']).filter(|word| is_word(word)).count()
}

#[test]
fn every_word_in_the_sources_has_a_translation() {
    let mut missing = BTreeSet::new();
    for Literal { file, text } in spoken() {
        let is_plural = zh().entries().any(|(_, plural, _)| plural == Some(&text));
        if zh().get(&text).is_none() && !is_plural && !is_kept(&text) {
            missing.insert((file, text));
        }
    }
    assert!(missing.is_empty(), "no Chinese in src/lang/zh.po for {missing:#?}");
}

/// What clap says of commands and options, from their doc comments.
fn help() -> Vec<String> {
    wstool::cli::help::paragraphs(wstool::cli::command())
}

#[test]
fn help_has_its_words() {
    let missing: Vec<_> =
        help().into_iter().filter(|text| text != "Socket.IO" && zh().get(text).is_none()).collect();
    assert!(missing.is_empty(), "no Chinese in src/lang/zh.po for {missing:#?}");
}

#[test]
fn pages_of_the_lab_have_their_words() {
    let missing: BTreeSet<_> = pages::words().filter(|words| zh().get(words).is_none()).collect();
    assert!(missing.is_empty(), "no Chinese in src/lang/zh.po for {missing:#?}");
}

#[test]
fn no_translation_is_left_over() {
    let mut all: BTreeSet<String> = literals().into_iter().map(|literal| literal.text).collect();
    all.extend(help());
    all.extend(pages::words().map(str::to_owned));
    let mut wrong = String::new();
    for (key, plural, translation) in zh().entries() {
        if translation.is_empty() {
            let _ = writeln!(wrong, "`{key}` has no translation");
        }
        for key in [Some(key), plural].into_iter().flatten().filter(|key| !all.contains(*key)) {
            let _ = writeln!(wrong, "`{key}` is said nowhere in src/");
        }
    }
    for kept in KEPT.iter().flat_map(|(_, kept)| *kept).filter(|kept| !all.contains(**kept)) {
        let _ = writeln!(wrong, "`{kept}` is kept as it is, but said nowhere in src/");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn fields_and_rules_have_their_words() {
    let fields = wstool::http::fields::HEADERS.iter().map(|known| &known.def);
    let mut lookup = Lookup::default();
    fields.for_each(|def| lookup.field_def(def));
    wstool::rules().for_each(|rule| lookup.rule(rule));
    lookup.check();
}

#[test]
fn what_decoders_say_of_the_samples_has_its_words() {
    let mut lookup = Lookup::default();
    for sample in samples().into_iter().chain(shelf::incidents()) {
        sample.play(&mut lookup);
    }
    for (_, film) in shelf::films() {
        lookup.film(&film);
    }
    assert!(lookup.seen.len() > 500, "only {} sentences were said", lookup.seen.len());
    lookup.check();
}

/// Collects the keys of all that is said.
#[derive(Default)]
struct Lookup {
    seen: BTreeSet<&'static str>,
    words_as_values: BTreeSet<String>,
}

impl Lookup {
    fn check(&self) {
        let known = |key: &str| key.is_empty() || zh().get(key).is_some() || is_kept(key) || words_free(key);
        let missing: Vec<_> = self.seen.iter().filter(|key| !known(key)).collect();
        assert!(missing.is_empty(), "no Chinese in src/lang/zh.po for {missing:#?}");
        assert!(
            self.words_as_values.is_empty(),
            "words that are not translated: {:#?}",
            self.words_as_values
        );
    }

    fn text(&mut self, text: &Text) {
        self.seen.insert(text.template);
        for (before, arg) in text.template.split("{}").zip(&text.args) {
            match arg {
                Arg::Words(words) => self.text(words),
                // In a sentence, a word that is passed as a value would stay English, unless it is quoted.
                Arg::Value(value) => {
                    let is_word = words_in(value) > 0 && zh().get(value).is_some_and(|word| word != value);
                    if is_word && !is_of_pages_alone(value) && text.template != "{}" && !before.ends_with('“')
                    {
                        self.words_as_values.insert(format!("{value} in {}", text.template));
                    }
                }
            }
        }
    }

    fn field_def(&mut self, def: &'static FieldDef) {
        self.seen.extend([def.label, def.help]);
    }

    fn field(&mut self, field: &Field) {
        self.field_def(field.def);
        self.text(&field.meaning);
    }

    fn rule(&mut self, rule: &'static Rule) {
        self.seen.extend([rule.title, rule.consequence, rule.severity.name()]);
    }

    fn finding(&mut self, finding: &Finding) {
        self.rule(finding.rule);
        self.text(&finding.expected);
        self.text(&finding.got);
        finding.cause.iter().for_each(|cause| self.diagnosis(cause));
        if let Some(case) = &finding.case {
            self.text(&case.what);
            case.behind.iter().for_each(|behind| self.diagnosis(behind));
        }
    }

    fn diagnosis(&mut self, diagnosis: &Diagnosis) {
        self.text(&diagnosis.what);
        self.text(&diagnosis.fix);
    }

    fn app(&mut self, app: &App) {
        self.seen.insert(app.name);
        self.text(&app.summary);
        app.fields.iter().for_each(|field| self.field(field));
    }

    fn film(&mut self, film: &Film) {
        for speech in [&film.request, &film.response].into_iter().flatten() {
            self.text(&speech.meaning);
            speech.why.iter().for_each(|why| self.field_def(why));
            for line in &speech.lines {
                self.text(&line.header.meaning);
                line.def.iter().for_each(|def| self.field_def(def));
                line.parts.iter().for_each(|part| self.field(part));
            }
            speech.findings.iter().for_each(|finding| self.finding(finding));
            speech.diagnoses.iter().for_each(|diagnosis| self.diagnosis(diagnosis));
        }
        for deal in &film.deals {
            self.seen.insert(deal.what);
            self.text(&deal.meaning);
        }
        film.around.iter().for_each(|finding| self.finding(finding));
        film.diagnoses.iter().for_each(|diagnosis| self.diagnosis(diagnosis));
        film.ruling.next.iter().chain(&film.ruling.browser).for_each(|words| self.text(words));
        if let Some(cause) = &film.ruling.cause {
            self.rule(cause.rule);
            self.text(&cause.got);
        }
    }
}

impl Sink for Lookup {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: 4096, app: true, causes: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        unit.fields.iter().for_each(|field| self.field(field));
        unit.findings.iter().for_each(|finding| self.finding(finding));
        match unit.body {
            Body::Http(head) => {
                head.headers.iter().for_each(|header| self.text(&header.meaning));
                head.diagnoses.iter().for_each(|diagnosis| self.diagnosis(diagnosis));
            }
            Body::Message(message) => message.app.iter().for_each(|app| self.app(app)),
            Body::Packet(packet) => self.app(packet.app),
            _ => {}
        }
        ON
    }
}

/// Whether only headings and buttons of the lab's pages say it: who says it in a sentence quotes a peer.
fn is_of_pages_alone(text: &str) -> bool {
    static ELSEWHERE: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let mut all = literals();
        all.retain(|literal| !is_in(&literal.file, SILENT));
        all.into_iter().map(|literal| literal.text).chain(help()).collect()
    });
    pages::words().any(|words| words == text) && !ELSEWHERE.contains(text)
}

/// Whether a key is holes, numbers and names that are the same in every language.
fn words_free(key: &str) -> bool {
    words_in(key) == 0
}

#[test]
fn holes_are_the_same() {
    for (key, plural, translation) in zh().entries() {
        let theirs = holes(translation);
        for english in [Some(key), plural].into_iter().flatten() {
            assert_eq!(holes(english), theirs, "`{english}` and `{translation}`");
        }
    }
}

/// The numbers of the holes.
fn holes(template: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for part in template.split('{').skip(1) {
        let Some((number, _)) = part.split_once('}') else { continue };
        match number.parse() {
            Ok(number) => assert!(found.insert(number), "`{template}` fills a hole twice"),
            Err(_) if number.is_empty() => assert!(found.insert(found.len()), "`{template}` mixes its holes"),
            Err(_) => {}
        }
    }
    found
}

/// What an English term is called in Chinese.
const GLOSSARY: &[(&[&str], &[&str])] = &[
    (&["frame", "frames"], &["帧"]),
    (&["framed"], &["成帧", "分界"]),
    (&["message", "messages"], &["消息"]),
    (&["fragment", "fragments"], &["分片", "片段"]),
    (&["fragmented"], &["分片"]),
    (&["continuation frame"], &["延续帧"]),
    (&["continuation"], &["延续"]),
    (&["control frame", "control frames"], &["控制帧"]),
    (&["opcode"], &["操作码"]),
    (&["payload", "payloads"], &["载荷"]),
    (&["masking key", "masking keys"], &["掩码键"]),
    (&["mask", "masked", "unmasked", "masking"], &["掩码"]),
    (&["network byte order"], &["网络字节序"]),
    (&["handshake", "handshakes"], &["握手"]),
    (&["opening handshake"], &["打开握手"]),
    (&["closing handshake"], &["关闭握手"]),
    (&["upgrade", "upgraded"], &["升级"]),
    (&["close code"], &["关闭码"]),
    (&["heartbeat", "heartbeats"], &["心跳"]),
    (&["subprotocol", "subprotocols"], &["子协议"]),
    (&["extension", "extensions"], &["扩展"]),
    (&["context takeover"], &["上下文接管"]),
    (&["idle"], &["空闲"]),
    (&["digest"], &["摘要"]),
    (&["hash", "hashed", "hashing"], &["散列"]),
    (&["polling", "polls", "poll"], &["轮询"]),
    (&["long polls"], &["长轮询"]),
    (&["origin", "origins"], &["源"]),
    (&["transport", "transports"], &["传输"]),
    (&["namespace", "namespaces"], &["命名空间"]),
    (&["acknowledged", "acknowledgement"], &["确认"]),
    (&["sticky sessions"], &["粘性会话"]),
    (&["middleware"], &["中间件"]),
    (&["receiver", "receivers"], &["接收方"]),
    (&["endpoint", "endpoints"], &["端点", "一方"]),
    (&["proxy", "proxies"], &["代理"]),
    (&["window", "windows"], &["窗口"]),
];

#[test]
fn terms_are_those_of_the_glossary() {
    let mut wrong = String::new();
    for (key, _, translation) in zh().entries() {
        let english =
            format!(" {} ", key.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != '_', " "));
        for (terms, theirs) in GLOSSARY {
            for term in terms.iter().filter(|term| english.contains(&format!(" {term} "))) {
                // A name from the wire stays as it is.
                let is_there = theirs.iter().any(|word| translation.contains(word))
                    || translation.to_lowercase().contains(term);
                if !is_there {
                    let theirs = theirs.join(" or ");
                    let _ = writeln!(wrong, "{term} is {theirs}, but `{key}` is `{translation}`");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Words that teach something wrong, and what the English must say to allow them.
const FORBIDDEN: &[(&str, &[&str])] = &[
    // Masking hides nothing; only who speaks of encryption may.
    ("加密", &["encrypt", "encipher", "enc-then-MAC"]),
    ("解密", &["decrypt", "ecipher"]),
    // A digest is no encoding; Base64 and UTF-8 are.
    ("编码", &["encod", "Base64", "decoded", "content coding"]),
    // That is a software framework.
    ("框架", &[]),
    // Neither Sec-WebSocket-Key nor a masking key is a secret; those of TLS are.
    (
        "密钥",
        &[
            "TLS",
            "secret",
            "key log",
            "keylog",
            "keys are logged",
            "log its keys",
            "key exchange",
            "pre-shared key",
            "key share",
            "key update",
            "earlier session",
        ],
    ),
    ("服务端", &[]),
    // "Online"; bytes are 线路上.
    ("线上", &[]),
    // One word for a thing: 抓包, Close 帧, 帧头.
    ("捕获", &[]),
    ("关闭帧", &[]),
    ("帧头部", &[]),
    ("報", &[]),
];

#[test]
fn forbidden_words_are_not_used() {
    let mut wrong = String::new();
    for (key, _, translation) in zh().entries() {
        for (word, needed) in FORBIDDEN.iter().filter(|(word, _)| translation.contains(word)) {
            if !needed.iter().any(|english| key.contains(english)) {
                let _ = writeln!(wrong, "{word} in `{translation}` for `{key}`");
            }
        }
        assert!(!translation.contains("SHA-1 编码"), "a digest is no encoding: `{translation}`");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn chinese_is_set_as_chinese_is() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for (key, _, translation) in zh().entries() {
        // A prompt ends with a space.
        let chars: Vec<char> = translation.trim_end().chars().collect();
        for pair in chars.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let touch = is_han(a) && b.is_ascii_alphanumeric() || a.is_ascii_alphanumeric() && is_han(b);
            assert!(!touch, "a space is missing between {a} and {b}: `{translation}`");
            assert!(!(is_han(a) && ",;:!?".contains(b)), "{b} is not Chinese: `{translation}`");
            assert!(!("，。；：？！（）".contains(a) && b == ' '), "a space after {a}: `{translation}`");
        }
        for (at, _) in translation.match_indices([' ']) {
            let before = translation[..at].chars().next_back();
            let after = translation[at + 1..].chars().next();
            let both = before.is_some_and(is_han) && after.is_some_and(|c| is_han(c) || c == '{');
            assert!(!both, "a space that comes by itself or not at all: `{translation}`");
        }
        let is_sentence = key.ends_with('.') && !key.ends_with(" Ext.");
        let ends = (is_sentence, translation.ends_with('。'));
        assert_eq!(ends.0, ends.1, "`{key}` and `{translation}` end alike");
        assert!(
            !translation.is_ascii() || key == translation || words_free(translation),
            "`{key}` is `{translation}`"
        );
    }
}
