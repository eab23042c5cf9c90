//! A case is played: as a client against a server, or as a server against a client.
//!
//! - `open`, `accept`: the opening handshake as either
//! - `heads`: how heads are sent; `talk`: what follows them, `shared`: what is known of it
//! - `matching`: what came, held against what may come
//! - `wire`: the bytes of what is sent; `plan`: the same when nothing is played
//! - `record`: what is kept of it
//! - `judge`: what came of it; `likely`: what is usually behind a failure

mod accept;
mod heads;
mod judge;
mod likely;
mod matching;
mod open;
mod plan;
mod record;
mod shared;
mod talk;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

pub use accept::{Arrived, Greets, KeysSeen};
pub use open::Target;

pub use self::plan::plan;
use self::record::Record;
pub use self::talk::Talked;
use super::case::{Case, Prepared};
use super::script::Step;
use crate::lab::abort::Abort;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::grade::{Behaviour, Graded};
use crate::model::{Dir, Finding, Rule, Text};

/// Connects to the server that is graded.
pub trait Connect: Sync {
    /// A connection, TLS and all.
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>>;
}

/// A connection to it.
pub struct Connected {
    /// What goes over it.
    pub stream: Box<dyn Stream>,
    /// By which it can be reset.
    pub abort: Abort,
}

/// How a case went.
#[derive(Debug)]
pub struct Played {
    /// How its opening handshake went.
    pub opening: Opening,
    /// What followed.
    pub talked: Option<Talked>,
    /// What is kept of it.
    pub record: Record,
}

/// How the opening handshake went.
#[derive(Debug)]
pub enum Opening {
    /// The WebSocket is open.
    Open {
        /// What of the head's fields is not as the case has it.
        fields: Option<Text>,
        /// It is a SHOULD.
        lenient: bool,
    },
    /// The server answered with this status, or ended the connection.
    Answered {
        /// Where there was an answer.
        status: Option<u16>,
        /// What of the head's fields is not as the case has it.
        fields: Option<Text>,
        /// It is a SHOULD.
        lenient: bool,
    },
    /// The server said nothing, and kept the connection.
    Silent,
    /// We have ended the connection ourselves, as the case has it.
    Left,
    /// The peer broke a rule.
    Broken(&'static Rule, Text),
    /// What the case is about, the peer has not.
    Unimplemented(&'static str),
    /// There is nobody, or nothing came in time.
    Unreached(Text),
}

/// What a case with `takeover` needs.
const TAKEOVER: &str = "window that is kept from one message to the next: no context takeover was agreed";

/// How long a server may take to notice that a connection has ended, and longer when it is busy.
pub const LEAVING: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(2)];

/// How often as long as something is waited for a case may take, and half a minute more.
const LIMIT_A_PATIENCE: u32 = 4;

/// How long ending it may take when its time is over.
const MORE: Duration = Duration::from_secs(1);

/// Says that a case had its time.
fn not_over(limit: Duration) -> Text {
    Text::with("not over within {} s", limit.as_secs())
}

/// Plays a case against a server.
pub async fn server(case: &Case, target: &Target, connect: &dyn Connect) -> Graded {
    let play = async |case: &Case| {
        // It is large, and there are many.
        Box::pin(graded(case, Dir::Client, Some(target), async |prepared: &Prepared, record: &mut Record| {
            open::play(case, prepared, target, connect, record).await
        }))
        .await
    };
    let mut graded = play(case).await;
    if !case.survives {
        return graded;
    }
    let alive = Case::alive();
    if let Some(why) = gone(&once_there_is_room(async || play(&alive).await).await) {
        graded.behaviour = Behaviour::Failed;
        graded.why = why.into();
    }
    graded
}

/// What became of a server, by what came of another connection; `None` where it is there: what it does wrong
/// then, it may do on any.
fn gone(other: &Graded) -> Option<&'static str> {
    if other.opened || other.broken.is_some() || other.has_no_room() {
        return None;
    }
    Some(match other.refusal() {
        Some(_) => "afterwards it opens no other WebSocket",
        None => "afterwards it answers on no other connection",
    })
}

/// Plays until the server has room for it: it may not have noticed yet that who was there has left.
pub async fn once_there_is_room(play: impl AsyncFn() -> Graded) -> Graded {
    let mut graded = play().await;
    for leaving in LEAVING {
        if !graded.has_no_room() {
            break;
        }
        sleep(leaving).await;
        graded = play().await;
    }
    graded
}

/// Plays a case against a client that asks to open a WebSocket.
pub async fn client(case: &Case, arrived: Arrived) -> Graded {
    Box::pin(graded(case, Dir::Server, None, async |prepared: &Prepared, record: &mut Record| {
        accept::play(case, prepared, arrived, record).await
    }))
    .await
}

/// Judges a client whose request was refused before it could be played with, as it broke a rule.
pub fn refused(case: &Case, broken: Finding) -> Graded {
    let opening = Opening::Broken(broken.rule, broken.got);
    let played = Played { opening, talked: None, record: Record::new(Duration::ZERO) };
    judge::judge(case, &prepared(case, Dir::Server), Dir::Server, played)
}

/// A case as one side plays it: those of the suite are read by its tests, and others when they are loaded.
fn prepared(case: &Case, us: Dir) -> Prepared {
    case.prepare(us).unwrap_or_else(|(key, error)| panic!("{}: {key}: {error}", case.facts.id))
}

async fn graded(
    case: &Case,
    us: Dir,
    target: Option<&Target>,
    play: impl AsyncFnOnce(&Prepared, &mut Record) -> (Opening, Option<Talked>),
) -> Graded {
    let mut prepared = prepared(case, us);
    if let Some(target) = target {
        target.adapt(case, &mut prepared);
    }
    let weight: u64 = prepared.steps.iter().map(Step::weight).sum();
    let limit = case.patience * LIMIT_A_PATIENCE + Duration::from_secs(30 + weight / limits::GRADE_RATE);
    let mut record = Record::new(limit);
    // A conversation ends itself by then, and knows what was seen of it.
    let played = timeout(limit + MORE, play(&prepared, &mut record)).await;
    let (opening, talked) = played.unwrap_or_else(|_| (Opening::Unreached(not_over(limit)), None));
    judge::judge(case, &prepared, us, Played { opening, talked, record })
}

#[cfg(test)]
mod tests;
