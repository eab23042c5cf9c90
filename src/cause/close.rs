//! Connections that were ended by a Close frame which says that something was wrong (RFC 6455 §7.4.1).

use super::over::{Over, seen_in};
use super::{handshake, reason, silence};
use crate::limits;
use crate::model::quantity::{grouped, size, span};
use crate::model::{
    Case, Cite, CloseCode, ClosePart, Diagnosis, Dir, Ending, Finding, Measure, Quantity, Rule, Text, prefix,
    rules,
};
use crate::ws;

rules! {
    /// Close codes.
    RULES;
    GOING_AWAY = "close-1001-server", Note, Cite::rfc6455("7.4.1"), Server,
        "the server goes away: Close code 1001",
        "its clients connect again, all of them at once if they do not wait a random time",
        usually "a deploy, a restart or the end of the server's process",
        mend "let clients come back after a random pause; let the server close a few connections at a time";
    PROTOCOL_ERROR = "close-1002", Error, Cite::rfc6455("7.4.1"), Either,
        "Close code 1002: an endpoint says that the other broke the protocol",
        "the connection is lost with whatever was under way",
        usually "a library that writes frames wrongly, or something between that changes them",
        mend "look at the last frame that the other endpoint sent before it";
    UNSUPPORTED_DATA = "close-1003", Error, Cite::rfc6455("7.4.1"), Either,
        "Close code 1003: an endpoint cannot accept this kind of data",
        "the connection is lost with whatever was under way",
        usually "binary messages sent to an endpoint that takes text only, or the other way round",
        mend "send what the endpoint takes: compare the opcode of the last message with its documentation";
    INVALID_DATA = "close-1007", Error, Cite::rfc6455("7.4.1"), Either,
        "Close code 1007: a message's payload is not what its type says",
        "the connection is lost with whatever was under way",
        usually "bytes that are not UTF-8 in a text message: cut within a character, or in another encoding",
        mend "encode text as UTF-8, cut it between characters only, and send other bytes as binary messages";
    POLICY = "close-1008", Warning, Cite::rfc6455("7.4.1"), Either,
        "Close code 1008: an endpoint ends the connection for reasons of its own policy",
        "the connection is lost; connecting again without a change will end the same way",
        usually "missing or expired credentials, too many messages, or an origin that is not allowed",
        mend "its reason says what was against the policy: renew credentials in time, send less often";
    TOO_BIG = "close-1009", Error, Cite::rfc6455("7.4.1"), Either,
        "Close code 1009: a message is too big for its receiver",
        "the connection is lost with the message",
        usually "the receiver's limit for messages (1 MiB in Python websockets, 100 MiB in ws) is smaller",
        mend "raise the receiver's limit, or send the message in parts";
    MISSING_EXTENSION = "close-1010", Error, Cite::rfc6455("7.4.1"), Client,
        "Close code 1010: the client needs an extension that the server did not agree on",
        "the client has no use for the connection",
        usually "a proxy on the way that drops Sec-WebSocket-Extensions, or a server without the extension",
        mend "compare what the request offers with what the response takes up";
    INTERNAL_ERROR = "close-1011", Error, Cite::rfc6455("7.4.1"), Either,
        "Close code 1011: something went wrong inside an endpoint",
        "the connection is lost with whatever was under way",
        usually "an exception in the program that handles the connection",
        mend "look into that endpoint's log at this time";
    KEEPALIVE_TIMEOUT = "keepalive-ping-timeout", Error, Cite::rfc6455("5.5.2"), Either,
        "an endpoint waited in vain for a pong and closed the connection",
        "the connection is lost; messages sent meanwhile never arrive",
        usually "the other endpoint is busy, suspended or unreachable: it reads nothing and answers nothing",
        mend "do not block the event loop for so long; allow more time for pongs (ping_timeout)";
    RESTART = "close-1012", Warning, Cite::rfc6455("7.4"), Server,
        "Close code 1012: the service restarts",
        "its clients connect again, all of them at once if they do not wait a random time",
        usually "a deploy or a restart",
        mend "let clients come back after a random pause of 5 to 30 s, as the code asks for";
    TRY_LATER = "close-1013", Warning, Cite::rfc6455("7.4"), Server,
        "Close code 1013: the server is overloaded and asks to try again later",
        "connecting again at once makes it worse",
        usually "more connections or work than the server can take",
        mend "come back later, each time after a longer pause; give the server more room";
    BAD_GATEWAY = "close-1014", Error, Cite::rfc6455("7.4"), Server,
        "Close code 1014: a gateway got no proper answer from the server behind it",
        "the connection is lost",
        usually "the server behind the gateway is down, or answered what the gateway does not understand",
        mend "look at the gateway's log, and at the server behind it at this time";
    UNAUTHORIZED = "close-3000", Warning, Cite::rfc6455("7.4.2"), Server,
        "Close code 3000: unauthorized",
        "connecting again without other credentials will end the same way",
        usually "credentials that are missing, wrong or expired",
        mend "get new credentials, then connect again";
    REGISTERED = "close-registered", Warning, Cite::rfc6455("7.4.2"), Either,
        "a Close code from 3000 to 3999, whose meaning is registered with IANA",
        "what it means says whoever registered it",
        usually "a library ends the connection for a reason of its own",
        mend "look the code up in IANA's registry and in the documentation of the library";
    APPLICATION = "close-application", Warning, Cite::rfc6455("7.4.2"), Either,
        "a Close code from 4000 to 4999: the application's own",
        "what it means is known to the application alone",
        usually "the application ends the connection on purpose",
        mend "look the code up in the application's documentation or source";
    GRAPHQL = "close-graphql", Warning, Cite::rfc6455("7.4.2"), Server,
        "a Close code of GraphQL over WebSocket (graphql-transport-ws)",
        "the operations of the connection are over",
        usually "the client did not keep to the protocol, or was not let in",
        mend "the code says which: compare the messages before it with the protocol";
    UNUSUAL = "close-unusual", Warning, Cite::rfc6455("7.4"), Either,
        "a Close code without a meaning ended the connection",
        "why is known to the endpoint that sent it alone",
        usually "an endpoint that makes up codes",
        mend "look into the program that sent it";
}

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let Some((by, close)) = over.crossing().or(over.close()) else { return };
    let is_said = |code: &CloseCode| code.0 != 1000 || reason::is_heartbeat(&close.reason);
    let Some(code) = close.code.filter(is_said) else { return };
    let Some(rule) = rule(over, by, close, code) else { return };
    let reason = prefix(&close.reason, REASON);
    let name = code.name();
    let is_answer = over.may_be_answer();
    let what = match (reason, is_answer) {
        ("", false) => Text::with("ended with {} ({}), sent by the {}", code.0).word(name).word(by.name()),
        (reason, false) => {
            Text::with("ended with {} “{}”, sent by the {}", code.0).and(reason).word(by.name())
        }
        ("", true) => Text::with("ended with {} ({}) in a Close frame of the {}; {}", code.0)
            .word(name)
            .word(by.name())
            .word(PERHAPS_ANSWER),
        (reason, true) => Text::with("ended with {} “{}” in a Close frame of the {}; {}", code.0)
            .and(reason)
            .word(by.name())
            .word(PERHAPS_ANSWER),
    };
    let mut case = Case::new(what.clone(), over.lifetime().into_iter().collect());
    let mut finding = Finding::new(rule, None, "1000, a normal closure".into(), what);
    if !is_answer && let Some(diagnosis) = diagnosis(over, by, close, rule, &mut case) {
        finding = finding.because(diagnosis);
    }
    causes.push(seen_in(finding.like(case), close.packet));
}

/// Whether a rule says that somebody closed because a pong did not come.
pub(super) fn is_keepalive(rule: &Rule) -> bool {
    *rule == KEEPALIVE_TIMEOUT
}

/// What is said of a Close frame where it is not known who was first.
const PERHAPS_ANSWER: &str = "perhaps the answer to one that is not in the capture";

/// The longest reason that a Close frame has room for, in bytes (RFC 6455 §5.5).
const REASON: usize = 123;

/// The cause that a code stands for; `None` where it tells of nothing that went wrong.
fn rule(over: &Over<'_>, by: Dir, close: &ClosePart, code: CloseCode) -> Option<&'static Rule> {
    Some(match code.0 {
        // Tornado closes in order, and says why in the reason.
        1000 | 1001 | 1011 if reason::is_heartbeat(&close.reason) => &KEEPALIVE_TIMEOUT,
        // A page is left.
        1001 if by == Dir::Client => return None,
        // It may answer one that the capture lacks, and repeats its code then.
        1001 if !over.knows_closer() => return None,
        // That is another cause.
        1001 if silence::says_idle(close) => return None,
        1001 => &GOING_AWAY,
        1002 => &PROTOCOL_ERROR,
        1003 => &UNSUPPORTED_DATA,
        1007 => &INVALID_DATA,
        1008 => &POLICY,
        1009 => &TOO_BIG,
        1010 => &MISSING_EXTENSION,
        1011 => &INTERNAL_ERROR,
        1012 => &RESTART,
        1013 => &TRY_LATER,
        1014 => &BAD_GATEWAY,
        3000 => &UNAUTHORIZED,
        3001..=3999 => &REGISTERED,
        4400..=4500 | 4504 if is_graphql(over) && by == Dir::Server => &GRAPHQL,
        4000..=4999 => &APPLICATION,
        _ => &UNUSUAL,
    })
}

fn is_graphql(over: &Over<'_>) -> bool {
    matches!(over.connection.subprotocol.as_deref(), Some("graphql-transport-ws"))
}

/// What may be behind a case in particular, and what to change.
fn diagnosis(
    over: &Over<'_>,
    by: Dir,
    close: &ClosePart,
    rule: &'static Rule,
    case: &mut Case,
) -> Option<Diagnosis> {
    let peer = by.peer();
    let side = &over.ending.sides[peer.index()];
    if matches!(close.code, Some(CloseCode(1002 | 1007 | 1009 | 1010)))
        && let Some(broken) = over.violation(peer)
    {
        let hint = |id: &&str| over.hints.iter().find(|hint| hint.id == *id);
        if let Some(hint) = GARBLED.iter().find_map(hint) {
            return Some(Diagnosis { id: rule.id, ..hint.clone() });
        }
        let what = Text::new("the {} broke a rule before it: {} ({})")
            .word(peer.name())
            .word(broken.title)
            .and(broken.id);
        return Some(Diagnosis::new(rule.id, what, Text::with("wstool explain {}", broken.id)));
    }
    if *rule == TOO_BIG {
        return Some(too_big(over, peer, close, case));
    }
    if *rule == KEEPALIVE_TIMEOUT {
        let silent = over.ended().zip(side.heard.or(over.ending.began)).map(|(end, heard)| end.since(heard));
        if let Some(silent) = silent.filter(|silent| *silent >= limits::PONG_SOON) {
            case.measures.push(Measure::of(Quantity::Waited, silent));
        }
        if over.has_broken(&ws::PONG_PAYLOAD_MISMATCH, peer) {
            let what =
                Text::new("the {} sent pongs, but with other payloads than the pings, which answer none")
                    .word(peer.name());
            let mend = "send the payload of a ping back in its pong (RFC 6455 §5.5.3)";
            return Some(Diagnosis::new(rule.id, what, mend));
        }
        // A pong can only come behind what is being sent.
        if let Some(unfinished) = side.unfinished {
            let what = Text::new(
                "the {} was sending a message of {} bytes and more at that time: its pongs wait behind what \
                 it had written before, and the way was too slow for that",
            )
            .word(peer.name())
            .and(grouped(unfinished.length()));
            let mend = "write less at a time: wait until what was written is on its way; or allow more time \
                        for pongs";
            return Some(Diagnosis::new(rule.id, what, mend));
        }
        // It was there, and sent other things.
        let pinged = over.ending.sides[by.index()].pinged;
        if side.heard.zip(pinged).is_some_and(|(heard, pinged)| heard > pinged) {
            let what = Text::new("the {} had sent pings, and got no pong, although the {} went on sending")
                .word(by.name())
                .word(peer.name());
            let mend = "let the other endpoint read all the time and answer each ping with a pong";
            return Some(Diagnosis::new(rule.id, what, mend));
        }
        let what = Text::new("the {} had sent pings, and heard nothing of the {} for {}")
            .word(by.name())
            .word(peer.name())
            .and(span(silent?));
        let mend = "find out what kept the other endpoint from reading, or allow more time for pongs";
        return Some(Diagnosis::new(rule.id, what, mend));
    }
    if *rule == GRAPHQL
        && let Some(what) = graphql(close.code?.0)
    {
        return Some(Diagnosis::new(rule.id, what, rule.usually?.fix));
    }
    if !SAYS_LITTLE.contains(&rule) {
        return None;
    }
    let unagreed = over.hints.iter().find(|hint| hint.id == handshake::NONE_CHOSEN);
    if let Some(hint) = unagreed.filter(|_| close.reason.to_ascii_lowercase().contains("subprotocol")) {
        let mend = "let the client offer the subprotocol that the server speaks, or give the server that of \
                    the client";
        return Some(Diagnosis { id: rule.id, fix: mend.into(), ..hint.clone() });
    }
    if let Some((behind, mend)) = reason::meaning(&close.reason, by) {
        return Some(Diagnosis::new(rule.id, behind, mend));
    }
    // What is usual of the code is not what somebody says who gives a reason.
    if *rule != POLICY || close.reason.trim().is_empty() {
        return None;
    }
    let what = Text::new("something that the {} does not allow: its reason says what").word(by.name());
    let mend = Text::new("look for that reason in the program or the log of the {}").word(by.name());
    Some(Diagnosis::new(rule.id, what, mend))
}

/// The Close frame that came first, and who sent it; and whose Close frame is none, but text that somebody
/// wrote without framing it: it has reserved bits, and a code that nobody may send.
pub(super) fn first<'a>(
    ending: &'a Ending,
    found: &[(&Rule, Option<Dir>)],
    hints: &[Diagnosis],
) -> (Option<(Dir, &'a ClosePart)>, Option<Dir>) {
    let first = ending.close();
    let Some((by, close)) = first.filter(|_| hints.iter().any(|hint| hint.id == ws::TEXT_WITHOUT_FRAMES))
    else {
        return (first, None);
    };
    let may_be_sent = close.code.is_none_or(|code| matches!(code.0, 1000..=1014 | 3000..=4999));
    if may_be_sent || !found.iter().any(|(rule, blame)| **rule == ws::RESERVED_BIT_SET && *blame == Some(by))
    {
        return (first, None);
    }
    let other = ending.sides[by.peer().index()].close.as_ref();
    (other.map(|close| (by.peer(), close)), Some(by))
}

/// Diagnoses of bytes that are not what they should be, the one that explains the other first.
pub(super) static GARBLED: &[&str] = &[ws::INTERLEAVED_WRITERS, ws::TEXT_WITHOUT_FRAMES];

/// Codes that do not say what went wrong; a reason may.
static SAYS_LITTLE: &[&Rule] =
    &[&POLICY, &INTERNAL_ERROR, &TRY_LATER, &REGISTERED, &APPLICATION, &GRAPHQL, &UNUSUAL];

/// The message that was too big, and the limit if the reason names one.
fn too_big(over: &Over<'_>, sender: Dir, close: &ClosePart, case: &mut Case) -> Diagnosis {
    let side = &over.ending.sides[sender.index()];
    let under_way = side.unfinished.map(|it| it.length());
    let sent = under_way.unwrap_or(0).max(side.largest);
    // Receivers count what they have to keep.
    let inflated = over.inflated[sender.index()];
    let bytes = sent.max(inflated);
    let limit = limit(&close.reason, bytes);
    let what = match (bytes, limit) {
        (_, None) if inflated > sent => {
            Text::new("a compressed message of the {} inflates to {} bytes ({}), more than its peer allows")
                .word(sender.name())
                .and(grouped(inflated))
                .and(size(inflated))
        }
        (_, Some(limit)) if inflated > sent => Text::new(
            "a compressed message of the {} inflates to {} bytes ({}); its peer allows {}, as the reason \
             says",
        )
        .word(sender.name())
        .and(grouped(inflated))
        .and(size(inflated))
        .and(grouped(limit)),
        (0, _) => {
            let counts = &over.ending.counts[sender.index()];
            Text::new(
                "a message of the {} is longer than its peer allows; all that it sent are {} bytes in {} \
                 messages",
            )
            .word(sender.name())
            .and(grouped(counts.payload_bytes))
            .and(grouped(counts.messages))
        }
        (bytes, None) => Text::new("a message of the {} has {} bytes ({}), more than its peer allows")
            .word(sender.name())
            .and(grouped(bytes))
            .and(size(bytes)),
        (bytes, Some(limit)) => {
            Text::new("a message of the {} has {} bytes ({}); its peer allows {}, as the reason says")
                .word(sender.name())
                .and(grouped(bytes))
                .and(size(bytes))
                .and(grouped(limit))
        }
    };
    if bytes > 0 {
        case.measures.push(Measure::of(Quantity::Bytes, i64::try_from(bytes).unwrap_or(i64::MAX)));
    }
    let mend = "raise the receiver's limit (max_size, maxPayload, maxHttpBufferSize …), or send it in parts";
    Diagnosis::new(TOO_BIG.id, what, mend)
}

/// The limit that a reason names: the largest number in it that is smaller than the message, if it is one
/// of bytes.
fn limit(reason: &str, message: u64) -> Option<u64> {
    let numbers = reason.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u64>().ok());
    numbers.filter(|number| *number >= 64 && (message == 0 || *number < message)).max()
}

/// What graphql-transport-ws says by a code.
fn graphql(code: u16) -> Option<&'static str> {
    Some(match code {
        4400 => "a message that is not one of the protocol",
        4401 => "an operation before the connection was acknowledged",
        4403 => "the server does not let the client in",
        4406 => "the subprotocol is not acceptable to the server",
        4408 => "connection_init did not come in time",
        4409 => "an operation with an id that is in use already",
        4429 => "connection_init came more than once",
        4500 => "the server failed inside, as graphql-ws says by this code",
        _ => return None,
    })
}
