//! What befalls a connection behind the messages that it was sent, where a fault has it so.

use crate::lab::fault::Plan;
use crate::model::Text;

/// How a connection goes on, or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is closed in order, with a code of one's own.
    Close,
    /// It ends without a word.
    Cut,
    /// It is reset.
    Reset,
    /// Nothing is sent or read any longer, and it stays open.
    HalfOpen,
    /// It ends without a word because nothing was said on it.
    Silence,
}

impl Fate {
    /// What befalls a connection behind so many messages that it was sent.
    pub fn behind(sent: u64, plan: &Plan) -> Option<Self> {
        match sent {
            0 => None,
            _ if plan.close.is_some() => Some(Self::Close),
            _ if plan.reset => Some(Self::Reset),
            _ if plan.half_open => Some(Self::HalfOpen),
            _ => plan.cut_after.is_some_and(|count| sent >= count).then_some(Self::Cut),
        }
    }

    /// What the log says of it, behind so many messages.
    pub fn words(self, plan: &Plan, sent: u64) -> Text {
        match self {
            Self::Close => {
                let code = plan.close.as_ref().map_or(0, |(code, _)| code.0);
                Text::with("fault close: closed with {}", code)
            }
            Self::Cut => Text::with("fault cut-after: cut behind message {}", sent),
            Self::Reset => "fault reset: the connection is reset".into(),
            Self::HalfOpen => "fault half-open: nothing is sent or read any longer".into(),
            Self::Silence => "fault idle-timeout: cut off without a Close".into(),
        }
    }
}

/// A byte that no text can have, in the middle.
pub fn spoil(text: &mut Vec<u8>) {
    text.insert(text.len() / 2, 0xFF);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;

    #[test]
    fn what_befalls_it_is_what_was_asked_for() {
        let of = |fault: &str| Plan::roll(&[fault.parse().expect(fault)], &mut Rng::new(1));
        for (fault, sent, fate) in [
            ("close=1011:so", 1, Some(Fate::Close)),
            ("reset", 0, None),
            ("reset", 3, Some(Fate::Reset)),
            ("half-open", 1, Some(Fate::HalfOpen)),
            ("cut-after=2", 1, None),
            ("cut-after=2", 2, Some(Fate::Cut)),
            ("delay=1s", 9, None),
        ] {
            assert_eq!(Fate::behind(sent, &of(fault)), fate, "{fault} {sent}");
        }
        let words = Fate::Close.words(&of("close=1011:so"), 1).to_string();
        assert_eq!(words, "fault close: closed with 1011");
        let mut text = b"hello".to_vec();
        spoil(&mut text);
        assert_eq!(text, b"he\xFFllo");
    }
}
