//! Content codings (RFC 9110 §8.4): what is around a content, and what takes it off.
//!
//! | Coding | Specification | Read with |
//! |---|---|---|
//! | `gzip`, `x-gzip` | RFC 1952 | always |
//! | `deflate` | RFC 1950, or RFC 1951 alone: servers mean either | always |
//! | `br` | RFC 7932 | feature `brotli` |
//! | `zstd` | RFC 8878, RFC 9659 | feature `zstd` |
//!
//! A [`Decoder`] takes content in any pieces, through as many codings as were applied, and gives what comes
//! out as soon as it can be known. It holds windows and no more: what a few bytes grow to passes in pieces,
//! and is [given up](Stop::TooLarge) where it goes beyond all measure.

#[cfg(feature = "brotli")]
mod brotli;
mod deflate;
pub mod wide;
#[cfg(feature = "zstd")]
pub(crate) mod zstd;

use std::borrow::Cow;
use std::fmt;

use crate::limits::{CODINGS_IN_A_ROW, DECODED_FREELY, DECODED_TIMES};
use crate::model::HttpHead;

use deflate::Inflate;

/// Bytes in which a stage gives what it makes, unless it has more in one piece.
const PIECE: usize = 8 * 1024;

/// A content coding (RFC 9110 §8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 alone.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
    /// One that is not known.
    Unknown,
}

impl Coding {
    /// That of a name; `None` where it stands for none.
    fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name {
            "" => None,
            _ if is("identity") => None,
            _ if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            _ if is("deflate") => Some(Self::Deflate),
            _ if is("br") => Some(Self::Brotli),
            _ if is("zstd") => Some(Self::Zstd),
            _ => Some(Self::Unknown),
        }
    }

    /// Whether this build takes it off.
    const fn is_read(self) -> bool {
        match self {
            Self::Gzip | Self::Deflate => true,
            Self::Brotli => cfg!(feature = "brotli"),
            Self::Zstd => cfg!(feature = "zstd"),
            Self::Unknown => false,
        }
    }

    /// Its registered name.
    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Unknown => "?",
        }
    }
}

/// The codings around a content, in the order in which they were applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codings([Option<Coding>; CODINGS_IN_A_ROW]);

impl Codings {
    /// Those that the values of `Content-Encoding` name, in their order. More than are taken off stand for
    /// one that is not known.
    pub fn of<V: AsRef<str>>(values: impl IntoIterator<Item = V>) -> Self {
        let mut codings = Self::default();
        let mut free = codings.0.iter_mut();
        for value in values {
            for coding in value.as_ref().split(',').filter_map(|name| Coding::named(name.trim())) {
                let Some(place) = free.next() else { return Self::from(Coding::Unknown) };
                *place = Some(coding);
            }
        }
        codings
    }

    /// Those that a head names.
    pub fn of_head(head: &HttpHead<'_>) -> Self {
        let named = head.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("Content-Encoding"));
        Self::of(named.map(|field| &*field.value))
    }

    /// Whether there is none: the content is as it is.
    pub fn is_none(self) -> bool {
        self.0[0].is_none()
    }

    /// Whether all of them can be taken off, by this build.
    pub fn are_read(self) -> bool {
        self.list().all(Coding::is_read)
    }

    fn list(self) -> impl DoubleEndedIterator<Item = Coding> {
        self.0.into_iter().flatten()
    }

    /// What the first bytes of a content say, with the codings around them taken off: at most `most` bytes.
    pub fn plain(self, coded: &[u8], most: usize) -> Plain<'_> {
        if self.is_none() {
            let bytes = Cow::Borrowed(&coded[..coded.len().min(most)]);
            return Plain { bytes, is_cut: coded.len() > most, stop: None };
        }
        let (mut bytes, mut is_cut) = (Vec::new(), false);
        let mut decoder = Decoder::new(self);
        let stop = decoder.push(coded, &mut |piece| {
            let room = most - bytes.len();
            bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            is_cut = piece.len() > room;
            !is_cut
        });
        let stop = stop.err();
        Plain { bytes: Cow::Owned(bytes), is_cut: is_cut || stop.is_none() && !decoder.is_over(), stop }
    }
}

impl From<Coding> for Codings {
    fn from(coding: Coding) -> Self {
        let mut codings = Self::default();
        codings.0[0] = Some(coding);
        codings
    }
}

impl fmt::Display for Codings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, coding) in self.list().enumerate() {
            f.write_str(if place > 0 { ", " } else { "" })?;
            f.write_str(coding.name())?;
        }
        Ok(())
    }
}

/// What a content says without its codings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain<'b> {
    /// The first bytes of it. Untrusted.
    pub bytes: Cow<'b, [u8]>,
    /// There is more of it, or its end is not there.
    pub is_cut: bool,
    /// Why no more of it was decoded, where that is not because there is none.
    pub stop: Option<Stop>,
}

/// Why nothing more is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// One of its codings is not known, or not read by this build.
    Unread,
    /// Its bytes are no such coding from there on.
    Broken,
    /// It grows to more than [`DECODED_FREELY`] and [`DECODED_TIMES`] its bytes, or refers back further than
    /// is kept.
    TooLarge,
}

/// Takes the codings of one content off, as it arrives.
#[derive(Debug)]
pub struct Decoder {
    codings: Codings,
    /// That which was applied last is taken off first.
    stages: Vec<Stage>,
    /// Bytes taken.
    taken: u64,
    /// Bytes that all stages have made.
    made: u64,
    stop: Option<Stop>,
}

/// Where a stage puts what it makes.
type Put<'p> = dyn FnMut(&[u8]) -> Result<(), Halt> + 'p;

/// Why a stage does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    /// Nobody wants more.
    Enough,
    Stop(Stop),
}

impl Decoder {
    /// What takes these off.
    pub fn new(codings: Codings) -> Self {
        let stages: Option<Vec<Stage>> = codings.list().rev().map(Stage::new).collect();
        let stop = stages.is_none().then_some(Stop::Unread);
        Self { codings, stages: stages.unwrap_or_default(), taken: 0, made: 0, stop }
    }

    /// The codings that it takes off.
    pub fn codings(&self) -> Codings {
        self.codings
    }

    /// Takes the next bytes; `put` is called with what comes out, in pieces of no particular size, and says
    /// whether more is wanted, now or ever.
    ///
    /// # Errors
    /// Why nothing more can be decoded, now and from then on.
    pub fn push(&mut self, bytes: &[u8], put: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Stop> {
        if let Some(stop) = self.stop {
            return Err(stop);
        }
        self.taken += bytes.len() as u64;
        let most = DECODED_FREELY.saturating_add(self.taken.saturating_mul(DECODED_TIMES));
        let put: &mut Put<'_> = &mut |piece| if put(piece) { Ok(()) } else { Err(Halt::Enough) };
        match run(&mut self.stages, bytes, &mut self.made, most, put) {
            Ok(()) | Err(Halt::Enough) => Ok(()),
            Err(Halt::Stop(stop)) => {
                self.stop(stop);
                Err(stop)
            }
        }
    }

    /// Nothing more is decoded, such as behind a hole: what comes next refers to what is missing.
    pub fn give_up(&mut self) {
        self.stop(Stop::Broken);
    }

    fn stop(&mut self, why: Stop) {
        self.stop = Some(why);
        self.stages = Vec::new();
    }

    /// Why nothing more is decoded, if that is so.
    pub fn stopped(&self) -> Option<Stop> {
        self.stop
    }

    /// Whether what has come is whole: each coding has ended.
    pub fn is_over(&self) -> bool {
        self.stop.is_none() && self.stages.iter().all(Stage::is_over)
    }

    /// Bytes taken so far, and bytes that its codings have made of them, all together.
    pub fn extent(&self) -> (u64, u64) {
        (self.taken, self.made)
    }

    /// Bytes that it holds, about.
    pub fn cost(&self) -> usize {
        self.stages.iter().map(Stage::cost).sum()
    }
}

/// Takes bytes through the stages that are left, which may make so many bytes.
fn run(stages: &mut [Stage], bytes: &[u8], made: &mut u64, most: u64, put: &mut Put<'_>) -> Result<(), Halt> {
    let Some((first, others)) = stages.split_first_mut() else { return put(bytes) };
    first.push(bytes, &mut |piece| {
        *made += piece.len() as u64;
        if *made > most {
            return Err(Halt::Stop(Stop::TooLarge));
        }
        run(others, piece, made, most, put)
    })
}

/// Takes one coding off.
enum Stage {
    Deflate(Box<Inflate>),
    #[cfg(feature = "brotli")]
    Brotli(Box<brotli::Brotli>),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::Zstd>),
}

impl Stage {
    /// What takes it off; `None` where this build has nothing that does.
    fn new(coding: Coding) -> Option<Self> {
        match coding {
            Coding::Gzip => Some(Self::Deflate(Box::new(Inflate::gzip()))),
            Coding::Deflate => Some(Self::Deflate(Box::new(Inflate::deflate()))),
            #[cfg(feature = "brotli")]
            Coding::Brotli => Some(Self::Brotli(Box::new(brotli::Brotli::new()))),
            #[cfg(feature = "zstd")]
            Coding::Zstd => Some(Self::Zstd(Box::new(zstd::Zstd::new()))),
            #[allow(unreachable_patterns, reason = "with all features only what is unknown is left")]
            _ => None,
        }
    }

    fn push(&mut self, bytes: &[u8], put: &mut Put<'_>) -> Result<(), Halt> {
        match self {
            Self::Deflate(inflate) => inflate.push(bytes, put),
            #[cfg(feature = "brotli")]
            Self::Brotli(brotli) => brotli.push(bytes, put),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => zstd.push(bytes, put),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Deflate(inflate) => inflate.is_over(),
            #[cfg(feature = "brotli")]
            Self::Brotli(brotli) => brotli.is_over(),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => zstd.is_over(),
        }
    }

    fn cost(&self) -> usize {
        match self {
            Self::Deflate(_) => Inflate::COST,
            #[cfg(feature = "brotli")]
            Self::Brotli(brotli) => brotli.cost(),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => zstd.cost(),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deflate(_) => "Deflate",
            #[cfg(feature = "brotli")]
            Self::Brotli(_) => "Brotli",
            #[cfg(feature = "zstd")]
            Self::Zstd(_) => "Zstd",
        })
    }
}

#[cfg(test)]
mod tests;
