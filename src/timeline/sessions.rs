//! How sessions of Engine.IO end, and when they are forgotten.

use super::{Body, Flow, ON, SessionEnd, Sink, Summary, Timeline, Unit};
use crate::model::{AppSession, Finding};

impl<S: Sink> Timeline<S> {
    pub(super) fn end_session(&mut self, number: u32, how: SessionEnd) -> Flow {
        let Some(ended) = self.table.end(number, how, self.now) else { return ON };
        self.show_session(&ended.record, &ended.findings, ended.packets)
    }

    pub(super) fn show_session(
        &mut self,
        session: &AppSession,
        findings: &[Finding],
        packets: Option<(u64, u64)>,
    ) -> Flow {
        self.count(findings);
        let conn = session.conns.last().copied().unwrap_or_default();
        let (body, time) = (Body::Session(session), session.ended);
        self.pass(&Unit { time, packets, findings, ..Unit::of(conn, body) })
    }

    /// Ends the sessions that were idle for longest when there are too many.
    pub(super) fn make_room(&mut self) -> Flow {
        for number in self.table.too_many() {
            self.end_session(number, SessionEnd::CaptureEnd)?;
        }
        ON
    }

    /// Another file begins, which may have been captured elsewhere: its sessions are its own.
    pub(super) fn forget(&mut self) -> Flow {
        for number in self.table.all() {
            self.end_session(number, SessionEnd::CaptureEnd)?;
        }
        self.table.forget();
        self.conns.clear();
        self.requests.held = 0;
        self.now = None;
        ON
    }

    pub(super) fn summary(&mut self, unit: &Unit<'_>, summary: &Summary) -> Flow {
        for number in self.table.all() {
            // A sink that has had enough takes the summary all the same.
            let _: Flow = self.end_session(number, SessionEnd::CaptureEnd);
        }
        if self.tally.is_empty() {
            return self.pass(unit);
        }
        let summary = summary.with_findings(&std::mem::take(&mut self.tally));
        self.pass(&Unit { body: Body::Summary(&summary), ..*unit })
    }
}
