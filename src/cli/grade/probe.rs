//! What kind of server it is: whether it sends messages back, and takes several connections at a time.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::way::Ways;
use crate::grade::Case;
use crate::grade::load::read;
use crate::grade::play::{self, Target};
use crate::lab::tap::{Recording, Tap, What};
use crate::model::grade::{Event, EventKind, Graded};
use crate::model::{CloseCode, Dir, SourceId, Text};
use crate::replay::Heard;
use crate::replay::heard::begins_response;

/// What it is asked with.
const WORDS: &str = "wstool grade: do you send this back?";

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long others may take to hear of it.
const HEARD: Duration = Duration::from_millis(100);

/// How often it is looked whether somebody is in.
const GLANCE: Duration = Duration::from_millis(2);

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is no WebSocket there: it answered with this status, speaks something else, or says nothing.
    Unopened(Option<u16>, Text),
    /// It sends messages back, or what it sends back is not right: the cases will say. Before, it greets with
    /// so many.
    Echo(usize),
    /// It sends other messages.
    Other,
    /// It sends nothing.
    Nothing,
    /// It ends the connection, with this code where it sends one.
    Ends(Option<CloseCode>),
}

/// Looks what a server does with a message. Who is said to be slow, and says nothing yet, may be one all the
/// same.
pub(super) async fn answer(ways: &Ways, target: &Target, is_slow: bool) -> Answer {
    let question = question();
    let ask = async || play::server(&question, target, &ways.unkept()).await;
    what(&play::once_there_is_room(ask).await, target.http2, is_slow)
}

/// What a server calls itself in `Server`.
pub(super) async fn product(ways: &Ways, target: &Target) -> Option<String> {
    let graded = play::server(&own("play = ''\npass = ''"), target, &ways.unkept()).await;
    let heard = Heard::of(&graded.sent_by(Dir::Server), SourceId::Input, 0);
    let name = heard.head().values("server").next()?.text().trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// How a server treats several connections at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Each by itself.
    Apart,
    /// What one sends, all get.
    Together,
    /// One has to wait for another's end.
    Queued,
    /// One is turned away while another is open.
    Alone,
}

/// Looks how a server treats a connection while another is open.
pub(super) async fn crowd(ways: &Ways, target: &Target) -> Crowd {
    let (tap, recording) = Tap::new();
    let (second_tap, second_recording) = Tap::new();
    let (first, way) = (ways.tapped(tap), ways.tapped(second_tap));
    let (question, silence) = (question(), silence());
    let mut is_asked = false;
    let second = async {
        // Who is not in yet hears nothing of others.
        while !has_answered(&recording) {
            sleep(GLANCE).await;
        }
        // What comes from now on need not be told.
        drop(recording);
        is_asked = true;
        play::server(&question, target, &way).await
    };
    let mut listening = pin!(play::server(&silence, target, &first));
    let (heard, is_answered) = tokio::select! {
        // The other was not done when this one ended; or what it said was heard here.
        heard = &mut listening => (heard, has_answered(&second_recording)),
        asked = second => {
            if asked.has_no_room() {
                return Crowd::Alone;
            }
            match timeout(HEARD.max(asked.took * 4), listening).await {
                Ok(heard) => (heard, true),
                Err(_) => return Crowd::Apart,
            }
        }
    };
    if messages(&heard).any(|event| resembles(&event.payload)) {
        Crowd::Together
    } else if is_asked && !is_answered && heard.opened && heard.took >= PATIENCE {
        // It had all the time that there was, and no answer to its opening handshake.
        Crowd::Queued
    } else {
        Crowd::Apart
    }
}

/// Whether the server has said something since it was last looked at.
fn has_answered(recording: &Recording) -> bool {
    std::iter::from_fn(|| recording.next_now()).any(|one| matches!(one.what, What::Data(Dir::Server, _)))
}

fn what(graded: &Graded, http2: bool, is_slow: bool) -> Answer {
    let refusal = graded.refusal();
    let said = graded.sent_by(Dir::Server);
    let is_foreign = http2 || said.is_empty() && !is_slow || begins_response(&said) == Some(false);
    if !graded.opened && graded.broken.is_none() && (refusal.is_some() || is_foreign) {
        return Answer::Unopened(refusal, graded.why.clone());
    }
    if !graded.opened || graded.broken.is_some() {
        // That is for the cases to say.
        return Answer::Echo(0);
    }
    let mut all = messages(graded).peekable();
    if all.peek().is_none() {
        return if graded.took < PATIENCE { Answer::Ends(graded.code) } else { Answer::Nothing };
    }
    match all.position(|event| resembles(&event.payload)) {
        Some(greeting) => Answer::Echo(greeting),
        None => Answer::Other,
    }
}

fn messages(graded: &Graded) -> impl Iterator<Item = &Event> {
    graded.got.iter().filter(|event| matches!(event.what, EventKind::Text | EventKind::Binary))
}

/// Whether it is what was asked, or what a server with a fault makes of that.
fn resembles(payload: &[u8]) -> bool {
    let words = WORDS.as_bytes();
    payload.len() == words.len() || words.windows(4).any(|part| payload.windows(4).any(|it| it == part))
}

fn question() -> Case {
    own(&format!("patience = \"{}s\"\nplay = 'text \"{WORDS}\"'\npass = \"echo\"", PATIENCE.as_secs()))
}

fn silence() -> Case {
    // A closing handshake would take time of which nobody knows how much, and say nothing.
    own("patience = \"2s\"\nplay = \"await 1\\nrst\"")
}

/// A case that is none of the suite.
fn own(keys: &str) -> Case {
    let head = "chapter = \"framing\"\n[[case]]\nid = \"probe\"\ntitle = { en = \"\", zh = \"\" }\n";
    read(&format!("{head}{keys}")).unwrap_or_else(|problem| panic!("{problem}")).remove(0)
}
