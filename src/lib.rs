//! `wstool` teaches and inspects the WebSocket protocol.
//!
//! # The house
//!
//! Everything the tool shows comes from one dissection. A decoder reads bytes
//! and produces [units](model::Unit); every view is a function of units.
//!
//! ```text
//! bytes ─► input ─► net ─► http ─► ws ─► app   decoders
//! hex, pcap,  link, IP,    h2       frames,   Engine.IO,
//! pcapng,     TCP streams           messages  Socket.IO, …
//! raw          │                      │
//!              └──────── units ───────┴─► sink: render, stats, compare, lesson
//! ```
//!
//! # To use it
//!
//! A [`Decoder`](decoder::Decoder) takes the bytes of connections from anywhere and tells a
//! [`Sink`](model::Sink), such as a view, what they carry:
//!
//! ```
//! use wstool::decoder::{Beginning, Decoder};
//! use wstool::model::{At, FlowId, Side};
//! use wstool::render::{Options, Tree};
//!
//! let mut decoder = Decoder::new(Tree::new(Vec::new(), Options::default()));
//! decoder.open(FlowId(0), &Beginning::GIVEN);
//! decoder.data(FlowId(0), Side::A, b"\x81\x05Hello", At::default());
//! let (tree, totals) = decoder.finish();
//! assert_eq!((totals.frames, totals.findings.len()), (1, 0));
//! assert!(String::from_utf8(tree.finish()?)?.contains("Hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/` has three programs: `tap` decodes what passes a TCP relay, `close_codes` counts how the
//! connections of captures ended, and `assert_finding` holds a server against the rules in a test.
//! Packets come by way of the [`pipeline`].
//!
//! # The layers
//!
//! Layers, imports running downward only (`tests/house/layering.rs` holds this):
//!
//! - `main.rs`, [`cli`]: arguments, files, clock, environment, terminal, exit codes
//! - [`render`]: one file a view, and pages of words; imports [`model`] and [`lang`] only
//! - [`lesson`]: the course: exercises from seeds, answers judged, mistakes named; handouts, grading
//! - [`compare`]: what polling and WebSocket cost: by formula, by simulation, in captures, and what was
//!   measured live
//! - [`explain`]: what a word of the field means, in two languages
//! - [`replay`]: handshakes as films, and what it takes to play them again
//! - [`lab`]: servers and clients for every way to deliver messages, and how they are measured; has sockets
//!   and threads
//! - [`grade`]: the conformance suite: its cases, and what plays and judges them
//! - [`synth`]: writes frames and whole conversations, right and deliberately wrong
//! - [`pipeline`], [`decoder`], [`session`], [`timeline`], [`select`]: packets to flows to connections to
//!   units; with the feature `threads` on two of them, if asked to
//! - [`input`], [`net`], [`tls`], [`http`], `h2`, [`ws`], [`app`]: siblings, none of which imports another
//! - [`coding`]: content codings, for all who meet what is compressed
//! - [`model`], [`limits`]: the vocabulary; [`lang`]: the tool's words in each language

#![warn(missing_docs)]

pub mod app;
pub mod cause;
#[cfg(feature = "cli")]
pub mod cli;
pub mod coding;
#[cfg(feature = "cli")]
pub mod compare;
pub mod decoder;
#[cfg(feature = "cli")]
pub mod explain;
#[cfg(all(feature = "cli", feature = "lab"))]
pub mod grade;
#[cfg(feature = "h2")]
pub mod h2;
pub mod http;
pub mod input;
#[cfg(feature = "lab")]
pub mod lab;
pub mod lang;
#[cfg(feature = "cli")]
pub mod lesson;
pub mod limits;
pub mod model;
pub mod net;
pub mod pipeline;
pub mod render;
pub mod replay;
pub mod select;
pub mod session;
pub mod synth;
#[cfg(test)]
mod testing;
pub mod timeline;
pub mod tls;
pub mod ws;

/// The rules that traffic is held against, from the spec sheets of the layers, under what they are about.
pub fn rule_lists() -> Vec<(String, &'static [&'static model::Rule])> {
    let mut lists: Vec<(String, &'static [&'static model::Rule])> = vec![
        ("The opening handshake".to_owned(), http::RULES),
        ("Handshakes in their surroundings".to_owned(), http::CONNECTION_RULES),
        ("Frames, messages and closing".to_owned(), ws::RULES),
        ("Compressed messages".to_owned(), ws::DEFLATE_RULES),
        ("TCP and the capture".to_owned(), net::RULES),
        ("TLS".to_owned(), tls::RULES),
        ("Engine.IO and Socket.IO".to_owned(), app::RULES),
        ("Requests of all protocols".to_owned(), app::REQUEST_RULES),
        ("What streams over HTTP".to_owned(), http::stream::RULES),
    ];
    #[cfg(feature = "h2")]
    lists.insert(4, ("HTTP/2".to_owned(), crate::h2::RULES));
    lists.extend(cause::lists().into_iter().map(|(about, rules)| (about.to_owned(), rules)));
    let dialects = app::DIALECTS.iter().filter(|dialect| !dialect.rules.is_empty());
    // Two subprotocols may be one protocol, written differently.
    lists.extend(
        dialects.map(|dialect| (format!("Messages of {}", dialect.rules[0].cite.doc), dialect.rules)),
    );
    lists
}

/// Every rule that traffic is held against.
pub fn rules() -> impl Iterator<Item = &'static model::Rule> {
    rule_lists().into_iter().flat_map(|(_, rules)| rules).copied()
}

/// Every kind of field that is annotated, from the spec sheets of the layers. A field
/// that two protocols share comes twice.
pub fn fields() -> impl Iterator<Item = &'static model::FieldDef> {
    let http = http::fields::FIELDS
        .iter()
        .chain(http::stream::FIELDS)
        .copied()
        .chain(http::fields::HEADERS.iter().map(|known| &known.def));
    let app = app::FIELDS.iter().chain(app::DIALECTS.iter().flat_map(|dialect| dialect.fields)).copied();
    #[cfg(feature = "h2")]
    let app = app.chain(crate::h2::FIELDS.iter().copied());
    ws::FIELDS.iter().chain(tls::fields::FIELDS).copied().chain(http).chain(app)
}
