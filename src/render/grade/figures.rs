//! How quickly a peer answered, in words.

use crate::model::grade::{Chapter, Figures, Graded};
use crate::model::{Text, quantity};

/// The figures of a case that has some worth showing: those of performance, and those that have others beside
/// them.
pub fn figures(one: &Graded) -> Option<Text> {
    let own = one.figures?;
    match one.beside {
        Some(beside) => Some(Text::new("{}; the other server: {}").word(said(own)).word(said(beside))),
        None if one.case.chapter == Chapter::Performance => Some(said(own)),
        None => None,
    }
}

/// `16,390 a second, 256.1 KiB a second`, or for a single message `412.0 MiB a second`.
fn said(figures: Figures) -> Text {
    let throughput = quantity::size(figures.throughput() as u64);
    if figures.messages == 1 {
        return Text::with("{} a second", throughput);
    }
    Text::with("{} a second, {} a second", quantity::count(figures.rate().round() as u64)).and(throughput)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lang::Lang;

    #[test]
    fn large_messages_are_bytes_and_many_are_counted() {
        let of = |messages, payload, millis| {
            let took = Duration::from_millis(millis);
            Lang::En.say(&said(Figures { messages, payload, took }))
        };
        assert_eq!(of(1, 16 << 20, 40), "400.0 MiB a second");
        assert_eq!(of(1000, 16_000, 61), "16,393 a second, 256.1 KiB a second");
        assert_eq!(of(2, 0, 1000), "2 a second, 0 B a second");
    }
}
