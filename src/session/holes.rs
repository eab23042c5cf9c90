//! What the capture lacks of a connection, as its phases have to know it.

use super::follow::Missed;
use super::tls::Hole;
use super::{Context, Phase, Session, Start};
use crate::model::{At, Dir, Gap, GapEffect, Interest, Missing, ON, Rule, Side};

impl Session {
    /// So much of one side is not in the capture, which is against `rule`.
    pub fn gap(
        &mut self,
        side: Side,
        missing: Missing,
        between: (Option<u64>, Option<u64>),
        rule: &'static Rule,
        cx: &mut Context<'_, '_>,
    ) -> Interest {
        let length = missing.length;
        if let Phase::Tls(tls) = &mut self.phase {
            let interest = tls.gap(side, length, Hole { between, rule }, cx);
            let flow = self.heed(interest, cx);
            return self.interest(flow);
        }
        self.follow_http();
        self.cut_preface(side);
        // A frame may be under way that is known by its beginning.
        let at = At { packet: between.0.unwrap_or_default(), ..At::default() };
        let stops = self.give_up_unasked(cx).is_break()
            || self.release_preface(cx).is_break()
            || self.probe_end(at, cx).is_break()
            || self.http(cx, |http, about, cx| http.stop_waiting(at, about, cx)).is_break();
        if stops {
            return Interest::Stop;
        }
        self.about.offsets[side.index()] = self.about.offsets[side.index()].saturating_add(length);
        let dir = self.about.dir(side).unwrap_or(Dir::Server);
        self.about.lacks[dir.index()] = true;
        let offset = self.about.offsets[side.index()].saturating_sub(length);
        let missed = Missed { gap: Gap { offset, length, between, effect: GapEffect::WithinStream }, rule };
        if let Phase::Http(_) | Phase::New | Phase::Probe(_) = self.phase
            && let Some(conn) = self.about.conn()
        {
            // What comes next need not answer what was asked last.
            cx.out.sink().behind(conn, dir);
        }
        let flow = match &mut self.phase {
            Phase::WebSocket(talk) => talk.gap(dir, missing, between, rule, cx.out, cx.scratch),
            Phase::Http(_) => self.http(cx, |http, about, cx| http.miss(dir, missed, about, cx)),
            Phase::New | Phase::Probe(_) => {
                self.about.start =
                    if self.about.start == Start::Opened { Start::Midway } else { self.about.start };
                self.phase = Phase::New;
                ON
            }
            Phase::Encrypted(_) => {
                self.watch_encrypted(cx);
                if let Phase::Sealed(sealed) = &mut self.phase {
                    sealed.gap(side);
                }
                ON
            }
            #[cfg(feature = "h2")]
            Phase::Http2(_) => self.http2(cx, |http2, to| http2.gap(dir, missing, missed, to)),
            Phase::Sealed(sealed) => {
                sealed.gap(side);
                ON
            }
            Phase::Lines(_) => self.line_end(dir, at, cx),
            Phase::Asked(_) | Phase::Tls(_) | Phase::Other => ON,
        };
        self.interest(flow)
    }

    /// Bytes of one side are not there that the other had when it sent what comes next.
    pub fn behind(&mut self, side: Side, cx: &mut Context<'_, '_>) {
        self.follow_http();
        let dir = self.about.dir(side).unwrap_or(Dir::Server);
        self.about.lacks[dir.index()] = true;
        if let Some(conn) = self.about.conn() {
            cx.out.sink().behind(conn, dir);
        }
        match &mut self.phase {
            Phase::WebSocket(talk) => talk.behind(dir),
            Phase::Http(http) => http.behind(dir),
            #[cfg(feature = "h2")]
            Phase::Http2(http2) => http2.behind(dir, cx),
            Phase::Tls(tls) => tls.inner_mut().behind(side, cx),
            Phase::Sealed(sealed) => sealed.gap(side),
            Phase::New
            | Phase::Asked(_)
            | Phase::Probe(_)
            | Phase::Encrypted(_)
            | Phase::Lines(_)
            | Phase::Other => {}
        }
    }

    /// Whether what comes next of one side was received a while before it was captured.
    pub fn late(&mut self, side: Side, is_late: bool, cx: &mut Context<'_, '_>) {
        if let Phase::Tls(tls) = &mut self.phase {
            return tls.inner_mut().late(side, is_late, cx);
        }
        self.about.is_late = is_late;
        if is_late && let Some(conn) = self.about.conn() {
            // Nothing may rest on its not having been there.
            cx.out.sink().behind(conn, self.about.dir(side).unwrap_or(Dir::Server));
        }
        if let Phase::WebSocket(talk) = &mut self.phase {
            talk.late(is_late);
        }
    }
}
