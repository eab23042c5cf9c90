//! HTTP/2 among what a connection may carry: its preface, and frames where that was not seen.

use super::{Found, Held, Probe, in_order};
use crate::h2::shape::Chain;
use crate::limits;
use crate::model::{At, Side};

impl Probe {
    /// Looks for frames whose preface was not seen; `None` where it takes other evidence.
    pub(super) fn look_for_frames(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> Option<Found> {
        let chain = &mut self.chains[side.index()];
        chain.get_or_insert_default().push(bytes, at, offset);
        // There may be very many connections that are nothing like it.
        chain.take_if(|chain| chain.is_empty());
        let mut chains = self.chains.iter().flatten();
        if chains.clone().any(|chain| chain.is_found()) {
            return Some(Found::Http2Midway);
        }
        // DATA may carry frames of a WebSocket.
        let may_be = chains.any(|chain| chain.is_promising()) && self.looked <= limits::H2_TRIAL;
        may_be.then_some(Found::Nothing)
    }

    /// Bytes of a side that are held because they may be frames of HTTP/2.
    pub fn heard_as_frames(&self, side: Side) -> u64 {
        self.chains[side.index()].as_ref().map_or(0, |chain| chain.held())
    }

    /// What was held of HTTP/2 that begins with the preface of `client`, in the order in which it was
    /// captured.
    pub fn into_preface(mut self, client: Side) -> Vec<(Side, u64, At, Vec<u8>)> {
        // The preface is held as a head, and so is all of a server that came before it, or it may be frames.
        self.chains[client.index()] = None;
        if self.chains[client.other().index()].is_some() {
            self.heads.retain(|(side, _)| *side == client);
        }
        let heads = std::mem::take(&mut self.heads);
        let held = |(side, held): &(Side, Held)| -> Vec<_> {
            held.pieces().map(|(offset, at, bytes)| (*side, offset, at, bytes.to_vec())).collect()
        };
        in_order(heads.iter().flat_map(held).chain(self.into_chains()))
    }

    /// What was held of frames of HTTP/2, in the order in which it was captured.
    pub fn into_chains(self) -> Vec<(Side, u64, At, Vec<u8>)> {
        let [a, b] = self.chains;
        let of = |side: Side, chain: Option<Box<Chain>>| {
            let pieces = chain.map(|chain| chain.into_pieces()).unwrap_or_default();
            pieces.into_iter().map(move |(offset, at, bytes)| (side, offset, at, bytes))
        };
        in_order(of(Side::A, a).chain(of(Side::B, b)))
    }
}
