//! What messages cost, and how they came ever faster: what shows only over the life of a connection.

use super::over::Over;
use crate::model::quantity::{grouped, mean};
use crate::model::{Case, Cite, Diagnosis, Dir, Finding, Measure, Message, Quantity, Text, Time, rules};

rules! {
    /// Messages over time.
    RULES;
    RATE_GREW = "message-rate-grew", Note, Cite::rfc6455("7.4.1"), Either,
        "messages came several times as fast as before when the connection was ended",
        "the receiver may have ended it because of that, or could not keep up",
        usually "a loop: both ends answer each other, or a timer is set again and again",
        mend "look at the last messages: who sends them, and what makes it";
    COMPRESSION_WASTED = "compression-wasted", Note, Cite::rfc7692("5"), Either,
        "compression makes the messages of a connection longer, or hardly shorter",
        "time and memory are spent on both ends for nothing",
        usually "data that is compressed or random already: images, archives, encrypted bytes",
        mend "send such messages without compression (RFC 7692 §6 allows it for each), or do not agree on it";
}

/// What is remembered of the messages of a connection.
#[derive(Debug, Default)]
pub struct Pace {
    /// When its message of each power of two came, from [`FIRST`] on.
    marks: Vec<(u64, Time)>,
    /// What its compressed messages have as sent, and inflated.
    compressed: u64,
    inflated: u64,
    /// The longest of them, inflated, of the client and of the server.
    largest: [u64; 2],
}

/// Fewer messages than these say nothing of a rate.
const FIRST: u64 = 64;
/// By how much the rate has to grow, and how long it has to be slower.
const GROWTH: i64 = 4;
const STEADY: i64 = 1_000_000_000;
/// Inflated bytes below which nobody cares what they cost.
const WORTH: u64 = 8 * 1024;

impl Pace {
    /// Whether a message is one to be remembered.
    #[inline]
    pub fn is_mark(message: &Message<'_>) -> bool {
        message.compressed || Self::is_marked(message.m)
    }

    /// Whether a message is one by its number alone.
    #[inline]
    pub fn is_marked(m: u64) -> bool {
        m.is_power_of_two() && m >= FIRST
    }

    /// Takes such a message.
    pub fn see(&mut self, message: &Message<'_>, dir: Option<Dir>, time: Option<Time>) {
        if let (true, Some(inflated)) = (message.compressed, message.inflated_length) {
            self.compressed = self.compressed.saturating_add(message.length);
            self.inflated = self.inflated.saturating_add(inflated);
            if let Some(dir) = dir {
                let largest = &mut self.largest[dir.index()];
                *largest = inflated.max(*largest);
            }
        }
        if let (true, Some(time)) = (Self::is_marked(message.m), time) {
            self.marks.push((message.m, time));
        }
    }

    /// The longest compressed message of the client, and of the server, in bytes once inflated.
    pub fn largest(&self) -> [u64; 2] {
        self.largest
    }

    /// What it comes to, now that the connection is over.
    pub fn find(&self, over: &Over<'_>, causes: &mut Vec<Finding>) {
        self.wasted(causes);
        if over.has_ended_badly() {
            self.grew(over, causes);
        }
    }

    fn wasted(&self, causes: &mut Vec<Finding>) {
        // A twentieth is not worth the memory of two windows.
        if self.inflated < WORTH || self.compressed < self.inflated - self.inflated / 20 {
            return;
        }
        let what = Text::new("had compressed messages that were no shorter for it");
        let got = Text::with("{} bytes as sent, {} bytes inflated", grouped(self.compressed))
            .and(grouped(self.inflated));
        let share = (u128::from(self.compressed) * 1000 / u128::from(self.inflated)) as i64;
        let measures = vec![Measure::of(Quantity::Compressed, share)];
        let expected = "messages that compression makes shorter".into();
        causes.push(Finding::new(&COMPRESSION_WASTED, None, expected, got).like(Case::new(what, measures)));
    }

    fn grew(&self, over: &Over<'_>, causes: &mut Vec<Finding>) {
        // The last two powers of two are as many messages apart as came before the first of them.
        let (Some(began), Some([.., (count, before), (_, last)])) =
            (over.ending.began, self.marks.last_chunk::<2>().map(|marks| &marks[..]))
        else {
            return;
        };
        let (slow, fast) = (before.since(began), last.since(*before).max(1));
        if slow < STEADY || slow / GROWTH < fast {
            return;
        }
        let rate = |nanos: i64| *count as f64 / (nanos as f64 / 1e9);
        let (slow, fast) = (rate(slow), rate(fast));
        let measure = Measure { of: Quantity::Rate, least: slow.round() as i64, most: fast.round() as i64 };
        let (slow, fast) = (mean(slow), mean(fast));
        let got = Text::with("{} messages a second at first, {} at the end", &slow).and(&fast);
        let what = "had messages ever faster before it was ended".into();
        let behind =
            Text::with("the rate grew from {} to {} messages a second: a loop, or a leak of timers", slow)
                .and(fast);
        let mend = "look at the last messages: who sends them, and what makes it";
        let finding = Finding::new(&RATE_GREW, None, "a steady rate".into(), got).because(Diagnosis::new(
            RATE_GREW.id,
            behind,
            mend,
        ));
        causes.push(finding.like(Case::new(what, vec![measure])));
    }
}
