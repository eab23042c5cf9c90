//! Requests of an application protocol and what answers them.

use super::time::Time;
use super::wire::Dir;

/// What an acknowledgement or answer belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What was answered, such as an event's name. Untrusted.
    pub what: String,
    /// The name under which its latency counts; `None` where that is `what`. Untrusted.
    pub method: Option<String>,
    /// Numbers of the packets that carried it.
    pub packets: Option<(u64, u64)>,
    /// Nanoseconds from it to its answer; `None` without times.
    pub after: Option<i64>,
    /// Which of the answers to it this is.
    pub nth: Nth,
    /// The answer says that it failed.
    pub failure: Option<Failure>,
}

impl Answer {
    /// The name under which its latency counts.
    pub fn method(&self) -> &str {
        self.method.as_deref().unwrap_or(&self.what)
    }
}

/// Which of the answers to a request one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nth {
    /// The answer, or the first part of one: how long it took is the latency.
    #[default]
    First,
    /// More of an answer, or an event that was subscribed to: when it comes says nothing about how fast
    /// the peer answers.
    More,
    /// Another answer to a request that has its answer.
    Again,
}

impl Nth {
    /// As records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::More => "more",
            Self::Again => "again",
        }
    }
}

/// What an answer says of a request that failed. Untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Such as `-32601` or `wamp.error.no_such_procedure`.
    pub code: Option<String>,
    /// In the words of who refused.
    pub message: Option<String>,
}

/// Requests of one kind that had no answer when their connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Who asked.
    pub dir: Dir,
    /// The name under which their latency would count. Untrusted.
    pub method: String,
    /// How many there are.
    pub count: u64,
    /// The first of them: its id, if it has one (untrusted), and when and in which packets it was asked.
    pub id: Option<String>,
    /// When the first was asked.
    pub time: Option<Time>,
    /// The first and the last packet of the first.
    pub packets: Option<(u64, u64)>,
    /// Nanoseconds that the first of them had waited; `None` without times.
    pub waited: Option<i64>,
}
