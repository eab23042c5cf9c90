//! What the reason of a Close frame says in words (RFC 6455 §7.1.6).
//!
//! A code says little: 1008 is any policy, 1011 any failure, and 4000–4999 whatever an application likes.
//! Most who choose one say why in the reason. What is known of such words is told as what they are: what the
//! reason says.

use crate::model::{Dir, Text};

/// What a reason is about.
struct Topic {
    /// Each of these has words that all have to be there.
    says: &'static [&'static [&'static str]],
    /// A reason with one of these words is about something else.
    unless: &'static [&'static str],
    /// What is behind it; who closed may be named.
    behind: &'static str,
    /// What to change.
    mend: &'static str,
}

const fn topic(
    says: &'static [&'static [&'static str]],
    unless: &'static [&'static str],
    behind: &'static str,
    mend: &'static str,
) -> Topic {
    Topic { says, unless, behind, mend }
}

/// A heartbeat that did not come.
const HEARTBEAT: Topic = topic(
    &[
        &["ping", "timeout"],
        &["pong", "timeout"],
        &["heartbeat*", "timeout"],
        &["keepalive", "timeout"],
        &["keep", "alive", "timeout"],
        &["ping", "timed", "out"],
        &["pong", "timed", "out"],
        &["heartbeat*", "timed", "out"],
        &["heartbeat*", "miss*"],
        &["heartbeat*", "expired"],
        &["pong*", "miss*"],
        &["no", "pong"],
        &["no", "heartbeat*"],
    ],
    &[],
    "a heartbeat was not answered, or did not come, in time, as the reason says",
    "see what kept the other endpoint at that time: a program that is busy or suspended, or something \
         large on the way before the heartbeat; allow more time for it",
);

/// The first that fits is it. A word that ends in `*` stands for all that begin like that.
const TOPICS: &[Topic] = &[
    HEARTBEAT,
    topic(
        &[&["idle"], &["inactiv*"]],
        &[],
        "nothing was said for too long, as the reason says",
        "send a ping or a message more often than that, or raise the timeout",
    ),
    topic(
        &[
            &["rate", "limit*"],
            &["ratelimit*"],
            &["throttl*"],
            &["quota"],
            &["flood*"],
            &["too", "many"],
            &["too", "fast"],
            &["too", "frequent*"],
        ],
        &[],
        "more messages, requests or connections than are allowed, as the reason says",
        "send less often or keep fewer connections open; wait longer before each new try",
    ),
    topic(
        &[&["slow", "consumer"], &["slow", "client"], &["slow", "reader"], &["backpressure"]],
        &[],
        "one of them read more slowly than it was sent to, as the reason says",
        "read all the time and work elsewhere; bound what waits for a receiver, drop or merge the rest",
    ),
    topic(
        &[
            &["replaced"],
            &["superseded"],
            &["duplicate", "connection"],
            &["duplicate", "session"],
            &["duplicate", "login"],
            &["duplicate", "client"],
            &["another", "connection"],
            &["another", "session"],
            &["another", "client"],
            &["another", "device"],
            &["another", "location"],
            &["another", "tab"],
            &["elsewhere"],
            &["taken", "over"],
        ],
        &["failed"],
        "another connection took the place of this one, as the reason says",
        "give each client an identity of its own, and do not come back at once: two with the same push each \
         other out again and again",
    ),
    topic(
        &[
            &["upstream"],
            &["downstream"],
            &["backend"],
            &["connect", "failed"],
            &["connection", "refused"],
            &["unreachable"],
            &["gateway"],
        ],
        &[],
        "something behind the {} was not reached, or failed, as the reason says",
        "see that what is behind it runs, and that it can be reached from there",
    ),
    topic(
        &[&["unexpected", "token"], &["json"], &["malformed"], &["syntax"], &["pars*"], &["schema"]],
        &[],
        "a message that its receiver did not understand, as the reason says",
        "look at the last message of the other endpoint before it",
    ),
    topic(
        &[
            &["token"],
            &["jwt"],
            &["unauthori*"],
            &["unauthenticated"],
            &["authenticat*"],
            &["authoriz*"],
            &["credential*"],
            &["login"],
            &["forbidden"],
            &["permission*"],
            &["denied"],
            &["session", "expired"],
        ],
        &[],
        "credentials that are missing, wrong, expired or not enough, as the reason says",
        "get new credentials before connecting again, and renew them in time",
    ),
    topic(
        &[&["restart*"], &["shutdown"], &["shutting"], &["maintenance"], &["deploy*"], &["reload*"]],
        &[],
        "the {} is restarted or taken down, as the reason says",
        "let clients come back after a random pause",
    ),
    topic(
        &[&["overload*"], &["capacity"], &["server", "busy"], &["server", "full"]],
        &[],
        "more connections or work than the {} can take, as the reason says",
        "come back later, each time after a longer pause; give the server more room",
    ),
    topic(
        &[&["timed", "out"], &["timeout"], &["time", "out"], &["deadline"]],
        &[],
        "the {} had waited for something for as long as it was ready to, as the reason says",
        "see what did not come in time, and what kept the other endpoint from it",
    ),
    topic(
        &[&["version"], &["outdated"], &["obsolete"], &["deprecated"]],
        &[],
        "client and server are of versions that do not fit, as the reason says",
        "update the older one",
    ),
];

impl Topic {
    /// Whether a reason is about it.
    fn fits(&self, reason: &str) -> bool {
        let reason = reason.to_ascii_lowercase();
        let words = || reason.split(|c: char| !c.is_alphanumeric());
        let has = |wanted: &&str| match wanted.strip_suffix('*') {
            Some(begin) => words().any(|word| word.starts_with(begin)),
            None => words().any(|word| word == *wanted),
        };
        self.says.iter().any(|all| all.iter().all(has)) && !self.unless.iter().any(has)
    }
}

/// Whether a reason says that a heartbeat did not come in time.
pub(super) fn is_heartbeat(reason: &str) -> bool {
    reason.len() >= SHORTEST && HEARTBEAT.fits(reason)
}

/// The length of the shortest of these reasons, `no pong`.
const SHORTEST: usize = 7;

/// What is behind a reason, given by `by`, and what to change; `None` where its words say nothing that is
/// known.
pub(super) fn meaning(reason: &str, by: Dir) -> Option<(Text, &'static str)> {
    let topic = TOPICS.iter().find(|topic| topic.fits(reason))?;
    let behind = Text::new(topic.behind);
    Some((if topic.behind.contains("{}") { behind.word(by.name()) } else { behind }, topic.mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_real_programs_say_what_they_are_about() {
        let about = |reason: &str| meaning(reason, Dir::Server).map(|(behind, _)| behind.to_string());
        for (reason, words) in [
            ("keepalive timeout", "a heartbeat"),
            ("Heartbeat timed out", "a heartbeat"),
            ("no pong received", "a heartbeat"),
            ("Failed to connect to downstream server", "something behind the server"),
            ("upstream connect error or disconnect/reset before headers", "something behind the server"),
            ("token expired", "credentials"),
            ("Unauthorized", "credentials"),
            ("Authentication failed.", "credentials"),
            ("Unexpected token < in JSON at position 0", "a message that its receiver did not understand"),
            ("Too many requests", "more messages"),
            ("Rate limited.", "more messages"),
            ("Rate limit exceeded: token bucket is empty", "more messages"),
            ("slow consumer", "one of them read more slowly"),
            ("Logged in from another device", "another connection took the place"),
            ("connection replaced", "another connection took the place"),
            ("Server is shutting down", "the server is restarted or taken down"),
            ("Unsupported protocol version", "client and server are of versions"),
        ] {
            assert!(about(reason).is_some_and(|it| it.starts_with(words)), "{reason}: {:?}", about(reason));
        }
        assert!(is_heartbeat("No pong") && !is_heartbeat("done"));
        for reason in
            ["", "bye", "db pool exhausted", "stock went negative", "oops", "no card reader", "4004"]
        {
            assert_eq!(about(reason), None, "{reason}");
        }
    }
}
