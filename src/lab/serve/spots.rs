//! What is at the end of a WebSocket, by the path it was opened with.

use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use tokio::time::{Instant, sleep_until};

use super::talk::Talk;
use super::{Visitor, chat};
use crate::lab::answer::query;
use crate::lab::fault::duration;
use crate::lab::handshake::Agreed;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::{CloseCode, FrameHeader, Opcode};
use crate::ws::encode;

/// A place to connect to.
#[derive(Clone, Debug, PartialEq)]
pub enum Spot {
    /// What comes is sent back.
    Echo,
    /// The chat, under a name.
    Chat(Option<String>),
    /// A message every so often.
    Ticker(Duration),
    /// Closes at once; no code is an empty Close frame, 1006 is none at all.
    Close(u16, String),
    /// What comes is sent back after a while.
    Slow(Duration),
    /// One binary message of so many bytes, and then as echo.
    Big(u64),
    /// What comes is sent back in so many fragments.
    Fragments(usize),
}

/// Paths, with what is there.
pub const PATHS: [(&str, &str); 7] = [
    ("/echo", "sends back what it gets"),
    ("/chat?name=Ann", "a chat: names, who is online"),
    ("/ticker?every=1s", "a message each second"),
    ("/close/1001?reason=so", "closes with that code"),
    ("/slow?delay=1s", "sends back later what it gets"),
    ("/big/1000000", "sends that many bytes at once"),
    ("/fragments/3", "sends back in that many frames"),
];

impl Spot {
    /// What a request asks for; `None` when there is no such place.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        let time = |name, default| match query(request, name) {
            Some(text) => duration(&text).ok(),
            None => Some(default),
        };
        if let Some((place, number)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) {
            let count: u64 = number.parse().ok()?;
            return match place {
                "close" => {
                    let reason = query(request, "reason").unwrap_or_default().into_owned();
                    Some(Self::Close(u16::try_from(count).ok()?, reason))
                }
                "big" if count <= limits::LAB_BIG => Some(Self::Big(count)),
                "fragments" if (1..=1000).contains(&count) => Some(Self::Fragments(count as usize)),
                _ => None,
            };
        }
        Some(match path {
            "/echo" => Self::Echo,
            "/chat" => Self::Chat(query(request, "name").map(std::borrow::Cow::into_owned)),
            "/ticker" => Self::Ticker(time("every", Duration::from_secs(1))?.max(Duration::from_millis(1))),
            "/slow" => Self::Slow(time("delay", Duration::from_secs(1))?),
            _ => return None,
        })
    }

    /// Talks to who came here, to the end.
    pub(super) async fn talk(self, stream: impl Stream, visitor: Arc<Visitor>, agreed: Agreed) {
        let mut talk = Talk::begin(stream, visitor, &agreed);
        match self {
            Self::Echo => echo(&mut talk, 1).await,
            Self::Fragments(count) => echo(&mut talk, count).await,
            Self::Chat(name) => chat::talk(&mut talk, name.as_deref()).await,
            Self::Ticker(every) => ticker(&mut talk, every).await,
            Self::Slow(delay) => slow(&mut talk, delay).await,
            Self::Big(bytes) => {
                if big(&mut talk, bytes).await {
                    echo(&mut talk, 1).await;
                }
            }
            Self::Close(1006, _) => {}
            Self::Close(1005, _) => return talk.close(None, "").await,
            Self::Close(code, reason) => return talk.close(Some(CloseCode(code)), &reason).await,
        }
        talk.end().await;
    }
}

async fn echo(talk: &mut Talk, fragments: usize) {
    while let Some(message) = talk.next().await {
        talk.say(message.kind, message.payload, fragments);
    }
}

async fn ticker(talk: &mut Talk, every: Duration) {
    let mut next = Instant::now();
    let mut count = 0u64;
    loop {
        tokio::select! {
            message = talk.next() => if message.is_none() { return },
            // Who takes nothing is not told more.
            () = sleep_until(next), if !talk.is_full() => {
                count += 1;
                next += every;
                talk.text(&format!("tick {count}"));
            }
        }
    }
}

async fn slow(talk: &mut Talk, delay: Duration) {
    talk.slow_down(delay);
    echo(talk, 1).await;
}

/// A message that is written as it goes, so that it takes no room; whether it was taken.
async fn big(talk: &mut Talk, bytes: u64) -> bool {
    const PIECE: usize = 64 * 1024;
    let pattern: Vec<u8> = (b'a'..=b'z').cycle().take(PIECE).collect();
    let mut head = Vec::new();
    let key = talk.visitor().plan.mask.then_some([0; 4]);
    encode::header(&FrameHeader::of(Opcode::BINARY, key, bytes), &mut head);
    talk.socket().queue_raw(&head);
    let mut left = bytes;
    loop {
        let now = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        talk.socket().queue_raw(&pattern[..now]);
        left -= now as u64;
        let flushed = talk.socket().flush().await;
        if let Err(error) = flushed {
            talk.visitor().broke(&error);
            return false;
        }
        if left == 0 {
            talk.has_sent_one();
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(target: &str) -> Option<Spot> {
        Spot::of(&Request::builder().uri(target).body(()).unwrap())
    }

    #[test]
    fn paths_lead_to_their_places() {
        assert_eq!(spot("/echo?x"), Some(Spot::Echo));
        assert_eq!(spot("/chat?name=Ann%20B"), Some(Spot::Chat(Some("Ann B".to_owned()))));
        assert_eq!(spot("/close/4000?reason=so"), Some(Spot::Close(4000, "so".to_owned())));
        assert_eq!(spot("/ticker?every=20ms"), Some(Spot::Ticker(Duration::from_millis(20))));
        assert_eq!(spot("/ticker?every=0"), Some(Spot::Ticker(Duration::from_millis(1))));
        assert_eq!(spot("/slow"), Some(Spot::Slow(Duration::from_secs(1))));
        assert_eq!(spot("/big/70000"), Some(Spot::Big(70_000)));
        assert_eq!(spot("/fragments/3"), Some(Spot::Fragments(3)));
        for nowhere in
            ["/", "/echo/1", "/close/70000", "/close/x", "/big/-1", "/fragments/0", "/ticker?every=x"]
        {
            assert_eq!(spot(nowhere), None, "{nowhere}");
        }
        assert_eq!(spot(&format!("/big/{}", limits::LAB_BIG + 1)), None);
    }
}
