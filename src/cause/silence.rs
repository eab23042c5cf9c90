//! Connections that were ended because nobody said anything.

use super::heartbeat;
use super::over::{Over, seen_in};
use crate::model::quantity::span;
use crate::model::{
    Case, Cite, ClosePart, Diagnosis, Dir, Finding, Handshake, Measure, Quantity, Rule, Software, StreamEnd,
    TcpEnd, Text, rules,
};

rules! {
    /// Ends after silence.
    RULES;
    IDLE_TIMEOUT = "idle-timeout-reached", Warning, Cite::rfc6455("5.5.2"), Either,
        "TCP was ended after a silence as long as a usual idle timeout, without a Close frame",
        "both endpoints learn of it late or never; messages sent meanwhile are lost",
        usually "a proxy, a load balancer or the server ends connections that were silent for so long",
        mend "send pings at less than half of that interval, from either side, or raise the timeout";
    CLOSED_IDLE = "closed-when-idle", Warning, Cite::rfc6455("5.5.2"), Either,
        "an endpoint closed the connection because nothing had been said for some time",
        "the other one has to connect again, and misses what would have been sent meanwhile",
        usually "an idle timeout of the server, its library or its framework",
        mend "send pings or messages at less than half of that interval, or raise the timeout";
    NO_HEARTBEAT = "no-heartbeat", Warning, Cite::rfc6455("5.5.2"), Either,
        "TCP was ended after a long silence, without a Close frame, and neither endpoint had sent a ping",
        "nobody notices that a connection is gone as long as nothing is sent; messages sent then are lost",
        usually "an idle timeout of a proxy, NAT or firewall, or a program that ended meanwhile",
        mend "let one endpoint send a ping every 20 to 30 s, and give up when no pong comes";
}

/// Nanoseconds of silence that are long: most heartbeats are more frequent.
const LONG: i64 = 30 * SECOND;

/// Nanoseconds of silence before an end that are worth more than how it ended.
const QUIET: i64 = 10 * SECOND;

/// An idle timeout that somebody has unless it is set.
struct Habit {
    seconds: u64,
    /// Whose, and what the setting is called.
    whose: &'static str,
    /// As what it names itself in the answers that it passes on; `None` for what leaves them as they are.
    named: Option<Software>,
    /// What else its connections end like.
    at: Place,
}

/// Where a program with a timeout stands, by what is seen of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It serves; it is no client of anybody.
    Server,
    /// It is a server to one and a client to another.
    Proxy,
    /// It passes packets on and no more, and ends both ways with RST.
    Path,
}

const fn habit(seconds: u64, whose: &'static str, named: Option<Software>, at: Place) -> Habit {
    Habit { seconds, whose, named, at }
}

/// Timeouts that are in use.
const HABITS: &[Habit] = &[
    habit(5, "Node.js servers for idle HTTP (keepAliveTimeout)", Some(Software::Unnamed), Place::Server),
    habit(5, "Apache httpd for idle HTTP (KeepAliveTimeout)", Some(Software::Apache), Place::Server),
    habit(5, "uvicorn for idle HTTP (timeout_keep_alive)", Some(Software::Uvicorn), Place::Server),
    habit(30, "Google Cloud's load balancer", Some(Software::Google), Place::Proxy),
    habit(30, "HAProxy's examples", None, Place::Proxy),
    habit(50, "HAProxy's example configuration", None, Place::Proxy),
    habit(55, "Heroku's router", Some(Software::Heroku), Place::Proxy),
    habit(60, "nginx (proxy_read_timeout)", Some(Software::Nginx), Place::Proxy),
    habit(60, "Apache httpd (ProxyTimeout)", None, Place::Proxy),
    habit(60, "AWS's ALB", None, Place::Proxy),
    habit(100, "Cloudflare", Some(Software::Cloudflare), Place::Proxy),
    habit(240, "Azure's load balancer", None, Place::Path),
    habit(300, "Envoy (stream_idle_timeout)", Some(Software::Envoy), Place::Proxy),
    habit(350, "AWS's NLB and NAT gateway", None, Place::Path),
    habit(600, "Google Cloud's firewalls", None, Place::Path),
    habit(3600, "HAProxy's examples (timeout tunnel)", None, Place::Proxy),
];

/// Whether one of these already says why a connection was ended.
pub(super) fn explains(rule: &Rule) -> bool {
    [&IDLE_TIMEOUT, &CLOSED_IDLE].contains(&rule)
}

/// Whether a rule says of a silence no more than that it was long.
pub(super) fn is_vague(rule: &Rule) -> bool {
    *rule == NO_HEARTBEAT
}

/// Both legs of a way through a proxy were ended by that after the same silence; this is one of them.
pub(super) fn between(over: &Over<'_>) -> Option<Finding> {
    let (end, silence) = (over.cut()?, over.silence()?);
    let got = Text::with("{} of silence, then {} from the {}", span(silence))
        .and(end.how.flag())
        .word(end.by.name());
    let what = "ended by the proxy in between after a silence, on both sides of it, without a Close frame";
    let case = Case::new(what.into(), vec![Measure::of(Quantity::Silence, silence)]);
    let behind = Text::with(
        "an idle timeout of {} of that proxy (nginx: proxy_read_timeout; HAProxy: timeout tunnel, or client \
         and server)",
        span(silence),
    );
    let often = often_enough(silence);
    let mend =
        Text::with("a ping or a message every {} would have kept it open; or raise the timeout", often);
    let expected = "a frame, or a ping, more often than that".into();
    let finding = Finding::new(&IDLE_TIMEOUT, None, expected, got)
        .because(Diagnosis::new(IDLE_TIMEOUT.id, behind, mend))
        .like(case);
    Some(seen_in(finding, end.packet))
}

/// Whether a Close frame ends the connection because it was idle, as its reason says.
pub(super) fn says_idle(close: &ClosePart) -> bool {
    if close.reason.is_empty() {
        return false;
    }
    let reason = close.reason.to_ascii_lowercase();
    let has = |wanted: fn(&str) -> bool| reason.split(|c: char| !c.is_ascii_alphabetic()).any(wanted);
    let is_idle = has(|word| word == "idle" || word.starts_with("inactiv"));
    // That of a session in Tomcat is one without a message.
    let is_orderly = close.code.is_none_or(|code| matches!(code.0, 1000 | 1001));
    is_orderly && (is_idle || has(|word| word == "timeout") && has(|word| word == "expired"))
}

const SECOND: i64 = 1_000_000_000;

/// The usual timeout that a silence comes from, in seconds. Timers fire late, never early, and a proxy
/// rounds.
pub fn usual(silence: i64) -> Option<u64> {
    let of = HABITS.iter().map(|habit| habit.seconds);
    of.into_iter().find(|seconds| {
        let nominal = i64::try_from(*seconds).unwrap_or_default() * SECOND;
        let late = (nominal / 100).clamp(SECOND / 5, SECOND + SECOND / 5);
        (-SECOND / 20..=late).contains(&(silence - nominal))
    })
}

/// The usual timeout of a connection through nginx, in seconds, that ended after such a silence and lived for
/// so long. Its timers fire early: one that would move by less than 300 ms stays where it is
/// (`NGX_TIMER_LAZY_DELAY`), so that it may run from a message before the last one.
fn usual_of_nginx(silence: i64, lived: i64) -> Option<u64> {
    const LAZY: i64 = 300_000_000;
    let of = HABITS.iter().map(|habit| habit.seconds);
    of.into_iter().find(|seconds| {
        let nominal = i64::try_from(*seconds).unwrap_or_default() * SECOND;
        (silence..=lived.min(silence + LAZY)).contains(&nominal)
    })
}

/// What an end says of who had the timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// Who ended it.
    by: Dir,
    how: StreamEnd,
    /// Who answered its handshake; `None` where the answer was not seen.
    answered: Option<Software>,
}

impl Evidence {
    pub fn about(over: &Over<'_>, end: TcpEnd) -> Self {
        let is_seen = matches!(over.connection.handshake, Handshake::Full | Handshake::ResponseOnly);
        Self { by: end.by, how: end.how, answered: is_seen.then_some(over.connection.software) }
    }

    /// Who answered, if that is a proxy that names itself and has ended the connection.
    fn proxy(self) -> Option<Text> {
        self.answered.filter(|_| self.by == Dir::Server)?.proxy()
    }

    /// Whether nothing that was seen speaks against this one.
    fn allows(self, habit: &Habit) -> bool {
        match (habit.at, self.by, self.answered) {
            (Place::Path, ..) => self.how == StreamEnd::Rst,
            _ if self.how == StreamEnd::Rst => false,
            (Place::Server, Dir::Client, _) => false,
            // Answers say nothing of the client, and nothing was seen.
            (_, Dir::Client, _) | (_, _, None) => true,
            // Some configurations keep nginx from naming itself.
            (_, _, Some(Software::Unnamed)) if habit.named == Some(Software::Nginx) => true,
            (_, _, Some(answered)) => habit.named.map_or(answered.proxy().is_none(), |it| it == answered),
        }
    }

    /// Whether somebody that nothing speaks against has such a timeout.
    fn knows(self, seconds: u64) -> bool {
        HABITS.iter().any(|habit| habit.seconds == seconds && self.allows(habit))
    }

    /// An idle timeout of this length that is usual of nobody.
    pub fn of(self, length: String) -> Text {
        let Some(proxy) = self.proxy() else { return Text::with("an idle timeout of {}", length) };
        let words = "an idle timeout of {}: of {}, which answered the handshake, or of what is behind it";
        Text::with(words, length).word(proxy)
    }

    /// What is likely behind an end after so many seconds.
    pub fn behind(self, seconds: u64) -> Text {
        let mut whose = HABITS.iter().filter(|habit| habit.seconds == seconds && self.allows(habit));
        let Some(first) = whose.next() else {
            return self.of(format!("{seconds} s"));
        };
        let names = whose.fold(Text::new(first.whose), |names, next| {
            Text::new("{} and of {}").word(names).word(next.whose)
        });
        let words = match self.proxy() {
            Some(_) => "an idle timeout of {} s, usual of {}, which answered the handshake",
            None => "an idle timeout of {} s, usual of {}",
        };
        Text::with(words, seconds).word(names)
    }
}

/// How often somebody has to be heard of where such a silence ends a connection: a little more than twice.
pub(super) fn often_enough(silence: i64) -> String {
    span(silence * 45 / 100)
}

/// A Close frame after a silence: its reason says that this is why, or the silence is as long as a timeout
/// that servers have.
fn closed_idle(over: &Over<'_>) -> Option<Finding> {
    let (by, close) = over.close()?;
    let code = close.code.map_or(1005, |code| code.0);
    let is_said = says_idle(close);
    // Who says something else has another reason.
    let is_mute = by == Dir::Server && matches!(code, 1000 | 1005) && close.reason.is_empty();
    if !(is_said || is_mute) || !over.is_websocket() {
        return None;
    }
    let silence = over.silence()?;
    // Who says nothing and closes after a shorter time, or one that is not usual, may have any.
    let seconds = if is_said {
        None
    } else {
        let is_alike = silence >= LONG && over.knows_silence() && over.knows_closer();
        Some(usual(silence).filter(|_| is_alike)?)
    };
    let got = Text::with("{} of silence, then {} from the {}", span(silence))
        .and(format!("Close {code}"))
        .word(by.name());
    let (what, behind) = match seconds {
        None => (
            Text::new("closed by the {} with {} for being idle, as the reason says")
                .word(by.name())
                .and(code),
            Text::new("an idle timeout of the {}").word(by.name()),
        ),
        Some(seconds) => (
            Text::new("closed by the {} with {} after {} s of silence")
                .word(by.name())
                .and(code)
                .and(seconds),
            Text::with(
                "an idle timeout of {} s of the server or its framework, by the time that it took",
                seconds,
            ),
        ),
    };
    let case = Case::new(what, vec![Measure::of(Quantity::Silence, silence)]);
    let mend = Text::with(
        "a ping or a message every {} would have kept it open; or raise the timeout",
        often_enough(silence),
    );
    let finding = Finding::new(&CLOSED_IDLE, None, "a frame now and then".into(), got)
        .because(Diagnosis::new(CLOSED_IDLE.id, behind, mend))
        .like(case);
    Some(seen_in(finding, close.packet))
}

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    causes.extend(closed_idle(over));
    let (Some(end), Some(silence)) = (over.cut(), over.silence()) else { return };
    let is_given_up = causes.iter().any(|cause| heartbeat::explains(cause.rule));
    if is_given_up || !over.is_websocket() || !over.knows_silence() || !over.is_at_rest() {
        return;
    }
    let evidence = Evidence::about(over, end);
    let is_nginx = evidence.by == Dir::Server && evidence.answered == Some(Software::Nginx);
    let of_nginx = || over.lived().filter(|_| is_nginx).and_then(|lived| usual_of_nginx(silence, lived));
    // A client's program may end any time; what passes a connection on has a timeout that somebody knows.
    let is_known = |seconds: &u64| evidence.by == Dir::Server || evidence.knows(*seconds);
    let Some(seconds) = usual(silence).or_else(of_nginx).filter(is_known) else {
        causes.extend(no_heartbeat(over, end, silence));
        return;
    };
    let how = end.how.flag();
    let got = Text::with("{} of silence, then {} from the {}", span(silence)).and(how).word(end.by.name());
    let expected = Text::with("a frame, or a ping, at least every {} s", seconds);
    let what = Text::new("ended by the {} after {} s of silence, without a Close frame")
        .word(end.by.name())
        .and(seconds);
    let case = Case::new(what, vec![Measure::of(Quantity::Silence, silence)]);
    let ping = (seconds / 2).saturating_sub(seconds / 20).max(1);
    let mend = if over.has_pings() {
        Text::with("a ping every {} s would have kept it open; or raise the timeout", ping)
    } else {
        let words =
            "neither endpoint sent a ping: one every {} s would have kept it open; or raise the timeout";
        Text::with(words, ping)
    };
    let finding = Finding::new(&IDLE_TIMEOUT, None, expected, got)
        .because(Diagnosis::new("idle-timeout-reached", evidence.behind(seconds), mend))
        .like(case);
    causes.push(seen_in(finding, end.packet));
}

/// A long silence of no usual length, in which a heartbeat would have shown that nobody is there, or kept
/// them there.
fn no_heartbeat(over: &Over<'_>, end: TcpEnd, silence: i64) -> Option<Finding> {
    // A reset says more, and where something is missing it may be the end by the other one.
    if silence < QUIET || !end.how.is_orderly() || over.has_pings() || !over.is_whole() {
        return None;
    }
    let got = Text::with("{} of silence, then {} from the {}", span(silence))
        .and(end.how.flag())
        .word(end.by.name());
    let what = Text::new("ended by the {} after a long silence, and neither endpoint had sent a ping")
        .word(end.by.name());
    let case = Case::new(what, vec![Measure::of(Quantity::Silence, silence)]);
    let expected = "a ping now and then, and a Close frame before the end".into();
    let mut finding = Finding::new(&NO_HEARTBEAT, None, expected, got).like(case);
    if let Some(proxy) = Evidence::about(over, end).proxy() {
        let words = "an idle timeout of {}: of {}, which answered the handshake, or of what is behind it; or \
                     a program there that ended";
        let behind = Text::with(words, span(silence)).word(proxy);
        let often = often_enough(silence);
        let mend =
            Text::with("a ping or a message every {} would have kept it open; or raise the timeout", often);
        finding = finding.because(Diagnosis::new(NO_HEARTBEAT.id, behind, mend));
    }
    Some(seen_in(finding, end.packet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CloseCode;

    #[test]
    fn reasons_that_say_that_nobody_said_anything() {
        let says = |code: u16, reason: &str| {
            let close =
                ClosePart { code: Some(CloseCode(code)), reason: reason.into(), ..ClosePart::default() };
            says_idle(&close)
        };
        // Jetty, Tomcat, others.
        assert!(says(1001, "java.util.concurrent.TimeoutException: Idle timeout expired: 4001/4000 ms"));
        assert!(says(1001, "The WebSocket session [3] timeout expired"));
        assert!(says(1000, "Closed due to inactivity") && says(1001, "Connection Idle Timeout"));
        assert!(!says(1001, "Going away") && !says(1000, "sidled off") && !says(4002, "idle"));
    }

    #[test]
    fn timers_fire_late_and_hardly_early() {
        let ms = 1_000_000;
        let of = usual;
        assert_eq!(of(5000 * ms), Some(5));
        assert_eq!(of(5130 * ms), Some(5));
        assert_eq!(of(4960 * ms), Some(5));
        assert_eq!(of(5300 * ms), None);
        assert_eq!(of(60_450 * ms), Some(60));
        assert_eq!(of(61_500 * ms), None);
        assert_eq!(of(2000 * ms), None);
    }

    #[test]
    fn timers_of_nginx_may_run_from_a_message_before_the_last() {
        let ms = 1_000_000;
        let of = |silence: i64, lived: i64| usual_of_nginx(silence * ms, lived * ms);
        assert_eq!(of(4880, 5100), Some(5));
        assert_eq!(of(59_720, 200_000), Some(60));
        assert_eq!(of(59_650, 200_000), None);
        // It has not lived for so long.
        assert_eq!(of(4880, 4990), None);
    }

    #[test]
    fn only_what_the_evidence_fits_is_named() {
        let of = |by, how, answered, seconds| Evidence { by, how, answered }.behind(seconds).to_string();
        let server = |answered, seconds| of(Dir::Server, StreamEnd::Fin, Some(answered), seconds);
        assert_eq!(
            server(Software::Nginx, 5),
            "an idle timeout of 5 s: of nginx (proxy_read_timeout), which answered the handshake, or of what \
             is behind it"
        );
        assert_eq!(server(Software::Other, 5), "an idle timeout of 5 s");
        assert!(
            server(Software::Unnamed, 5)
                .ends_with("usual of Node.js servers for idle HTTP (keepAliveTimeout)")
        );
        assert!(
            server(Software::Nginx, 60).ends_with("nginx (proxy_read_timeout), which answered the handshake")
        );
        let both = "Apache httpd (ProxyTimeout) and of AWS's ALB";
        assert!(
            server(Software::Unnamed, 60).ends_with(&format!("nginx (proxy_read_timeout) and of {both}"))
        );
        assert_eq!(server(Software::Other, 60), format!("an idle timeout of 60 s, usual of {both}"));
        assert!(server(Software::Cloudflare, 60).contains("60 s: of Cloudflare, which answered"));
        assert_eq!(server(Software::Unnamed, 100), "an idle timeout of 100 s");
        let client = |seconds| of(Dir::Client, StreamEnd::Fin, Some(Software::Other), seconds);
        assert!(client(60).ends_with(&format!("nginx (proxy_read_timeout) and of {both}")));
        assert_eq!(client(5), "an idle timeout of 5 s");
        let reset = |seconds| of(Dir::Server, StreamEnd::Rst, Some(Software::Nginx), seconds);
        assert!(reset(350).contains("NLB") && !reset(60).contains("usual"));
    }
}
