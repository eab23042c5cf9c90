//! What a case came to: behaviour and closing, each judged apart, and why.

use super::likely;
use super::talk::is_error;
use super::{Opening, Played, Talked, not_over};
use crate::grade::case::{Case, Closer, Fatal, Prepared, Status};
use crate::grade::script::{Send, Step, What};
use crate::http::SERVER_ACCEPTED_BAD;
use crate::model::grade::{Behaviour, Chapter, Closing, Ended, Graded, Level, NOT_WHAT_MAY_COME};
use crate::model::{Bilingual, CloseCode, Dir, Opcode, Text};

/// Judges what was played.
pub fn judge(case: &Case, prepared: &Prepared, us: Dir, played: Played) -> Graded {
    let Played { opening, talked, record } = played;
    let mut graded = Graded {
        case: case.facts.clone(),
        behaviour: Behaviour::Failed,
        closing: Closing::Failed,
        why: Text::default(),
        expected: case.expected(),
        took: record.after(),
        figures: talked.as_ref().map(|talked| talked.figures).filter(|figures| figures.messages > 0),
        beside: None,
        got: record.events,
        more: record.more,
        broken: None,
        opened: matches!(opening, Opening::Open { .. }),
        likely: Bilingual::default(),
        looks_like: Text::default(),
        remedy: None,
        is_only_end: false,
        code: talked.as_ref().and_then(|talked| talked.close).flatten(),
        ended: talked.as_ref().map(|talked| Ended {
            peer: us.peer(),
            closer: talked.closer,
            clean: talked.clean,
            stream: talked.end,
        }),
        wire: record.wire,
        bytes: record.bytes,
    };
    match (opening, &talked) {
        (Opening::Open { fields, lenient }, Some(talked)) => {
            conversation(case, prepared, us, talked, &mut graded);
            if let Some(why) = fields {
                let bad = if lenient { Behaviour::NonStrict } else { Behaviour::Failed };
                graded.behaviour = graded.behaviour.min(bad);
                graded.why = why;
            }
            if !case.answer.right.is_empty() {
                answered(case, Some(101), &mut graded);
            }
        }
        (Opening::Answered { status, fields, lenient }, _) => {
            graded.closing = Closing::Informational;
            graded.behaviour = Behaviour::Ok;
            answered(case, status, &mut graded);
            if let Some(why) = fields.filter(|_| graded.behaviour == Behaviour::Ok) {
                graded.behaviour = if lenient { Behaviour::NonStrict } else { Behaviour::Failed };
                graded.why = why;
            }
        }
        (Opening::Silent, _) => {
            graded.closing = Closing::Informational;
            graded.behaviour = if case.answer.right.contains(&Status::Silent) {
                Behaviour::Ok
            } else if case.answer.lenient.contains(&Status::Silent) {
                Behaviour::NonStrict
            } else {
                Behaviour::Failed
            };
            if graded.behaviour != Behaviour::Ok {
                graded.why = "no answer to the opening handshake".into();
            }
        }
        (Opening::Left, _) => {
            graded.closing = Closing::Informational;
            graded.behaviour = Behaviour::Ok;
        }
        (Opening::Broken(rule, got), _) => {
            graded.broken = Some(rule);
            graded.why = Text::new("{}: {}").word(rule.title).word(got);
        }
        (Opening::Unimplemented(what), talked) => {
            graded.behaviour = Behaviour::Unimplemented;
            // Nothing was played but the end.
            let closing = talked.as_ref().map(|talked| closing(&Case::nothing(), us, talked).0);
            graded.closing = closing.unwrap_or(Closing::Informational);
            graded.why = Text::new("it has no {}").word(what);
        }
        (Opening::Unreached(why), _) => graded.why = why,
        (Opening::Open { .. }, None) => {}
    }
    if case.informational && graded.opened {
        graded.behaviour = Behaviour::Informational;
        graded.closing = Closing::Informational;
    }
    let is_as_it_should = matches!(graded.behaviour, Behaviour::Ok | Behaviour::Informational)
        && matches!(graded.closing, Closing::Ok | Closing::Informational);
    if !is_as_it_should && graded.behaviour != Behaviour::Unimplemented {
        (graded.likely, graded.looks_like) = likely::mistake(case, prepared, us, &graded, talked.as_ref());
        graded.remedy = likely::remedy(&graded.looks_like);
        graded.is_only_end = graded.opened
            && graded.behaviour == Behaviour::Ok
            && case.ending.closer != Closer::Peer
            && case.facts.chapter != Chapter::Closing;
    }
    graded
}

/// Holds the status of an answer against what it may be.
fn answered(case: &Case, status: Option<u16>, graded: &mut Graded) {
    let fits = |all: &[Status]| all.iter().any(|it| it.is(status));
    if case.answer.right.is_empty() {
        graded.behaviour = Behaviour::Failed;
        graded.closing = Closing::Failed;
    } else if fits(&case.answer.right) {
        return;
    } else if fits(&case.answer.lenient) {
        graded.behaviour = graded.behaviour.min(Behaviour::NonStrict);
    } else {
        graded.behaviour = Behaviour::Failed;
        if status == Some(101) && case.facts.level == Level::Must {
            graded.broken = Some(&SERVER_ACCEPTED_BAD);
        }
    }
    graded.why = match status {
        Some(101) => "the server opened the WebSocket".into(),
        Some(status) => Text::with("the server answered {}", status),
        None => "the server ended the connection without an answer".into(),
    };
}

/// Why what came is not as it should be, where that is no failure.
const ALLOWED: &str = "what came is allowed, and not what should come";

/// Why it is left open what a peer did.
const UNASKED: &str =
    "an empty pong came: nobody asked for it, which is allowed, or it answers what was sent";

/// The longest message, in bytes, that nobody may call too long.
const SHORT: usize = 1000;

/// Whether the peer has a limit for messages, and said so (RFC 6455 §7.4.1, §10.4).
fn is_limited(prepared: &Prepared, us: Dir, talked: &Talked) -> bool {
    let is_long = |step: &Step| match step {
        Step::Send(Send { what: What::Message { opcode, payload, .. }, .. }) => {
            !opcode.is_control() && payload.length() > SHORT
        }
        _ => false,
    };
    talked.closer == Some(us.peer())
        && talked.close == Some(Some(CloseCode(1009)))
        && prepared.steps.iter().any(is_long)
}

/// Whether the peer has no use for binary messages, and said so: RFC 6455 §7.4.1 has 1003 for that.
fn takes_no_binary(prepared: &Prepared, us: Dir, talked: &Talked) -> bool {
    let is_binary = |step: &Step| {
        matches!(step, Step::Send(Send { what: What::Message { opcode: Opcode::BINARY, .. }, .. }))
    };
    talked.closer == Some(us.peer())
        && talked.close == Some(Some(CloseCode(1003)))
        && prepared.steps.iter().any(is_binary)
}

fn conversation(case: &Case, prepared: &Prepared, us: Dir, talked: &Talked, graded: &mut Graded) {
    graded.behaviour = match talked.matched {
        Some(at) if at < prepared.right => Behaviour::Ok,
        Some(_) => Behaviour::NonStrict,
        None if talked.beside => Behaviour::Informational,
        None => Behaviour::Failed,
    };
    let ending = &case.ending;
    let (closing, why) =
        if prepared.parts { (Closing::Informational, Text::default()) } else { closing(case, us, talked) };
    graded.closing = closing;
    graded.why = match graded.behaviour {
        Behaviour::Failed => NOT_WHAT_MAY_COME.into(),
        Behaviour::NonStrict => ALLOWED.into(),
        Behaviour::Informational if why.is_empty() => UNASKED.into(),
        _ => why.clone(),
    };
    let is_fatal = match ending.fatal {
        Some(Fatal::Closer) => !ending.closer.is(us, talked.closer),
        Some(Fatal::Code) => closing == Closing::WrongCode,
        Some(Fatal::Error) => closing == Closing::WrongCode && talked.close.flatten().is_some_and(is_error),
        Some(Fatal::Tcp) => talked.dropped,
        None => false,
    };
    if is_fatal && graded.behaviour != Behaviour::Failed {
        graded.behaviour = Behaviour::Failed;
        graded.why = why;
    }
    // What the testsuite numbers keeps its verdict.
    let is_failed = graded.behaviour == Behaviour::Failed && ending.closer == Closer::Judge;
    if is_failed && case.facts.autobahn.is_none() && is_limited(prepared, us, talked) {
        (graded.behaviour, graded.closing) = (Behaviour::NonStrict, Closing::Informational);
        graded.why = ALLOWED.into();
    }
    let is_asked_to_go_on = graded.behaviour == Behaviour::Failed && ending.closer != Closer::Peer;
    if is_asked_to_go_on && takes_no_binary(prepared, us, talked) {
        (graded.behaviour, graded.closing) = (Behaviour::Unimplemented, Closing::Informational);
        graded.why = "it takes no binary messages, and says so with 1003".into();
    }
    if let Some(violation) = &talked.violation {
        graded.behaviour = Behaviour::Failed;
        graded.broken = violation.rule;
        graded.why = violation.why.into();
    }
    if let Some(late) = talked.late {
        // Nothing says how quick a peer has to be; what the testsuite numbers keeps its verdict.
        let is_only_slow =
            late.patience.is_some() && talked.violation.is_none() && case.facts.autobahn.is_none();
        (graded.behaviour, graded.closing) = if is_only_slow {
            (Behaviour::NonStrict, Closing::Informational)
        } else {
            (Behaviour::Failed, Closing::Failed)
        };
        graded.why = if let Some(patience) = late.patience {
            let words = "after {} s it was still sending, as it should: {} bytes in {} whole frames; at this \
                         pace --patience {} is enough";
            let text = Text::with(words, late.limit.as_secs()).and(late.bytes).and(late.frames);
            text.and(patience.as_secs())
        } else if late.is_sending {
            let words = "after {} s it was still sending: {} bytes in {} whole frames, and no end";
            Text::with(words, late.limit.as_secs()).and(late.bytes).and(late.frames)
        } else {
            not_over(late.limit)
        };
    }
    if talked.too_much {
        graded.behaviour = Behaviour::Failed;
        graded.why = "it sends and sends: far more than it was sent".into();
    }
}

/// How it ended, and what was wrong with that.
fn closing(case: &Case, us: Dir, talked: &Talked) -> (Closing, Text) {
    let ending = &case.ending;
    if !ending.closer.is(us, talked.closer) {
        let why = match ending.closer {
            Closer::Peer => "it kept the connection, which it has to fail here",
            _ => "it ended the connection, which should go on",
        };
        return (Closing::Failed, why.into());
    }
    if ending.clean && !talked.clean {
        return (Closing::Unclean, "it owes a Close frame, and ended the connection without".into());
    }
    if let Some(Some(code)) = talked.close
        && !ending.codes.contains(&code)
    {
        let mut codes: Vec<String> = ending.codes.iter().map(|code| code.0.to_string()).collect();
        codes.dedup();
        let why = match codes.len() {
            1 => "it closed with {}; {} is meant for this",
            _ => "it closed with {}; one of these is meant for this: {}",
        };
        return (Closing::WrongCode, Text::with(why, code.0).and(codes.join(", ")));
    }
    if talked.dropped {
        return (Closing::FailedByClient, "it left the end of TCP to its client".into());
    }
    (Closing::Ok, Text::default())
}

impl Closer {
    fn is(self, us: Dir, closer: Option<Dir>) -> bool {
        match self {
            Self::Judge => closer == Some(us),
            Self::Peer => closer == Some(us.peer()),
            Self::Either => true,
        }
    }
}
