//! The opening handshake on a stream of HTTP/2 (RFC 8441).

use std::time::{Duration, Instant};

use super::{Failure, Open, Opening, refusal};
use crate::cli::dial::words::{self, Stopped};
use crate::http::{Outcome, RequestReport, check_request, check_response};
use crate::lab::http2::{self, Answered, Dialled, Unanswered};
use crate::lab::tap::{Tap, Tapped};
use crate::model::{Dir, SourceId, Text};
use crate::replay::Heard;

/// Opens it. `tap` is told all that goes over the connection.
///
/// # Errors
/// Why it is not open.
pub(super) async fn open(opening: &Opening, tap: &Tap) -> Result<Open, Failure> {
    let began = Instant::now();
    let (reach, named) = (&opening.reach, &opening.named);
    let head = opening.asking.bytes(&reach.url).map_err(Failure::Usage)?;
    let request = Heard::of(&head, SourceId::Input, 0);
    let asked = http2::asked(&request.head(), reach.url.secure).map_err(Failure::Usage)?;
    let line = reach.connect().await.map_err(Failure::Unreached)?;
    if reach.url.secure && !line.is_http2 {
        let words = "{}: the server agrees on no HTTP/2 (ALPN): try it without --http2";
        return Err(Failure::Unreached(Text::with(words, named)));
    }
    let wire = line.tapped(tap);
    let stream = Tapped::new(line.stream, wire, Dir::Client);
    let deadline = Instant::now() + reach.timeout;
    let dialled = http2::dial(stream, asked, deadline.into()).await;
    let took = began.elapsed();
    let asked = check_request(&request.head(), true);
    match dialled {
        Err(why) => Err(unanswered(named, why, reach.timeout)),
        Ok(Dialled::Refused(answered, body)) => {
            let mut heard = heard(&answered, &asked);
            heard.body = body;
            let answer = check_response(Some(&asked.facts), &heard.head(), Vec::new, true);
            Err(refusal(&asked, answer, &heard))
        }
        Ok(Dialled::Open(answered, channel)) => {
            let heard = heard(&answered, &asked);
            let answer = check_response(Some(&asked.facts), &heard.head(), Vec::new, true);
            if answer.facts.outcome != Outcome::Open {
                return Err(refusal(&asked, answer, &heard));
            }
            let socket = opening.socket(channel, &answer);
            let open = opening.opened(socket, (&asked, answer), line.tls, took);
            Ok(Open { status: answered.status.as_u16(), stream: Some(answered.stream), ..open })
        }
    }
}

/// A response as one of HTTP/1.1.
fn heard(answered: &Answered, asked: &RequestReport) -> Heard {
    let key = asked.facts.key.as_deref().unwrap_or_default();
    let head = http2::response(answered.status.as_u16(), &answered.headers, key);
    Heard::of(&head, SourceId::Stream { conn: 1, dir: Dir::Server }, 0)
}

/// What is said where there is no answer.
fn unanswered(named: &str, why: Unanswered, timeout: Duration) -> Failure {
    let refused = |got: Text, meaning: &'static str, advice: &'static str| Failure::Refused {
        code: 0,
        got,
        meaning: meaning.into(),
        advice: advice.into(),
    };
    match why {
        Unanswered::Foreign(first) if first.starts_with(b"HTTP/1.") => {
            let words = "{}: the server answers HTTP/2 with HTTP/1.1: try it without --http2";
            Failure::Unreached(Text::with(words, named))
        }
        Unanswered::Foreign(first) if first.is_empty() => {
            let words =
                "{}: the server ended the connection where HTTP/2 should begin: try it without --http2";
            Failure::Unreached(Text::with(words, named))
        }
        Unanswered::Foreign(first) => Failure::Unreached(words::foreign(named, &first)),
        Unanswered::Silent => {
            let words = "{}: connected, but no SETTINGS of HTTP/2 within {} s: try it without --http2, or \
                         raise --timeout";
            Failure::Unreached(Text::with(words, named).and(timeout.as_secs_f64()))
        }
        Unanswered::Late => Failure::Unreached(words::unanswered(named, 0, Stopped::Late, timeout)),
        Unanswered::NotEnabled => refused(
            "SETTINGS_ENABLE_CONNECT_PROTOCOL is not among the server's SETTINGS".into(),
            "it speaks HTTP/2, but takes no WebSockets over it (RFC 8441 §3)",
            "the same without --http2; Node.js: settings: { enableConnectProtocol: true }; HAProxy has it by \
             itself, nginx not at all",
        ),
        Unanswered::Reset(code) => {
            let got = Text::with("RST_STREAM instead of an answer: {}", &code);
            match code.as_str() {
                "HTTP_1_1_REQUIRED" => {
                    refused(got, "the server wants HTTP/1.1 here", "the same without --http2")
                }
                "REFUSED_STREAM" => {
                    refused(got, "the server has not looked at the request", "again, or with --reconnect")
                }
                "PROTOCOL_ERROR" => refused(
                    got,
                    "something between takes extended CONNECT for a malformed request, although SETTINGS \
                     allow it",
                    "the same without --http2, or past the proxy",
                ),
                _ => refused(got, "the server ended the stream", "its log, or the same without --http2"),
            }
        }
        Unanswered::Goaway(code) if code == "HTTP_1_1_REQUIRED" => refused(
            Text::with("GOAWAY instead of an answer: {}", code),
            "the server wants HTTP/1.1 here",
            "the same without --http2",
        ),
        Unanswered::Goaway(code) => refused(
            Text::with("GOAWAY instead of an answer: {}", code),
            "the server ends the connection",
            "its log, or the same without --http2",
        ),
        Unanswered::Broken(why) => {
            let words = "{}: the connection broke before the answer ({}): see the server's log";
            Failure::Unreached(Text::with(words, named).and(why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_no_answer_is_told_what_to_try() {
        for (why, expected) in [
            (Unanswered::Foreign(b"HTTP/1.1 400 Bad".to_vec()), "without --http2"),
            (Unanswered::Foreign(b"SSH-2.0-x".to_vec()), "SSH"),
            (Unanswered::Foreign(Vec::new()), "without --http2"),
        ] {
            let Failure::Unreached(words) = unanswered("ws://a/", why, Duration::from_secs(1)) else {
                panic!()
            };
            assert!(words.to_string().contains(expected), "{words}");
        }
        let Failure::Refused { got, .. } = unanswered("ws://a/", Unanswered::NotEnabled, Duration::ZERO)
        else {
            panic!()
        };
        assert!(got.to_string().contains("SETTINGS_ENABLE_CONNECT_PROTOCOL"), "{got}");
    }
}
