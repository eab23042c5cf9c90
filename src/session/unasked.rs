//! A server of TLS 1.3 whose client is not in the capture.
//!
//! What names its secrets in a key log is what the client said. But its hello says the cipher suite, and
//! which of the sessions it is shows by its first record behind that: only the right secret opens it.

use super::encrypted::Encrypted;
use super::keyed::Known;
use super::{Context, Phase, Session, Side, Start};
use crate::limits;
use crate::model::{At, Flow, ON};
use crate::tls::{self, Hello, Kind};

/// What is found out of such a server.
enum Whose {
    /// Its first record is not whole yet.
    Undecided,
    /// The session with this client random, of which there are so many secrets.
    Session([u8; 32], usize),
    /// None that is known.
    Nobodys,
}

impl Session {
    /// Keeps what a server says first whose client was not heard; `None` where there are no secrets to try.
    pub(super) fn begin_unasked(
        &mut self,
        (side, bytes, at): (Side, &[u8], At),
        offset: u64,
        cx: &mut Context<'_, '_>,
    ) -> Option<Flow> {
        if self.about.both_heard || self.about.client == Some(side) || cx.memory.secrets.is_empty() {
            return None;
        }
        self.about.client = Some(side.other());
        let mut tls = Encrypted::of(offset, at);
        tls.is_unasked = true;
        let kept = tls.keep(side, bytes, at, offset);
        self.phase = Phase::Encrypted(Box::new(tls));
        Some(self.unasked((side, bytes, at), kept, cx))
    }

    /// Takes what such a server sends: once its first record has shown whose it is, all that it says is
    /// deciphered, and where it shows nobody's it is what it was without secrets.
    pub(super) fn unasked(
        &mut self,
        (side, bytes, at): (Side, &[u8], At),
        kept: usize,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        match self.whose(side, cx) {
            Whose::Session(random, secrets) => {
                cx.memory.undeciphered.is_known();
                let known = Known { secrets, begin: Some(random), suite: None, is_unasked: true };
                self.decipher(known, (side, bytes, at), kept, cx)
            }
            Whose::Undecided => ON,
            Whose::Nobodys => {
                let offset = self.about.offsets[side.index()] - (bytes.len() - kept) as u64;
                self.give_up_unasked(cx)?;
                let at = At { byte: at.byte.saturating_add(kept as u32), ..at };
                if kept < bytes.len() { self.pass(side, &bytes[kept..], at, offset, cx) } else { ON }
            }
        }
    }

    fn whose(&mut self, side: Side, cx: &mut Context<'_, '_>) -> Whose {
        let Phase::Encrypted(tls) = &self.phase else { return Whose::Nobodys };
        let begin = &tls.begins[side.index()];
        let Hello::Server(hello) = tls::hello(begin) else { return Whose::Nobodys };
        let mut rest = &begin[..];
        // What is in clear comes first, and none of it is longer than what is kept.
        let sealed = loop {
            let Some(record) = tls::record(rest) else { break None };
            if !record.is_whole() {
                break None;
            }
            let (bytes, later) = rest.split_at(record.length);
            if record.kind == Kind::ApplicationData {
                break Some(bytes);
            }
            rest = later;
        };
        if hello.version != tls::TLS_1_3 || self.about.client == Some(side) {
            return Whose::Nobodys;
        }
        let Some(sealed) = sealed else {
            return if tls.is_cut || rest.len() >= 5 && tls::record(rest).is_none() {
                Whose::Nobodys
            } else {
                Whose::Undecided
            };
        };
        let most = limits::TLS_SESSIONS_TRIED.saturating_sub(cx.memory.undeciphered.tried);
        let (found, tried) =
            cx.memory.secrets.find(most, |it| tls::opens_for_server(sealed, hello.suite, it));
        cx.memory.undeciphered.tried += tried;
        found.map_or(Whose::Nobodys, |(random, secrets)| Whose::Session(random, secrets.count()))
    }

    /// Nothing more comes of a server whose session is open, or nobody has its secrets: it is looked at as
    /// whatever begins in the middle.
    #[inline]
    pub(super) fn give_up_unasked(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let is_unasked = matches!(&self.phase, Phase::Encrypted(tls) if tls.is_unasked);
        if is_unasked { self.look_from_here(cx) } else { ON }
    }

    #[cold]
    fn look_from_here(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Encrypted(tls) = std::mem::replace(&mut self.phase, Phase::New) else { return ON };
        self.about.start = Start::Midway;
        tls.said().try_for_each(|(side, bytes, at, offset)| self.pass(side, bytes, at, offset, cx))
    }
}
