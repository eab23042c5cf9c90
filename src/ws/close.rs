//! The body of a Close frame: a two-byte code, then a reason (RFC 6455 §5.5.1, §7.4).

use super::{
    CLOSE_1010_FROM_SERVER, CLOSE_1010_WITHOUT_LIST, CLOSE_CODE_OUT_OF_RANGE, CLOSE_PAYLOAD_ONE_BYTE,
    CLOSE_WITHOUT_CODE, INVALID_UTF8_CLOSE_REASON, RESERVED_CLOSE_CODE, UNASSIGNED_CLOSE_CODE,
};
use crate::model::{CloseBody, CloseCode, Dir, Finding, Rule, Span, Text};

/// Splits a Close frame's unmasked payload.
///
/// A single byte is no code; it is given as an empty body, and [`check`] says so.
pub fn parse(payload: &[u8]) -> CloseBody<'_> {
    match payload {
        [high, low, reason @ ..] => {
            CloseBody { code: Some(CloseCode(u16::from_be_bytes([*high, *low]))), reason }
        }
        _ => CloseBody { code: None, reason: &[] },
    }
}

/// Holds what is there of a Close frame's unmasked payload against the rules. It stands at the
/// beginning of `span`, which is where the whole of it stands or should stand.
/// `answered` is the code of the Close frame that it answers, if it does; `unseen`, that it may
/// answer one that the capture does not show.
pub fn check(
    payload: &[u8],
    span: Span,
    dir: Dir,
    (answered, unseen): (Option<CloseCode>, bool),
    findings: &mut Vec<Finding>,
) {
    let is_whole = payload.len() as u64 == span.len() / 8;
    let mut found = |rule: &'static Rule, expected: Text, got: Text, at: Span| {
        findings.push(Finding::new(rule, dir, expected, got).at(at));
    };
    let [high, low, reason @ ..] = payload else { return };
    let code = u16::from_be_bytes([*high, *low]);
    let code_at = Span::bytes(span.source, span.first_byte(), 2);
    let reason_at = Span::bytes(span.source, span.first_byte() + 2, reason.len() as u64);
    match code {
        //= RFC 6455 §7.4.2
        //# Status codes in the range 0-999 are not used.
        0..1000 | 5000.. => {
            found(&CLOSE_CODE_OUT_OF_RANGE, "a code from 1000 to 4999".into(), number(code), code_at);
        }
        1004 => found(&RESERVED_CLOSE_CODE, "a code with a meaning".into(), number(code), code_at),
        //= RFC 6455 §7.4.1
        //# MUST NOT be set as a status code in a
        //# Close control frame by an endpoint.
        1005 | 1006 | 1015 => found(
            &RESERVED_CLOSE_CODE,
            "a code that is not only for local reports".into(),
            number(code),
            code_at,
        ),
        // An answer repeats the code it answers (§5.5.1).
        1010 if answered == Some(CloseCode(1010)) || (answered.is_none() && unseen) => {}
        //= RFC 6455 §7.4.1
        //# Note that this status code is not used by the server, because it
        //# can fail the WebSocket handshake instead.
        1010 if dir == Dir::Server => {
            found(&CLOSE_1010_FROM_SERVER, "1010 from clients only".into(), number(code), code_at);
        }
        //= RFC 6455 §7.4.1
        //# The list of extensions that
        //# are needed SHOULD appear in the /reason/ part of the Close frame.
        1010 if reason.is_empty() && is_whole => found(
            &CLOSE_1010_WITHOUT_LIST,
            "the missing extensions in the reason".into(),
            "no reason".into(),
            code_at,
        ),
        1016..=2999 => {
            found(&UNASSIGNED_CLOSE_CODE, "an assigned code, or 3000 to 4999".into(), number(code), code_at);
        }
        _ => {}
    }
    if let Err(e) = std::str::from_utf8(reason)
        && (is_whole || e.error_len().is_some())
    {
        //= RFC 6455 §5.5.1
        //# Following the 2-byte integer, the body MAY contain UTF-8-encoded data
        found(
            &INVALID_UTF8_CLOSE_REASON,
            "valid UTF-8".into(),
            Text::with("an invalid sequence at byte {} of the reason", e.valid_up_to()),
            reason_at,
        );
    }
}

/// Holds the length of a Close frame's payload, which stands at `at`, against the rules.
pub fn check_length(length: u64, at: Span, dir: Dir, findings: &mut Vec<Finding>) {
    match length {
        //= RFC 6455 §7.1.5
        //# If this Close control frame contains no status code, _The WebSocket
        //# Connection Close Code_ is considered to be 1005.
        0 => findings.push(
            Finding::new(
                &CLOSE_WITHOUT_CODE,
                dir,
                "a status code, optionally".into(),
                "an empty body".into(),
            )
            .at(at),
        ),
        //= RFC 6455 §5.5.1
        //# If there is a body, the first two bytes of
        //# the body MUST be a 2-byte unsigned integer
        1 => findings.push(
            Finding::new(&CLOSE_PAYLOAD_ONE_BYTE, dir, "0 bytes, or 2 to 125".into(), "1 byte".into()).at(at),
        ),
        _ => {}
    }
}

fn number(code: u16) -> Text {
    Text::with("{}", code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceId;

    fn ids(payload: &[u8], dir: Dir) -> Vec<&'static str> {
        let mut findings = Vec::new();
        check_length(payload.len() as u64, Span::bits(SourceId::Input, 9, 16), dir, &mut findings);
        let span = Span::bytes(SourceId::Input, 0, payload.len() as u64);
        check(payload, span, dir, (None, false), &mut findings);
        findings.iter().map(|f| f.rule.id).collect()
    }

    fn code(code: u16, reason: &[u8]) -> Vec<u8> {
        [&code.to_be_bytes(), reason].concat()
    }

    #[test]
    fn a_body_is_a_code_and_a_reason() {
        let body = code(1000, b"bye");
        assert_eq!(parse(&body), CloseBody { code: Some(CloseCode(1000)), reason: b"bye" });
        assert_eq!(parse(&[]).code, None);
        assert_eq!(parse(&[3]).code, None);
    }

    #[test]
    fn codes_are_judged_by_range() {
        let cases: &[(u16, &[&str])] = &[
            (0, &["close-code-out-of-range"]),
            (999, &["close-code-out-of-range"]),
            (1000, &[]),
            (1003, &[]),
            (1004, &["reserved-close-code"]),
            (1005, &["reserved-close-code"]),
            (1006, &["reserved-close-code"]),
            (1007, &[]),
            (1012, &[]),
            (1014, &[]),
            (1015, &["reserved-close-code"]),
            (1016, &["unassigned-close-code"]),
            (2999, &["unassigned-close-code"]),
            (3000, &[]),
            (4999, &[]),
            (5000, &["close-code-out-of-range"]),
            (65535, &["close-code-out-of-range"]),
        ];
        for (value, expected) in cases {
            assert_eq!(ids(&code(*value, b""), Dir::Client), *expected, "{value}");
        }
    }

    #[test]
    fn bodies_are_judged() {
        assert_eq!(ids(b"", Dir::Client), ["close-without-code"]);
        assert_eq!(ids(b"\x03", Dir::Client), ["close-payload-one-byte"]);
        assert_eq!(ids(&code(1000, b"\xFF"), Dir::Server), ["invalid-utf8-close-reason"]);
        assert_eq!(ids(&code(1010, b"mux"), Dir::Client), [""; 0]);
        assert_eq!(ids(&code(1010, b""), Dir::Client), ["close-1010-without-list"]);
        assert_eq!(ids(&code(1010, b"mux"), Dir::Server), ["close-1010-from-server"]);
    }

    #[test]
    fn a_body_that_is_cut_is_judged_as_far_as_it_goes() {
        let ids = |payload: &[u8]| {
            let mut findings = Vec::new();
            check(payload, Span::bytes(SourceId::Input, 6, 9), Dir::Client, (None, false), &mut findings);
            findings.iter().map(|f| f.rule.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(b"\x03"), [""; 0]);
        assert_eq!(ids(&code(1005, b"")), ["reserved-close-code"]);
        // The list may have followed, and the character may have been completed.
        assert_eq!(ids(&code(1010, b"")), [""; 0]);
        assert_eq!(ids(&code(1000, b"\xE2\x82")), [""; 0]);
        assert_eq!(ids(&code(1000, b"\xE2a")), ["invalid-utf8-close-reason"]);
    }
}
