//! How a connection went and ended, in a line.

use super::quantity::{Digits, grouped, size, span};
use super::{CloseCode, ClosePart, Dir, Judgement, Outcome, TcpEnd, Text, Unfinished, prefix};

/// Nanoseconds of silence that are worth a word.
const SILENCE: i64 = 1_000_000_000;
/// Nanoseconds after a message within which an end belongs to it, and so many times more seldom messages
/// have to be.
const AT_ONCE: i64 = 20_000_000;
const SELDOM: i64 = 20;

impl Judgement<'_> {
    /// All of it in a line. It is made when somebody reads it, which of most connections nobody does.
    pub fn line(&self) -> Text {
        line(self)
    }

    /// The same in English, part by part, without making sentences first where it went as most connections
    /// go.
    ///
    /// # Errors
    /// What `take` ends with, which then is given no more.
    pub fn tell<E>(&self, take: &mut dyn FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let Some((by, lived)) = self.is_usual() else { return self.line().parts(take) };
        let (lived, messages, bytes) = (span(lived), Digits::grouped(self.messages), size(self.bytes));
        let from = "Close 1000 from the ";
        let line =
            [from, by.name(), "; lived ", &lived, "; ", messages.as_str(), " messages, ", &bytes].concat();
        debug_assert_eq!(line, self.line().to_string());
        take(&line)
    }

    /// Who closed it, and how long it lived, if all there is to say besides is what it carried.
    fn is_usual(&self) -> Option<(Dir, i64)> {
        let (by, close) = self.close.as_ref()?;
        let is_normal = close.code == Some(CloseCode(1000)) && close.reason.is_empty();
        let is_usual = is_normal
            && self.outcome == Outcome::Closed
            && self.silence.is_none_or(|silence| silence < SILENCE)
            && self.unseen == [false; 2]
            && self.unfinished == [None; 2]
            && self.unanswered.is_empty()
            && self.told_with.is_none()
            && self.crossing.is_none()
            && self.left != Some(Dir::Server)
            && !self.may_be_answer
            && self.messages > 1;
        Some((*by, self.lived.filter(|_| is_usual)?))
    }
}

fn line(it: &Judgement<'_>) -> Text {
    let mut line = ending(it);
    for (dir, _) in [Dir::Client, Dir::Server].into_iter().zip(it.unseen).filter(|(_, unseen)| *unseen) {
        line = line.then(Text::new("not all that the {} sent could be read").word(dir.name()));
    }
    for (dir, unfinished) in [Dir::Client, Dir::Server].into_iter().zip(it.unfinished) {
        if let Some(unfinished) = unfinished {
            line = line.then(left(dir, unfinished));
        }
    }
    if let Some(other) = it.told_with {
        line =
            line.then(Text::with("told with connection {}, the other leg of its way through a proxy", other));
    }
    match it.unanswered {
        [] => {}
        [one] if one.count == 1 => line = line.then(Text::with("no answer to {}", &one.method)),
        several => {
            let count: u64 = several.iter().map(|it| it.count).sum();
            line = line.then(Text::with("no answer to {} requests", grouped(count)));
        }
    }
    match (it.lived, it.outcome) {
        (_, Outcome::Refused | Outcome::Unanswered) => return line,
        (_, outcome) if outcome.has_no_frames() => return line,
        (Some(lived), _) => line = line.then(Text::with("lived {}", span(lived))),
        (None, _) => {}
    }
    let (messages, bytes) = (grouped(it.messages), size(it.bytes));
    match it.messages {
        0 => line.then("no message".into()),
        1 => line.then(Text::with("1 message, {}", bytes)),
        _ => line.then(Text::with("{} messages, {}", messages).and(bytes)),
    }
}

/// Who ended it and how, and what came last.
fn ending(it: &Judgement<'_>) -> Text {
    match it.outcome {
        Outcome::Refused => {
            return match it.status {
                Some(status) => Text::with("refused with {}", status),
                None => "refused: the handshake was not answered with HTTP".into(),
            };
        }
        Outcome::Unanswered => {
            return match it.tcp {
                Some(TcpEnd { by, how, .. }) if how.is_of_http2() => {
                    Text::new("the handshake was not answered; the {} ended the stream with {} after {}")
                        .word(by.name())
                        .and(how.flag())
                        .and(span(it.lived.unwrap_or_default()))
                }
                Some(TcpEnd { by, how, time: None, .. }) => {
                    Text::new("the handshake was not answered; the {} had ended TCP before it, with {}")
                        .word(by.name())
                        .and(how.flag())
                }
                Some(TcpEnd { by, how, .. }) => {
                    Text::new("the handshake was not answered; the {} ended TCP with {} after {}")
                        .word(by.name())
                        .and(how.flag())
                        .and(span(it.lived.unwrap_or_default()))
                }
                None => "the handshake was not answered".into(),
            };
        }
        Outcome::Http => return "HTTP requests, of which none asks for a WebSocket".into(),
        Outcome::Polling => return "HTTP requests of an application that polls".into(),
        Outcome::Streaming => return "HTTP requests, of which an answer streams".into(),
        Outcome::Lines => return "lines of text on raw TCP".into(),
        Outcome::Http2 => return "HTTP/2: a WebSocket on it is a connection of its own".into(),
        _ => {}
    }
    let said = match (it.close, it.tcp) {
        (Some((by, close)), end) => closed(by, close, it, end),
        (None, Some(end)) => {
            let words = match right_behind(it, end) {
                Some(last) if last == end.by => {
                    Text::new("{} from the {} right behind a message of its own, without a Close frame")
                }
                Some(_) => {
                    Text::new("{} from the {} right after a message of its peer, without a Close frame")
                }
                None => Text::new("{} from the {}, without a Close frame"),
            };
            words.and(end.how.flag()).word(end.by.name())
        }
        (None, None) if it.outcome == Outcome::Failed => return "failed, as the browser says".into(),
        (None, None) if it.outcome == Outcome::Untold => {
            return match it.code {
                Some(CloseCode(code)) => Text::with("closed with {}; by whom is not told", code),
                None => "how it ended is not told".into(),
            };
        }
        (None, None) => return after_silence(it, "the capture ends, and the connection is open".into()),
    };
    // Clients leave when they like.
    let is_dismissed = it.left == Some(Dir::Server) && (it.close.is_some() || it.tcp.is_some());
    let said = if is_dismissed {
        Text::new("the server took leave in the protocol of the application, then {}").word(said)
    } else {
        said
    };
    after_silence(it, said)
}

/// Who spoke right before an end of TCP, if messages are too seldom for that to be an accident.
fn right_behind(it: &Judgement<'_>, end: TcpEnd) -> Option<Dir> {
    let (after, lived) = (it.silence?, it.lived?);
    let apart = lived / i64::try_from(it.messages).ok()?.max(1);
    let is_then = after <= AT_ONCE && after.saturating_mul(SELDOM) <= apart;
    it.last.filter(|_| is_then && it.unfinished == [None; 2] && !end.how.is_of_http2())
}

/// What came after a silence, if there was one.
fn after_silence(it: &Judgement<'_>, what: Text) -> Text {
    match it.silence {
        Some(silence) if silence >= SILENCE => Text::with("{} of silence, then {}", span(silence)).word(what),
        _ => what,
    }
}

fn closed(by: Dir, close: &ClosePart, it: &Judgement<'_>, end: Option<TcpEnd>) -> Text {
    let said = said_in(by, close);
    if let Some((other, crossing)) = it.crossing {
        return Text::new("{}, and at once, or in answer, {}").word(said).word(said_in(other, crossing));
    }
    if it.may_be_answer {
        return Text::new("{}, perhaps the answer to one that is not in the capture").word(said);
    }
    match (it.outcome, end) {
        // An answer may be among what could not be read.
        _ if it.unseen[by.peer().index()] => said,
        (Outcome::Closed | Outcome::Untold | Outcome::Failed, _) => said,
        (_, Some(end)) => Text::new("{}, not answered; then {} from the {}")
            .word(said)
            .and(end.how.flag())
            .word(end.by.name()),
        _ => Text::new("{}, not answered").word(said),
    }
}

/// What a Close frame says, and who sent it.
fn said_in(by: Dir, close: &ClosePart) -> Text {
    let code = match (close.code, prefix(&close.reason, 123)) {
        (None, _) => Text::default(),
        (Some(CloseCode(1000)), "") => Text::with("{}", 1000),
        (Some(CloseCode(code)), "") => Text::with("{} ({})", code).word(CloseCode(code).name()),
        (Some(CloseCode(code)), reason) => Text::with("{} “{}”", code).and(reason),
    };
    match close.code {
        Some(_) => Text::new("Close {} from the {}").word(code).word(by.name()),
        None => Text::new("Close without a code from the {}").word(by.name()),
    }
}

fn left(dir: Dir, it: Unfinished) -> Text {
    match it.frame {
        Some((arrived, declared)) => Text::new("unfinished: a frame of the {}, {} of {} bytes")
            .word(dir.name())
            .and(grouped(arrived))
            .and(grouped(declared)),
        None if it.fragments == 1 => {
            Text::new("unfinished: a message of the {} after 1 fragment").word(dir.name())
        }
        None => {
            Text::new("unfinished: a message of the {} after {} fragments").word(dir.name()).and(it.fragments)
        }
    }
}
