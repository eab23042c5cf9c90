//! What proxies put in front: a PROXY header, or a tunnel by `CONNECT`, its answer, and what goes through it.

use super::judged::Judged;
use super::preface::Preface;
use super::said::Said;
use crate::model::{Secured, Time};

/// The heads that opened a tunnel, until something goes through it that is shown, and what stands
/// before them.
#[derive(Default)]
pub(super) struct Tunnel {
    /// A PROXY header. It stays as long as the connection.
    pub preface: Option<Preface>,
    pub heads: Vec<Judged>,
    /// The method of a handshake that somebody told of.
    pub asked_with: Option<Box<str>>,
    /// What a layer below was told before, and says of itself.
    pub below: Option<Box<Below>>,
}

/// What comes before what was deciphered, on the layer below.
#[derive(Default)]
pub(super) struct Below {
    pub preface: Option<Preface>,
    pub heads: Vec<Judged>,
    pub said: Vec<Said>,
    /// What is known of the layer.
    pub secured: Option<Secured>,
}

impl Tunnel {
    /// Bytes it keeps.
    pub fn cost(&self) -> usize {
        let head = |head: &Judged| {
            let headers = head.headers.iter().map(|it| it.name.len() + it.value.len() + size_of_val(it));
            size_of::<Judged>() + head.start_line.len() + head.bytes.len() + headers.sum::<usize>()
        };
        let below = self.below.as_ref().map_or(0, |below| {
            below.preface.as_ref().map_or(0, Preface::cost)
                + below.heads.iter().map(head).sum::<usize>()
                + below.said.iter().map(Said::cost).sum::<usize>()
        });
        below + self.preface.as_ref().map_or(0, Preface::cost) + self.heads.iter().map(head).sum::<usize>()
    }

    /// The header that says who the client is, on whatever layer.
    pub fn preface(&self) -> Option<&Preface> {
        self.preface.as_ref().or_else(|| self.below.as_ref()?.preface.as_ref())
    }

    /// When the first of it was there.
    pub fn began(&self) -> Option<Time> {
        let first = |heads: &[Judged]| heads.first().and_then(|head| head.time);
        let below = self.below.as_deref();
        let said = |below: &Below| below.said.first().and_then(|said| said.last.time);
        let below = below.and_then(|below| {
            below.preface.as_ref().and_then(Preface::time).or(first(&below.heads)).or(said(below))
        });
        below.or(self.preface.as_ref().and_then(Preface::time)).or(first(&self.heads))
    }
}
