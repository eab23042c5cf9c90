//! Who sends more than people and their programs do, and is named for it: it is read as fast as its answers
//! are taken, which costs the others nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Text;
use crate::model::quantity::grouped;

/// So many messages are a flood,
const MANY: u32 = 10_000;
/// within this time.
const WITHIN: Duration = Duration::from_secs(5);

/// Counts what one peer sends.
#[derive(Debug, Default)]
pub struct Flood {
    /// When the first one that is counted came.
    since: Option<Instant>,
    count: u32,
    is_told: bool,
}

impl Flood {
    /// Counts a message, ping or pong that has come. Whether that makes a flood of them, which is said once.
    pub fn takes_one(&mut self, now: Instant) -> bool {
        if self.is_told {
            return false;
        }
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) > WITHIN {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count += 1;
        self.is_told = self.count >= MANY;
        self.is_told
    }

    /// What the log says of it.
    pub fn words() -> Text {
        Text::new("floods: {} messages within {} s; it is read as fast as its answers are taken")
            .and(grouped(MANY.into()))
            .and(WITHIN.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_named_once_and_what_takes_its_time_is_none() {
        let start = Instant::now();
        let told = |every: Duration| {
            let mut flood = Flood::default();
            (0..4 * MANY).filter(|n| flood.takes_one(start + every * *n)).collect::<Vec<_>>()
        };
        assert_eq!(told(Duration::from_micros(400)), [MANY - 1]);
        assert_eq!(told(Duration::from_millis(1)), [0; 0]);
        assert!(Flood::words().to_string().starts_with("floods: 10,000 messages within 5 s"));
    }
}
