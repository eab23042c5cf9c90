//! Connections of TLS that cannot be deciphered although there is a key log.

use std::net::SocketAddr;

use crate::model::{At, Body, Case, Finding, Flow, Lacking, ON, Out, Text, Unit};
use crate::tls::SECRET_MISSING;

/// What is remembered of them.
#[derive(Debug, Default)]
pub struct Undeciphered {
    /// There is a key log for whatever is decoded.
    pub(crate) is_given: bool,
    /// The capture has lines of a key log.
    pub(crate) is_captured: bool,
    /// Sessions of the key log that were tried for servers whose client was not heard.
    pub(super) tried: usize,
    /// Connections of which there is a secret.
    with: u64,
    /// Connections of which there is none.
    without: u64,
    /// The first of those.
    first: Option<Box<First>>,
}

#[derive(Debug)]
struct First {
    server: Option<SocketAddr>,
    name: String,
    random: [u8; 32],
    at: At,
}

impl Undeciphered {
    /// What is remembered where another capture begins.
    pub(crate) fn of_next(&self) -> Self {
        Self { is_given: self.is_given, ..Self::default() }
    }

    /// Whether there is a key log for the capture, or in it.
    pub(super) fn has_log(&self) -> bool {
        self.is_given || self.is_captured
    }

    /// There is a secret of a connection.
    pub(super) fn is_known(&mut self) {
        self.with += 1;
    }

    /// There is no secret of a connection.
    pub(super) fn is_unknown(
        &mut self,
        server: Option<SocketAddr>,
        name: Option<&str>,
        random: [u8; 32],
        at: At,
    ) {
        self.without += 1;
        let name = name.unwrap_or_default().to_owned();
        self.first.get_or_insert_with(|| Box::new(First { server, name, random, at }));
    }

    /// All was seen: a key log that fits no connection is worth telling, unless another capture has it.
    pub(crate) fn tell_all(&mut self, out: &mut Out<'_>) -> Flow {
        if !self.has_log() {
            return ON;
        }
        let Self { with: 0, without: 1.., first: Some(first), .. } = self else { return ON };
        let First { server, name, random, at } = &**first;
        let server = server.map(|server| server.to_string()).unwrap_or_default();
        let of = |words: Text| words.and(&server).and(name).and(Lacking::of(*random).short());
        let got = Text::new("none of {} TLS connections; the first is to {} {}, with client random {}");
        let got = of(got.and(self.without));
        let what = match self.without {
            1 => of("the key log has no secret of the TLS connection to {} {}, with client random {}".into()),
            without => {
                let words = "the key log has no secret of {} TLS connections; the first is to {} {}, with \
                             client random {}";
                of(Text::with(words, without))
            }
        };
        let finding =
            Finding::new(&SECRET_MISSING, None, "secrets of a connection in the capture".into(), got)
                .like(Case::new(what, Vec::new()));
        let at = *at;
        *self = self.of_next();
        out.emit(&Unit { findings: &[finding], ..Unit::about_input(Body::Note).at(at) })
    }
}
