//! How frames of the connection itself are told.

use super::Around;
use crate::h2::{FrameSeen, describe, summary};
use crate::model::{At, Body, Dir, Finding, Flow, ON, Opening, Source, SourceId, Unit};

/// As views call the layer.
const LAYER: &str = "HTTP/2";

/// Findings whose spans are of what `source` names.
pub(super) fn named(mut findings: Vec<Finding>, source: SourceId) -> Vec<Finding> {
    for span in findings.iter_mut().flat_map(|finding| &mut finding.spans) {
        if span.source == SourceId::Input {
            span.source = source;
        }
    }
    findings
}

/// Tells of a frame.
pub(super) fn frame(
    dir: Dir,
    frame: &FrameSeen,
    findings: Vec<Finding>,
    to: &mut Around<'_, '_, '_>,
) -> Flow {
    let source = to.about.source(dir);
    let findings = named(findings, source);
    let (words, bytes) = (summary(frame), frame.bytes());
    let opening = Opening::new(frame.offset, "http2", &words, &bytes).of_length(frame.length()).on(LAYER);
    let wants_fields = to.cx.out.wants().fields;
    let fields = if wants_fields { describe(frame, source) } else { Vec::new() };
    let carried = wants_fields.then(|| Source::carried(source, frame.pieces.clone()));
    let packets = frame.pieces.first().map(|first| (first.packet, frame.at.packet));
    to.cx.out.emit(&Unit {
        dir: Some(dir),
        time: frame.at.time,
        packets,
        fields: &fields,
        findings: &findings,
        sources: carried.as_slice(),
        ..Unit::of(to.about.number(), Body::Opening(&opening))
    })
}

/// Tells of findings that belong to no frame that is shown.
pub(super) fn note(dir: Dir, findings: Vec<Finding>, at: At, to: &mut Around<'_, '_, '_>) -> Flow {
    let findings = named(findings, to.about.source(dir));
    to.about.told.as_ref().map_or(ON, |told| told.note(dir, at, &findings, to.cx))
}
