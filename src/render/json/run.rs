//! The records of a run: what is read, and the totals.

use std::io::Write;

use super::value::{List, Members, Seconds, ToJson, members, object, open, with};
use super::write::Writer;
use super::{SCHEMA, TOOL};
use crate::model::{
    Account, FileTotals, InputFile, Meta, Other, QuietEnds, Rule, SealedRecords, SeverityCounts, Summary,
};

/// The record `meta`.
pub(crate) fn meta<W: Write>(meta: &Meta, w: &mut Writer<W>) {
    open!(w, "type": "meta", "schema": SCHEMA, "tool": TOOL, "input": &meta.input, "format": &meta.format);
    members!(w, "link_types": List(&meta.link_types), "start": meta.start);
    if let Some(account) = &meta.account {
        members!(w, "told_by": &account.by, "lacks": List(Account::LACKS));
    }
    if !meta.files.is_empty() {
        members!(w, "concat": meta.concat, "files": List(&meta.files));
    }
}

/// One of several files.
impl<W: Write> ToJson<W> for &InputFile {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "input": &self.name,
            "format": self.format.as_deref(),
            "link_types": List(&self.link_types),
            "start": self.start,
        );
    }
}

/// `packets` to `messages`: how many of everything, in a file or in all of them.
macro_rules! totals {
    ($w:expr, $of:expr) => {
        members!(
            $w,
            "packets": $of.packets,
            "bytes": $of.bytes,
            "connections": $of.connections,
            "frames": $of.frames,
            "messages": $of.messages,
        );
    };
}

/// What one of several files came to.
impl<W: Write> ToJson<W> for &FileTotals {
    fn put(self, w: &mut Writer<W>) {
        open!(w, "input": &self.name);
        totals!(w, self);
        members!(w, "complete": self.error.is_none(), "error": self.error.as_ref());
        w.raw("}");
    }
}

/// The record `summary`.
pub(crate) fn summary<W: Write>(summary: &Summary, w: &mut Writer<W>) {
    open!(w, "type": "summary");
    totals!(w, summary);
    if !summary.others.is_empty() {
        members!(w, "others": List(&summary.others));
    }
    findings_by_rule(&summary.findings, w);
    findings_by_severity(summary.findings.by_severity(), w);
    members!(w, "complete": summary.error.is_none(), "error": summary.error.as_ref());
    if !summary.files.is_empty() {
        members!(w, "files": List(&summary.files));
    }
}

/// Connections of another protocol.
impl<W: Write> ToJson<W> for &Other {
    fn put(self, w: &mut Writer<W>) {
        open!(
            w,
            "protocol": self.protocol,
            "server": self.server,
            "server_name": self.server_name.as_deref(),
            "version": self.version,
            "alpn": List(&self.alpn),
            "connections": self.connections,
        );
        if self.is_tls() {
            members!(w, "hello": !self.is_joined || self.version.is_some(), "deciphered": self.is_read);
        }
        if let Some(lacking) = &self.lacking {
            members!(w, "without_secrets": with(|w: &mut Writer<W>| {
                object!(w, "connections": lacking.connections, "client_random": &*lacking.digits());
            }));
        }
        if let Some(sealed) = &self.sealed {
            let [client, server] = &sealed.sides;
            members!(w, "encrypted": with(|w: &mut Writer<W>| {
                open!(w, "client": client, "server": server, "seconds": Seconds(sealed.longest));
                members!(w, "perhaps_websocket": sealed.likely);
                if sealed.quiet.iter().any(|quiet| quiet.connections > 0) {
                    members!(w, "ended_after_silence": Quiet(&sealed.quiet));
                }
                w.raw("}");
            }));
        }
        w.raw("}");
    }
}

/// Connections that ended after a silence, by who ended them.
struct Quiet<'a>(&'a [QuietEnds; 2]);

impl<W: Write> ToJson<W> for Quiet<'_> {
    fn put(self, w: &mut Writer<W>) {
        let Self([client, server]) = self;
        object!(w, "client": client, "server": server);
    }
}

impl<W: Write> ToJson<W> for &QuietEnds {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "connections": self.connections,
            "least_seconds": Seconds(self.least),
            "most_seconds": Seconds(self.most),
        );
    }
}

/// Encrypted records of one side.
impl<W: Write> ToJson<W> for &SealedRecords {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "records": self.records,
            "bytes": self.bytes,
            "least": self.least,
            "most": self.most,
        );
    }
}

/// `findings_by_rule`: an object of rule ids and counts.
pub(crate) fn findings_by_rule<W: Write>(findings: &[(&'static Rule, u64)], w: &mut Writer<W>) {
    let by_rule = findings.iter().map(|(rule, count)| (rule.id, *count));
    members!(w, "findings_by_rule": Members(by_rule));
}

/// `findings_by_severity`: an object of `error`, `warning` and `note`.
pub(crate) fn findings_by_severity<W: Write>(counts: SeverityCounts, w: &mut Writer<W>) {
    let by_severity = |w: &mut Writer<W>| {
        object!(w, "error": counts.errors, "warning": counts.warnings, "note": counts.notes);
    };
    members!(w, "findings_by_severity": with(by_severity));
}
