//! On how many threads an input is decoded.

use std::num::NonZeroUsize;
use std::thread;

use super::opening::Opened;
use crate::input::Input;
use crate::pipeline::Threads;

/// Bytes of a capture from which a second thread pays: starting it, and handing over what the first has read,
/// takes longer than it saves with less.
const WORTH_IT: u64 = 4 * 1024 * 1024;

/// What `--threads` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// As many as pay.
    Auto,
    /// At most so many.
    AtMost(NonZeroUsize),
}

impl Wish {
    /// What it comes to: what comes as it happens is decoded on one thread, which waits for nothing but the
    /// next packet, and so is what has no packets.
    pub fn of(self, opened: &Opened) -> Threads {
        let Some(length) = opened.length.filter(|_| !opened.live) else { return Threads::One };
        if !matches!(opened.input, Input::Capture(_)) {
            return Threads::One;
        }
        let may_pay = || length >= WORTH_IT && thread::available_parallelism().is_ok_and(|n| n.get() > 1);
        match self {
            Self::Auto if may_pay() => Threads::WherePays,
            Self::AtMost(most) if most.get() > 1 => Threads::Two,
            Self::Auto | Self::AtMost(_) => Threads::One,
        }
    }

    /// How many of so many captures are decoded at the same time.
    #[cfg(feature = "parquet")]
    pub fn workers(self, captures: usize) -> usize {
        let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let most = match self {
            Self::Auto => cores(),
            Self::AtMost(most) => most.get(),
        };
        most.min(captures).max(1)
    }
}

/// Reads what follows `--threads`.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse(text: &str) -> Result<Wish, String> {
    if text == "auto" {
        return Ok(Wish::Auto);
    }
    text.parse().map(Wish::AtMost).map_err(|_| "a number from 1, or auto".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::input;

    fn opened(content: &'static [u8], length: Option<u64>, live: bool) -> Opened {
        let input = input::open(Box::new(Cursor::new(content)), "test").expect("it is known");
        Opened { input, size: None, length, live }
    }

    #[test]
    fn a_second_thread_is_for_captures_that_are_there() {
        const PCAP: &[u8] = b"\xD4\xC3\xB2\xA1\x02\0\x04\0\0\0\0\0\0\0\0\0\xFF\xFF\0\0\x01\0\0\0";
        let (one, two) = (parse("1").unwrap(), parse("2").unwrap());
        let auto = parse("auto").unwrap();
        let large = Some(WORTH_IT);
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        assert_eq!(auto.of(&opened(PCAP, large, false)) == Threads::WherePays, cores > 1);
        assert_eq!(auto.of(&opened(PCAP, Some(WORTH_IT - 1), false)), Threads::One);
        assert_eq!(one.of(&opened(PCAP, large, false)), Threads::One);
        assert_eq!(two.of(&opened(PCAP, Some(24), false)), Threads::Two);
        assert_eq!(parse("16").unwrap().of(&opened(PCAP, large, false)), Threads::Two);
        for wish in [auto, two] {
            assert_eq!(wish.of(&opened(PCAP, large, true)), Threads::One, "a pipe");
            assert_eq!(wish.of(&opened(PCAP, None, false)), Threads::One, "no file");
            assert_eq!(wish.of(&opened(b"\x81\x05Hello", large, false)), Threads::One, "no packets");
        }
        for wrong in ["0", "-1", "two", "", "1.5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
