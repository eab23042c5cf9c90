//! A client of TLS whose server is not in the capture.
//!
//! Its secrets are found by what its hello says. In TLS 1.3 nothing else is needed to read it but the cipher
//! suite, which is found by trying; before, keys are made with what the server's hello says.

use super::keyed::Known;
use super::{Context, Phase, Session};
use crate::limits;
use crate::model::{At, Flow, ON, Side};
use crate::tls::{self, Hello, Kind};

impl Session {
    /// Whether nothing came of a server whose client speaks TLS, and need not come.
    pub(super) fn is_unanswered(&self, side: Side) -> bool {
        let Phase::Encrypted(tls) = &self.phase else { return false };
        !self.about.both_heard
            && self.about.client == Some(side)
            && tls.begins[side.other().index()].is_empty()
    }

    /// Takes what such a client sends, of whose last bytes so many were kept: once one of its records shows
    /// the suite, all that it says is deciphered.
    pub(super) fn unanswered(
        &mut self,
        (side, last, at): (Side, &[u8], At),
        kept: usize,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        if let Some((suite, secrets)) = self.suite_of_client(side, cx) {
            cx.memory.undeciphered.is_known();
            let known = Known { secrets, begin: None, suite: Some(suite), is_unasked: false };
            return self.decipher(known, (side, last, at), kept, cx);
        }
        if let Phase::Encrypted(tls) = &self.phase
            && tls.begins[side.index()].len() == limits::TLS_HELLO
        {
            self.watch_encrypted(cx);
        }
        ON
    }

    /// The suite that one of the client's records opens with that were not tried before, and how many secrets
    /// of the connection there are.
    fn suite_of_client(&mut self, client: Side, cx: &Context<'_, '_>) -> Option<(u16, usize)> {
        let Phase::Encrypted(tls) = &mut self.phase else { return None };
        if cx.memory.secrets.is_empty() || tls.is_cut {
            return None;
        }
        let begin = &tls.begins[client.index()];
        let Hello::Client(hello) = tls::hello(begin) else { return None };
        let secrets = cx.memory.secrets.session(&hello.random)?;
        let mut rest = &begin[..];
        let mut sealed = 0;
        while let Some(record) = tls::record(rest).filter(tls::Record::is_whole) {
            let (bytes, later) = rest.split_at(record.length);
            rest = later;
            if record.kind != Kind::ApplicationData {
                continue;
            }
            sealed += 1;
            if sealed > limits::TLS_RECORDS_FAILED {
                return None;
            }
            if sealed > tls.tried {
                tls.tried = sealed;
                if let Some(suite) = tls::suite_of(bytes, &secrets) {
                    return Some((suite, secrets.count()));
                }
            }
        }
        None
    }
}
