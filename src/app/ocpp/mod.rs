//! OCPP-J: the Open Charge Point Protocol over WebSocket. Each message is a JSON array that begins with its
//! type; a CALL of either side is answered by a CALLRESULT or a CALLERROR with its id.
//!
//! This is the spec sheet; `session` follows a connection, `actions` has what each version knows.

mod actions;
mod session;
#[cfg(test)]
mod tests;

use super::dialect::{Dialect, Reader, Said, Sheet};
use crate::model::{Cite, fields, rules};

/// OCPP-J, which charging stations speak.
pub static DIALECT: Dialect = Dialect {
    id: "ocpp",
    subprotocols: &["ocpp1.2", "ocpp1.5", "ocpp1.6", "ocpp2.0", "ocpp2.0.1", "ocpp2.1"],
    looks_like: Some(looks_like),
    first: b"[ \t\n\x0C\r",
    last: &[],
    marks: 0,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<session::Ocpp>::default()),
    sheet: Sheet {
        name: "OCPP-J 1.6, 2.0.1 and 2.1",
        shown_by: "a target `/ocpp/…`, `/ocpp1.6j/…` and a CALL of an action of OCPP: \
                   `[2,\"id\",\"Heartbeat\",{}]`; a CALL with a member of its own: \
                   `[2,\"id\",\"StartTransaction\",{\"idTag\":…}]`; an answer as only OCPP has it",
        decoded: "type, id, action, payload, error code; calls of both sides tied to their results and \
                  errors; \
                  one call at a time, ids, actions and error codes of the version agreed on",
        sample: "ocpp.pcap",
        source: ("OCPP-J", "https://openchargealliance.org/protocols/open-charge-point-protocol/"),
    },
};

/// A section of the JSON over `WebSockets` implementation guide of OCPP 2.0.1; that of 1.6 says the same.
const fn ocpp(section: &'static str) -> Cite {
    Cite { doc: "OCPP-J 2.0.1", section }
}

fields! {
    /// The fields of OCPP-J.
    FIELDS;
    TYPE = "ocpp.type", "type", ocpp("4.1.3"), "What the message is for.";
    ID = "ocpp.id", "id", ocpp("4.1.4"), "Ties an answer to its call.";
    ACTION = "ocpp.action", "action", ocpp("4.2.1"), "What is to be done.";
    PAYLOAD = "ocpp.payload", "payload", ocpp("4.2.1"), "The arguments, or what came of it.";
    ERROR_CODE = "ocpp.error_code", "error code", ocpp("4.2.3"), "Why it failed.";
    DESCRIPTION = "ocpp.description", "description", ocpp("4.2.3"), "The same in words.";
    DETAILS = "ocpp.details", "details", ocpp("4.2.3"), "What else there is to say of the error.";
}

rules! {
    /// The rules of OCPP-J.
    RULES;
    BAD_MESSAGE = "ocpp-bad-message", Error, ocpp("4.2"), Either,
        "Not a message of OCPP-J",
        "The receiver ignores it, or answers CALLERROR; whoever sent a call waits until its timeout.";
    SECOND_CALL = "ocpp-call-before-answer", Warning, ocpp("4.1.1"), Either,
        "A CALL while another one of the same side waits for its answer",
        "The receiver may drop it, or take its answer for that to the first.",
        usually "a queue that does not wait for answers, or two tasks that share one connection",
        mend "let one queue a connection send the calls, and the next one only after the answer or the \
              timeout";
    ID_REUSED = "ocpp-id-reused", Error, ocpp("4.1.4"), Either,
        "A message id that was used before",
        "The receiver may take the call for one that it has answered, and the answer cannot be told from the \
         first.";
    UNEXPECTED_ANSWER = "ocpp-unexpected-answer", Warning, ocpp("4.1.4"), Either,
        "An answer to a CALL that was not made",
        "The receiver ignores it; the call that was meant waits until its timeout.";
    UNKNOWN_ACTION = "ocpp-unknown-action", Warning, ocpp("4.2.1"), Either,
        "An action that the agreed version of OCPP does not have",
        "The receiver answers CALLERROR with NotImplemented.",
        usually "one side was written for another version of OCPP, or the action is an extension of a vendor",
        mend "agree on the version that both know by its subprotocol; send what is a vendor's own in \
              DataTransfer";
    UNKNOWN_ERROR = "ocpp-unknown-error-code", Warning, ocpp("4.3"), Either,
        "An error code that the agreed version of OCPP does not have",
        "The receiver can take it for a GenericError at best.";
    LATER_TYPE = "ocpp-type-of-later-version", Error, ocpp("4.1.3"), Either,
        "A type of message that came with OCPP 2.1, where another version was agreed on",
        "The receiver ignores it, or answers CALLERROR with MessageTypeNotSupported.";
    NO_SUBPROTOCOL = "ocpp-without-subprotocol", Error, ocpp("3.1"), Either,
        "OCPP on a connection that agreed on no subprotocol",
        "Neither side can tell which version the other speaks; most stations close such a connection.",
        usually "the server does not pick one of the subprotocols that the station offers, or a proxy \
                 removes the header",
        mend "let the server answer Sec-WebSocket-Protocol with the version it takes: ocpp1.6, ocpp2.0.1";
}

/// `/ocpp/CP-7`, `/ocpp1.6j/CP-7`: what the station is called stands behind it.
fn is_target(path: &str, _query: &str) -> bool {
    let is_it = |part: &str| {
        let (name, version) = part.split_at_checked(4).unwrap_or_default();
        name.eq_ignore_ascii_case("ocpp")
            && version.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'j' | b'J'))
    };
    path.split('/').any(is_it)
}

/// A CALL may show by itself what it is; an answer may be any array.
fn looks_like(said: &Said<'_>) -> bool {
    let begins = |bytes: &[u8]| {
        matches!(bytes.trim_ascii_start(), [b'[', rest @ ..]
        if rest.trim_ascii_start().first() == Some(&b'2'))
    };
    said.text && begins(said.bytes)
}
