//! A connection of TLS, record by record: what it says in clear, and what it deciphers to where its secrets
//! are known.
//!
//! ```text
//! bytes ─► record ─┬─ in clear ─► hellos, alerts ─► which secrets are needed
//!                  └─ sealed ─► Opener ─► handshake messages, alerts, content of the layer above
//! ```
//!
//! Which keys a direction has changes with what is said: behind the server's hello, behind each `Finished`
//! and `KeyUpdate` in TLS 1.3 (RFC 8446 §2, §4.6.3), behind each `ChangeCipherSpec` up to TLS 1.2 (RFC 5246
//! §7.1).

mod early;
mod inferred;
mod keys;

use std::sync::Arc;

use self::early::Early;
pub use self::inferred::{opens_for_server, suite_of};
use self::keys::{Attempt, label};
use super::cipher::{Opener, updated};
use super::half::{Half, Stage};
use super::hello::{self, Hello};
use super::secrets::{Label, Secrets, SessionSecrets};
use super::{ClientHello, HEADER, ServerHello, TLS_1_3};
use crate::limits;
use crate::model::{At, Dir, Flow, Missing, ON};

/// A record with what is known of where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'a> {
    /// Who sent it.
    pub dir: Dir,
    /// Where it begins in its sender's stream.
    pub offset: u64,
    /// Which record of its direction it is, from 1.
    pub number: u64,
    /// All of it, as it was sent.
    pub bytes: &'a [u8],
    /// From which of its bytes on it came from where.
    pub pieces: &'a [(usize, At)],
    /// Where in it the first byte of its content stands.
    pub before: usize,
    /// It was enciphered.
    pub sealed: bool,
}

impl<'a> Carried<'a> {
    /// Where the last of it came from.
    pub fn last(&self) -> At {
        self.pieces.last().map_or_else(At::default, |(_, at)| *at)
    }

    /// Where the first of it came from.
    pub fn first(&self) -> At {
        self.pieces.first().map_or_else(At::default, |(_, at)| *at)
    }

    /// Its content in runs each of which one packet carried: nobody could read it before all of the record
    /// was there.
    pub fn runs<'p>(&self, content: &'p [u8]) -> impl Iterator<Item = (&'p [u8], At)> + use<'p, 'a> {
        let (pieces, before, time) = (self.pieces, self.before, self.last().time);
        pieces.iter().enumerate().filter_map(move |(place, (from, at))| {
            let end = pieces.get(place + 1).map_or(usize::MAX, |(next, _)| *next);
            let start = (*from).max(before);
            let run = content.get(start - before..end.saturating_sub(before).min(content.len()))?;
            let at = At { byte: at.byte.saturating_add((start - from) as u32), time, ..*at };
            (!run.is_empty()).then_some((run, at))
        })
    }
}

/// What a record brings.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Content of the layer above.
    Data(&'a [u8]),
    /// A message of the handshake is whole.
    Handshake(Message<'a>),
    /// An alert.
    Alert {
        /// 1 for a warning, 2 for a fatal one.
        level: u8,
        /// Which.
        code: u8,
    },
    /// Data that a client sent before it had an answer: so many bytes, enciphered.
    EarlyData {
        /// Bytes of the record's body.
        length: usize,
        /// It is kept until it is known whether the server takes it.
        waits: bool,
    },
    /// Content of the layer above is missing.
    Lost {
        /// How much content.
        content: Missing,
        /// Records.
        records: u64,
    },
    /// What follows cannot be deciphered.
    Trouble(Trouble),
}

/// A message of the handshake.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its type.
    pub kind: u8,
    /// Bytes of it with its header.
    pub length: usize,
    /// All of it where it is one that is looked into, or nothing.
    pub bytes: &'a [u8],
    /// Where its bytes stand in its sender's stream: from which of them on, and where that one is. Empty if
    /// they were enciphered.
    pub places: &'a [(usize, u64)],
}

/// Why something cannot be deciphered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The key log lacks this secret.
    Missing(Label),
    /// The record does not authenticate with the secret that there is.
    NotAuthentic,
    /// No cipher suite of this number is supported.
    Suite(u16),
    /// No version of this number is supported.
    Version(u16),
    /// Bytes are missing of the handshake.
    Hole,
}

/// Whoever is told, and knows secrets.
pub trait Ear {
    /// Takes what a record brings.
    fn hear(&mut self, carried: &Carried<'_>, event: Event<'_>) -> Flow;

    /// The secrets of the session with this client random, as far as they are known by now.
    fn secrets(&mut self, random: &[u8; 32]) -> Option<Arc<SessionSecrets>>;
}

/// Who knows all secrets from the beginning.
impl<F: FnMut(&Carried<'_>, Event<'_>) -> Flow> Ear for (&Secrets, F) {
    fn hear(&mut self, carried: &Carried<'_>, event: Event<'_>) -> Flow {
        self.1(carried, event)
    }

    fn secrets(&mut self, random: &[u8; 32]) -> Option<Arc<SessionSecrets>> {
        self.0.session(random)
    }
}

/// Both directions of a connection.
#[derive(Default)]
pub struct Machine {
    /// Those of the session that the client asked for last.
    secrets: Arc<SessionSecrets>,
    halves: [Half; 2],
    /// What each said last.
    client: Option<ClientHello>,
    server: Option<ServerHello>,
    /// What the server chose within TLS 1.3.
    alpn: Option<String>,
    /// What the client sent before it had an answer.
    early: Early,
    /// The server was not heard.
    is_inferred: bool,
    plain: Vec<u8>,
}

impl Machine {
    /// Says where in the stream of a direction its first byte stands.
    pub fn begin_at(&mut self, dir: Dir, offset: u64) {
        self.half(dir).offset = offset;
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        self.halves.iter().map(Half::cost).sum::<usize>() + self.early.cost() + self.plain.capacity()
    }

    /// The client's latest hello.
    pub fn client(&self) -> Option<&ClientHello> {
        self.client.as_ref()
    }

    /// The server's latest hello.
    pub fn server(&self) -> Option<&ServerHello> {
        self.server.as_ref()
    }

    /// The protocol that the server chose, as far as that was seen. Untrusted.
    pub fn alpn(&self) -> Option<&str> {
        self.alpn.as_deref().or(self.server.as_ref()?.alpn.as_deref())
    }

    /// Takes the next bytes of a direction.
    pub fn push(&mut self, dir: Dir, bytes: &[u8], at: At, to: &mut dyn Ear) -> Flow {
        let mut rest = bytes;
        let mut at = at;
        while !rest.is_empty() {
            if self.half(dir).blocked {
                self.half(dir).offset += rest.len() as u64;
                return ON;
            }
            if self.half(dir).search.is_some() {
                self.half(dir).hold(rest, at);
                return self.search(dir, to);
            }
            let taken = self.half(dir).take(rest, at);
            let (now, later) = rest.split_at(taken.used);
            if let Some(whole) = taken.direct {
                let pieces = [(0, at)];
                self.record(dir, &now[..whole], &pieces, to)?;
            } else if taken.is_whole {
                self.held_record(dir, to)?;
            } else if taken.is_broken {
                // It is no record, or the one before was not as long as it said.
                if self.half(dir).opener.is_none() {
                    self.half(dir).block();
                    return self.tell(dir, Event::Trouble(Trouble::Hole), to);
                }
                self.half(dir).begin_search(0);
                return self.search(dir, to);
            }
            at.byte = at.byte.saturating_add(now.len() as u32);
            rest = later;
        }
        ON
    }

    /// The next `length` bytes of a direction are missing.
    pub fn gap(&mut self, dir: Dir, length: u64, to: &mut dyn Ear) -> Flow {
        if self.half(dir).blocked {
            self.half(dir).offset += length;
            return ON;
        }
        // What is left of a record that is lost already.
        let skipped = length.min(self.half(dir).skip as u64);
        self.half(dir).skip -= skipped as usize;
        let length = length - skipped;
        if length == 0 {
            return ON;
        }
        let stage = self.half(dir).stage;
        if self.half(dir).opener.is_none() && self.is_new() && stage != Stage::Clear {
            // What is missing is told when it is.
            let _ = self.key(dir, label(dir, stage));
        }
        if stage == Stage::Handshake {
            self.half(dir).next = self.opener(label(dir, Stage::Traffic)).ok();
        }
        if self.half(dir).opener.is_none() {
            let half = self.half(dir);
            half.offset += length + half.held.len() as u64;
            half.block();
            return self.tell(dir, Event::Trouble(Trouble::Hole), to);
        }
        let half = self.half(dir);
        match half.missing_of_record() {
            // Where the next one begins is known.
            Some((whole, missing)) if length <= missing && half.search.is_none() => {
                half.skip = (missing - length) as usize;
                let content = half.content_of(whole, 1);
                half.offset += whole;
                half.number += 1;
                half.forget_held();
                if let Some(opener) = &mut half.opener {
                    opener.sequence += 1;
                }
                self.tell(dir, Event::Lost { content, records: 1 }, to)
            }
            _ => {
                half.begin_search(length);
                ON
            }
        }
    }

    pub(super) fn half(&mut self, dir: Dir) -> &mut Half {
        &mut self.halves[dir.index()]
    }

    /// Tells something that no record brings.
    fn tell(&self, dir: Dir, event: Event<'_>, to: &mut dyn Ear) -> Flow {
        let half = &self.halves[dir.index()];
        let carried = Carried {
            dir,
            offset: half.offset,
            number: half.number + 1,
            bytes: &[],
            pieces: &[],
            before: 0,
            sealed: true,
        };
        to.hear(&carried, event)
    }

    /// Looks for the next record that opens, in what has come behind a hole: records have no number of their
    /// own, so a few are tried.
    fn search(&mut self, dir: Dir, to: &mut dyn Ear) -> Flow {
        let mut plain = std::mem::take(&mut self.plain);
        let found = self.half(dir).look(&mut plain);
        self.plain = plain;
        let Some(found) = found else {
            return if self.half(dir).blocked {
                self.tell(dir, Event::Trouble(Trouble::Hole), to)
            } else {
                ON
            };
        };
        self.tell(dir, Event::Lost { content: found.content, records: found.records }, to)?;
        let (bytes, pieces) = self.half(dir).take_held();
        // As if it came again, in its pieces.
        let mut cuts: Vec<usize> = pieces.iter().map(|(from, _)| *from).collect();
        cuts.push(bytes.len());
        for (place, (start, at)) in pieces.iter().enumerate() {
            self.push(dir, &bytes[*start..cuts[place + 1]], *at, to)?;
        }
        ON
    }

    /// A record that came in pieces is whole.
    fn held_record(&mut self, dir: Dir, to: &mut dyn Ear) -> Flow {
        let (bytes, pieces) = self.half(dir).take_held();
        let flow = self.record(dir, &bytes, &pieces, to);
        self.half(dir).give_back(bytes, pieces);
        flow
    }

    /// Takes a whole record.
    fn record(&mut self, dir: Dir, bytes: &[u8], pieces: &[(usize, At)], to: &mut dyn Ear) -> Flow {
        let half = self.half(dir);
        half.number += 1;
        let offset = half.offset;
        half.offset += bytes.len() as u64;
        let number = half.number;
        let mut carried = Carried { dir, offset, number, bytes, pieces, before: HEADER, sealed: false };
        let Some((header, body)) = bytes.split_first_chunk::<HEADER>() else { return ON };
        let kind = header[0];
        let is_new = self.is_new();
        if kind == 20 {
            // In TLS 1.3 it means nothing (RFC 8446 §D.4): in front of early data there is no answer yet.
            let is_early =
                self.server.is_none() && self.client.as_ref().is_some_and(|hello| hello.early_data);
            return if is_new || is_early { ON } else { self.change_cipher(dir, &carried, to) };
        }
        let stage = self.halves[dir.index()].stage;
        // An alert of who cannot encipher yet has two bytes.
        let is_clear = stage == Stage::Clear || is_new && (kind != 23 || body.len() < 17);
        if is_clear {
            return match kind {
                23 if dir == Dir::Client => {
                    self.early.keep(&carried);
                    to.hear(&carried, Event::EarlyData { length: body.len(), waits: true })
                }
                23 => ON,
                _ => self.content(&carried, kind, body, to),
            };
        }
        carried.sealed = true;
        let mut plain = std::mem::take(&mut self.plain);
        let opened = if is_new {
            self.open_new(dir, *header, body, &mut plain)
        } else {
            self.open(dir, *header, body, &mut plain)
        };
        let flow = match opened {
            Attempt::Opened(opened) => {
                if dir == Dir::Client && self.is_inferred && !self.early.is_empty() {
                    self.early_of_one(to)?;
                }
                let half = self.half(dir);
                half.failed = 0;
                half.is_padded |= is_new && opened.length + Opener::INSIDE < body.len();
                carried.before = HEADER + opened.before;
                self.content(&carried, opened.kind, &plain[..opened.length], to)
            }
            Attempt::Early => {
                if self.is_inferred {
                    self.early.keep(&carried);
                }
                to.hear(&carried, Event::EarlyData { length: body.len(), waits: self.is_inferred })
            }
            Attempt::Skipped => ON,
            Attempt::Trouble(trouble) => {
                let half = self.half(dir);
                half.failed += 1;
                let is_first = half.failed == 1;
                if trouble != Trouble::NotAuthentic || half.failed > limits::TLS_RECORDS_FAILED {
                    half.block();
                }
                let content = half.content_of(bytes.len() as u64, 1);
                let told = if is_first { to.hear(&carried, Event::Trouble(trouble)) } else { ON };
                if told.is_continue() && stage != Stage::Handshake {
                    to.hear(&carried, Event::Lost { content, records: 1 })
                } else {
                    told
                }
            }
        };
        self.plain = plain;
        flow
    }

    /// Takes what a record carries.
    pub(super) fn content(
        &mut self,
        carried: &Carried<'_>,
        kind: u8,
        content: &[u8],
        to: &mut dyn Ear,
    ) -> Flow {
        match (kind, content) {
            (21, &[level, code]) => to.hear(carried, Event::Alert { level, code }),
            (22, _) => self.handshake(carried, content, to),
            (23, _) if !content.is_empty() => to.hear(carried, Event::Data(content)),
            _ => ON,
        }
    }

    /// Takes bytes of handshake messages, of which several may lie in a record and one in several.
    fn handshake(&mut self, carried: &Carried<'_>, content: &[u8], to: &mut dyn Ear) -> Flow {
        let mut rest = content;
        while !rest.is_empty() {
            let consumed = content.len() - rest.len();
            let place = carried.offset + (carried.before + consumed) as u64;
            let half = self.half(carried.dir);
            let used = half.message.take(rest, (!carried.sealed).then_some(place));
            rest = &rest[used..];
            let Some(whole) = self.half(carried.dir).message.whole() else { continue };
            let takes_early = self.said(carried.dir, whole.kind, &whole.bytes, to);
            let event = Event::Handshake(Message {
                kind: whole.kind,
                length: whole.length,
                bytes: &whole.bytes,
                places: &whole.places,
            });
            to.hear(carried, event)?;
            if let Some(takes_early) = takes_early {
                self.early_data(takes_early, to)?;
            }
        }
        ON
    }

    /// What follows from a handshake message; whether the server takes early data, where it says so.
    fn said(&mut self, dir: Dir, kind: u8, message: &[u8], to: &mut dyn Ear) -> Option<bool> {
        match kind {
            1 | 2 if !message.is_empty() => match hello::read(message, &mut None) {
                Hello::Client(hello) if dir == Dir::Client => {
                    self.secrets = to.secrets(&hello.random).unwrap_or_default();
                    self.client = Some(hello);
                }
                Hello::Server(hello) if dir == Dir::Server => {
                    if hello.version == TLS_1_3 && !hello.retries {
                        // One that was inferred may be far already.
                        for half in self.halves.iter_mut().filter(|half| half.stage == Stage::Clear) {
                            half.stage = Stage::Handshake;
                        }
                    }
                    self.server = Some(hello);
                }
                _ => {}
            },
            8 if !message.is_empty() => {
                let (alpn, takes_early) = hello::encrypted_extensions(message, &mut None)?;
                self.alpn = alpn;
                return Some(takes_early);
            }
            // The end of early data (RFC 8446 §4.5).
            5 if self.is_new() && dir == Dir::Client => {
                let half = self.half(dir);
                (half.stage, half.opener) = (Stage::Handshake, None);
            }
            20 if self.is_new() => {
                let half = self.half(dir);
                (half.stage, half.opener) = (Stage::Traffic, None);
            }
            24 if self.is_new() => {
                let suite = self.suite().ok()?;
                let half = self.half(dir);
                let secret = updated(suite.hash, &half.secret)?;
                half.opener = Opener::of_traffic(suite, &secret);
                half.secret = secret;
            }
            _ => {}
        }
        None
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests;
