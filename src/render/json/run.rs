//! The records of a run: what is read, and the totals.

use std::io::Write;

use super::record::list;
use super::write::Writer;
use super::{SCHEMA, TOOL};
use crate::model::{FileTotals, InputFile, Meta, Other, Rule, SeverityCounts, Summary, Time};

/// The record `meta`.
pub(crate) fn meta<W: Write>(meta: &Meta, w: &mut Writer<W>) {
    w.raw(r#"{"type":"meta","schema":"#);
    w.string(SCHEMA);
    w.raw(r#","tool":"#);
    w.string(TOOL);
    w.raw(r#","input":"#);
    w.string(&meta.input);
    w.raw(r#","format":"#);
    w.string(&meta.format);
    w.raw(r#","link_types":"#);
    list(&meta.link_types, w, |w, name| w.string(name));
    w.raw(r#","start":"#);
    start(meta.start, w);
    if !meta.files.is_empty() {
        w.raw(r#","concat":"#);
        w.bool(meta.concat);
        w.raw(r#","files":"#);
        list(&meta.files, w, file);
    }
}

fn start<W: Write>(time: Option<Time>, w: &mut Writer<W>) {
    match time {
        Some(time) => w.seconds(time.0),
        None => w.raw("null"),
    }
}

/// One of several files.
fn file<W: Write>(w: &mut Writer<W>, file: &InputFile) {
    w.raw(r#"{"input":"#);
    w.string(&file.name);
    w.raw(r#","format":"#);
    w.optional_string(file.format.as_deref());
    w.raw(r#","link_types":"#);
    list(&file.link_types, w, |w, name| w.string(name));
    w.raw(r#","start":"#);
    start(file.start, w);
    w.raw("}");
}

/// What one of several files came to.
fn file_totals<W: Write>(w: &mut Writer<W>, file: &FileTotals) {
    w.raw(r#"{"input":"#);
    w.string(&file.name);
    for (key, total) in [
        (r#","packets":"#, file.packets),
        (r#","bytes":"#, file.bytes),
        (r#","connections":"#, file.connections),
        (r#","frames":"#, file.frames),
        (r#","messages":"#, file.messages),
    ] {
        w.raw(key);
        w.number(total);
    }
    w.raw(r#","complete":"#);
    w.bool(file.error.is_none());
    w.raw(r#","error":"#);
    w.optional_string(file.error.as_ref().map(ToString::to_string).as_deref());
    w.raw("}");
}

/// The record `summary`.
pub(crate) fn summary<W: Write>(summary: &Summary, w: &mut Writer<W>) {
    w.raw(r#"{"type":"summary""#);
    for (key, total) in [
        (r#","packets":"#, summary.packets),
        (r#","bytes":"#, summary.bytes),
        (r#","connections":"#, summary.connections),
        (r#","frames":"#, summary.frames),
        (r#","messages":"#, summary.messages),
    ] {
        w.raw(key);
        w.number(total);
    }
    if !summary.others.is_empty() {
        w.raw(r#","others":"#);
        list(&summary.others, w, other);
    }
    findings_by_rule(&summary.findings, w);
    findings_by_severity(summary.findings.by_severity(), w);
    w.raw(r#","complete":"#);
    w.bool(summary.error.is_none());
    w.raw(r#","error":"#);
    w.optional_string(summary.error.as_ref().map(ToString::to_string).as_deref());
    if !summary.files.is_empty() {
        w.raw(r#","files":"#);
        list(&summary.files, w, file_totals);
    }
}

/// Connections of another protocol.
fn other<W: Write>(w: &mut Writer<W>, other: &Other) {
    w.raw(r#"{"protocol":"#);
    w.string(other.protocol);
    w.raw(r#","server":"#);
    w.optional_display(other.server);
    w.raw(r#","server_name":"#);
    w.optional_string(other.server_name.as_deref());
    w.raw(r#","version":"#);
    w.optional_string(other.version);
    w.raw(r#","alpn":"#);
    list(&other.alpn, w, |w, name| w.string(name));
    w.raw(r#","connections":"#);
    w.number(other.connections);
    w.raw("}");
}

/// `findings_by_rule`: an object of rule ids and counts.
pub(crate) fn findings_by_rule<W: Write>(findings: &[(&Rule, u64)], w: &mut Writer<W>) {
    w.raw(r#","findings_by_rule":{"#);
    for (i, (rule, count)) in findings.iter().enumerate() {
        if i > 0 {
            w.raw(",");
        }
        w.string(rule.id);
        w.raw(":");
        w.number(*count);
    }
    w.raw("}");
}

/// `findings_by_severity`: an object of `error`, `warning` and `note`.
pub(crate) fn findings_by_severity<W: Write>(counts: SeverityCounts, w: &mut Writer<W>) {
    w.raw(r#","findings_by_severity":{"error":"#);
    w.number(counts.errors);
    w.raw(r#","warning":"#);
    w.number(counts.warnings);
    w.raw(r#","note":"#);
    w.number(counts.notes);
    w.raw("}");
}
