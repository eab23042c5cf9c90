//! Findings: what is wrong, what was asked for, and what comes of it.

use std::borrow::Cow;

use super::outline::Outline;
use super::said::{Block, Setter};
use super::style::Ink;
use super::words::runs;
use crate::lang::Lang;
use crate::model::{Advice, Body, Diagnosis, Finding, Severity, SourceId, Span, Unit};

/// Says the findings of `unit`.
pub fn say(outline: &mut Outline, unit: &Unit<'_>, to: &mut dyn Setter) {
    for finding in unit.findings {
        let place = place(outline.lang(), unit, finding);
        to.set(Block::Finding { finding, place, advice: outline.advice.on(finding.rule) });
    }
    if let Body::Http(head) = unit.body {
        for cause in head.diagnoses {
            to.set(Block::Diagnosis(cause));
        }
    }
}

/// The colour of a severity.
pub fn ink(severity: Severity) -> Ink {
    match severity {
        Severity::Note => Ink::Note,
        Severity::Warning => Ink::Warning,
        Severity::Error => Ink::Error,
    }
}

/// What is said of a finding below its name, each line with its own; a line may be empty.
pub fn details(
    lang: Lang,
    finding: &Finding,
    place: Option<String>,
    advice: Option<Advice>,
) -> Vec<(&'static str, Cow<'static, str>)> {
    let rule = finding.rule;
    let got = lang.say(&finding.got);
    let got = match place {
        Some(place) if got.is_empty() => place.into(),
        Some(place) => lang.fill("{} ({})", &[&got, &place]).into(),
        None => got,
    };
    let mut details = vec![
        ("expected", lang.say(&finding.expected)),
        ("got", got),
        ("then", lang.words(rule.consequence).into()),
    ];
    if let Some(advice) = advice {
        details.push(("because", advice.why.into()));
        // What is usually behind it is told below, with what to change.
        if rule.usually.is_none() || finding.cause.is_none() {
            details.push(("fix", advice.fix.into()));
        }
    }
    details.extend(finding.cause.iter().flat_map(|cause| behind(lang, cause)));
    details
}

/// What may be behind something, and what to do about it.
pub fn behind(lang: Lang, cause: &Diagnosis) -> [(&'static str, Cow<'static, str>); 2] {
    [("likely", lang.say(&cause.what)), ("try", lang.say(&cause.fix))]
}

/// The highest severity of the rules that a unit breaks.
pub fn worst(unit: &Unit<'_>) -> Option<Severity> {
    unit.rules().map(|rule| rule.severity).max()
}

/// The bits of `span` counted from the first byte of the unit's frame, or of what a layer says, if it lies
/// there.
pub fn in_frame(unit: &Unit<'_>, span: Span) -> Option<(u64, u64)> {
    let shift = |by: u64| Some((span.start.checked_sub(by)?, span.end.checked_sub(by)?));
    let frame = match unit.body {
        Body::Frame(frame) => frame,
        Body::Opening(opening) if opening.layer.is_some() => {
            let is_own = span.source == SourceId::Input || span.source.sender() == unit.dir;
            return shift(opening.offset.checked_mul(8)?).filter(|_| is_own);
        }
        _ => return None,
    };
    if let Some(dir) = span.source.sender()
        && unit.dir.is_none_or(|sender| sender == dir)
    {
        return shift(frame.offset.checked_mul(8)?);
    }
    match span.source {
        SourceId::Input => shift(frame.offset.checked_mul(8)?),
        // Unmasking changes no place.
        SourceId::Payload { n, .. } if n == frame.n => {
            let header = u64::from(frame.header.header_length()) * 8;
            Some((span.start.checked_add(header)?, span.end.checked_add(header)?))
        }
        _ => None,
    }
}

/// Bits as `byte 1, bit 0`, `byte 0, bits 4–7`, `bytes 2–5`.
pub fn bits_in_words(lang: Lang, start: u64, end: u64) -> String {
    let (first, last) = (start / 8, end.saturating_sub(1).max(start) / 8);
    if start.is_multiple_of(8) && end.is_multiple_of(8) {
        if first == last {
            lang.fill("byte {}", &[&first])
        } else {
            lang.fill("bytes {}–{}", &[&first, &last])
        }
    } else if end - start == 1 {
        lang.fill("byte {}, bit {}", &[&first, &(start % 8)])
    } else if first == last {
        lang.fill("byte {}, bits {}–{}", &[&first, &(start % 8), &((end - 1) % 8)])
    } else {
        lang.fill("byte {}, bit {} to byte {}, bit {}", &[&first, &(start % 8), &last, &((end - 1) % 8)])
    }
}

/// Where a finding's most telling bits are.
fn place(lang: Lang, unit: &Unit<'_>, finding: &Finding) -> Option<String> {
    let span = *finding.spans.first()?;
    let whole = |span: &Span| match span.source {
        SourceId::Packet { number } if span.is_empty() => Some(number),
        _ => None,
    };
    let packets: Vec<u64> = finding.spans.iter().filter_map(whole).collect();
    if !packets.is_empty() {
        let words = if packets.len() == 1 { "packet {}" } else { "packets {}" };
        return Some(lang.fill(words, &[&runs(&packets)]));
    }
    if span.is_empty() {
        return None;
    }
    if let Some((start, end)) = in_frame(unit, span) {
        return Some(bits_in_words(lang, start, end));
    }
    named(lang, span)
}

/// Bits in words, with the source they are in.
pub fn named(lang: Lang, span: Span) -> Option<String> {
    if span.is_empty() {
        return None;
    }
    let what = match span.source {
        SourceId::Stream { .. } => "{} of the stream",
        SourceId::Decrypted { .. } => "{} of the deciphered stream",
        SourceId::Headers { .. } => "{} of the decompressed header fields",
        SourceId::Payload { .. } => "{} of the payload",
        SourceId::Message { .. } => "{} of the message",
        SourceId::Inflated { .. } => "{} of the inflated message",
        SourceId::Joined { .. } => "{} of the packet, over several messages",
        SourceId::Body { .. } => "{} of the body",
        SourceId::Packet { .. } => "{} of the packet",
        SourceId::Input => "{} of the input",
    };
    Some(lang.fill(what, &[&bits_in_words(lang, span.start, span.end)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_named_as_the_rfc_numbers_them() {
        for (start, end, expected) in [
            (8, 9, "byte 1, bit 0"),
            (4, 8, "byte 0, bits 4–7"),
            (0, 8, "byte 0"),
            (16, 48, "bytes 2–5"),
            (9, 23, "byte 1, bit 1 to byte 2, bit 6"),
        ] {
            assert_eq!(bits_in_words(Lang::En, start, end), expected);
        }
    }
}
