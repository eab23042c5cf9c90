//! `docs/dialects.md` is written from the protocols themselves, and each has a sample in which it is spoken.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use wstool::app::{DIALECTS, Dialect};
use wstool::model::{App, Body, Flow, ON, Sink, Unit, Wants};

use crate::pages;
use crate::shelf::{Sample, root};

/// The protocols that a sample's messages speak.
#[derive(Default)]
struct Spoken(BTreeSet<&'static str>);

impl Spoken {
    fn hear(&mut self, app: &App) {
        self.0.insert(app.protocol);
        app.packets.iter().for_each(|packet| self.hear(packet));
    }
}

impl Sink for Spoken {
    fn wants(&self) -> Wants {
        Wants { payload: 1 << 20, app: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if let Body::Message(message) = unit.body {
            message.app.iter().for_each(|app| self.hear(app));
        }
        ON
    }
}

#[test]
fn each_protocol_is_spoken_in_its_sample() {
    let mut wrong = String::new();
    for dialect in DIALECTS {
        let mut spoken = Spoken::default();
        Sample::at(&root().join(dialect.sheet.sample)).play(&mut spoken);
        if !spoken.0.contains(dialect.id) {
            let _ = writeln!(wrong, "{}: {} has {:?}", dialect.id, dialect.sheet.sample, spoken.0);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// `UPDATE_DOCS=1 cargo test --test house dialects` writes it.
#[test]
fn the_page_of_protocols_says_what_the_code_says() {
    pages::hold("docs/dialects.md", &page(), "dialects");
}

fn page() -> String {
    let mut page = String::from(
        "# Protocols inside messages\n\n\
         What messages mean to the application is told where they speak one of these protocols. One is\n\
         recognised by the subprotocol that the handshake agreed on, by the target of the request, or by\n\
         what its messages show, never by one byte alone; what is recognised by its target still has to\n\
         read as a message of it. Where replies name their requests, each says what it answers and after\n\
         how long, and requests that are never answered, answered twice or refused are told.\n\n\
         Engine.IO and Socket.IO are followed besides, over HTTP polling and WebSocket together. What the\n\
         protocols are held against stands in [rules](rules.md); records of them have the keys of\n\
         [ndjson](ndjson.md#app).\n\n\
         This page is written from the code (`UPDATE_DOCS=1 cargo test --test house dialects`). How to add\n\
         a protocol: [CONTRIBUTING](../CONTRIBUTING.md#a-protocol-over-websocket).\n\n\
         | protocol | `protocol` | recognised by | what is decoded | sample | specification |\n\
         |----------|------------|---------------|-----------------|--------|---------------|\n",
    );
    for dialect in DIALECTS {
        let sheet = &dialect.sheet;
        let source = match sheet.source {
            (title, "") => title.to_owned(),
            (title, at) => format!("[{title}]({at})"),
        };
        let cell = |text: &str| text.replace('|', "\\|");
        let (id, sample) = (dialect.id, sheet.sample);
        let (name, shown, decoded) = (cell(sheet.name), cell(&recognised(dialect)), cell(sheet.decoded));
        let _ = writeln!(
            page,
            "| {name} | `{id}` | {shown} | {decoded} | [`{sample}`](../samples/{sample}) | {source} |"
        );
    }
    page
}

/// The subprotocols of a protocol, and what else shows it.
fn recognised(dialect: &Dialect) -> String {
    let names: Vec<String> = dialect.subprotocols.iter().map(|name| format!("`{name}`")).collect();
    let by_name = match names.len() {
        0 => String::new(),
        1 => format!("subprotocol {}", names[0]),
        _ => format!("subprotocols {}", names.join(", ")),
    };
    let shown = dialect.sheet.shown_by;
    assert!(
        !shown.is_empty() || dialect.looks_like.is_none() && dialect.target.is_none(),
        "{} does not say by what it is recognised",
        dialect.id
    );
    match (by_name.as_str(), shown) {
        ("", shown) => shown.to_owned(),
        (names, "") => names.to_owned(),
        (names, shown) => format!("{names}; {shown}"),
    }
}
