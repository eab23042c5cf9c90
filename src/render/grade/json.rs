//! For programs: schema `wstool-grade/1`, as one document or as a record a line. `docs/grade.md` and
//! `schema/wstool-grade-1.schema.json` say what each key means. Words are English in every language.

use std::sync::Arc;
use std::time::Duration;

use super::said;
use crate::lang::Lang;
use crate::model::grade::{
    Behind, CaseFacts, Change, Changes, Event, EventKind, Figures, Graded, REPORT, Tally, Transcript,
    Verdict, behind,
};
use crate::model::{CloseCode, StreamEnd};
use crate::render::Options;
use crate::render::json::TOOL;
use crate::render::json::value::{Base64, List, Members, ToJson, Word, members, object, open, with};
use crate::render::json::write::Writer;

/// Bytes of each direction of a case that does not pass that are told.
const WIRE: usize = 4096;

type W = Writer<Vec<u8>>;

fn written(write: impl FnOnce(&mut W)) -> String {
    let mut w = Writer::new(Vec::new());
    write(&mut w);
    // All that is written is text.
    String::from_utf8(w.take()).unwrap_or_default()
}

/// All of it as one document.
pub fn document(all: &[&Transcript], options: &Options) -> String {
    let options = Options { lang: Lang::En, ..*options };
    written(|w| {
        open!(w, "schema": REPORT, "tool": TOOL);
        w.raw(",\"peers\":[");
        for (at, transcript) in all.iter().enumerate() {
            w.raw(if at > 0 { ",\n" } else { "\n" });
            open!(w, "agent": &transcript.who.agent);
            about(transcript, w);
            w.raw(",\"cases\":[");
            for (at, one) in transcript.graded.iter().enumerate() {
                w.raw(if at > 0 { ",\n" } else { "\n" });
                w.raw("{");
                case(one, transcript, &options, w);
                w.raw("}");
            }
            w.raw("\n]}");
        }
        w.raw("\n]}\n");
    })
}

/// Cases, as they are listed: one document (schema `wstool-cases/1`). Words are English in every language.
pub fn list(all: &[Arc<CaseFacts>]) -> String {
    written(|w| {
        open!(w, "schema": "wstool-cases/1", "tool": TOOL);
        w.raw(",\"cases\":[");
        for (at, case) in all.iter().enumerate() {
            w.raw(if at > 0 { ",\n" } else { "\n" });
            open!(
                w,
                "id": &case.id,
                "autobahn": case.autobahn.as_deref(),
                "chapter": Word(case.chapter.name()),
                "title": &case.title.en,
                "cite": List(case.cites.iter()),
                "rules": List(case.rules.iter().map(|rule| Word(rule.id))),
                "bugs": List(case.bugs.iter()),
                "level": Word(case.level.name()),
                "stage": u64::from(case.stage),
            );
            w.raw("}");
        }
        w.raw("\n]}\n");
    })
}

/// What records are about; the first of them.
pub fn meta() -> String {
    written(|w| {
        open!(w, "type": "meta", "schema": REPORT, "tool": TOOL);
        w.raw("}\n");
    })
}

/// The record of a case.
pub fn case_line(one: &Graded, transcript: &Transcript, options: &Options) -> String {
    let options = Options { lang: Lang::En, ..*options };
    written(|w| {
        open!(w, "type": "case", "agent": &transcript.who.agent);
        w.raw(",");
        case(one, transcript, &options, w);
        w.raw("}\n");
    })
}

/// The record of what a peer came to; the last of it.
pub fn summary_line(transcript: &Transcript) -> String {
    written(|w| {
        open!(w, "type": "summary", "agent": &transcript.who.agent);
        about(transcript, w);
        w.raw("}\n");
    })
}

/// Seconds as a number: nobody needs more than microseconds of a case.
fn seconds(time: Duration) -> impl ToJson<Vec<u8>> {
    with(move |w: &mut W| w.raw(&format!("{:.6}", time.as_secs_f64())))
}

/// What a peer came to.
fn about(transcript: &Transcript, w: &mut W) {
    let tally = transcript.tally();
    members!(
        w,
        "role": transcript.who.role,
        "url": &transcript.who.url,
        "began": transcript.began.map(crate::model::Time::utc).as_deref(),
        "took": seconds(transcript.took),
        "chosen": transcript.chosen,
        "played": tally.all(),
        "grade": tally.letter().map(|letter| Word(letter.name())),
        "judged": tally.judged(),
        "counts": with(|w: &mut W| counts(&tally, w)),
        "chapters": List(transcript.chapters().into_iter().map(|(chapter, tally)| with(move |w: &mut W| {
            open!(w, "chapter": Word(chapter.name()));
            members!(w, "grade": tally.letter().map(|letter| Word(letter.name())));
            members!(w, "judged": tally.judged());
            members!(w, "counts": with(|w: &mut W| counts(&tally, w)));
            w.raw("}");
        }))),
        "behind": List(
            behind(&transcript.graded, Verdict::Fail).into_iter().map(|group| with(move |w: &mut W| {
                one_reason(&group, w);
            }))
        ),
    );
    if !transcript.known.is_empty() {
        members!(w, "surprises": List(transcript.surprises().map(|one| &one.case.id)));
    }
    if let Some(changes) = &transcript.changes {
        members!(w, "changes": with(|w: &mut W| self::changes(changes, w)));
    }
}

fn counts(tally: &Tally, w: &mut W) {
    let all = Verdict::ALL.iter().rev().map(|verdict| (verdict.name(), tally.of(*verdict)));
    Members(all).put(w);
}

fn one_reason(group: &Behind<'_>, w: &mut W) {
    let what = said::headline(group, Lang::En);
    object!(
        w,
        "what": &what,
        "rule": group.broken.map(|rule| Word(rule.id)),
        "cases": List(group.cases.iter().map(|one| &one.case.id)),
    );
}

fn changes(changes: &Changes, w: &mut W) {
    let list = |all: &[Change]| {
        let all: Vec<Change> = all.to_vec();
        List(all.into_iter().map(|change| {
            with(move |w: &mut W| {
                object!(
                    w,
                    "id": &change.id,
                    "autobahn": change.autobahn.as_deref(),
                    "before": Word(change.before.name()),
                    "now": Word(change.now.name()),
                );
            })
        }))
    };
    object!(
        w,
        "since": &changes.since,
        "worse": list(&changes.worse),
        "better": list(&changes.better),
        "added": changes.added,
        "left": changes.left,
    );
}

/// The members of a case.
fn case(one: &Graded, transcript: &Transcript, options: &Options, w: &mut W) {
    let facts = &one.case;
    w.named(true, "id");
    facts.id.as_str().put(w);
    members!(
        w,
        "autobahn": facts.autobahn.as_deref(),
        "chapter": Word(facts.chapter.name()),
        "title": &facts.title.en,
        "level": Word(facts.level.name()),
        "stage": facts.stage,
        "cites": List(facts.cites.iter()),
        "rules": List(facts.rules.iter().map(|rule| Word(rule.id))),
        "bugs": List(facts.bugs.iter()),
        "verdict": Word(one.verdict().name()),
        "behaviour": Word(one.behaviour.name()),
        "closing": Word(one.closing.name()),
        "why": &one.why.to_string(),
        "expected": List(one.expected.iter()),
        "got": List(one.got.iter().map(|event| with(move |w: &mut W| self::event(event, w)))),
        "more": one.more,
        "broken": one.broken.map(|rule| Word(rule.id)),
        "code": one.code.map(|CloseCode(code)| code),
        "sent": one.bytes[transcript.who.role.peer().index()],
        "received": one.bytes[transcript.who.role.index()],
        "took": seconds(one.took),
    );
    for (name, figures) in [("figures", one.figures), ("beside", one.beside)] {
        if let Some(Figures { messages, payload, took }) = figures {
            w.named(false, name);
            object!(w, "messages": messages, "payload": payload, "took": seconds(took));
        }
    }
    if let Some(note) = transcript.known.get(&facts.id) {
        members!(w, "known": note);
    }
    if one.verdict() == Verdict::Pass {
        return;
    }
    for (name, words) in said::details(one, &transcript.who.again, options) {
        if matches!(name, "likely" | "usually" | "mend" | "alone") {
            w.named(false, name);
            words.as_str().put(w);
        }
    }
    let mut room = [WIRE; 2];
    let pieces = one.wire.iter().filter_map(|piece| {
        let room = &mut room[piece.from.index()];
        let kept = &piece.bytes[..piece.bytes.len().min(*room)];
        *room -= kept.len();
        (!kept.is_empty()).then_some((piece, kept))
    });
    let pieces: Vec<_> = pieces.collect();
    members!(w, "wire": List(pieces.into_iter().map(|(piece, kept)| with(move |w: &mut W| {
        object!(w, "from": piece.from, "after": seconds(piece.after), "bytes": Base64(kept));
    }))));
}

fn event(event: &Event, w: &mut W) {
    let kind = match &event.what {
        EventKind::Text => "text",
        EventKind::Binary => "binary",
        EventKind::Ping => "ping",
        EventKind::Pong => "pong",
        EventKind::Close(_) => "close",
        EventKind::Still(_) => "still",
        EventKind::Answer(_) => "answer",
        EventKind::End(_) => "end",
    };
    open!(w, "what": Word(kind), "after": seconds(event.after));
    match &event.what {
        EventKind::Close(code) => {
            members!(w, "code": code.map(|CloseCode(code)| code));
        }
        EventKind::Still(name) => {
            members!(w, "name": name);
        }
        EventKind::Answer(status) => {
            members!(w, "status": *status);
        }
        EventKind::End(how) => {
            members!(w, "how": Word(if *how == StreamEnd::Rst { "rst" } else { "fin" }));
        }
        _ => {}
    }
    if event.length > 0 {
        members!(w, "length": event.length, "payload": Base64(&event.payload));
    }
    w.raw("}");
}

/// All of it as records.
pub fn records(all: &[&Transcript], options: &Options) -> String {
    let mut lines = meta();
    for transcript in all {
        for one in &transcript.graded {
            lines.push_str(&case_line(one, transcript, options));
        }
        lines.push_str(&summary_line(transcript));
    }
    lines
}
